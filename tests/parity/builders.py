"""A tracker programme held twice, for the parity tests: the same records in the legacy and the unified tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import sql

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.parity.compare import compare
from hic_assets.parity.ddl import create_parity
from hic_assets.parity.differences import ParityResult
from hic_assets.parity.loads import relation
from hic_assets.parity.rules import fields
from hic_assets.systems.declare import Pipeline, System, Trust
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.warehouse import Warehouse

LEGACY, UNIFIED = Pipeline.LEGACY, Pipeline.UNIFIED
TE, ENROLLMENTS, EVENTS = Kind.TRACKED_ENTITIES, Kind.ENROLLMENTS, Kind.EVENTS
(HIV,) = HIV_TRACKER.programmes
WEEK = date(2025, 3, 3)
READ = datetime(2025, 3, 12, 4, tzinfo=UTC)
"""When both sides were read, unless a test says otherwise."""
LATER = READ + timedelta(hours=2)
Record = dict[str, Any]


def prepare(warehouse: Warehouse, system: System = HIV_TRACKER) -> None:
    """Every table of the tracker, empty, and what parity keeps."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for feed in system.feeds:
            create_raw_table(connection, feed.table)
        create_parity(connection, [system])


def declare(warehouse: Warehouse, system: System) -> None:
    """What is declared from now on."""
    with warehouse.connect() as connection:
        create_parity(connection, [system])


def trusted(**trust: Any) -> System:
    """The tracker with another measure of trust."""
    programme = replace(HIV, trust=Trust(**trust))
    return replace(HIV_TRACKER, programmes=(programme,))


def event(number: int = 0, **changes: Any) -> Record:
    """A good event, in the unified table's words; ``data_values`` and ``attributes`` are given as dicts."""
    day = f"2025-03-0{3 + number % 7}T00:00:00.000"
    return {
        "event": f"event{number:06d}", "program": HIV.uid, "program_stage": "HivStgVisit", "enrollment": f"enrol{number:06d}",
        "tracked_entity": f"perso{number:06d}", "org_unit": f"facil{number % 9:06d}", "status": "COMPLETED",
        "occurred_at": day, "scheduled_at": day, "completed_at": f"2025-03-10T09:{number % 60:02d}:00.000",
        "completed_by": "nurse", "attribute_option_combo": "HllvX50cXC0", "follow_up": "false",
        "created_at": f"2025-03-10T08:{number // 60 % 60:02d}:{number % 60:02d}.000", "deleted": "false", "stored_by": "nurse",
        "geometry": None, "updated_at": datetime(2025, 3, 10, 7, tzinfo=UTC) + timedelta(seconds=number),
        "data_values": {"weight00000": f"{50 + number % 30}.5", "regimen0000": "TDF-3TC-DTG", "remark00000": f"seen {number}"},
    } | changes  # fmt: skip


def enrollment(number: int = 0, **changes: Any) -> Record:
    """A good enrolment."""
    kept = ("enrollment", "tracked_entity", "program", "org_unit", "follow_up", "created_at", "deleted", "stored_by")
    same = {name: event(number)[name] for name in (*kept, "geometry", "updated_at", "occurred_at")}
    return same | {"status": "ACTIVE", "enrolled_at": same["occurred_at"], "completed_at": None} | changes


def person(number: int = 0, **changes: Any) -> Record:
    """A good tracked entity."""
    kept = ("tracked_entity", "org_unit", "created_at", "deleted", "stored_by", "geometry", "updated_at")
    attributes = {
        "name0000000": f"Uwase Ménard {number}",
        "birthdate00": "1990-04-12",
        "nationalid0": f"119907{number:010d}",
    }
    kind = {"tracked_entity_type": "Person00000", "inactive": "false", "attributes": attributes}
    return {name: event(number)[name] for name in kept} | kind | changes


MAKERS = {EVENTS: event, ENROLLMENTS: enrollment, TE: person}


def records(count: int, kind: Kind = EVENTS) -> list[Record]:
    """That many good records."""
    return [MAKERS[kind](number) for number in range(count)]


