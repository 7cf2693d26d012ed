"""The indicator expressions read from the server, compiled to SQL for the model that evaluates them.

Belongs here: reading the definitions, keeping what the compiler made of them. Does not: the compiler (``indicators``).
"""

import dagster as dg
import polars as pl

from hic_assets.assets.metadata import table_value
from hic_assets.indicators.catalogue import compile_indicators
from hic_assets.landing.ddl import create_once
from hic_assets.resources import WarehouseResource
from hic_assets.warehouse import Warehouse

DDL = """
create table if not exists ops.indicator_sql (
    indicator text not null,
    side text not null check (side in ('numerator', 'denominator')),
    expression text,
    sql text,
    operands text[] not null,
    refused_reason text,
    primary key (indicator, side),
    check ((sql is null) = (refused_reason is not null))
);
comment on table ops.indicator_sql is
    'Indicator expressions compiled to SQL: one row an indicator and side; refused_reason where it cannot be compiled.';
"""


def compile_into(warehouse: Warehouse) -> pl.DataFrame:
    """Compile every indicator of the registry and replace ``ops.indicator_sql``, in one transaction.

    Returns the compiled catalogue (one row an indicator and side).
    """
    with warehouse.connect() as connection:
        create_once(connection, DDL)
        indicators = _read(connection, "hmis_indicators")
        compiled = compile_indicators(indicators, _read(connection, "hmis_constants"))
        connection.execute("delete from ops.indicator_sql")
        columns = ("indicator", "side", "expression", "sql", "operands", "refused_reason")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.indicator_sql values (%s, %s, %s, %s, %s, %s)",
                list(compiled.select(columns).iter_rows()),
            )
    return compiled


def _read(connection, table: str) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    cursor = connection.execute(f"select * from raw.{table}")
    names = [c.name for c in cursor.description if not c.name.startswith("_")]
    rows = [row[: len(names)] for row in cursor.fetchall()]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


@dg.asset(
    key=["ops", "indicator_sql"],
    group_name="indicators",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"hic/cadence": "reference"},
    deps=[["raw", "hmis_indicators"], ["raw", "hmis_constants"]],
    description=(
        "DHIS2 indicator expressions as read from the server, compiled to SQL. What the compiler cannot do is refused "
        "with the reason, never guessed."
    ),
)
def indicator_sql(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """One row an indicator and side (numerator, denominator)."""
    compiled = compile_into(warehouse.open())
    refused = compiled.filter(pl.col("refused_reason").is_not_null())
    shown = refused.select("indicator", "side", "expression", "refused_reason").to_dicts()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": compiled.height,
            "indicators": compiled["indicator"].n_unique(),
            "refused": refused["indicator"].n_unique(),
            "refused_expressions": table_value(("indicator", "side", "expression", "refused_reason"), shown),
        }
    )
