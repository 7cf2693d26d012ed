"""Which months are built again: those that loads of weeks have touched, and all of a programme that was switched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import dagster as dg
import pytest
from pg_servers import rows
from stubs import WarehouseByUrl

from hic_assets.parity.ddl import create_parity
from hic_assets.partitions import range_tags, today
from hic_assets.prepare import prepare
from hic_assets.sensors.months import MONTHS_JOB, months_failed, months_fed, months_sensor
from hic_assets.systems import SYSTEMS
from hic_assets.systems.hmis_tracker import HMIS_TRACKER
from hic_assets.warehouse import Warehouse

NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)


@pytest.fixture
def ready(warehouse: Warehouse) -> Warehouse:
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    return warehouse


def load(warehouse: Warehouse, table: str, start: date, days: int, at: datetime, system: str = "hiv_tracker") -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "update ops.load set is_current = false where system = %s and table_name = %s and window_start = %s",
            (system, table, start),
        )
        connection.execute(
            """insert into ops.load (system, table_name, partition_key, window_start, window_end, status, is_current,
                                     finished_at) values (%s, %s, %s, %s, %s, 'committed', true, %s)""",
            (system, table, str(start), start, start + timedelta(days=days), at),
        )


def months(warehouse: Warehouse, since: datetime | None = None) -> list[str]:
    return sorted(months_fed(warehouse, SYSTEMS, since)[0])


def test_a_week_that_straddles_feeds_both_months(ready: Warehouse) -> None:
    load(ready, "u_events", date(2026, 6, 29), 7, NOON)
    assert months(ready) == ["2026-06-01", "2026-07-01"]
    load(ready, "events", date(2026, 5, 4), 7, NOON)
    assert months(ready) == ["2026-05-01", "2026-06-01", "2026-07-01"]


def test_only_what_ended_since_counts_and_only_trackers(ready: Warehouse) -> None:
    load(ready, "u_events", date(2026, 5, 4), 7, NOON)
    load(ready, "u_events", date(2026, 6, 8), 7, NOON + timedelta(hours=2))
    load(ready, "data_values", date(2026, 1, 1), 31, NOON + timedelta(hours=2), system="hmis")
    found, until = months_fed(ready, SYSTEMS, NOON + timedelta(hours=1))
    assert sorted(found) == ["2026-06-01"]
    assert until == NOON + timedelta(hours=2)


def test_a_switch_to_the_other_pipeline_feeds_every_month_of_the_programme(ready: Warehouse) -> None:
    load(ready, "u_events", date(2026, 5, 4), 7, NOON)
    load(ready, "u_tb_events", date(2026, 3, 2), 7, NOON, system="hmis_tracker")
    rows(
        ready,
        "insert into ops.cutover (programme, at, by_whom, action) values ('tb', '2026-07-21 12:00+00', 'a test', 'unified')",
    )
    assert months(ready, NOON + timedelta(hours=1)) == ["2026-03-01"]


def ticked(ready: Warehouse, instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = months_sensor(SYSTEMS)(context, warehouse=WarehouseByUrl(url=ready.url))
    assert isinstance(result, dg.SensorResult)
    return result


def test_the_sensor_asks_once_for_what_a_load_has_touched(ready: Warehouse, instance: dg.DagsterInstance) -> None:
    load(ready, "u_events", date(2026, 6, 29), 7, NOON)

    def tick(cursor: str | None) -> dg.SensorResult:
        return ticked(ready, instance, cursor)

    first = tick(None)
    assert [request.tags["dagster/asset_partition_range_start"] for request in first.run_requests or []] == [
        "2026-06-01"
    ]
    again = tick(first.cursor)
    assert {r.run_key for r in again.run_requests or []} <= {r.run_key for r in first.run_requests or []}
    load(ready, "u_events", date(2026, 6, 29), 7, NOON + timedelta(days=1))
    third = tick(again.cursor)
    keys = [{r.run_key for r in result.run_requests or []} for result in (first, third)]
    assert keys[1]
    assert not keys[0] & keys[1]


def note_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, first: str, last: str | None = None) -> None:
    """A run of the months' job that ended so; the newest of all so far."""
    tags = {"dagster/partition": first} if last is None else range_tags(first, last)
    instance.add_run(dg.DagsterRun(job_name=MONTHS_JOB, run_id=str(uuid4()), status=status, tags=tags))


def test_a_build_that_failed_is_asked_for_again_once_a_day(ready: Warehouse, instance: dg.DagsterInstance) -> None:
    load(ready, "u_events", date(2026, 5, 4), 7, NOON)
    cursor = ticked(ready, instance, None).cursor
    failed, good, running = (getattr(dg.DagsterRunStatus, name) for name in ("FAILURE", "SUCCESS", "STARTED"))
    note_run(instance, good, "2026-01-01", "2026-06-01")
    for month in ("2026-01-01", "2026-02-01", "2026-03-01"):
        note_run(instance, failed, month)
    note_run(instance, failed, "2026-04-01", "2026-06-01")
    note_run(instance, good, "2026-02-01")
    note_run(instance, running, "2026-05-01")
    assert sorted(months_failed(instance)) == ["2026-01-01", "2026-03-01", "2026-04-01", "2026-06-01"]

    asked = {request.run_key: request for request in ticked(ready, instance, cursor).run_requests or []}
    again = [asked[f"{key}:failed:{today()}"].tags for key in ("2026-01-01:2026-01-01", "2026-03-01:2026-04-01")]
    assert again == [range_tags("2026-01-01", "2026-01-01"), range_tags("2026-03-01", "2026-04-01")]
    assert {request.run_key for request in ticked(ready, instance, cursor).run_requests or []} == set(asked)


def test_a_month_that_is_fed_again_is_not_asked_for_twice(ready: Warehouse, instance: dg.DagsterInstance) -> None:
    load(ready, "u_events", date(2026, 5, 4), 7, NOON)
    note_run(instance, dg.DagsterRunStatus.FAILURE, "2026-05-01")
    (asked,) = ticked(ready, instance, None).run_requests or []
    assert "failed" not in str(asked.run_key)


def test_a_declaration_that_drops_the_legacy_pipeline_feeds_every_month_of_the_programme(ready: Warehouse) -> None:
    load(ready, "u_tb_events", date(2026, 3, 2), 7, NOON, system="hmis_tracker")
    since = datetime.now(UTC) - timedelta(minutes=1) + timedelta(minutes=10)
    assert months(ready, since) == []
    dropped = replace(
        HMIS_TRACKER, programmes=tuple(replace(p, legacy=p.name != "tb") for p in HMIS_TRACKER.programmes)
    )
    with ready.connect() as connection:
        create_parity(connection, [dropped])
    assert months(ready, since) == ["2026-03-01"]