def changed(rows: Sequence[Record], numbers: Iterable[int], **changes: Any) -> list[Record]:
    """The rows, of which some have other values."""
    numbers = set(numbers)
    return [row | changes if i in numbers else row for i, row in enumerate(rows)]


def valued(
    rows: Sequence[Record], numbers: Iterable[int], values: Mapping[str, Any], member: str = "data_values"
) -> list[Record]:
    """The rows, of which some have other data values (None: without that one)."""

    def other(row: Record) -> Record:
        merged = {k: v for k, v in {**(row[member] or {}), **values}.items() if v is not None}
        return row | {member: merged}

    numbers = set(numbers)
    return [other(row) if i in numbers else row for i, row in enumerate(rows)]


def without(rows: Sequence[Record], numbers: Iterable[int]) -> list[Record]:
    """The rows but these."""
    numbers = set(numbers)
    return [row for i, row in enumerate(rows) if i not in numbers]


def hold(
    warehouse: Warehouse,
    side: Pipeline,
    rows: Sequence[Record],
    kind: Kind = EVENTS,
    *,
    partition: date = WEEK,
    read_at: datetime | None = READ,
    duplicates: int = 0,
    refused: Sequence[str] = (),
    days: int = 7,
) -> int:
    """Make these the partition's rows of one side, by a new current load. ``refused``: keys in quarantine as duplicates."""
    name = relation(HIV, kind, side)
    columns = {f.name: f.column(side) for f in fields(kind)}
    key = next(f.column(side) for f in fields(kind) if f.key)
    with warehouse.connect() as connection:
        connection.execute(f"delete from raw.{name} where _partition = %s".encode(), (partition,))
        connection.execute(
            "update ops.load set is_current = false where relation = %s and window_start = %s", (name, partition)
        )
        found = connection.execute(
            """insert into ops.load (system, table_name, partition_key, window_start, window_end, status, rows_read,
                   landed, duplicates, quarantined, deleted, is_current, source_read_at, finished_at)
               values ('hiv_tracker', %s, %s, %s, %s, 'committed', %s, %s, %s, %s, %s, true, %s, now()) returning load_id""",
            (
                ("u_" if side is UNIFIED else "") + kind.value, partition.isoformat(), partition, partition + timedelta(days=days),
                len(rows) + duplicates + len(refused), len(rows), duplicates, len(refused),
                sum(row["deleted"] == "true" for row in rows), read_at,
            ),
        ).fetchone()  # fmt: skip
        assert found is not None
        for uid in refused:
            connection.execute(
                "insert into ops.quarantine (load_id, rule, reason, row_text) values (%s, 'duplicate_key', 'x', %s)",
                (found[0], json.dumps({key: uid})),
            )
        target = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier("raw", name),
            sql.SQL(", ").join(map(sql.Identifier, [*columns.values(), "_partition", "_load_id"])),
        )
        with connection.cursor().copy(target) as copy:
            for row in rows:
                copy.write_row([*(_text(row[field]) for field in columns), partition, found[0]])
    return int(found[0])


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if value else None
    return value


def compared(warehouse: Warehouse, kind: Kind = EVENTS, partition: date = WEEK) -> ParityResult:
    """The comparison of one table; both sides must be loaded."""
    result = compare(warehouse, HIV, kind, partition)
    assert isinstance(result, ParityResult), result
    return result


def found(result: ParityResult) -> dict[str, int]:
    """The classes that have records."""
    return {d.value: n for d, n in result.counts.items() if n}


def hold_week(
    warehouse: Warehouse, partition: date, *, days: int = 7, differ: Iterable[Kind] = (), read_at: datetime = READ
) -> None:
    """All three tables on both sides, and compared; ``differ``: tables of which one record is missing in unified."""
    for kind in Kind:
        rows = records(3, kind)
        hold(warehouse, LEGACY, rows, kind, partition=partition, days=days, read_at=read_at)
        hold(
            warehouse,
            UNIFIED,
            rows[1:] if kind in set(differ) else rows,
            kind,
            partition=partition,
            days=days,
            read_at=read_at,
        )
        compare(warehouse, HIV, kind, partition)
