"""DHIS2 periods: the contract's table (1.11), and properties that hold for every type and day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.periods import (
    WEEKS,
    NotAPeriod,
    Period,
    PeriodType,
    following,
    month_of_partition,
    month_window,
    parse_period,
    partition_of_month,
    partition_of_week,
    period_of,
    week_of_partition,
    week_window,
)

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
TYPES = st.sampled_from(list(PeriodType))
T = PeriodType


@pytest.mark.parametrize(
    ("text", "kind", "start", "end"),
    [
        ("2024W1", T.WEEKLY, "2024-01-01", "2024-01-07"),
        ("2024W5", T.WEEKLY, "2024-01-29", "2024-02-04"),
        ("2024WedW1", T.WEEKLY_WEDNESDAY, "2024-01-03", "2024-01-09"),
        ("2024WedW5", T.WEEKLY_WEDNESDAY, "2024-01-31", "2024-02-06"),
        ("2024ThuW1", T.WEEKLY_THURSDAY, "2024-01-04", "2024-01-10"),
        ("2024SatW1", T.WEEKLY_SATURDAY, "2023-12-30", "2024-01-05"),
        ("2024SunW1", T.WEEKLY_SUNDAY, "2023-12-31", "2024-01-06"),
        ("2020W53", T.WEEKLY, "2020-12-28", "2021-01-03"),
        ("2015FriW2", T.WEEKLY_FRIDAY, "2015-01-09", "2015-01-15"),
        ("2015BiW1", T.BI_WEEKLY, "2014-12-29", "2015-01-11"),
        ("20040315", T.DAILY, "2004-03-15", "2004-03-15"),
        ("200403", T.MONTHLY, "2004-03-01", "2004-03-31"),
        ("200401B", T.BI_MONTHLY, "2004-01-01", "2004-02-29"),
        ("200406B", T.BI_MONTHLY, "2004-11-01", "2004-12-31"),
        ("2004Q1", T.QUARTERLY, "2004-01-01", "2004-03-31"),
        ("2004NovQ1", T.QUARTERLY_NOV, "2003-11-01", "2004-01-31"),
        ("2004NovQ4", T.QUARTERLY_NOV, "2004-08-01", "2004-10-31"),
        ("2004S1", T.SIX_MONTHLY, "2004-01-01", "2004-06-30"),
        ("2004AprilS2", T.SIX_MONTHLY_APRIL, "2004-10-01", "2005-03-31"),
        ("2004NovS1", T.SIX_MONTHLY_NOV, "2003-11-01", "2004-04-30"),
        ("2004", T.YEARLY, "2004-01-01", "2004-12-31"),
        ("2004April", T.FINANCIAL_APRIL, "2004-04-01", "2005-03-31"),
        ("2004July", T.FINANCIAL_JULY, "2004-07-01", "2005-06-30"),
        ("2004Oct", T.FINANCIAL_OCT, "2004-10-01", "2005-09-30"),
        ("2004Nov", T.FINANCIAL_NOV, "2003-11-01", "2004-10-31"),
        ("2004Feb", T.FINANCIAL_FEB, "2004-02-01", "2005-01-31"),
    ],
)
def test_the_contracts_periods(text: str, kind: PeriodType, start: str, end: str) -> None:
    expected = Period(date.fromisoformat(start), date.fromisoformat(end), text, kind)
    assert parse_period(text) == expected


@pytest.mark.parametrize(
    ("text", "written"), [("2024W05", "2024W5"), ("2004-03", "200403"), ("2004-03-15", "20040315")]
)
def test_other_spellings_are_read_and_written_as_dhis2_does(text: str, written: str) -> None:
    assert parse_period(text).id == written


@pytest.mark.parametrize(
    "text",
    ["", "2024W0", "2024W53", "2020WedW53", "202413", "20240230", "2024Q5", "2024S3", "200407B", "2024X1", "abc",
     "2024 W1", "0000", "2024BiW27", "2004Jul", "99999", "20240", "2024w1", "٢٠٢٤", "999912312"],
)  # fmt: skip
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod):
        parse_period(text)


@given(TYPES, DAYS)
@settings(max_examples=600, deadline=None)
def test_a_days_period_holds_it_and_survives_its_own_id(kind: PeriodType, day: date) -> None:
    period = period_of(kind, day)
    assert day in period
    assert period.type is kind
    assert parse_period(period.id) == period


@given(TYPES.filter(lambda t: t is not T.BI_WEEKLY), DAYS)
@settings(max_examples=600, deadline=None)
def test_periods_of_a_type_leave_no_gap_and_do_not_overlap(kind: PeriodType, day: date) -> None:
    period = period_of(kind, day)
    after = following(period)
    assert after.start == period.end + timedelta(days=1)
    assert period_of(kind, period.start) == period_of(kind, period.end) == period


@given(st.sampled_from(list(WEEKS)), st.integers(1950, 2150))
def test_week_years_have_52_or_53_weeks_and_the_53rd_exists_only_there(kind: PeriodType, year: int) -> None:
    mark = WEEKS[kind][1]
    last = period_of(kind, parse_period(f"{year + 1}{mark}1").start - timedelta(days=1))
    assert last.id in {f"{year}{mark}52", f"{year}{mark}53"}
    if last.id.endswith("52"):
        with pytest.raises(NotAPeriod):
            parse_period(f"{year}{mark}53")


@given(DAYS)
def test_monday_weeks_are_iso_weeks(day: date) -> None:
    year, week, _ = day.isocalendar()
    assert period_of(T.WEEKLY, day).id == f"{year}W{week}"


@given(DAYS)
def test_month_partition_and_period_are_one_to_one(day: date) -> None:
    key = day.replace(day=1).isoformat()
    period = month_of_partition(key)
    assert partition_of_month(period) == key
    start, after = month_window(key)
    assert start <= day < after
    assert (start, after - timedelta(days=1)) == (parse_period(period).start, parse_period(period).end)


@given(st.sampled_from(list(WEEKS)), DAYS)
def test_week_partition_and_period_are_one_to_one(kind: PeriodType, day: date) -> None:
    key = period_of(kind, day).start.isoformat()
    assert partition_of_week(week_of_partition(key, kind)) == key
    start, after = week_window(key, kind)
    assert start <= day < after
    assert (after - start).days == 7


def test_a_key_that_is_no_partition_is_refused() -> None:
    for call in (
        lambda: month_of_partition("2024-01-02"),
        lambda: month_window("2024-13-01"),
        lambda: partition_of_month("2024W1"),
        lambda: week_of_partition("2024-01-02"),
        lambda: week_of_partition("2024-01-01", T.MONTHLY),
        lambda: partition_of_week("202401"),
    ):
        with pytest.raises(NotAPeriod):
            call()
