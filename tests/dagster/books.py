"""Ledger and raw rows made by hand, for questions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from psycopg import sql
from psycopg.types.json import Json

from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.landing.table import Layout, Table
from hic_assets.partitions import landing_partition
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

VALUES, REGISTRATIONS = HMIS.feed("data_values").table, HMIS.feed("complete_registrations").table
WEEKLY, WEEKLY_REGISTRATIONS = HMIS.feed("weekly_values").table, HMIS.feed("weekly_registrations").table
UNITS = HMIS.feed("organisation_units").table


def open_books(warehouse: Warehouse) -> None:
    """Every table, empty."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for feed in HMIS.feeds:
            create_raw_table(connection, feed.table)


def loaded(
    warehouse: Warehouse,
    table: Table,
    key: str | None,
    rows: Sequence[Mapping[str, str | None]] = (),
    *,
    landed: int | None = None,
    quarantined: int = 0,
    duplicates: int = 0,
    received: int | None = None,
    run_id: str | None = None,
    finished_at: datetime | None = None,
    watermark: datetime | None = None,
    current: bool = True,
) -> int:
    """A committed load whose books agree with `rows`, save for what is said otherwise; returns its id."""
    cadence = next(feed.cadence for feed in HMIS.feeds if feed.table == table)
    partition = landing_partition(cadence, key) if key else None
    landed = len(rows) if landed is None else landed
    read = landed + quarantined + duplicates
    with warehouse.connect() as connection:
        found = connection.execute(
            """insert into ops.load (system, table_name, partition_key, window_start, window_end, status, is_current,
                 rows_read, landed, quarantined, duplicates, run_id, finished_at, source_watermark)
               values (%s, %s, %s, %s, %s, 'committed', %s, %s, %s, %s, %s, %s, %s, %s) returning load_id""",
            (table.system, table.name, key, partition and partition.start, partition and partition.end, current,
             read, landed, quarantined, duplicates, run_id, finished_at, watermark),
        ).fetchone()  # fmt: skip
        assert found is not None
        connection.execute(
            "insert into ops.load_slice values (%s, 'district', 'http://source', %s, 0, 0, 1)",
            (found[0], read if received is None else received),
        )
        start = partition.start if partition else None
        if start and table.layout is Layout.NATIVE:
            _make_room(connection, table, start)
        for row in rows:
            names = [*row, "_partition", "_load_id"]
            connection.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("raw", table.relation),
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(names)),
                ),
                [*row.values(), start, found[0]],
            )
    return int(found[0])


def _make_room(connection, table: Table, start: date) -> None:  # type: ignore[no-untyped-def]
    connection.execute(
        sql.SQL("create table if not exists {} partition of {} for values in ({})").format(
            sql.Identifier("raw_partitions", f"{table.relation}_{start:%Y%m}"),
            sql.Identifier("raw", table.relation),
            sql.Literal(start),
        )
    )


def refused(warehouse: Warehouse, load_id: int, rule: str, *rows: dict[str, str]) -> None:
    """Rows of a load in quarantine."""
    with warehouse.connect() as connection:
        for row in rows:
            connection.execute(
                "insert into ops.quarantine (load_id, rule, reason, row_text) values (%s, %s, 'because', %s)",
                (load_id, rule, Json(row)),
            )


def value(element: str, unit: str, deleted: str | None = None) -> dict[str, str | None]:
    """A reported value of a data element by an organisation unit."""
    return {"data_element": element, "org_unit": unit, "value": "1", "deleted": deleted}


def execute(warehouse: Warehouse, command: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(command.encode())
