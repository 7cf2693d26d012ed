"""The verdict on a unified table: does the legacy one say the same? For an asset check, and for whoever asks.

Belongs here: comparing what a run has loaded, and saying what came out. Does not: Dagster (``checks``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from psycopg import Connection

from hic_assets.checks.questions import Verdict
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.compare import compare_each
from hic_assets.parity.cutover import last_sign_off
from hic_assets.parity.differences import Difference, counted_words
from hic_assets.parity.loads import Compared
from hic_assets.parity.readiness import differences, states
from hic_assets.systems.declare import Pipeline, Programme
from hic_assets.warehouse import Warehouse

SHOWN = 20


def parity_verdict(warehouse: Warehouse, programme: Programme, kind: Kind, partitions: Iterable[date]) -> Verdict:
    """Compare these partitions, where no result of their current loads is there yet, and judge them.

    Beyond the programme's tolerance the 'no' is grave; within it, but not equal, it is a warning. It is a yes where
    there is nothing to compare with: no legacy load, no legacy pipeline, or a programme that is signed off.
    """
    if not programme.legacy:
        return Verdict(True, f"{programme.name} has no legacy pipeline any more: nothing to compare with.")
    with warehouse.connect() as connection:
        signed = last_sign_off(connection, programme.name)
    if signed.pipeline is Pipeline.UNIFIED:
        words = (
            f"Signed off by {signed.by_whom} on {signed.at:%Y-%m-%d}: the unified tables are read, and not compared."
        )
        return Verdict(True, words)
    asked = sorted(set(partitions))
    known = _rows(warehouse, programme, kind, asked)
    compare_each(warehouse, [Compared(programme, kind, day) for day in asked if day not in known])
    known = _rows(warehouse, programme, kind, asked)
    with warehouse.connect() as connection:
        return _verdict(connection, [known[day] for day in asked if day in known], len(asked))


def _rows(warehouse: Warehouse, programme: Programme, kind: Kind, asked: list[date]) -> dict[date, dict[str, Any]]:
    """The partitions of these that have a result of the loads they hold now."""
    with warehouse.connect() as connection:
        found = [row for row in states(connection, programme.name) if row["kind"] == kind.value]
    return {
        row["partition_start"]: row
        for row in found
        if row["partition_start"] in asked and row["state"] in ("clean", "differs")
    }


def _verdict(connection: Connection[Any], rows: list[dict[str, Any]], asked: int) -> Verdict:
    lacking = asked - len(rows)
    unloaded = f"{lacking} of {asked} partitions are not loaded on both sides."
    if not rows:
        return Verdict(True, f"Nothing to compare: {unloaded}" if asked else "Nothing to compare: nothing is loaded.")
    counts = Counter({d: sum(row[d] for row in rows) for d in Difference})
    by_field = sum((Counter(row["by_field"]) for row in rows), Counter[str]())
    bad = [row for row in rows if row["state"] == "differs"]
    unequal = [row for row in rows if row["differences"]]
    words = [f"{len(rows) - len(unequal)} of {len(rows)} partitions agree: {counted_words(counts, by_field)}."]
    if unequal and not bad:
        words.append("All are within the tolerance.")
    words += [f"{row['partition_start']}: {row['patterns']}" for row in unequal if row["patterns"]][:3]
    words += [unloaded] if lacking else []
    numbers: dict[str, int | float | str] = {
        "compared": len(rows),
        "clean": len(rows) - len(bad),
        "legacy_rows": sum(row["legacy_rows"] for row in rows),
        "unified_rows": sum(row["unified_rows"] for row in rows),
        "matched": sum(row["matched"] for row in rows),
        **{d.value: count for d, count in counts.items() if count},
    }
    first = differences(connection, [row["parity_id"] for row in rows], SHOWN)
    # Of what differs only where: Dagster keeps what it is shown for ever, outside the warehouse's grants.
    shown = [{name: value for name, value in row.items() if name not in ("legacy", "unified")} for row in first]
    return Verdict(
        not unequal, " ".join(words), numbers, [_without_empty(row, shown) for row in shown], grave=bool(bad)
    )


def _without_empty(row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of a table that has no column which is empty throughout."""
    return {k: "" if v is None else v for k, v in row.items() if any(r[k] is not None for r in rows)}
