"""Outbreak alerts as an asset of weeks: dbt's weekly counts in, one verdict a disease, district and rule out.

Belongs here: how a run's weeks become one evaluation, and how alerts are shown. Does not: the rules (``alerts``).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from hic_assets.alerts.judge import Unknown
from hic_assets.alerts.warehouse import evaluate_weeks, newest_week
from hic_assets.alerts.weekly import strongest_first
from hic_assets.assets.dbt import POOL
from hic_assets.assets.metadata import table_value
from hic_assets.partitions import today, weekly
from hic_assets.resources import WarehouseResource

KEY = dg.AssetKey(["dwh", "fct_idsr_alert"])
_SHOWN = 15
_COLUMNS = ("disease_code", "district_code", "rule_code", "observed", "expected", "upper", "score")
# A week is evaluated in the days after it has ended; with two more behind it, it is old.
OLD_AFTER = timedelta(days=21)


def alert_asset() -> dg.AssetsDefinition:
    """The asset ``dwh/fct_idsr_alert``: weeks, of which a range is one run."""

    @dg.asset(
        key=KEY,
        group_name="idsr",
        owners=["team:data-engineering"],
        kinds={"python", "postgres"},
        tags={"hic/cadence": "weekly", "layer": "dwh"},
        metadata={"dagster/table_name": "dwh.fct_idsr_alert"},
        deps=[["reporting", "rpt_idsr_weekly"], ["staging", "idsr_alert_rule"], ["staging", "district"]],
        partitions_def=weekly(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        description=(
            "Outbreak alerts: fixed thresholds, EARS C1 to C3 and Farrington flexible on the weekly counts of notifiable "
            "diseases, one row a disease, district, week and rule that was asked, with the reason where it could not say. A week "
            "is judged by what was known of it and the weeks before when it was evaluated. A week that is loaded again is evaluated "
            "again and, of the diseases and districts whose numbers have changed, the later weeks that look back at it."
        ),
    )
    def fct_idsr_alert(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
        """Evaluates the weeks of the run, and replaces them in the table."""
        weeks = [date.fromisoformat(key) for key in context.partition_keys]
        found = evaluate_weeks(warehouse.open(), weeks)
        for week in weeks:
            of_week = found.filter(pl.col("week_start") == week)
            context.add_asset_metadata(week_metadata(of_week), partition_key=week.isoformat())
        if later := sorted(set(found["week_start"]) - set(weeks)):
            context.log.info(f"Judged again, since weeks they look back at have changed: {', '.join(map(str, later))}.")
        return dg.MaterializeResult()

    return fct_idsr_alert


def week_metadata(found: pl.DataFrame) -> dict[str, Any]:
    """What is shown of the verdicts of one week: alerts by rule, the strongest of them, and what could not be judged."""
    fired = strongest_first(found)
    shown: dict[str, Any] = {
        "dagster/partition_row_count": found.height,
        "alerts": fired.height,
        "districts_with_alerts": fired["district_code"].n_unique(),
        "alerts_by_rule": _counted(fired, "rule_code"),
        "not_judged": _counted(found.drop_nulls("why_unknown"), "why_unknown"),
    }
    if fired.height:
        shown["strongest"] = table_value(_COLUMNS, _worded(fired.head(_SHOWN).select(_COLUMNS).to_dicts()))
    return shown


def _counted(frame: pl.DataFrame, column: str) -> dg.JsonMetadataValue:
    return dg.MetadataValue.json(dict(frame.group_by(column).len().sort("len", column, descending=True).iter_rows()))


def _worded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{name: _word(value) for name, value in row.items()} for row in rows]


def _word(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dg.asset_check(
    asset=KEY,
    name="alerts_of_this_week",
    description="No alert rule fired in the newest week that was evaluated, and that week is no older than three weeks.",
)
def alerts_of_this_week(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Warns of the alerts of the newest week, strongest first."""
    found = newest_week(warehouse.open())
    if found.is_empty():
        return _result(False, "No week was evaluated yet.")
    week: date = found["week_start"][0]
    fired = found.filter("has_fired")
    shown = {"week": week.isoformat(), **week_metadata(found)}
    shown["verdicts"] = shown.pop("dagster/partition_row_count")
    old = today() - week > OLD_AFTER
    words = f"No week was evaluated since that of {week}. " if old else ""
    words += f"Week of {week}: {_alerts_in_words(fired)}{_silent_in_words(found)}"
    return _result(not old and fired.is_empty(), words, shown)


def _alerts_in_words(fired: pl.DataFrame) -> str:
    if fired.is_empty():
        return "no rule fired."
    return f"{fired.height} rule(s) fired for {_series(fired)} disease(s) and district(s)."


def _silent_in_words(found: pl.DataFrame) -> str:
    silent = _series(found.filter(pl.col("why_unknown") == Unknown.NOT_REPORTED.value))
    return f" Not reported: {silent} disease(s) and district(s)." if silent else ""


def _series(found: pl.DataFrame) -> int:
    return found.select(pl.struct("disease_code", "district_code").n_unique()).item() if found.height else 0


def _result(passed: bool, words: str, shown: Mapping[str, Any] | None = None) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=passed, severity=severity, description=words, metadata=shown or {})
