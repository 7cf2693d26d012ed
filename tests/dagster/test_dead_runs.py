"""A demo that was killed keeps no later run from its place in a pool."""

from __future__ import annotations

import dagster as dg

from hic_assets.cli.dead_runs import TAGS, alive, close_dead_runs
from hic_assets.warehouse import Warehouse


def started(defs: dg.Definitions, stored: dg.DagsterInstance) -> dg.DagsterRun:
    """A run of a demo that holds the only place of the system's pool."""
    run = stored.create_run_for_job(defs.resolve_job_def("hmis_monthly"), status=dg.DagsterRunStatus.STARTED, tags=TAGS)
    storage = stored.event_log_storage
    storage.initialize_concurrency_limit_to_default("hmis")
    assert storage.claim_concurrency_slot("hmis", run.run_id, "step").is_claimed
    return run


def test_the_place_of_a_killed_run_is_free_again(
    defs: dg.Definitions, registries: Warehouse, stored: dg.DagsterInstance
) -> None:
    run = started(defs, stored)
    with alive(registries, run.run_id):
        assert close_dead_runs(stored, registries) == []
        assert stored.event_log_storage.get_concurrency_info("hmis").active_run_ids == {run.run_id}
    assert close_dead_runs(stored, registries) == [run.run_id]
    assert stored.event_log_storage.get_concurrency_info("hmis").active_run_ids == set()
    found = stored.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.FAILURE
    assert close_dead_runs(stored, registries) == []


def test_the_daemon_frees_the_places_of_the_runs_it_has_ended(stored: dg.DagsterInstance) -> None:
    """Without the setting Dagster leaves them taken for ever."""
    assert stored.run_monitoring_settings["enabled"]
    assert 0 < stored.run_monitoring_settings["free_slots_after_run_end_seconds"] <= 300
