"""Records inserted, edited, moved and deleted while they are read, and after: in the end the warehouse equals the server."""

from __future__ import annotations

import os
import time
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from pg_servers import rows
from tracker_country import PAIRS, WEEKS, Trackers, trackers

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.keep import KEEP_SECONDS
from hic_assets.partitions import today
from hic_assets.resources import WarehouseResource
from hic_assets.sensors.occasions import Asked
from hic_assets.sensors.reconciliation import reconcile
from hic_assets.sensors.tracker import requests, tick, tracker_sensor
from hic_assets.sensors.watermarks import Watermarks
from hic_assets.systems.declare import Cadence, Pipeline, Programme, System
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.systems.hiv_tracker import PROGRAMMES as HIV_PROGRAMMES
from hic_assets.systems.immunization_tracker import IMMUNIZATION_TRACKER
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

HIV = HIV_PROGRAMMES[0]
UNIFIED = (Pipeline.UNIFIED,)


def settled(country: Trackers, system: System, marks: Watermarks) -> Watermarks:
    """One tick of the sensor and the runs it asks for."""
    marks, stale = tick(system, marks, country.warehouse, country.sources)
    for programme, days in stale.items():
        country.load(system, programme, UNIFIED, keys=[str(day) for day in sorted(days)])
    return marks


def assert_equal(country: Trackers, system: System, programme: Programme) -> None:
    for kind in Kind:
        held, served = country.held(system, programme, kind), country.served(system, programme, kind)
        assert held.height > 0
        assert held.equals(served), (programme.name, kind, held.join(served, on=["uid", "partition"], how="anti"))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.38.7", "2.40.12", "2.41.9.1", "2.42.5.2", "2.43.1"])
def test_what_changes_while_a_pull_is_running_is_there_after_the_next_run(
    warehouse: Warehouse, tmp_path: Path, version: str
) -> None:
    with trackers(warehouse, tmp_path, version, scale=0.02) as country:
        store, rng = country.sandbox.world.tracker(HIV_TRACKER.name), np.random.default_rng(7)
        # A change after every few requests, whatever page or slice is being read then.
        moments = [
            country.sandbox.during("/api/tracker/", after_requests=n, do=lambda: store.drift(3, rng))
            for n in range(2, 20, 3)
        ]
        country.load(HIV_TRACKER, HIV, pipelines=UNIFIED)
        assert all(moment.done for moment in moments)
        marks = settled(country, HIV_TRACKER, {})
        reconcile(HIV_TRACKER, warehouse, country.sources)
        settled(country, HIV_TRACKER, marks)
        assert_equal(country, HIV_TRACKER, HIV)


@pytest.mark.slow
def test_the_sensor_asks_for_exactly_the_weeks_that_changes_touch(warehouse: Warehouse, tmp_path: Path) -> None:
    with trackers(warehouse, tmp_path) as country:
        country.load(HIV_TRACKER, HIV, pipelines=UNIFIED)
        store = country.sandbox.world.tracker(HIV_TRACKER.name)
        marks, stale = tick(HIV_TRACKER, {}, warehouse, country.sources)
        assert stale == {}
        events = store.frame("events", HIV.uid).filter(~store.frame("events", HIV.uid)["deleted"])
        first_week, third_week = (date.fromisoformat(WEEKS[n]) for n in (0, 2))
        inside = events.filter(
            (events["occurred_at"] >= first_week) & (events["occurred_at"] < first_week + timedelta(days=7))
        )
        # One event moves from the first week to the third; the others stay as they are.
        store.edit_event(inside["uid"][0], occurred_at=third_week)
        marks, stale = tick(HIV_TRACKER, marks, warehouse, country.sources)
        assert {first_week, third_week} <= stale[HIV].keys()
        touched = stale[HIV].keys() - {first_week, third_week}
        # Its tracked entity changed with it, wherever that is enrolled.
        entity = inside["tracked_entity"][0]
        days = store.frame("tracked_entities", HIV.uid).filter(uid=entity)["enrolled"].explode().to_list()
        assert touched <= {day - timedelta(days=day.weekday()) for day in days}
        with dg.DagsterInstance.ephemeral() as instance:
            asked = requests(HIV_TRACKER, stale, Asked(), instance)
        assert {request.job_name for request in asked} == {"hiv_tracker_weekly"}
        assert all(len(request.asset_selection or ()) == 6 for request in asked)
        # It is owed until it is loaded, and then no more.
        again, stale = tick(HIV_TRACKER, marks, warehouse, country.sources)
        assert {first_week, third_week} <= stale[HIV].keys()
        country.load(HIV_TRACKER, HIV, UNIFIED, keys=[str(day) for day in stale[HIV]])
        assert tick(HIV_TRACKER, again, warehouse, country.sources)[1] == {}
        assert_equal(country, HIV_TRACKER, HIV)


