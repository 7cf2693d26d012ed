"""Raw and ops tables as the landing makes them, filled with rows given in Python. For tests of the dbt project.

Belongs here: the shape of the tables dbt reads. Does not belong here: what is in them (see small_country).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

_VALUE = (
    "data_element period org_unit category_option_combo attribute_option_combo value stored_by"
    " comment follow_up deleted"
)
RAW_TABLES: dict[str, list[str]] = {
    "hmis_data_values": _VALUE.split(),
    "hmis_complete_registrations": [
        "data_set",
        "period",
        "org_unit",
        "attribute_option_combo",
        "date",
        "stored_by",
        "completed",
    ],
    "hmis_yearly_values": _VALUE.split(),
    "hmis_organisation_units": [
        "id",
        "code",
        "name",
        "short_name",
        "level",
        "path",
        "parent",
        "opening_date",
        "closed_date",
        "longitude",
        "latitude",
        "last_updated",
    ],
    "hmis_organisation_unit_levels": ["level", "name"],
    "hmis_organisation_unit_group_members": [
        "group_set",
        "group_set_name",
        "group_id",
        "group_code",
        "group_name",
        "org_unit",
    ],
    "hmis_data_elements": [
        "id",
        "code",
        "name",
        "short_name",
        "domain_type",
        "value_type",
        "aggregation_type",
        "zero_is_significant",
        "category_combo",
        "last_updated",
    ],
    "hmis_category_option_combos": ["id", "code", "name", "category_combo", "category_combo_name", "last_updated"],
    "hmis_category_option_combo_options": [
        "category_option_combo",
        "category_option",
        "category_option_code",
        "category_option_name",
        "category",
        "category_name",
    ],
    "hmis_data_sets": [
        "id",
        "code",
        "name",
        "short_name",
        "period_type",
        "category_combo",
        "timely_days",
        "expiry_days",
        "open_future_periods",
        "last_updated",
    ],
    "hmis_data_set_elements": ["data_set", "data_element", "category_combo"],
    "hmis_data_set_org_units": ["data_set", "org_unit"],
    "hmis_indicators": [
        "id",
        "code",
        "name",
        "short_name",
        "description",
        "indicator_type",
        "factor",
        "annualized",
        "decimals",
        "numerator",
        "numerator_description",
        "denominator",
        "denominator_description",
        "last_updated",
    ],
    "hmis_constants": ["id", "code", "name", "value"],
}
PARTITIONED = {"hmis_data_values", "hmis_complete_registrations"}
_OPS = """
create schema if not exists ops;
create table if not exists ops.load (
    load_id bigint, system text, table_name text, partition_key text, rows_read bigint, landed bigint,
    quarantined bigint, duplicates bigint, deleted bigint, source_watermark timestamptz, status text,
    finished_at timestamptz
);
create table if not exists ops.indicator_sql (
    indicator text, side text, expression text, sql text, operands text[], refused_reason text
);
"""


def create_tables(connection: psycopg.Connection[Any]) -> None:
    """Create every raw table (monthly ones partitioned by list of month) and the two ops tables."""
    connection.execute("create schema if not exists raw")
    connection.execute(_OPS)
    for table, columns in RAW_TABLES.items():
        listed = ", ".join(f"{column} text" for column in columns)
        connection.execute(
            f"create table raw.{table} ({listed}, _partition date, _load_id bigint,"  # type: ignore[arg-type]
            f" _source_updated_at timestamptz) {'partition by list (_partition)' if table in PARTITIONED else ''}"
        )


def insert(
    connection: psycopg.Connection[Any],
    table: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    month: str | None = None,
    load_id: int = 1,
) -> None:
    """Append rows to raw.`table`; `month` (YYYY-MM-01) is their partition, made when missing."""
    if month is not None:
        partition = f"{table}_{month[:7].replace('-', '_')}"
        connection.execute(
            f"create table if not exists raw.{partition} partition of raw.{table} for values in ('{month}')"  # type: ignore[arg-type]
        )
    columns = [*RAW_TABLES[table], "_partition", "_load_id", "_source_updated_at"]
    query = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(query) as copy:
        for row in rows:
            unknown = set(row) - set(columns)
            if unknown:
                raise ValueError(f"raw.{table} has no column {sorted(unknown)}")
            full = {**row, "_partition": month, "_load_id": load_id}
            copy.write_row([full.get(column) for column in columns])


def replace_month(
    connection: psycopg.Connection[Any], table: str, month: str, rows: Iterable[Mapping[str, Any]], load_id: int
) -> None:
    """Land a month again: its rows are replaced by these."""
    connection.execute(f"delete from raw.{table} where _partition = %s", [month])  # type: ignore[arg-type]
    insert(connection, table, rows, month=month, load_id=load_id)
