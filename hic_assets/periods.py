"""Time as the warehouse cuts it: DHIS2 periods, the days they cover, and partition keys (contract 1.11).

A period is written the way DHIS2 writes it; its type comes from the text and not from a data set. The end day
is included here; a partition window is half open. Only the ISO calendar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum


class PeriodType(Enum):
    """DHIS2's name of each period type."""

    DAILY = "Daily"
    WEEKLY = "Weekly"
    WEEKLY_WEDNESDAY = "WeeklyWednesday"
    WEEKLY_THURSDAY = "WeeklyThursday"
    WEEKLY_FRIDAY = "WeeklyFriday"
    WEEKLY_SATURDAY = "WeeklySaturday"
    WEEKLY_SUNDAY = "WeeklySunday"
    BI_WEEKLY = "BiWeekly"
    MONTHLY = "Monthly"
    BI_MONTHLY = "BiMonthly"
    QUARTERLY = "Quarterly"
    QUARTERLY_NOV = "QuarterlyNov"
    SIX_MONTHLY = "SixMonthly"
    SIX_MONTHLY_APRIL = "SixMonthlyApril"
    SIX_MONTHLY_NOV = "SixMonthlyNov"
    YEARLY = "Yearly"
    FINANCIAL_FEB = "FinancialFeb"
    FINANCIAL_APRIL = "FinancialApril"
    FINANCIAL_JULY = "FinancialJuly"
    FINANCIAL_AUG = "FinancialAug"
    FINANCIAL_SEP = "FinancialSep"
    FINANCIAL_OCT = "FinancialOct"
    FINANCIAL_NOV = "FinancialNov"


@dataclass(frozen=True, order=True)
class Period:
    """A DHIS2 period: first and last day (both in it), type, and its id."""

    start: date
    end: date
    id: str
    type: PeriodType

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


class NotAPeriod(ValueError):
    """No DHIS2 period of the ISO calendar."""


# Weekday (Monday 0) on which each kind of week begins, and its mark in the id.
WEEKS: Mapping[PeriodType, tuple[int, str]] = {
    PeriodType.WEEKLY: (0, "W"),
    PeriodType.WEEKLY_WEDNESDAY: (2, "WedW"),
    PeriodType.WEEKLY_THURSDAY: (3, "ThuW"),
    PeriodType.WEEKLY_FRIDAY: (4, "FriW"),
    PeriodType.WEEKLY_SATURDAY: (5, "SatW"),
    PeriodType.WEEKLY_SUNDAY: (6, "SunW"),
}


@dataclass(frozen=True)
class _Months:
    """A type made of whole months. Number 1 of year Y begins in `first` of Y plus `year_shift`."""

    length: int
    first: int
    mark: str
    year_shift: int = 0


# The November types bear the year in which they end: 2004NovS1 is November 2003 to April 2004, 2004NovQ1
# November 2003 to January 2004, 2004Nov November 2003 to October 2004. Other financial years bear that in
# which they begin.
_MONTHS: Mapping[PeriodType, _Months] = {
    PeriodType.MONTHLY: _Months(1, 1, ""),
    PeriodType.BI_MONTHLY: _Months(2, 1, "B"),
    PeriodType.QUARTERLY: _Months(3, 1, "Q"),
    PeriodType.QUARTERLY_NOV: _Months(3, 11, "NovQ", -1),
    PeriodType.SIX_MONTHLY: _Months(6, 1, "S"),
    PeriodType.SIX_MONTHLY_APRIL: _Months(6, 4, "AprilS"),
    PeriodType.SIX_MONTHLY_NOV: _Months(6, 11, "NovS", -1),
    PeriodType.YEARLY: _Months(12, 1, ""),
    PeriodType.FINANCIAL_FEB: _Months(12, 2, "Feb"),
    PeriodType.FINANCIAL_APRIL: _Months(12, 4, "April"),
    PeriodType.FINANCIAL_JULY: _Months(12, 7, "July"),
    PeriodType.FINANCIAL_AUG: _Months(12, 8, "Aug"),
    PeriodType.FINANCIAL_SEP: _Months(12, 9, "Sep"),
    PeriodType.FINANCIAL_OCT: _Months(12, 10, "Oct"),
    PeriodType.FINANCIAL_NOV: _Months(12, 11, "Nov", -1),
}

