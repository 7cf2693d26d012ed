"""Speed of the comparison of legacy with unified: a million events against a million, inside PostgreSQL.

The events are made by PostgreSQL itself, in the declared raw tables of the HIV tracker: fifteen data values each, some 400
bytes, a few records lost, changed and deleted on one side. Beside it what one would write by hand: ``except`` in both
directions over the same columns, which says that rows differ, but not which records, in what, and why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

from psycopg import Connection

from hic_assets.bench.harness import bench_database
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.compare import compare
from hic_assets.parity.differences import Difference, ParityResult
from hic_assets.parity.loads import relation
from hic_assets.parity.rules import fields
from hic_assets.systems.declare import Pipeline
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.warehouse import Warehouse

(PROGRAMME,) = HIV_TRACKER.programmes
WEEK = date(2025, 3, 3)
CHANGED_EVERY = 10_000
"""One event of so many has another value in unified; of ten times as many one is lost, and one deleted."""

# By field; {i} is the event's number.
_VALUES = {
    "event": "'E' || lpad(to_hex((i * 2654435761) % 1099511627776), 10, '0')",
    "program": f"'{PROGRAMME.uid}'",
    "program_stage": "'HivStage00' || i % 4",
    "enrollment": "substr('N' || md5((i / 5)::text), 1, 11)",
    "tracked_entity": "substr('T' || md5((i / 5)::text), 1, 11)",
    "org_unit": "substr('O' || md5((i % 550)::text), 1, 11)",
    "status": "'COMPLETED'",
    "occurred_at": "to_char(date '2025-03-03' + (i % 7)::int, 'YYYY-MM-DD') || 'T00:00:00.000'",
    "scheduled_at": "to_char(date '2025-03-03' + (i % 7)::int, 'YYYY-MM-DD') || 'T00:00:00.000'",
    "completed_at": "'2025-03-10T10:12:13.' || lpad((i % 1000)::text, 3, '0')",
    "completed_by": "'nurse' || i % 900",
    "attribute_option_combo": "'HllvX50cXC0'",
    "follow_up": "'false'",
    "created_at": "'2025-03-10T09:12:13.' || lpad((i % 1000)::text, 3, '0')",
    "updated_at": "timestamptz '2025-03-10 10:12:13+02' + i * interval '1 millisecond'",
    "deleted": "'false'",
    "stored_by": "'nurse' || i % 900",
    "geometry": "null",
    "data_values": """(select '{' || string_agg(format('"%s":"%s"', substr('d' || md5(k::text), 1, 11), (i * k) % 99991), ',' order by k)
                        || '}' from generate_series(1, 15) k)""",
}


def fill(database: Warehouse, events: int) -> None:
    """That many events on both sides, in one week, as two current loads."""
    with database.connect(autocommit=True) as connection:
        for pipeline in Pipeline:
            table = HIV_TRACKER.programme_feed(PROGRAMME, Kind.EVENTS, pipeline).table
            found = connection.execute(
                """insert into ops.load (system, table_name, partition_key, window_start, window_end, status, rows_read,
                       landed, is_current, source_read_at)
                   values (%s, %s, %s, %s, %s, 'committed', %s, %s, true, '2025-03-12 04:00+02') returning load_id""",
                (table.system, table.name, WEEK.isoformat(), WEEK, date(2025, 3, 10), events, events),
            ).fetchone()
            assert found is not None  # noqa: S101 - insert … returning always returns one row
            columns = ", ".join(f.column(pipeline) for f in fields(Kind.EVENTS))
            values = ", ".join(_VALUES[f.name] for f in fields(Kind.EVENTS))
            name = relation(PROGRAMME, Kind.EVENTS, pipeline)
            connection.execute(
                f"""insert into raw.{name} ({columns}, _partition, _load_id)
                    select {values}, '{WEEK}', {found[0]} from generate_series(1::bigint, {events}) i""".encode()
            )
        _spoil(connection, relation(PROGRAMME, Kind.EVENTS, Pipeline.UNIFIED))


def _spoil(connection: Connection[Any], unified: str) -> None:
    """Differences of three classes in the unified table."""
    number = f"('x' || substr(md5(event), 1, 7))::bit(28)::int % {CHANGED_EVERY * 10}"
    connection.execute(f"delete from raw.{unified} where {number} = 0".encode())
    connection.execute(f"update raw.{unified} set deleted = 'true' where {number} = 1".encode())
    connection.execute(
        f"update raw.{unified} set data_values = replace(data_values, '0', '1') where {number} between 2 and 11".encode()
    )
    connection.execute(
        f"""update ops.load set rows_read = held, landed = held from (select count(*) as held from raw.{unified}) u
            where relation = '{unified}'""".encode()
    )
    connection.execute(b"vacuum analyze")


def compare_once(database: Warehouse) -> ParityResult:
    """The comparison as the asset check makes it."""
    result = compare(database, PROGRAMME, Kind.EVENTS, WEEK)
    assert isinstance(result, ParityResult)  # noqa: S101 - both sides are loaded
    return result


def except_once(database: Warehouse) -> int:
    """Rows of one side that the other does not have, whole rows compared: how many."""
    sides = []
    for pipeline in (Pipeline.LEGACY, Pipeline.UNIFIED):
        columns = ", ".join(f.column(pipeline) for f in fields(Kind.EVENTS))
        name = relation(PROGRAMME, Kind.EVENTS, pipeline)
        sides.append(f"select {columns} from raw.{name} where _partition = '{WEEK}'")
    old, new = sides
    query = f"select (select count(*) from ({old} except {new}) a) + (select count(*) from ({new} except {old}) b)"
    with database.connect() as connection:
        found = connection.execute(query.encode()).fetchone()
    assert found is not None  # noqa: S101 - an aggregate always returns one row
    return int(found[0])


def measure(events: int, warehouse: Warehouse, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Both ways in turn, ``repeats`` times; medians."""
    with bench_database(warehouse) as database:
        say(f"making {events:,} events on both sides")
        fill(database, events)
        compared, by_hand = [], []
        for number in range(repeats):
            say(f"{events:,} against {events:,} events, run {number + 1} of {repeats}")
            seconds, result = _timed(lambda: compare_once(database))
            compared.append(seconds)
            by_hand.append(_timed(lambda: except_once(database))[0])
    return {
        "rows": events,
        "compare_seconds": round(median(compared), 2),
        "lowest": round(min(compared), 2),
        "highest": round(max(compared), 2),
        "except_seconds": round(median(by_hand), 2),
        "rows_a_second": round(2 * events / median(compared)),
        "found": {d.value: result.counts[d] for d in Difference if result.counts[d]},
    }


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    done = action()
    return time.perf_counter() - started, done
