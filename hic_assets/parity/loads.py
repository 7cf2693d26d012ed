"""What is compared, and the current loads of both its sides as the ledger knows them.

Belongs here: names of tables, reading ``ops.load``. Does not: reading the tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.rules import Field, fields
from hic_assets.systems.declare import Pipeline, Programme


@dataclass(frozen=True)
class Compared:
    """What is compared: one kind of record of a programme in one partition."""

    programme: Programme
    kind: Kind
    partition: date

    def __str__(self) -> str:
        return f"{self.programme.name} {self.kind.value} {self.partition}"

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, the key included."""
        return fields(self.kind)

    @property
    def key(self) -> Field:
        """The field that identifies a record."""
        return next(f for f in self.fields if f.key)

    @property
    def values(self) -> tuple[Field, ...]:
        """All fields but the key."""
        return tuple(f for f in self.fields if not f.key)

    def relation(self, side: Pipeline) -> str:
        """Name of a side's table in schema ``raw``."""
        return relation(self.programme, self.kind, side)


def relation(programme: Programme, kind: Kind, side: Pipeline) -> str:
    """Name of a programme's table in schema ``raw``."""
    return f"{'u_' if side is Pipeline.UNIFIED else ''}{programme.tables}_{kind.value}"


@dataclass(frozen=True)
class Load:
    """The current load of one side. ``read_at``: by the server's clock, when reading began.

    ``repeated``: rows that were served more than once, by landing's count.
    """

    load_id: int
    system: str
    read_at: datetime | None
    rows_read: int
    repeated: int


@dataclass(frozen=True)
class Loads:
    """The current loads of both sides."""

    legacy: Load
    unified: Load

    def of(self, side: Pipeline) -> Load:
        """The load of one side."""
        return self.legacy if side is Pipeline.LEGACY else self.unified


def instant(moment: datetime | None) -> str:
    """A moment as SQL."""
    return "null::timestamptz" if moment is None else f"timestamptz '{moment.isoformat()}'"


def current_loads(connection: Connection[Any], compared: Compared) -> Loads | list[Pipeline]:
    """The loads of both sides, or the sides that are not loaded."""
    found = connection.execute(
        """select l.relation, l.load_id, l.system, l.source_read_at, l.rows_read,
                  l.duplicates + (select count(*) from ops.quarantine q
                                  where q.load_id = l.load_id and q.rule = 'duplicate_key')
           from ops.load l where l.is_current and l.window_start = %s and l.relation = any(%s)""",
        (compared.partition, [compared.relation(side) for side in Pipeline]),
    ).fetchall()
    loads = {name: Load(*rest) for name, *rest in found}
    legacy, unified = (loads.get(compared.relation(side)) for side in (Pipeline.LEGACY, Pipeline.UNIFIED))
    if legacy and unified:
        return Loads(legacy, unified)
    return [side for side in Pipeline if compared.relation(side) not in loads]


def comparable(
    connection: Connection[Any], programme: Programme, kinds: Iterable[Kind], again: bool = False
) -> list[Compared]:
    """Partitions that both sides have loaded, oldest first; unless ``again``, only those without a result of now."""
    found: list[Compared] = []
    for kind in kinds:
        rows = connection.execute(
            """select l.window_start from ops.load l
               join ops.load u on u.window_start = l.window_start and u.is_current and u.relation = %s
               where l.is_current and l.relation = %s and (%s or not exists (
                 select from ops.parity p where p.is_current and p.programme = %s and p.kind = %s
                   and (p.legacy_load_id, p.unified_load_id) = (l.load_id, u.load_id)))
               order by 1""",
            (
                relation(programme, kind, Pipeline.UNIFIED),
                relation(programme, kind, Pipeline.LEGACY),
                again,
                programme.name,
                kind.value,
            ),
        ).fetchall()
        found += [Compared(programme, kind, day) for (day,) in rows]
    return sorted(found, key=lambda c: c.partition)


def last_failure(
    connection: Connection[Any], programme: Programme, kind: Kind, partitions: Iterable[date]
) -> str | None:
    """What the latest load ended with, of those that failed of sides on which these partitions are not loaded."""
    found = connection.execute(
        """select l.error from ops.load l
           where l.relation = any(%s) and l.window_start = any(%s) and l.status = 'failed' and not exists (
             select from ops.load c
             where (c.relation, c.window_start) = (l.relation, l.window_start) and c.is_current)
           order by l.load_id desc limit 1""",
        ([relation(programme, kind, side) for side in Pipeline], list(partitions)),
    ).fetchone()
    return found[0] if found else None
