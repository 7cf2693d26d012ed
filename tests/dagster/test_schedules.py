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
from hic_assets.partitions import TIMEZONE, partitions_of, range_tags
from hic_assets.schedules import IN_TURN, in_turn, schedules
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse

REFERENCE, MONTHLY, WEEKLY, RECONCILIATION, WEEKLY_RECONCILIATION = schedules(HMIS)


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


@pytest.mark.parametrize(
    ("instant", "first", "last"),
    [
        ("2026-06-04T04:00", "2026-05-04", "2026-05-25"),
        # 2026 has 53 weeks: the last of them begins on 28 December and holds 1 January.
        ("2027-01-07T04:00", "2026-12-07", "2026-12-28"),
        ("2026-06-01T00:00", "2026-05-04", "2026-05-25"),
        ("2026-05-31T23:59", "2026-04-27", "2026-05-18"),
    ],
)
def test_the_weekly_run_reads_the_last_completed_weeks_of_its_tick(instant: str, first: str, last: str) -> None:
    request = evaluated(WEEKLY, instant)
    assert isinstance(request, dg.RunRequest)
    tags = {k: v for k, v in request.tags.items() if k.startswith("dagster/asset_partition_range")}
    assert tags == range_tags(first, last)


def test_weeks_are_read_after_the_wednesday_on_which_they_are_due() -> None:
    assert WEEKLY.cron_schedule == "0 4 * * 4"
    assert WEEKLY.job_name == WEEKLY_RECONCILIATION.job_name == "hmis_weekly"


@given(cadence=st.sampled_from([Cadence.MONTHLY, Cadence.WEEKLY]), loaded=st.integers(0, 300), day=st.integers(0, 300))
def test_every_older_partition_has_its_turn_within_as_few_weeks_as_may_be(
    cadence: Cadence, loaded: int, day: int
) -> None:
    at = datetime(2026, 1, 4, 1, tzinfo=ZoneInfo(TIMEZONE)) + timedelta(days=day)
    definition = partitions_of(cadence)
    assert definition is not None
    older = definition.get_partition_keys(current_time=at)[:-4][:loaded]
    turns = -(-len(older) // IN_TURN[cadence])
    read = [in_turn(older, at + timedelta(weeks=week), cadence) for week in range(turns)]
    assert sorted(key for keys in read for key in keys) == older
    assert all(len(keys) <= IN_TURN[cadence] for keys in read)


def test_nothing_is_read_again_that_was_never_loaded() -> None:
    at = datetime(2026, 11, 8, 1, tzinfo=ZoneInfo(TIMEZONE))
    assert in_turn([], at) == []
    assert in_turn(["2026-10-01", "2026-09-01", "2026-08-01"], at) == []
    assert in_turn(["2024-02-01", "2026-10-01"], at) == ["2024-02-01"]
    assert in_turn(["2026-09-28", "2026-10-26"], at, Cadence.WEEKLY) == ["2026-09-28"]


@pytest.mark.parametrize(
    ("schedule", "table", "keys", "ranges"),
    [
        (
            RECONCILIATION,
            "data_values",
            ("2024-01-01", "2024-02-01", "2024-05-01"),
            [["2024-02-01", "2024-01-01"], ["2024-05-01", "2024-05-01"]],
        ),
        (
            WEEKLY_RECONCILIATION,
            "weekly_values",
            ("2024-12-23", "2024-12-30", "2025-01-13"),
            [["2024-12-30", "2024-12-23"], ["2025-01-13", "2025-01-13"]],
        ),
    ],
)
def test_reconciliation_asks_for_ranges_without_what_was_never_loaded_between(
    warehouse: Warehouse, schedule: dg.ScheduleDefinition, table: str, keys: tuple[str, ...], ranges: list[list[str]]
) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for key in keys:
            connection.execute(
                """insert into ops.load (system, table_name, partition_key, status, is_current)
                   values ('hmis', %s, %s, 'committed', true)""",
                (table, key),
            )
    at = datetime(2026, 11, 8, 1, tzinfo=ZoneInfo(TIMEZONE))
    context = dg.build_schedule_context(
        scheduled_execution_time=at, resources={"warehouse": WarehouseByUrl(url=warehouse.url)}
    )
    requests = schedule.evaluate_tick(context).run_requests or []
    asked = [[v for k, v in sorted(r.tags.items()) if "partition_range" in k] for r in requests]
    assert asked == ranges
