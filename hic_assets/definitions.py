"""The one Definitions object of the code location ``hic``: every system's assets, checks, jobs, schedules, sensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from hic_assets.assets.alerts import alert_asset, alerts_of_this_week
from hic_assets.assets.dbt import dbt_asset_definitions, dbt_resource
from hic_assets.assets.disruption import disruption_asset
from hic_assets.assets.identity import identity_asset, nobody_is_lost
from hic_assets.assets.indicators import indicator_sql
from hic_assets.assets.ledger import ledger
from hic_assets.assets.raw import raw_assets
from hic_assets.checks.raw import raw_checks
from hic_assets.jobs import jobs_of
from hic_assets.pool_waits import sleep_while_waiting
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.schedules import disruption_schedule, identity_schedule, schedules
from hic_assets.sensors.aggregate import change_sensors
from hic_assets.sensors.months import months_sensor
from hic_assets.sensors.reconciliation import reconciliation_job
from hic_assets.sensors.rest import rest_sensor
from hic_assets.sensors.tracker import tracker_sensor
from hic_assets.systems import SYSTEMS, System


@contextmanager
def _known_beta() -> Iterator[None]:
    """Backfill policies have been marked beta for years; their warning, and no other, is kept out of every load."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parameter `backfill_policy` of function `asset`", dg.BetaWarning)
        yield


def _sensors(system: System, jobs: Sequence[dg.UnresolvedAssetJobDefinition]) -> list[dg.SensorDefinition]:
    """What asks a system for changes, by the way it is read."""
    if system.api is not None:
        return [rest_sensor(system, jobs)]
    return [tracker_sensor(system, jobs)] if system.programmes else change_sensors(system)


def build_defs(overrides: Mapping[str, Any] | None = None, systems: Sequence[System] = SYSTEMS) -> dg.Definitions:
    """Everything, with resources replaced by ``overrides`` and for other ``systems`` (the seams for tests)."""
    resources = {"warehouse": WarehouseResource(), "sources": SourcesResource(), "dbt": dbt_resource()}
    trackers = [s for s in systems if s.programmes]
    jobs = jobs_of(systems)
    with _known_beta():
        raw = [asset for system in systems for asset in raw_assets(system)]
        models, computed = dbt_asset_definitions(), [alert_asset(), disruption_asset(), identity_asset()]
    return dg.Definitions(
        assets=[*raw, *ledger, indicator_sql, *computed, *models],
        asset_checks=[*(c for s in systems for c in raw_checks(s)), alerts_of_this_week, nobody_is_lost],
        jobs=[*jobs, *(reconciliation_job(s) for s in trackers)],
        schedules=[*(x for s in systems for x in schedules(s)), identity_schedule(), disruption_schedule()],
        sensors=[*(sensor for s in systems for sensor in _sensors(s, jobs)), months_sensor(trackers)],
        resources={**resources, **(overrides or {})},
        # A process a step would cost seconds each, most of it imports; runs are processes of their own already.
        executor=dg.in_process_executor,
    )


sleep_while_waiting()
defs = build_defs()
