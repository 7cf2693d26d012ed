"""Runs through Dagster: one run over a range of months, retries, and what a failing check stops."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import stubs
from books import execute
from pg_servers import rows

from hic_assets.assets import raw
from hic_assets.assets.dbt import dbt_resource
from hic_assets.definitions import build_defs
from hic_assets.event_storage import EventStorage
from hic_assets.sandbox import Sandbox
from hic_assets.warehouse import Warehouse

VALUES, REGISTRATIONS = "raw/hmis_data_values", "raw/hmis_complete_registrations"
KEY = dg.AssetKey.from_user_string(VALUES)
# raw.hmis_constants loses a row in the moment its load commits: the ledger says one more than the table holds.
LOSING_A_ROW = """
create function lose_a_row() returns trigger language plpgsql as $$
begin
  delete from raw.hmis_constants where id = (select min(id) from raw.hmis_constants);
  return null;
end $$;
create trigger lose_a_row after update on ops.load for each row
  when (new.status = 'committed' and new.table_name = 'constants') execute function lose_a_row();
"""


def test_a_range_of_months_is_one_run_with_the_numbers_of_each(
    defs: dg.Definitions, registries: Warehouse, stored: dg.DagsterInstance
) -> None:
    result = stubs.run(defs, [VALUES, REGISTRATIONS], stored, stubs.MONTHS)
    assert result.success, stubs.failures(result)
    assert stored.get_runs_count() == 1
    assert isinstance(stored.event_log_storage, EventStorage)
    ledger = rows(
        registries,
        """select partition_key, rows_read, landed, quarantined, duplicates, bytes, load_id from ops.load
           where table_name = 'data_values' and is_current order by 1""",
    )
    assert [line[0] for line in ledger] == stubs.MONTHS
    assert stored.get_materialized_partitions(KEY) == set(stubs.MONTHS)
    for month, read, landed, quarantined, duplicates, size, load in ledger:
        (record,) = stored.fetch_materializations(dg.AssetRecordsFilter(KEY, asset_partitions=[month]), limit=5).records
        assert record.run_id == result.run_id
        shown = stubs.shown(record.asset_materialization)
        assert landed > 1000
        assert shown["dagster/partition_row_count"] == shown["landed"] == landed
        assert shown["rows_read"] == read
        assert shown["quarantined"] == quarantined
        assert shown["duplicates"] == duplicates
        assert shown["bytes"] == size > 0
        assert shown["load_id"] == load
        assert shown["seconds"] > 0
        assert shown["unchanged"] is False
        assert shown["source_watermark"] is not None
    evaluated = {e.check_name: e.passed for e in result.get_asset_check_evaluations() if e.asset_key == KEY}
    assert evaluated["accounting"]
    assert set(evaluated) >= {"freshness", "volume", "unknown_facility", "registrations_against_values"}


def test_the_same_months_again_are_unchanged(
    defs: dg.Definitions, registries: Warehouse, instance: dg.DagsterInstance
) -> None:
    months = stubs.MONTHS[:2]
    runs = [stubs.run(defs, [REGISTRATIONS], instance, months) for _ in range(2)]
    assert all(r.success for r in runs)
    found = [
        [e.materialization.metadata["unchanged"].value for e in r.all_events if e.is_step_materialization] for r in runs
    ]
    assert found == [[False, False], [True, True]]


def test_quarantined_rows_are_shown_with_the_month_they_are_of(
    defs: dg.Definitions, sandbox: Sandbox, instance: dg.DagsterInstance
) -> None:
    sandbox.faults.set("unknown_facility", rows=3, query="period=202402")
    result = stubs.run(defs, [VALUES], instance, stubs.MONTHS[:2])
    assert result.success, stubs.failures(result)
    shown = {
        e.materialization.partition: stubs.shown(e.materialization)
        for e in result.all_events
        if e.is_step_materialization
    }
    january, february = (shown[m] for m in stubs.MONTHS[:2])
    assert january["quarantined"] == 0
    assert "quarantine" not in january
    assert february["quarantined"] == sandbox.faults.injected["unknown_facility"]
    (record,) = february["quarantine"].records
    assert record.data["rule"] == "unknown_facility"
    checks = {e.check_name: e for e in result.get_asset_check_evaluations() if e.asset_key == KEY}
    assert not checks["unknown_facility"].passed
    assert checks["unknown_facility"].severity is dg.AssetCheckSeverity.WARN
    assert checks["accounting"].passed


class TestRetries:
    @pytest.fixture
    def at_once(self, registries: Warehouse, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """The definitions with the retry policy of raw assets, but without its pauses."""
        monkeypatch.setattr(raw, "RETRY", dg.RetryPolicy(max_retries=raw.RETRY.max_retries, delay=0))
        return build_defs(stubs.resources(registries, sandbox, tmp_path))

    def test_a_server_down_for_longer_than_the_client_tries_is_tried_again(
        self, at_once: dg.Definitions, sandbox: Sandbox, instance: dg.DagsterInstance
    ) -> None:
        sandbox.faults.set("unavailable", times=2)  # the client tries twice
        result = stubs.run(at_once, [REGISTRATIONS], instance, stubs.MONTHS[:1])
        assert result.success, stubs.failures(result)
        assert sum(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events) == 1

    def test_wrong_credentials_are_not_tried_again(
        self, at_once: dg.Definitions, sandbox: Sandbox, instance: dg.DagsterInstance
    ) -> None:
        sandbox.faults.set("html_login")
        result = stubs.run(at_once, [REGISTRATIONS], instance, stubs.MONTHS[:1])
        assert not result.success
        assert not any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events)
        (words,) = stubs.failures(result)
        assert words.startswith("raw__hmis_complete_registrations: ")
        assert "login page" in words
        assert sandbox.password not in words

    def test_a_month_that_fails_keeps_no_other_from_landing(
        self, at_once: dg.Definitions, registries: Warehouse, sandbox: Sandbox, instance: dg.DagsterInstance
    ) -> None:
        sandbox.faults.set("truncated_body", query="period=202402")
        result = stubs.run(at_once, [VALUES], instance, stubs.MONTHS)
        assert not result.success
        (words,) = stubs.failures(result)
        assert "1 partition(s) not loaded (2024-02-01)" in words
        current = rows(registries, "select partition_key from ops.load where table_name = 'data_values' and is_current")
        assert sorted(k for (k,) in current) == ["2024-01-01", "2024-03-01"]
        assert {"2024-01-01", "2024-03-01"} <= instance.get_materialized_partitions(KEY)


class TestChecks:
    def test_a_failed_accounting_stops_the_models_downstream(
        self, defs: dg.Definitions, registries: Warehouse, instance: dg.DagsterInstance
    ) -> None:
        execute(registries, LOSING_A_ROW)
        model = "staging/stg_hmis__constants"
        result = stubs.run(defs, ["raw/hmis_constants", model], instance)
        assert not result.success
        failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
        assert [(e.check_name, e.severity) for e in failed] == [("accounting", dg.AssetCheckSeverity.ERROR)]
        assert "dbt_reference" not in {e.step_key for e in result.all_events if e.is_step_start}
        assert instance.get_latest_materialization_event(dg.AssetKey.from_user_string(model)) is None
        assert "accounting" in stubs.failures(result)[0]

    def test_a_check_alone_judges_everything_that_is_current(
        self, defs: dg.Definitions, registries: Warehouse, instance: dg.DagsterInstance
    ) -> None:
        assert stubs.run(defs, [REGISTRATIONS], instance, stubs.MONTHS[:2]).success
        check = dg.AssetCheckKey(dg.AssetKey.from_user_string(REGISTRATIONS), "accounting")
        passed = self.alone(defs, instance, check)
        assert (passed.passed, passed.metadata["loads"].value) == (True, 2.0)
        execute(registries, "delete from raw.hmis_complete_registrations where _partition = '2024-01-01'")
        failed = self.alone(defs, instance, check)
        assert not failed.passed
        first: Any = failed.metadata["first"].value
        assert first.records[0].data["partition"] == "2024-01-01"

    def test_a_check_of_a_table_that_was_never_loaded_says_so(
        self, warehouse: Warehouse, sandbox: Sandbox, tmp_path: Path, instance: dg.DagsterInstance
    ) -> None:
        from hic_assets.landing.ddl import create_ops

        with warehouse.connect(autocommit=True) as connection:
            create_ops(connection)
        defs = build_defs(stubs.resources(warehouse, sandbox, tmp_path))
        evaluation = self.alone(defs, instance, dg.AssetCheckKey(KEY, "registrations_against_values"))
        assert not evaluation.passed
        assert "does not exist" in str(evaluation.description)

    def alone(
        self, defs: dg.Definitions, instance: dg.DagsterInstance, check: dg.AssetCheckKey
    ) -> dg.AssetCheckEvaluation:
        selection = dg.AssetSelection.checks(check)
        job = dg.define_asset_job("alone", selection=selection)
        merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
        result = merged.resolve_job_def("alone").execute_in_process(
            instance=instance, run_config=stubs.QUIET, raise_on_error=False
        )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation


def test_the_version_of_dbt_is_known_without_asking_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_dbt.core.resource.check_output", lambda *_, **__: pytest.fail("dbt was started"))
    assert str(dbt_resource()._cli_version) == version("dbt-core")


@pytest.mark.slow
def test_models_run_after_good_accounting_and_show_columns_and_where_these_come_from(
    defs: dg.Definitions,
    registries: Warehouse,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (registries.env() | {"HIC_HOME": str(tmp_path / "home")}).items():
        monkeypatch.setenv(name, value)  # what the run itself will set is undone with this
    model = dg.AssetKey.from_user_string("staging/stg_hmis__constants")
    result = stubs.run(defs, ["raw/hmis_constants", model.to_user_string()], instance)
    assert result.success, stubs.failures(result)
    event = instance.get_latest_materialization_event(model)
    assert event is not None
    shown = stubs.shown(event.asset_materialization)
    columns = {c.name: c.type for c in shown["dagster/column_schema"].columns}
    assert columns["constant_uid"] == "text"
    assert len(columns) >= 3
    lineage = shown["dagster/column_lineage"].deps_by_column
    assert [(d.asset_key.path, d.column_name) for d in lineage["constant_uid"]] == [(["raw", "hmis_constants"], "id")]
    assert rows(registries, "select count(*) > 0 from staging.stg_hmis__constants") == [(True,)]
    evaluated = {(e.asset_key.path[-1], e.check_name) for e in result.get_asset_check_evaluations() if e.passed}
    assert ("hmis_constants", "accounting") in evaluated
    assert any(asset == "stg_hmis__constants" for asset, _ in evaluated)
    # dbt's folder of the run is gone; what it parsed is kept for the next, by the name of the connection.
    (kept,) = (tmp_path / "home" / "dbt").iterdir()
    assert re.fullmatch(r"parsed-[0-9a-f]{16}\.msgpack", kept.name)
