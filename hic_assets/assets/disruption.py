"""Disruptions of services as an asset: adjusted counts in, one row a place, indicator and month out.

Belongs here: when services are judged, and what is shown of it. Does not: the method (``disruption``).
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

from hic_assets.assets.metadata import table_value
from hic_assets.disruption.warehouse import judge_all
from hic_assets.resources import WarehouseResource

KEY = dg.AssetKey(["dwh", "fct_quality_disruption"])
_SHOWN = 15
_COLUMNS = ("indicator_id", "org_unit_uid", "actual", "expected", "lost")


def disruption_asset() -> dg.AssetsDefinition:
    """The asset ``dwh/fct_quality_disruption``: whole, without partitions."""

    @dg.asset(
        key=KEY,
        group_name="data_quality",
        owners=["team:data-engineering"],
        kinds={"python", "postgres"},
        tags={"hic/cadence": "disruption", "layer": "dwh"},
        metadata={"dagster/table_name": "dwh.fct_quality_disruption"},
        deps=[["dwh", "fct_quality_adjusted"], ["intermediate", "int_org_unit_closure"]],
        description=(
            "FASTR module 3: months in which a service was used otherwise than usual in the country, a province or a district, "
            "what was expected, and the reason where it could not be said. Every series is judged anew, since a new month "
            "changes the trend and season of all the others: once a day, and not with each month that is loaded."
        ),
    )
    def fct_quality_disruption(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
        """Judges all that is held."""
        return dg.MaterializeResult(metadata=shown(judge_all(warehouse.open())))

    return fct_quality_disruption


def shown(found: pl.DataFrame) -> dict[str, Any]:
    """Series by how they were judged, and where most was lost in the newest month."""
    series = found.unique(["org_unit_uid", "indicator_id"])
    unknown = series.drop_nulls("why_unknown").group_by("why_unknown").len().sort("why_unknown")
    newest = found.filter(pl.col("period_start") == pl.col("period_start").max())
    lost = (
        newest.filter("is_disrupted")
        .with_columns(lost=pl.col("expected") - pl.col("actual"))
        .filter(pl.col("lost") > 0)
    )
    told: dict[str, Any] = {
        "dagster/row_count": found.height,
        "series": series.height,
        "not_judged": dg.MetadataValue.json(dict(unknown.iter_rows())),
        "disrupted_months": int(found["is_disrupted"].sum()),
    }
    if lost.height:
        most = lost.sort("lost", "indicator_id", "org_unit_uid", descending=[True, False, False]).head(_SHOWN)
        told["most_lost"] = table_value(_COLUMNS, most.select(pl.col(_COLUMNS).cast(pl.String)).to_dicts())
    return told
