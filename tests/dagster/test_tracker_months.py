"""Which months are built again: those that loads of weeks have touched, and all of a programme that was switched."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from pg_servers import rows
from stubs import WarehouseByUrl

from hic_assets.prepare import prepare
from hic_assets.systems import SYSTEMS
from hic_assets.tracker_sensor import months_fed, months_sensor
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


def test_the_sensor_asks_once_for_what_a_load_has_touched(ready: Warehouse, instance: dg.DagsterInstance) -> None:
    load(ready, "u_events", date(2026, 6, 29), 7, NOON)
    sensor = months_sensor(SYSTEMS)

    def tick(cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        result = sensor(context, warehouse=WarehouseByUrl(url=ready.url))
        assert isinstance(result, dg.SensorResult)
        return result

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