_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-?(\d{2})", re.ASCII)
_TWO_MONTHS = re.compile(r"(\d{4})(\d{2})B", re.ASCII)
_NUMBERED = re.compile(r"(\d{4})([A-Za-z]+)(\d{1,2})", re.ASCII)
_NAMED_YEAR = re.compile(r"(\d{4})([A-Za-z]*)", re.ASCII)
_ONE_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


def parse_period(text: str) -> Period:
    """The period of a DHIS2 id: `202401`, `2024W5`, `2024SunW1`, `2024Q1`, `2024July`...

    Also takes the spellings DHIS2 takes as input: `2024-01`, `2024-01-31`, `2024W05`. `Period.id` is then the
    one DHIS2 writes. Raises NotAPeriod.
    """
    try:
        found = _parse(text)
    except (ValueError, OverflowError) as exc:
        raise NotAPeriod(f"{text!r} is no DHIS2 period: {exc}") from exc
    if found is None:
        raise NotAPeriod(f"{text!r} is no DHIS2 period")
    return found


def period_of(kind: PeriodType, day: date) -> Period:
    """The period of a type that holds a day."""
    if kind is PeriodType.DAILY:
        return Period(day, day, f"{day:%Y%m%d}", kind)
    if kind in WEEKS:
        year, number = _week_of(day, WEEKS[kind][0])
        return _week(kind, year, number)
    if kind is PeriodType.BI_WEEKLY:
        year, number = _week_of(day, 0)
        return _two_weeks(year, (number + 1) // 2)
    months = _MONTHS[kind]
    since = (day.year - months.year_shift) * 12 + day.month - months.first
    year, month = divmod(since, 12)
    return _months(kind, year, month // months.length + 1)


def following(period: Period) -> Period:
    """The next period of the same type."""
    return period_of(period.type, period.end + _ONE_DAY)


def month_of_partition(key: str) -> str:
    """`2024-01-01` (a monthly partition key) to `202401`. Raises NotAPeriod unless it is a first of a month."""
    first = _first_of_month(key)
    return f"{first:%Y%m}"


def partition_of_month(period: str) -> str:
    """`202401` to `2024-01-01`. Raises NotAPeriod for another type of period."""
    found = parse_period(period)
    if found.type is not PeriodType.MONTHLY:
        raise NotAPeriod(f"{period!r} is {found.type.value}, not Monthly")
    return found.start.isoformat()


def month_window(key: str) -> tuple[date, date]:
    """First day of the partition's month and of the next: half open."""
    found = period_of(PeriodType.MONTHLY, _first_of_month(key))
    return found.start, found.end + _ONE_DAY


def week_of_partition(key: str, kind: PeriodType = PeriodType.WEEKLY) -> str:
    """`2024-01-29` (a weekly partition key, the week's first day) to `2024W5`. Raises NotAPeriod otherwise."""
    return _week_at(key, kind).id


def partition_of_week(period: str) -> str:
    """`2024W5` or a week of another start day to the key of its first day. Raises NotAPeriod for no week."""
    found = parse_period(period)
    if found.type not in WEEKS:
        raise NotAPeriod(f"{period!r} is {found.type.value}, not a week")
    return found.start.isoformat()


def week_window(key: str, kind: PeriodType = PeriodType.WEEKLY) -> tuple[date, date]:
    """First day of the partition's week and of the next: half open."""
    found = _week_at(key, kind)
    return found.start, found.end + _ONE_DAY


def _parse(text: str) -> Period | None:
    if day := _DAY.fullmatch(text):
        return period_of(PeriodType.DAILY, date(*map(int, day.groups())))
    if month := _MONTH.fullmatch(text):
        return period_of(PeriodType.MONTHLY, date(int(month[1]), int(month[2]), 1))
    if numbered := _NUMBERED.fullmatch(text):
        return _parse_numbered(int(numbered[1]), numbered[2], int(numbered[3]))
    if month := _TWO_MONTHS.fullmatch(text):
        return _months(PeriodType.BI_MONTHLY, int(month[1]), int(month[2]))
    if year := _NAMED_YEAR.fullmatch(text):
        kind = _YEARS.get(year[2])
        return None if kind is None else _months(kind, int(year[1]), 1)
    return None


def _parse_numbered(year: int, mark: str, number: int) -> Period | None:
    if mark == "BiW":
        if not 1 <= number <= (_weeks_in(year, 0) + 1) // 2:
            raise ValueError(f"{year} has no such two weeks")
        return _two_weeks(year, number)
    if mark in _WEEK_MARKS:
        kind = _WEEK_MARKS[mark]
        if not 1 <= number <= _weeks_in(year, WEEKS[kind][0]):
            raise ValueError(f"{year} has no such week")
        return _week(kind, year, number)
    kind_of_months = _NUMBERED_MONTHS.get(mark)
    return None if kind_of_months is None else _months(kind_of_months, year, number)


def _months(kind: PeriodType, year: int, number: int) -> Period:
    months = _MONTHS[kind]
    if not 1 <= number <= 12 // months.length:
        raise ValueError(f"there is no number {number} of it")
    first = (year + months.year_shift) * 12 + months.first - 1 + (number - 1) * months.length
    start, after = _month(first), _month(first + months.length)
    return Period(start, after - _ONE_DAY, _month_id(kind, year, number), kind)


def _month_id(kind: PeriodType, year: int, number: int) -> str:
    mark = _MONTHS[kind].mark
    if kind is PeriodType.MONTHLY:
        return f"{year:04}{number:02}"
    if kind is PeriodType.BI_MONTHLY:
        return f"{year:04}{number:02}B"
    return f"{year:04}{mark}" if _MONTHS[kind].length == 12 else f"{year:04}{mark}{number}"


def _month(since_year_0: int) -> date:
    year, month = divmod(since_year_0, 12)
    return date(year, month + 1, 1)


def _week(kind: PeriodType, year: int, number: int) -> Period:
    first_day, mark = WEEKS[kind]
    start = _first_week(year, first_day) + (number - 1) * _WEEK
    return Period(start, start + _WEEK - _ONE_DAY, f"{year:04}{mark}{number}", kind)


def _two_weeks(year: int, number: int) -> Period:
    start = _first_week(year, 0) + 2 * (number - 1) * _WEEK
    return Period(start, start + 2 * _WEEK - _ONE_DAY, f"{year:04}BiW{number}", PeriodType.BI_WEEKLY)


def _first_week(year: int, first_day: int) -> date:
    """Start of week 1: the week, beginning on the type's weekday, that holds 4 January."""
    fourth = date(year, 1, 4)
    return fourth - timedelta(days=(fourth.weekday() - first_day) % 7)


def _weeks_in(year: int, first_day: int) -> int:
    return (_first_week(year + 1, first_day) - _first_week(year, first_day)).days // 7


def _week_of(day: date, first_day: int) -> tuple[int, int]:
    """(week-based year, number) of the week that holds a day."""
    start = day - timedelta(days=(day.weekday() - first_day) % 7)
    # The fourth day of a week lies in the year the week belongs to.
    year = (start + timedelta(days=3)).year
    return year, (start - _first_week(year, first_day)).days // 7 + 1


def _first_of_month(key: str) -> date:
    day = _iso_day(key)
    if day.day != 1:
        raise NotAPeriod(f"{key!r} is not the first of a month")
    return day


def _week_at(key: str, kind: PeriodType) -> Period:
    if kind not in WEEKS:
        raise NotAPeriod(f"{kind.value} is not a kind of week")
    found = period_of(kind, _iso_day(key))
    if found.start.isoformat() != key:
        raise NotAPeriod(f"{key!r} is not the first day of a {kind.value} period")
    return found


def _iso_day(key: str) -> date:
    try:
        return date.fromisoformat(key)
    except ValueError as exc:
        raise NotAPeriod(f"{key!r} is no date") from exc


_WEEK_MARKS = {mark: kind for kind, (_, mark) in WEEKS.items()}
_NUMBERED_MONTHS = {m.mark: kind for kind, m in _MONTHS.items() if 2 < m.length < 12}
_YEARS = {m.mark: kind for kind, m in _MONTHS.items() if m.length == 12}