@pytest.mark.slow
def test_the_sensor_asks_once_a_day_for_what_one_pipeline_has_not_read_for_days(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with trackers(warehouse, tmp_path) as country:
        week = date.fromisoformat(WEEKS[1])
        country.load(HIV_TRACKER, HIV, keys=WEEKS[:3])
        old = country.sources.kept() / "an unfinished reading"
        old.mkdir(parents=True)
        os.utime(old, (time.time() - KEEP_SECONDS - 1,) * 2)
        assert not asked_by_sensor(country)
        assert not old.exists(), "records of patients, whose reading nobody came back to"
        # The legacy table was last read three days ago, and then unified alone was loaded: not yet compared.
        rows(
            warehouse,
            """update ops.load set started_at = now() - interval '3 days', source_read_at = source_read_at - case
                   when relation = 'hiv_tracker_events' and window_start = %s then interval '3 days'
                   else interval '0' end""",
            (week,),
        )
        (asked,) = asked_by_sensor(country)
        assert str(asked.run_key).startswith(f"hiv:{week}:{week}:") and str(asked.run_key).endswith(f":{today()}")
        assert len(asked.asset_selection or ()) == 6
        assert [one.run_key for one in asked_by_sensor(country)] == [asked.run_key]
        country.load(HIV_TRACKER, HIV, keys=[WEEKS[1]])
        assert not asked_by_sensor(country)


class Given(WarehouseResource):
    url: str

    def open(self) -> Warehouse:
        return Warehouse(parse_url(self.url))


def asked_by_sensor(country: Trackers) -> list[dg.RunRequest]:
    """What one tick of the HIV tracker's sensor requests, its first."""
    given = {"warehouse": Given(url=country.warehouse.url), "sources": country.sources}
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance) as context:
        result = tracker_sensor(HIV_TRACKER, [])(context, **given)
    assert isinstance(result, dg.SensorResult), result
    return list(result.run_requests or [])


@pytest.mark.slow
def test_erased_tombstones_are_found_by_the_reconciliation_of_keys(warehouse: Warehouse, tmp_path: Path) -> None:
    system, programme = IMMUNIZATION_TRACKER, IMMUNIZATION_TRACKER.programmes[0]
    with trackers(warehouse, tmp_path) as country:
        store = country.sandbox.world.tracker(system.name)
        alive = store.frame("events", programme.uid)
        for uid in alive.filter(~alive["deleted"])["uid"].sort()[:5]:
            store.delete("events", uid)
        country.load(system, programme, pipelines=UNIFIED)
        marks = settled(country, system, {})
        store.purge_deleted()
        assert tick(system, marks, warehouse, country.sources)[1] == {}
        found = [f for f in reconcile(system, warehouse, country.sources) if f.stale]
        assert sum(sum(s.why.values()) for f in found for s in f.stale) > 0
        assert {why for f in found for s in f.stale for why in s.why} == {"gone"}
        settled(country, system, marks)
        assert_equal(country, system, programme)
        assert not [f for f in reconcile(system, warehouse, country.sources) if f.stale]


@pytest.mark.slow
def test_every_programme_settles_after_a_day_of_changes(warehouse: Warehouse, tmp_path: Path) -> None:
    with trackers(warehouse, tmp_path) as country:
        rng = np.random.default_rng(3)
        for system, programme in PAIRS:
            country.load(system, programme, pipelines=UNIFIED)
        for system in dict.fromkeys(system for system, _ in PAIRS):
            marks = settled(country, system, {})
            country.sandbox.world.tracker(system.name).drift(40, rng)
            settled(country, system, marks)
        for system, programme in PAIRS:
            assert_equal(country, system, programme)
            assert programme.cadence in (Cadence.WEEKLY, Cadence.MONTHLY)
