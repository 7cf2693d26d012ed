"""The sign-off: from now on the staging models read a programme's unified tables, or, undone, the legacy ones again.

Belongs here: deciding and recording. Does not: the switch itself (the view ``ops.programme_source``, which follows).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from hic_assets.parity.readiness import Readiness, readiness, states
from hic_assets.systems.declare import Pipeline
from hic_assets.warehouse import Warehouse

_EVIDENCE = ("partition_start", "kind", "state", "parity_id", "legacy_load_id", "unified_load_id", "matched", "differences", "late")  # fmt: skip


class CutoverRefused(Exception):
    """The programme is not ready; the reasons say why."""

    def __init__(self, programme: str, reasons: tuple[str, ...]) -> None:
        super().__init__(f"{programme} is not ready: {'; '.join(reasons)}.")
        self.programme, self.reasons = programme, reasons


class UnknownProgramme(Exception):
    """No declaration has a programme of that name."""


@dataclass(frozen=True)
class SignOff:
    """What holds for a programme. ``changed``: by this call; else it was so already, since ``at`` (None: always)."""

    programme: str
    pipeline: Pipeline
    changed: bool
    at: datetime | None = None
    by_whom: str | None = None
    forced: bool = False
    reason: str | None = None


def cut_over(
    warehouse: Warehouse, programme: str, by: str, *, force: bool = False, reason: str | None = None
) -> SignOff:
    """Sign a programme off for the unified tables, with what is known of its parity as evidence.

    ``force`` signs off a programme that is not ready, and needs a reason. Raises CutoverRefused, UnknownProgramme.
    """
    if force and not (reason or "").strip():
        raise ValueError("a cutover that is forced needs a reason")
    with warehouse.connect() as connection:
        current = _alone(connection, programme)
        if current.pipeline == Pipeline.UNIFIED:
            return last_sign_off(connection, programme)
        if not current.ready and not force:
            raise CutoverRefused(programme, tuple(current.reasons))
        forced = force and not current.ready
        return _record(connection, current, Pipeline.UNIFIED, by, forced=forced, reason=reason)


def undo(warehouse: Warehouse, programme: str, by: str, *, reason: str | None = None) -> SignOff:
    """Go back to the legacy tables. Raises CutoverRefused where there is no legacy pipeline, UnknownProgramme."""
    with warehouse.connect() as connection:
        current = _alone(connection, programme)
        if current.pipeline == Pipeline.LEGACY:
            return last_sign_off(connection, programme)
        if not _has_legacy(connection, programme):
            raise CutoverRefused(programme, ("it has no legacy pipeline to go back to",))
        return _record(connection, current, Pipeline.LEGACY, by, forced=False, reason=reason)


def note_dropped_legacy(connection: Connection[Any], without_legacy: Iterable[str]) -> None:
    """Record a sign-off of those programmes that read the legacy tables and whose declaration has no such pipeline now.

    To be called before ``ops.programme`` says so too. Months that were built from the legacy tables are built again by
    this record, as after any sign-off.
    """
    for programme in without_legacy:
        for current in readiness(connection, programme):
            if current.pipeline == Pipeline.LEGACY:
                why = "legacy=False in its declaration"
                _record(connection, current, Pipeline.UNIFIED, "the declaration", forced=not current.ready, reason=why)


def last_sign_off(connection: Connection[Any], programme: str) -> SignOff:
    """What holds for a programme, and since when."""
    found = connection.execute(
        """select s.pipeline, c.at, c.by_whom, coalesce(c.forced, false), c.reason from ops.programme_source s
           left join lateral (select * from ops.cutover c where c.programme = s.programme
                              order by cutover_id desc limit 1) c on true
           where s.programme = %s""",
        (programme,),
    ).fetchone()
    if found is None:
        raise _unknown(connection, programme)
    pipeline, *rest = found
    return SignOff(programme, Pipeline(pipeline), False, *rest)


def _alone(connection: Connection[Any], programme: str) -> Readiness:
    """How the programme stands, read with its lock held: of two sign-offs at once the second finds the first's."""
    connection.execute("select pg_advisory_xact_lock(hashtext('hic cutover'), hashtext(%s))", (programme,))
    found = readiness(connection, programme)
    if not found:
        raise _unknown(connection, programme)
    return found[0]


def _unknown(connection: Connection[Any], programme: str) -> UnknownProgramme:
    names = [name for (name,) in connection.execute("select programme from ops.programme order by 1")]
    return UnknownProgramme(f"there is no programme {programme!r}; there are: {', '.join(names) or 'none'}.")


def _has_legacy(connection: Connection[Any], programme: str) -> bool:
    found = connection.execute("select legacy from ops.programme where programme = %s", (programme,)).fetchone()
    return found == (True,)


def _record(
    connection: Connection[Any], current: Readiness, action: Pipeline, by: str, *, forced: bool, reason: str | None
) -> SignOff:
    partitions = [{k: row[k] for k in _EVIDENCE} for row in states(connection, current.programme, current.needed)]
    evidence = {"readiness": asdict(current), "partitions": partitions}
    found = connection.execute(
        """insert into ops.cutover (programme, by_whom, action, forced, reason, evidence)
           values (%s, %s, %s, %s, %s, %s) returning at""",
        (current.programme, by, action.value, forced, reason, Jsonb(evidence, dumps=_dumps)),
    ).fetchone()
    assert found is not None  # noqa: S101 - insert … returning always returns one row
    return SignOff(current.programme, action, True, found[0], by, forced, reason)


def _dumps(value: Any) -> str:
    return json.dumps(value, default=str)
