"""The verdict on a unified table: does the legacy one say the same? For an asset check, and for whoever asks.

Belongs here: comparing what a run has loaded, and saying what came out. Does not: Dagster (``checks``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from psycopg import Connection

from hic_assets.checks.questions import Verdict
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.compare import compare_each
from hic_assets.parity.cutover import SignOff, last_sign_off
from hic_assets.parity.differences import Difference, NotCompared, counted_words
from hic_assets.parity.loads import Compared, last_failure
from hic_assets.parity.readiness import differences, states
from hic_assets.systems.declare import Pipeline, Programme
from hic_assets.warehouse import Warehouse

SHOWN = 20
_COMPARED = ("clean", "differs", "legacy outdated", "unified outdated")
"""States of partitions that have a result of the loads they hold now."""


def parity_verdict(warehouse: Warehouse, programme: Programme, kind: Kind, partitions: Iterable[date]) -> Verdict:
    """Compare these partitions, where no result of their current loads is there yet, and judge them.

    Beyond the programme's tolerance the 'no' is grave. It is a warning within it but not equal, where one side is
    outdated, where none of the partitions is loaded on both sides, and after a sign-off that was forced. It is a yes
    where nothing is to be compared: nothing asked, no legacy pipeline, a programme that was signed off when ready.
    """
    if not programme.legacy:
        return Verdict(True, f"{programme.name} has no legacy pipeline any more: nothing to compare with.")
    with warehouse.connect() as connection:
        signed = last_sign_off(connection, programme.name)
    if signed.pipeline is Pipeline.UNIFIED:
        return _signed_off(signed)
    asked = sorted(set(partitions))
    if not asked:
        return Verdict(True, "Nothing to compare: nothing is loaded.")
    known = _rows(warehouse, programme, kind, asked)
    results = compare_each(warehouse, [Compared(programme, kind, day) for day in asked if day not in known])
    known = _rows(warehouse, programme, kind, asked)
    with warehouse.connect() as connection:
        if not known:
            lacking = [result for result in results if isinstance(result, NotCompared)]
            return _nothing_to_compare(lacking, last_failure(connection, programme, kind, asked))
        return _verdict(connection, [known[day] for day in asked if day in known], len(asked))


def _signed_off(signed: SignOff) -> Verdict:
    words = f"Signed off by {signed.by_whom} on {signed.at:%Y-%m-%d}"
    if signed.forced:
        words += f" by force, although it was not ready ({signed.reason})"
    return Verdict(not signed.forced, f"{words}: the unified tables are read, and not compared.")


def _nothing_to_compare(lacking: Sequence[NotCompared], failure: str | None) -> Verdict:
    """A warning: whether the two agree is not known. ``failure``: what the latest load of a side that lacks ended with."""
    reasons = Counter(result.reason for result in lacking)
    words = ", ".join(f"{reason} in {count} of {len(lacking)} partitions" for reason, count in reasons.items())
    why = f" Its latest load failed: {failure}" if failure else ""
    return Verdict(False, f"Nothing to compare: {words or 'they were loaded again meanwhile'}.{why}")


def _rows(warehouse: Warehouse, programme: Programme, kind: Kind, asked: list[date]) -> dict[date, dict[str, Any]]:
    """The partitions of these that have a result of the loads they hold now."""
    with warehouse.connect() as connection:
        found = [row for row in states(connection, programme.name) if row["kind"] == kind.value]
    return {
        row["partition_start"]: row for row in found if row["partition_start"] in asked and row["state"] in _COMPARED
    }


def _verdict(connection: Connection[Any], rows: list[dict[str, Any]], asked: int) -> Verdict:
    lacking = asked - len(rows)
    counts = Counter({d: sum(row[d] for row in rows) for d in Difference})
    by_field = sum((Counter(row["by_field"]) for row in rows), Counter[str]())
    bad = [row for row in rows if row["state"] == "differs"]
    unequal = [row for row in rows if row["differences"]]
    outdated = [row for row in rows if row["outdated"] and row["late"]]
    words = [f"{len(rows) - len(unequal)} of {len(rows)} partitions agree: {counted_words(counts, by_field)}."]
    if unequal and not bad:
        words.append("All are within the tolerance.")
    words += [f"{row['partition_start']}: {row['patterns']}" for row in unequal if row["patterns"]][:3]
    words += [_outdated_words(row) for row in outdated[:3]]
    words += [f"{len(outdated) - 3} more partitions are outdated."] if len(outdated) > 3 else []
    words += [f"{lacking} of {asked} partitions are not loaded on both sides."] if lacking else []
    numbers: dict[str, int | float | str] = {
        "compared": len(rows),
        "clean": sum(row["state"] == "clean" for row in rows),
        "legacy_rows": sum(row["legacy_rows"] for row in rows),
        "unified_rows": sum(row["unified_rows"] for row in rows),
        "matched": sum(row["matched"] for row in rows),
        **{d.value: count for d, count in counts.items() if count},
    }
    first = differences(connection, [row["parity_id"] for row in rows], SHOWN)
    # Of what differs only where: Dagster keeps what it is shown for ever, outside the warehouse's grants.
    shown = [{name: value for name, value in row.items() if name not in ("legacy", "unified")} for row in first]
    return Verdict(
        not unequal and not outdated,
        " ".join(words),
        numbers,
        [_without_empty(row, shown) for row in shown],
        grave=bool(bad),
    )


def _outdated_words(row: dict[str, Any]) -> str:
    older = Pipeline(row["outdated"])
    newer = Pipeline.UNIFIED if older is Pipeline.LEGACY else Pipeline.LEGACY
    days = abs(row["unified_read_at"] - row["legacy_read_at"]) / timedelta(days=1)
    return (
        f"{row['partition_start']}: {older} was read {days:.1f} days before {newer}, and {row['late']:,} records changed "
        f"in between. Load {older} again."
    )


def _without_empty(row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of a table that has no column which is empty throughout."""
    return {k: "" if v is None else v for k, v in row.items() if any(r[k] is not None for r in rows)}
