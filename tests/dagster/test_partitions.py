"""How keys become runs, and which month is due when. Pure functions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.checks.questions import due_month, due_week
from hic_assets.partitions import (
    TIMEZONE,
    contiguous_ranges,
    dhis2_period,
    key_of_period,
    landing_partition,
    month_partition,
    monthly,
    months_touched,
    weekly,
)
from hic_assets.systems.declare import Cadence

KEYS = [f"{year}-{month:02}-01" for year in (2020, 2021) for month in range(1, 13)]
MONTHS = dg.StaticPartitionsDefinition(KEYS)


@given(st.sets(st.sampled_from(KEYS)))
def test_ranges_hold_exactly_the_keys_and_no_two_could_be_one(keys: set[str]) -> None:
    ranges = contiguous_ranges(keys, MONTHS)
    spans = [(KEYS.index(first), KEYS.index(last)) for first, last in ranges]
    assert [KEYS[i] for a, b in spans for i in range(a, b + 1)] == sorted(keys)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(spans))


def test_keys_that_are_no_partition_are_left_out() -> None:
    assert contiguous_ranges(["2020-01-01", "2019-12-01", "2020-02-01", "what"], MONTHS) == [
        ("2020-01-01", "2020-02-01")
    ]


def test_a_month_partition_is_a_half_open_window_and_a_dhis2_period() -> None:
    december = month_partition("2025-12-01")
    assert (december.start, december.end) == (date(2025, 12, 1), date(2026, 1, 1))
    assert dhis2_period(Cadence.MONTHLY, december) == "202512"


@pytest.mark.parametrize(
    ("key", "period", "end"),
    [
        ("2026-02-09", "2026W7", date(2026, 2, 16)),
        ("2024-12-30", "2025W1", date(2025, 1, 6)),
        ("2020-12-28", "2020W53", date(2021, 1, 4)),
        ("2026-12-28", "2026W53", date(2027, 1, 4)),
    ],
)
def test_a_week_partition_is_a_half_open_window_and_a_dhis2_week_of_the_iso_year(
    key: str, period: str, end: date
) -> None:
    week = landing_partition(Cadence.WEEKLY, key)
    assert (week.start, week.end) == (date.fromisoformat(key), end)
    assert dhis2_period(Cadence.WEEKLY, week) == period
    assert key_of_period(Cadence.WEEKLY, period) == key


@given(st.sampled_from(weekly().get_partition_keys(current_time=datetime(2033, 1, 10, tzinfo=UTC))))
def test_every_week_of_thirteen_years_has_its_period_and_back(key: str) -> None:
    period = dhis2_period(Cadence.WEEKLY, landing_partition(Cadence.WEEKLY, key))
    year, week, _ = date.fromisoformat(key).isocalendar()
    assert period == f"{year}W{week}"
    assert key_of_period(Cadence.WEEKLY, period) == key
    assert key_of_period(Cadence.MONTHLY, period) is None


@pytest.mark.parametrize(
    ("instant", "last"),
    [
        ("2026-05-31T21:59:59", "2026-04-01"),  # 23:59:59 in Kigali: May is not over
        ("2026-05-31T22:00:00", "2026-05-01"),  # midnight in Kigali, while it is still May in UTC
        ("2026-01-01T00:00:00", "2025-12-01"),
    ],
)
def test_a_month_is_a_partition_from_midnight_in_kigali(instant: str, last: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert monthly().get_partition_keys(current_time=at)[-1] == last


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 6, 10), date(2026, 4, 1)),  # May ended nine full days ago
        (date(2026, 6, 11), date(2026, 5, 1)),
        (date(2026, 6, 30), date(2026, 5, 1)),
        (date(2026, 7, 1), date(2026, 5, 1)),
        (date(2026, 1, 10), date(2025, 11, 1)),
        (date(2026, 1, 11), date(2025, 12, 1)),
        (date(2024, 3, 11), date(2024, 2, 1)),
    ],
)
def test_a_month_is_due_ten_days_after_it_ended(day: date, due: date) -> None:
    assert due_month(day, 10) == due


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 100))
def test_the_due_month_has_ended_that_long_ago_and_the_next_has_not(day: date, days: int) -> None:
    due = due_month(day, days)
    end = (due + timedelta(days=32)).replace(day=1)
    end_of_next = (end + timedelta(days=32)).replace(day=1)
    assert due.day == 1
    assert end + timedelta(days=days) <= day < end_of_next + timedelta(days=days)


def test_the_day_is_that_of_kigali() -> None:
    before, after = (datetime(2026, 6, 10, h, m, tzinfo=UTC) for h, m in ((21, 59), (22, 0)))
    kigali = ZoneInfo(TIMEZONE)
    assert due_month(before.astimezone(kigali).date(), 10) == date(2026, 4, 1)
    assert due_month(after.astimezone(kigali).date(), 10) == date(2026, 5, 1)


def test_weeks_are_those_of_iso_from_the_first_of_2020_on() -> None:
    keys = weekly().get_partition_keys(current_time=datetime(2027, 1, 10, tzinfo=UTC))
    days = [date.fromisoformat(key) for key in keys]
    assert all(day.weekday() == 0 for day in days)
    assert days[0].isocalendar()[:2] == (2020, 1)
    assert {day.isocalendar().year: day.isocalendar().week for day in days}[2026] == 53


def test_a_week_is_a_partition_once_its_sunday_is_over_in_kigali() -> None:
    sunday, monday = (datetime(2026, 3, 8, h, m, tzinfo=UTC) for h, m in ((21, 59), (22, 0)))
    assert weekly().get_partition_keys(current_time=sunday)[-1] == "2026-02-23"
    assert weekly().get_partition_keys(current_time=monday)[-1] == "2026-03-02"


def test_a_weekly_partition_is_seven_days() -> None:
    straddling = landing_partition(Cadence.WEEKLY, "2026-06-29")
    assert (straddling.start, straddling.end) == (date(2026, 6, 29), date(2026, 7, 6))


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_the_months_touched_are_those_of_every_day(first: date, days: int) -> None:
    span = [first + timedelta(days=n) for n in range(days + 1)]
    assert months_touched(first, span[-1]) == sorted({day.replace(day=1).isoformat() for day in span})


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_the_due_week_has_ended_that_long_ago_and_the_next_has_not(day: date, days: int) -> None:
    due = due_week(day, days)
    assert due.weekday() == 0
    assert due + timedelta(days=7 + days) <= day < due + timedelta(days=14 + days)
