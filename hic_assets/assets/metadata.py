"""What Dagster shows about a load: numbers, the quarantine as a table, the columns of the table.

Belongs here: turning results and declarations into Dagster metadata. Nothing is computed about the data itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from hic_assets.landing.land import LoadResult
from hic_assets.landing.table import Table
from hic_assets.warehouse import Warehouse

_SAMPLE = 10
_NOTES = 5


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster shows them, sensitive ones marked."""
    columns = [
        dg.TableColumn(
            "_source_updated_at" if c.name == table.updated_column else c.name,
            "timestamptz" if c.name == table.updated_column else "text",
            description=c.description,
            constraints=dg.TableColumnConstraints(nullable=not c.must_be_present),
            tags={"sensitive": c.sensitive.replace(" ", "_")} if c.sensitive else {},
        )
        for c in table.columns
    ]
    return dg.TableSchema(columns=columns)


def definition_metadata(table: Table) -> dict[str, Any]:
    """Metadata that is true of a table before anything is loaded."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": f"raw.{table.relation}",
        "layout": table.layout.value,
        "key": ", ".join(table.keys),
    }


def load_metadata(warehouse: Warehouse, result: LoadResult) -> dict[str, Any]:
    """What one load did, for one partition."""
    counts = result.counts
    shown: dict[str, Any] = {
        "dagster/partition_row_count": counts.landed,
        "rows_read": counts.read,
        "landed": counts.landed,
        "quarantined": counts.quarantined,
        "duplicates": counts.duplicates,
        "tombstones": counts.deleted,
        "bytes": counts.bytes,
        "seconds": round(result.seconds, 2),
        "unchanged": result.unchanged,
        "load_id": result.load_id,
    }
    if counts.watermark:
        shown["source_watermark"] = dg.MetadataValue.timestamp(counts.watermark)
    if result.notes:
        more = [f"and {len(result.notes) - _NOTES} more"] if len(result.notes) > _NOTES else []
        shown["notes"] = "; ".join([*result.notes[:_NOTES], *more])
    if counts.quarantined:
        shown["quarantine"] = quarantine_sample(warehouse, [result.load_id])
    return shown


def quarantine_sample(warehouse: Warehouse, load_ids: Sequence[int]) -> dg.TableMetadataValue:
    """The rules that rows broke, how many, and one reason each. The rows themselves stay in ``ops.quarantine``."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select rule, count(*), min(reason), count(distinct load_id) from ops.quarantine
               where load_id = any(%s) group by rule order by 2 desc limit %s""",
            (list(load_ids), _SAMPLE),
        ).fetchall()
    return table_value(
        ("rule", "rows", "for_example", "partitions"), [dict(zip(_COLUMNS, row, strict=True)) for row in found]
    )


_COLUMNS = ("rule", "rows", "for_example", "partitions")


def table_value(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Records as a table in the Dagster UI."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(r)) for r in records],
        schema=dg.TableSchema([dg.TableColumn(c, "string") for c in columns]),
    )
