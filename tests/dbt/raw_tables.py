"""Raw and ops tables, made by the landing's own DDL, filled with rows given in Python. For tests of the dbt project.

Belongs here: putting rows into the tables dbt reads. Does not belong here: what is in them (see small_country).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from hic_assets.assets.indicators import DDL
from hic_assets.landing.table import Layout, Table
from hic_assets.prepare import prepare
from hic_assets.systems import SYSTEMS

TABLES = {feed.table.relation: feed.table for system in SYSTEMS for feed in system.feeds}


def create_tables(connection: psycopg.Connection[Any]) -> None:
    """Create every raw table and the ops tables, as the landing and the compiler do."""
    prepare(connection)
    connection.execute(DDL.encode())


def insert(
    connection: psycopg.Connection[Any],
    table: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    month: str | None = None,
    load_id: int = 1,
) -> None:
    """Append rows to raw.`table`; `month` (YYYY-MM-01) is their partition, made when missing."""
    if TABLES[table].layout is Layout.NATIVE:
        assert month is not None
        partition = f"{table}_{month[:7].replace('-', '_')}"
        connection.execute(
            f"create table if not exists raw.{partition} partition of raw.{table} for values in ('{month}')"  # type: ignore[arg-type]
        )
    insert_rows(connection, TABLES[table], rows, month=month, load_id=load_id)


def insert_rows(
    connection: psycopg.Connection[Any],
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    *,
    month: str | None = None,
    load_id: int = 1,
) -> None:
    """Append rows to the raw table of a declaration."""
    columns = [*table.stored_names, "_partition", "_load_id", "_source_updated_at"]
    query = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier("raw", table.relation), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(query) as copy:
        for row in rows:
            unknown = set(row) - set(columns)
            if unknown:
                raise ValueError(f"raw.{table.relation} has no column {sorted(unknown)}")
            full = {**row, "_partition": month, "_load_id": load_id}
            copy.write_row([full.get(column) for column in columns])


def replace_month(
    connection: psycopg.Connection[Any], table: str, month: str, rows: Iterable[Mapping[str, Any]], load_id: int
) -> None:
    """Land a month again: its rows are replaced by these."""
    connection.execute(f"delete from raw.{table} where _partition = %s", [month])  # type: ignore[arg-type]
    insert(connection, table, rows, month=month, load_id=load_id)
