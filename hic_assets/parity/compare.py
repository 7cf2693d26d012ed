"""Compare legacy with unified: one table of a programme in one partition, inside PostgreSQL, in one snapshot.

Belongs here: the order of the steps and keeping the result. Does not: any step's SQL, nor what a result means for trust
(``verdict``, ``cutover``).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.classify import classify
from hic_assets.parity.detail import find_elsewhere, find_fields
from hic_assets.parity.differences import Difference, NotCompared, ParityResult
from hic_assets.parity.evidence import missing_records, value_pairs
from hic_assets.parity.loads import Compared, Loads, comparable, current_loads
from hic_assets.parity.match import Matched, match
from hic_assets.parity.patterns import sentences
from hic_assets.parity.rules import EMPTY_VALUE, PURGED
from hic_assets.parity.samples import keep_samples
from hic_assets.systems.declare import Programme
from hic_assets.warehouse import Warehouse


def compare(
    warehouse: Warehouse, programme: Programme, kind: Kind, partition_start: date
) -> ParityResult | NotCompared:
    """Compare one table of a programme in one partition, and make the result its current one in ``ops.parity``.

    Loads may go on meanwhile: all is read in one snapshot, and the result names the loads it speaks of.
    """
    (result,) = compare_each(warehouse, [Compared(programme, kind, partition_start)])
    return result


def compare_all(
    warehouse: Warehouse,
    programme: Programme,
    kinds: Iterable[Kind] = tuple(Kind),
    *,
    since: date | None = None,
    until: date | None = None,
    again: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[ParityResult]:
    """Compare the partitions that both sides have loaded and that have no result of these loads; ``again``: all.

    ``since`` and ``until`` are first days of partitions, both included. ``say`` is told what is being compared.
    """
    with warehouse.connect() as connection:
        loaded = comparable(connection, programme, kinds, again)
    asked = [c for c in loaded if (since is None or c.partition >= since) and (until is None or c.partition <= until)]
    return [r for r in compare_each(warehouse, asked, say) if isinstance(r, ParityResult)]


def compare_each(
    warehouse: Warehouse, asked: Iterable[Compared], say: Callable[[str], None] = lambda _: None
) -> list[ParityResult | NotCompared]:
    """Compare these, one after the other, each in a transaction of its own."""
    results: list[ParityResult | NotCompared] = []
    with warehouse.connect(autocommit=True, application_name="hic parity") as connection:
        for compared in asked:
            say(str(compared))
            # Before the snapshot is taken, so that of two comparisons of the same the second sees the first's result.
            connection.execute("select pg_advisory_lock(hashtext('hic parity'), hashtext(%s))", (str(compared),))
            try:
                results.append(_compare(connection, compared))
            finally:
                if not connection.broken:
                    connection.execute(
                        "select pg_advisory_unlock(hashtext('hic parity'), hashtext(%s))", (str(compared),)
                    )
    return results


def _compare(connection: Connection[Any], compared: Compared) -> ParityResult | NotCompared:
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        loads = current_loads(connection, compared)
        if isinstance(loads, Loads):
            return _compared(connection, compared, loads)
    sides = " and ".join(side.value for side in loads)
    reason = f"{sides} {'is' if len(loads) == 1 else 'are'} not loaded"
    return NotCompared(compared.programme.name, compared.kind, compared.partition, reason)


def _compared(connection: Connection[Any], compared: Compared, loads: Loads) -> ParityResult:
    started = time.monotonic()
    matched = match(connection, compared)
    classes, by_field, patterns = Counter[str](), dict[str, int](), None
    if matched.unequal:
        classes, by_field, patterns = _explained(connection, compared, loads, matched)
    repeated = abs(loads.legacy.repeated - loads.unified.repeated)
    counts = {d: classes[d] for d in Difference} | {Difference.DUPLICATED: repeated}
    result = ParityResult(
        programme=compared.programme.name,
        kind=compared.kind,
        partition=compared.partition,
        parity_id=0,
        legacy_load_id=loads.legacy.load_id,
        unified_load_id=loads.unified.load_id,
        legacy_rows=matched.legacy_rows,
        unified_rows=matched.unified_rows,
        matched=matched.matched + classes[EMPTY_VALUE.name],
        counts=counts,
        by_field=by_field,
        rules=matched.rules | {rule.name: classes[rule.name] for rule in (EMPTY_VALUE, PURGED) if classes[rule.name]},
        patterns=patterns,
        seconds=time.monotonic() - started,
    )
    result = _kept(connection, result)
    if result.differences or result.counts[Difference.LATE]:
        keep_samples(connection, compared, loads, result.parity_id, explained=matched.unequal > 0)
    return result


def _explained(
    connection: Connection[Any], compared: Compared, loads: Loads, matched: Matched
) -> tuple[Counter[str], dict[str, int], str | None]:
    """The records that are not equal: by class (or rule), by field, and what they have in common."""
    find_fields(connection, compared, loads)
    find_elsewhere(connection, compared, loads)
    classes = classify(connection, compared, loads)
    by_field = _by_field(connection)
    missing = missing_records(connection, compared, loads, matched)
    patterns = sentences(value_pairs(connection, by_field), missing)
    return classes, by_field, " ".join(patterns) or None


def _by_field(connection: Connection[Any]) -> dict[str, int]:
    found = connection.execute(
        b"select field, count(*) from parity_field where not late group by 1 order by 2 desc, 1"
    ).fetchall()
    return dict(found)


def _kept(connection: Connection[Any], result: ParityResult) -> ParityResult:
    """Write the result in the place of the one before it, whose samples go."""
    place = (result.programme, result.kind.value, result.partition)
    old = connection.execute(
        """update ops.parity set is_current = false
           where programme = %s and kind = %s and partition_start = %s and is_current returning parity_id""",
        place,
    ).fetchall()
    connection.execute("delete from ops.parity_difference where parity_id = any(%s)", ([i for (i,) in old],))
    classes = ", ".join(Difference)
    found = connection.execute(
        f"""insert into ops.parity (programme, kind, partition_start, legacy_load_id, unified_load_id, legacy_rows,
                unified_rows, matched, by_field, rules, patterns, seconds, {classes})
            values ({", ".join(["%s"] * (12 + len(Difference)))}) returning parity_id""".encode(),
        (
            *place,
            result.legacy_load_id,
            result.unified_load_id,
            result.legacy_rows,
            result.unified_rows,
            result.matched,
            Jsonb(dict(result.by_field)),
            Jsonb(dict(result.rules)),
            result.patterns,
            result.seconds,
            *(result.counts[d] for d in Difference),
        ),
    ).fetchone()
    assert found is not None  # noqa: S101 - insert … returning always returns one row
    return replace(result, parity_id=found[0])
