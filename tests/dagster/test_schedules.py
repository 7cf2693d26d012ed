"""When runs are asked for, and over which months: schedules evaluated at given instants."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import WarehouseByUrl

from hic_assets.landing.ddl import create_ops
from hic_assets.partitions import TIMEZONE, monthly, range_tags
from hic_assets.schedules import MONTHS_A_WEEK, months_in_turn, schedules
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

REFERENCE, MONTHLY, RECONCILIATION = schedules(HMIS)


def evaluated(schedule: dg.ScheduleDefinition, instant: str) -> dg.RunRequest | str:
    """The one run asked for at an instant of Kigali, or why there is none."""
    at = datetime.fromisoformat(instant).replace(tzinfo=ZoneInfo(TIMEZONE))
    tick = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at))
    if tick.skip_message:
        return tick.skip_message
    (request,) = tick.run_requests or []
    return request


@pytest.mark.parametrize(
    ("instant", "first", "last"),
    [
        ("2026-06-06T06:00", "2026-03-01", "2026-05-01"),
        ("2026-01-06T06:00", "2025-10-01", "2025-12-01"),
        ("2026-06-01T00:00", "2026-03-01", "2026-05-01"),
        ("2026-05-31T23:59", "2026-02-01", "2026-04-01"),
        ("2020-02-06T06:00", "2020-01-01", "2020-01-01"),
    ],
)
def test_the_monthly_run_reads_the_last_completed_months_of_its_tick(instant: str, first: str, last: str) -> None:
    request = evaluated(MONTHLY, instant)
    assert isinstance(request, dg.RunRequest)
    tags = {k: v for k, v in request.tags.items() if k.startswith("dagster/asset_partition_range")}
    assert tags == range_tags(first, last)


def test_before_the_first_month_is_over_nothing_is_asked_for() -> None:
    assert evaluated(MONTHLY, "2020-01-06T06:00") == "No month is complete yet."


def test_one_tick_is_one_run_however_often_it_is_evaluated() -> None:
    for schedule in (MONTHLY, REFERENCE):
        ticks = [evaluated(schedule, i) for i in ("2026-06-06T06:00", "2026-06-06T06:00", "2026-07-06T06:00")]
        keys = [tick.run_key for tick in ticks if isinstance(tick, dg.RunRequest)]
        assert keys[0] == keys[1] != keys[2]


def test_registries_have_no_partition() -> None:
    request = evaluated(REFERENCE, "2026-06-06T02:00")
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key is None
    assert not any("partition" in tag for tag in request.tags)


@given(loaded=st.integers(0, 60), day=st.integers(0, 300))
def test_every_older_month_has_its_turn_within_as_few_weeks_as_may_be(loaded: int, day: int) -> None:
    at = datetime(2026, 1, 4, 1, tzinfo=ZoneInfo(TIMEZONE)) + timedelta(days=day)
    older = monthly().get_partition_keys(current_time=at)[:loaded]
    turns = -(-len(older) // MONTHS_A_WEEK)
    read = [months_in_turn(older, at + timedelta(weeks=week)) for week in range(turns)]
    assert sorted(month for months in read for month in months) == older
    assert all(len(months) <= MONTHS_A_WEEK for months in read)


def test_nothing_is_read_again_that_was_never_loaded() -> None:
    at = datetime(2026, 11, 8, 1, tzinfo=ZoneInfo(TIMEZONE))
    assert months_in_turn([], at) == []
    assert months_in_turn(["2026-10-01", "2026-09-01", "2026-08-01"], at) == []
    assert months_in_turn(["2024-02-01", "2026-10-01"], at) == ["2024-02-01"]


def test_reconciliation_asks_for_ranges_without_the_months_between(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for month in ("2024-01-01", "2024-02-01", "2024-05-01"):
            connection.execute(
                """insert into ops.load (system, table_name, partition_key, status, is_current)
                   values ('hmis', 'data_values', %s, 'committed', true)""",
                (month,),
            )
    at = datetime(2026, 11, 8, 1, tzinfo=ZoneInfo(TIMEZONE))
    context = dg.build_schedule_context(
        scheduled_execution_time=at, resources={"warehouse": WarehouseByUrl(url=warehouse.url)}
    )
    requests = RECONCILIATION.evaluate_tick(context).run_requests or []
    ranges = [[v for k, v in sorted(r.tags.items()) if "partition_range" in k] for r in requests]
    assert ranges == [["2024-02-01", "2024-01-01"], ["2024-05-01", "2024-05-01"]]
