"""Weeks of an aggregate DHIS2 through Dagster: one run over a range, what it lands, and the sensor that asks again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
import stubs
from books import WEEKLY, execute, loaded, open_books
from pg_servers import rows

from hic_assets.partitions import range_tags
from hic_assets.sandbox import Sandbox
from hic_assets.sensors.aggregate import Cursor, change_sensor
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse

VALUES, REGISTRATIONS = "raw/hmis_weekly_values", "raw/hmis_weekly_registrations"
KEY = dg.AssetKey.from_user_string(VALUES)
# The week of 30 December 2024 would be of 2025; of the sandbox's clock (May 2024) this is the nearest turn of a year.
WEEKS = ["2023-12-25", "2024-01-01", "2024-01-08"]
PERIODS = ["2023W52", "2024W1", "2024W2"]


def held(warehouse: Warehouse, table: str, columns: list[str]) -> pl.DataFrame:
    found = rows(warehouse, f"select {', '.join(columns)} from raw.{table}")
    return pl.DataFrame(found, schema=dict.fromkeys(columns, pl.String), orient="row").sort(columns)


def test_a_range_of_weeks_is_one_run_that_lands_what_the_server_holds(
    defs: dg.Definitions, registries: Warehouse, sandbox: Sandbox, instance: dg.DagsterInstance
) -> None:
    result = stubs.run(defs, [VALUES, REGISTRATIONS], instance, WEEKS, job="hmis_weekly")
    assert result.success, stubs.failures(result)
    assert instance.get_materialized_partitions(KEY) == set(WEEKS)
    ledger = rows(
        registries,
        """select partition_key, window_end - window_start, quarantined, landed > 400 from ops.load
           where table_name = 'weekly_values' and is_current order by 1""",
    )
    assert ledger == [(week, 7, 0, True) for week in WEEKS]
    mondays = [date.fromisoformat(week) for week in WEEKS]
    columns = list(WEEKLY.stored_names)
    truth = pl.concat([sandbox.world.truth_weekly(monday) for monday in mondays]).select(columns).sort(columns)
    assert held(registries, "hmis_weekly_values", columns).equals(truth)
    assert truth["period"].unique().sort().to_list() == PERIODS
    marks = pl.concat([sandbox.world.truth_weekly_registrations(monday) for monday in mondays])
    assert held(registries, "hmis_weekly_registrations", marks.columns).equals(marks.sort(marks.columns))
    placed = rows(registries, "select distinct period, _partition::text from raw.hmis_weekly_values order by 2")
    assert placed == list(zip(PERIODS, WEEKS, strict=True))
    evaluated = {e.check_name: e.passed for e in result.get_asset_check_evaluations() if e.asset_key == KEY}
    assert set(evaluated) == {"accounting", "freshness", "volume", "unknown_facility", "unknown_data_element"}
    assert evaluated["accounting"] and evaluated["unknown_facility"] and evaluated["unknown_data_element"]


def test_the_same_weeks_again_are_unchanged(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    runs = [stubs.run(defs, [VALUES], instance, WEEKS[:1], job="hmis_weekly") for _ in range(2)]
    found = [
        [e.materialization.metadata["unchanged"].value for e in r.all_events if e.is_step_materialization] for r in runs
    ]
    assert found == [[False], [True]]


def test_a_server_without_weekly_data_sets_has_empty_weeks(
    defs: dg.Definitions, registries: Warehouse, instance: dg.DagsterInstance
) -> None:
    execute(registries, "delete from raw.hmis_data_sets where period_type = 'Weekly'")
    result = stubs.run(defs, [VALUES, REGISTRATIONS], instance, WEEKS[:1], job="hmis_weekly")
    assert result.success, stubs.failures(result)
    assert rows(registries, "select landed from ops.load where table_name = 'weekly_values'") == [(0,)]


def test_monthly_partitions_hold_no_week(
    defs: dg.Definitions, registries: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = stubs.run(defs, ["raw/hmis_data_values"], instance, stubs.MONTHS[:1])
    assert result.success, stubs.failures(result)
    assert rows(registries, "select distinct period from raw.hmis_data_values") == [("202401",)]


class TestSensor:
    def evaluate(
        self, warehouse: Warehouse, sandbox: Sandbox, spool: Path, cursor: str | None = None
    ) -> dg.SensorResult | dg.SkipReason:
        given = stubs.resources(warehouse, sandbox, spool)
        with dg.build_sensor_context(cursor=cursor, resources=given) as context:
            result = change_sensor(HMIS, Cadence.WEEKLY)(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        return result

    @pytest.fixture
    def two_weeks(self, registries: Warehouse) -> Warehouse:
        open_books(registries)
        for week in ("2024-03-25", "2024-04-01"):
            loaded(registries, WEEKLY, week, landed=0, watermark=datetime(2024, 4, 9, 7, tzinfo=UTC))
        return registries

    def test_late_reports_ask_for_the_weeks_they_touch(
        self, two_weeks: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        seen = self.evaluate(two_weeks, sandbox, tmp_path)
        assert isinstance(seen, dg.SensorResult)
        (request,) = seen.run_requests or []
        assert range_tags("2024-03-25", "2024-04-01").items() <= request.tags.items()
        kept = Cursor.of(seen.cursor)
        assert set(kept.owed) == {"2024-03-25", "2024-04-01"}
        assert kept.watermark is not None and kept.watermark <= sandbox.world.now
        execute(two_weeks, "update ops.load set source_watermark = now() where is_current")
        execute(two_weeks, "update ops.load set started_at = now() + interval '2 hours' where is_current")
        done = self.evaluate(two_weeks, sandbox, tmp_path, seen.cursor)
        assert isinstance(done, dg.SensorResult)
        assert not done.run_requests and Cursor.of(done.cursor) == Cursor(kept.watermark, {})

    def test_without_weekly_data_sets_nothing_is_asked(
        self, two_weeks: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        execute(two_weeks, "delete from raw.hmis_data_sets where period_type = 'Weekly'")
        result = self.evaluate(two_weeks, sandbox, tmp_path)
        assert isinstance(result, dg.SensorResult) and not result.run_requests
        assert not sandbox.requests

    def test_months_that_are_loaded_are_none_of_its_business(
        self, registries: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        open_books(registries)
        loaded(registries, HMIS.feed("data_values").table, "2024-01-01", watermark=datetime(2024, 3, 1, tzinfo=UTC))
        result = self.evaluate(registries, sandbox, tmp_path)
        assert isinstance(result, dg.SensorResult) and not result.run_requests
        assert not sandbox.requests
