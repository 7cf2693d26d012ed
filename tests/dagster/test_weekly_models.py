"""Models that are built by week, as Dagster sees them: their window, what they wait for, the jobs that build them."""

from __future__ import annotations

import dagster as dg
import pytest

from hic_assets.assets.dbt import event_time_args
from hic_assets.systems.declare import Cadence

MODELS = ("dwh/fct_idsr_report", "dwh/fct_idsr_weekly", "dwh/fct_idsr_district_week", "reporting/rpt_idsr_weekly")
NOTIFICATIONS, VALUES, MARKS = "raw/idsr_notifications", "raw/hmis_weekly_values", "raw/hmis_weekly_registrations"


@pytest.fixture(scope="module")
def code_location(parsed_project: None) -> dg.Definitions:
    from hic_assets.definitions import build_defs

    return build_defs()


def test_a_run_of_weeks_is_one_window_of_whole_weeks() -> None:
    """The last one is week 53 of 2026 and ends in 2027."""
    window = event_time_args(["2026-12-28", "2026-12-14", "2026-12-21"], Cadence.WEEKLY)
    assert window == ("--event-time-start", "2026-12-14", "--event-time-end", "2027-01-04")
    assert event_time_args(["2026-12-01"]) == ("--event-time-start", "2026-12-01", "--event-time-end", "2027-01-01")


def test_they_are_cut_by_weeks_and_wait_for_the_raw_tables_behind_their_views(code_location: dg.Definitions) -> None:
    graph = code_location.resolve_asset_graph()
    for name in MODELS:
        partitions = graph.get(dg.AssetKey.from_user_string(name)).partitions_def
        assert isinstance(partitions, dg.TimeWindowPartitionsDefinition)
        assert partitions.get_cron_schedule(hour_of_day=0, minute_of_hour=0) == "0 0 * * 1"
    report = graph.get(dg.AssetKey.from_user_string("dwh/fct_idsr_report"))
    assert {NOTIFICATIONS, VALUES, MARKS} <= {key.to_user_string() for key in report.parent_keys}


def test_either_path_builds_them_and_no_tracker_does(code_location: dg.Definitions) -> None:
    built = {
        name: {k.to_user_string() for k in code_location.resolve_job_def(name).asset_layer.executable_asset_keys}
        for name in ("idsr_weekly", "hmis_weekly", "hiv_tracker_weekly", "ebuzima_weekly")
    }
    assert {*MODELS, NOTIFICATIONS} <= built["idsr_weekly"] and VALUES not in built["idsr_weekly"]
    assert {*MODELS, VALUES, MARKS} <= built["hmis_weekly"] and NOTIFICATIONS not in built["hmis_weekly"]
    for name in ("hiv_tracker_weekly", "ebuzima_weekly"):
        assert not {*MODELS} & built[name]
