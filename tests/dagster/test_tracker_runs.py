"""Trackers through Dagster: weeks and months as partitions, both pipelines, their checks, and a server without the old endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from pg_servers import rows
from stubs import QUIET, WarehouseByUrl, failures
from tracker_country import SandboxSources, Trackers, trackers

from hic_assets.definitions import build_defs
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.verdict import parity_verdict
from hic_assets.partitions import range_tags
from hic_assets.sensors.tracker_stale import left_behind
from hic_assets.systems.declare import Pipeline
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.systems.hmis_tracker import HMIS_TRACKER
from hic_assets.warehouse import Warehouse

# The second straddles two months.
WEEKS = ["2026-01-19", "2026-01-26", "2026-02-02"]


@pytest.fixture
def country(warehouse: Warehouse, tmp_path: Path) -> Iterator[Trackers]:
    with trackers(warehouse, tmp_path) as made:
        yield made


def run(
    country: Trackers, instance: dg.DagsterInstance, job: str, keys: list[str], assets: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    """The raw tables of a job, or these of them: the models behind them need every system's registries."""
    sources: SandboxSources = country.sources
    defs = build_defs({"warehouse": WarehouseByUrl(url=country.warehouse.url), "sources": sources})
    loaded = defs.resolve_job_def(job)
    held = [key for key in loaded.asset_layer.executable_asset_keys if key.path[0] == "raw"]
    return loaded.execute_in_process(
        instance=instance,
        tags=range_tags(keys[0], keys[-1]),
        asset_selection=held if assets is None else [dg.AssetKey(["raw", name]) for name in assets],
        run_config=QUIET,
        raise_on_error=False,
    )


@pytest.mark.slow
def test_a_range_of_weeks_is_one_run_of_both_pipelines_and_a_verdict(
    country: Trackers, instance: dg.DagsterInstance
) -> None:
    result = run(country, instance, "hiv_tracker_weekly", WEEKS)
    assert result.success, failures(result)
    for feed in HIV_TRACKER.feeds:
        if feed.pipeline:
            assert instance.get_materialized_partitions(dg.AssetKey(["raw", feed.table.relation])) == set(WEEKS)
    verdicts = {(c.asset_key.path[-1], c.check_name): c for c in result.get_asset_check_evaluations()}
    for kind in ("tracked_entities", "enrollments", "events"):
        parity = verdicts[f"u_hiv_tracker_{kind}", "parity"]
        assert parity.passed, parity.description
        assert verdicts[f"u_hiv_tracker_{kind}", "accounting"].passed
        assert (f"hiv_tracker_{kind}", "parity") not in verdicts
    compared = rows(country.warehouse, "select count(*), sum(matched) > 0 from ops.parity where is_current")
    assert compared == [(9, True)]


@pytest.mark.slow
def test_a_difference_makes_the_verdict_an_error_and_lands_all_the_same(
    country: Trackers, instance: dg.DagsterInstance
) -> None:
    country.sandbox.differences.inject(
        "swapped_code", side="legacy", program=HIV_TRACKER.programmes[0].uid, start=WEEKS[0], end=WEEKS[-1]
    )
    result = run(country, instance, "hiv_tracker_weekly", WEEKS)
    assert result.success, failures(result)
    (parity,) = [
        c
        for c in result.get_asset_check_evaluations()
        if c.check_name == "parity" and c.asset_key.path[-1] == "u_hiv_tracker_events"
    ]
    touched = country.sandbox.differences
    assert touched
    assert not parity.passed
    assert parity.severity is dg.AssetCheckSeverity.ERROR
    assert "value_differs" in str(parity.metadata) or "value_differs" in str(parity.description)


@pytest.mark.slow
def test_on_a_server_without_the_old_endpoints_the_unified_tables_land_and_the_others_say_why(
    warehouse: Warehouse, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with trackers(warehouse, tmp_path, version="2.42.5.2") as country:
        result = run(country, instance, "hiv_tracker_weekly", WEEKS)
        assert not result.success
        said = failures(result)
        legacy = [f for f in HIV_TRACKER.feeds if f.pipeline is Pipeline.LEGACY]
        assert len(said) == len(legacy)
        for words in said:
            assert "2.42" in str(words)
            assert "unified" in str(words)
        for feed in HIV_TRACKER.feeds:
            if feed.pipeline is Pipeline.UNIFIED:
                key = dg.AssetKey(["raw", feed.table.relation])
                assert instance.get_materialized_partitions(key) == set(WEEKS)
        passed = {
            c.asset_key.path[-1]: c.passed for c in result.get_asset_check_evaluations() if c.check_name == "accounting"
        }
        assert passed == {f"u_hiv_tracker_{kind}": True for kind in ("tracked_entities", "enrollments", "events")}
        # Within a run its legacy table's failure leaves the check unasked; asked by itself, it warns and says why.
        assert not [c for c in result.get_asset_check_evaluations() if c.check_name == "parity"]
        programme = HIV_TRACKER.programmes[0]
        for kind in Kind:
            verdict = parity_verdict(warehouse, programme, kind, [date.fromisoformat(week) for week in WEEKS])
            assert not verdict.passed
            assert not verdict.grave
            assert "legacy is not loaded in 3 of 3 partitions" in verdict.words
            assert "removed in 2.42" in verdict.words
        assert left_behind(warehouse, HIV_TRACKER) == {}


@pytest.mark.slow
def test_records_that_the_server_counts_and_does_not_give_are_noted_with_the_load(
    country: Trackers, instance: dg.DagsterInstance
) -> None:
    country.sandbox.faults.set("short_pages", every=5)
    result = run(country, instance, "hiv_tracker_weekly", WEEKS[:1], ["u_hiv_tracker_enrollments"])
    assert result.success, failures(result)
    (made,) = result.asset_materializations_for_node("raw__u_hiv_tracker_enrollments")
    assert "records came, the server hides or has moved the others" in str(made.metadata["notes"].value)


@pytest.mark.slow
def test_monthly_programmes_have_months(country: Trackers, instance: dg.DagsterInstance) -> None:
    audits = [
        f.table.relation for f in HMIS_TRACKER.feeds if f.programme and f.programme.name == "maternal_death_audit"
    ]
    result = run(country, instance, "hmis_tracker_monthly", ["2026-01-01", "2026-02-01"], audits)
    assert result.success, failures(result)
    held = rows(country.warehouse, "select distinct _partition from raw.u_hmis_tracker_maternal_death_audit_events")
    assert {day for (day,) in held} <= {date(2026, 1, 1), date(2026, 2, 1)}
    loads = rows(country.warehouse, "select count(*) from ops.load where is_current and relation like '%maternal%'")
    assert loads == [(12,)]
