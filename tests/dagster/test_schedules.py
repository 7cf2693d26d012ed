"""When runs are asked for, and over which months: schedules evaluated at given instants."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from hic_assets.partitions import TIMEZONE, range_tags
from hic_assets.schedules import schedules
from hic_assets.systems import HMIS

MONTHLY, REFERENCE = schedules(HMIS, "hmis_monthly", "hmis_reference")


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
