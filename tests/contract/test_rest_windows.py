"""How days are asked and how records are placed: every day once, whatever the form, the end and the zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_kit import VISITS

from hic_assets.extract.rest.moments import (
    KIGALI,
    RESOLUTION,
    TimeForm,
    days,
    instants,
    midnight,
    write_day,
    write_moment,
)
from hic_assets.extract.rest.placing import NOT_A_DATE, OUTSIDE_WINDOW, placed
from hic_assets.extract.rest.resource import Happened
from hic_assets.extract.rest.windows import AnyWindow, EpiWeeks, Window

DAY = timedelta(days=1)
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
LENGTHS = st.integers(1, 70)
ZONES = st.sampled_from([KIGALI, "UTC", "Europe/Paris", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"])
DAY_FORMS = st.sampled_from([TimeForm.ISO_DAY, TimeForm.SLASHED_DAY])
TIME_FORMS = st.sampled_from([TimeForm.ISO_TIME, TimeForm.SLASHED_TIME, TimeForm.EPOCH_MS])


def one(text: str, form: TimeForm) -> date | None:
    return days(pl.Series([text]), form).item()


def moment(text: str, form: TimeForm) -> datetime:
    found = instants(pl.Series([text]), form).item()
    assert found is not None
    return found


def days_asked(window: AnyWindow, form: TimeForm, start: date, end: date) -> list[date]:
    """Every day that a server which does as it is told answers for, counted by its own reading of the parameters."""
    found = []
    for params in window.asked(start, end):
        texts = [text for _, text in params]
        if isinstance(window, EpiWeeks):
            year, week = texts[0].split("W")
            found += [date.fromisocalendar(int(year), int(week), n) for n in range(1, 8)]
            continue
        if form.is_day:
            read = {TimeForm.ISO_DAY: "%Y-%m-%d", TimeForm.SLASHED_DAY: "%d/%m/%Y"}[form]
            first, last = (datetime.strptime(text, read).date() for text in texts)
            found += [first + n * DAY for n in range((last - first).days + window.last_included)]
            continue
        at, until = (moment(text, form) for text in texts)
        step = RESOLUTION[form]
        last_moment = until if window.last_included else until - step
        first_day, last_day = (m.astimezone(ZoneInfo(KIGALI)).date() for m in (at, last_moment))
        assert at == midnight(first_day)
        assert last_moment + step == midnight(last_day + DAY)
        found += [first_day + n * DAY for n in range((last_day - first_day).days + 1)]
    return found


@given(DAYS, LENGTHS, DAY_FORMS | TIME_FORMS, st.booleans(), ZONES)
def test_the_days_asked_are_the_days_of_the_window(
    start: date, length: int, form: TimeForm, last_included: bool, zone: str
) -> None:
    end = start + length * DAY
    window = Window("a", "b", form, last_included, zone)
    assert days_asked(window, form, start, end) == [start + n * DAY for n in range(length)]


@given(DAYS, LENGTHS, LENGTHS, DAY_FORMS | TIME_FORMS, st.booleans(), ZONES)
def test_neighbouring_windows_overlap_nowhere_and_leave_no_gap(
    start: date, first: int, second: int, form: TimeForm, last_included: bool, zone: str
) -> None:
    middle, end = start + first * DAY, start + (first + second) * DAY
    window = Window("a", "b", form, last_included, zone)
    apart = days_asked(window, form, start, middle) + days_asked(window, form, middle, end)
    assert apart == days_asked(window, form, start, end)


@given(DAYS, st.integers(1, 60), st.integers(1, 60))
def test_weeks_are_asked_each_once_over_years_of_53_too(day: date, first: int, second: int) -> None:
    start = day - day.weekday() * DAY
    middle, end = start + 7 * first * DAY, start + 7 * (first + second) * DAY
    window = EpiWeeks("w")
    apart = [days_asked(window, TimeForm.EPI_WEEK, *pair) for pair in ((start, middle), (middle, end))]
    assert apart[0] + apart[1] == [start + n * DAY for n in range(7 * (first + second))]
    assert len(window.asked(start, end)) == first + second


def test_week_53_and_the_year_a_week_belongs_to() -> None:
    assert EpiWeeks("w").asked(date(2020, 12, 28), date(2021, 1, 11)) == ((("w", "2020W53"),), (("w", "2021W01"),))
    assert [one(text, TimeForm.EPI_WEEK) for text in ("2020W53", "2021W53", "2021W00", "2021W1", "21W01", "2021-W01")] == [
        date(2020, 12, 28), None, None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(("start", "end"), [((2026, 3, 3), (2026, 3, 10)), ((2026, 3, 2), (2026, 3, 8))])
def test_days_that_are_no_whole_weeks_are_not_asked_by_week(
    start: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    with pytest.raises(ValueError, match="no whole weeks"):
        EpiWeeks("w").asked(date(*start), date(*end))


def test_a_window_ends_after_it_starts() -> None:
    for window in (Window("a", "b", TimeForm.ISO_DAY), EpiWeeks("w")):
        with pytest.raises(ValueError, match="end after"):
            window.asked(date(2026, 3, 2), date(2026, 3, 2))


def test_windows_as_servers_see_them() -> None:
    march = (date(2026, 3, 1), date(2026, 4, 1))
    asked = {
        Window("f", "t", TimeForm.SLASHED_DAY, True): ("01/03/2026", "31/03/2026"),
        Window("f", "t", TimeForm.ISO_DAY): ("2026-03-01", "2026-04-01"),
        Window("f", "t", TimeForm.ISO_TIME): ("2026-03-01T00:00:00+02:00", "2026-04-01T00:00:00+02:00"),
        Window("f", "t", TimeForm.ISO_TIME, zone="UTC"): ("2026-02-28T22:00:00+00:00", "2026-03-31T22:00:00+00:00"),
        Window("f", "t", TimeForm.SLASHED_TIME, True): ("01/03/2026 00:00:00", "31/03/2026 23:59:59"),
        Window("f", "t", TimeForm.EPOCH_MS): ("1772316000000", "1774994400000"),
        Window("f", "t", TimeForm.EPOCH_MS, True): ("1772316000000", "1774994399999"),
    }
    for window, texts in asked.items():
        assert window.asked(*march) == ((("f", texts[0]), ("t", texts[1])),)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), TIME_FORMS, ZONES)
def test_a_moment_is_placed_on_the_day_it_was_in_kigali(naive: datetime, form: TimeForm, zone: str) -> None:
    when = naive.replace(tzinfo=UTC)
    when -= (when - datetime(1970, 1, 1, tzinfo=UTC)) % RESOLUTION[form]
    text = write_moment(when, form, zone)
    assert moment(text, form) == when
    assert one(text, form) == when.astimezone(ZoneInfo(KIGALI)).date()


@given(DAYS, DAY_FORMS | TIME_FORMS, st.booleans(), LENGTHS, st.integers(0, 24 * 3600 * 1000 - 1))
def test_what_a_window_asks_for_is_what_is_placed_in_it(
    start: date, form: TimeForm, last_included: bool, length: int, milliseconds: int
) -> None:
    """Records of the days around the window's edges, filtered as a server filters, are placed without a reject."""
    end = start + length * DAY
    (params,) = Window("a", "b", form, last_included).asked(start, end)
    moments = [midnight(day) + timedelta(milliseconds=milliseconds) for day in (start - DAY, start, end - DAY, end)]
    step = RESOLUTION.get(form, DAY)
    texts = [write_day(m.date(), form) if form.is_day else write_moment(m - (m - midnight(m.date())) % step, form) for m in moments]  # fmt: skip
    first, last = (instants(pl.Series([text]), form).item() for _, text in params)
    told = instants(pl.Series(texts), form)
    inside = [first <= when <= last if last_included else first <= when < last for when in told]
    assert inside == [False, True, True, False]
    wanted = replace(VISITS, happened=Happened("visited_on", form))
    columns = {name: [None] * 4 for name in VISITS.columns} | {"visited_on": texts}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(VISITS.columns, pl.String))
    kept, rejects = placed(frame, wanted, start, end)
    assert kept["visited_on"].to_list() == texts[1:3]
    assert rejects["rule"].to_list() == [OUTSIDE_WINDOW, OUTSIDE_WINDOW]


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        (TimeForm.ISO_DAY, ["2026-02-30", "2026-3-2", "02/03/2026", "2026-03-02T00:00:00", "20260302", " 2026-03-02", "2026-03-02\n"]),
        (TimeForm.SLASHED_DAY, ["31/02/2026", "2/3/2026", "2026-03-02", "13/13/2026", "02/03/26", "02-03-2026"]),
        (TimeForm.ISO_TIME, ["2026-03-02", "2026-03-02T25:00:00Z", "2026-03-02 09:15:00", "soon", "2026-03-02T09:15Z"]),
        (TimeForm.SLASHED_TIME, ["02/03/2026", "02/03/2026 24:00:00", "2026-03-02 09:15:00"]),
        (TimeForm.EPOCH_MS, ["1.5", "x", "", "1e12", "99999999999999", "99999999999999999999"]),
    ],
)  # fmt: skip
def test_what_is_no_day_of_the_form_is_none(form: TimeForm, texts: list[str]) -> None:
    assert days(pl.Series(texts), form).to_list() == [None] * len(texts)


def test_seconds_for_milliseconds_land_in_1970_and_so_in_no_window() -> None:
    assert one("1772435700", TimeForm.EPOCH_MS) == date(1970, 1, 21)


def test_the_reasons_of_rejects() -> None:
    columns = {name: ["x"] * 3 for name in VISITS.columns}
    columns["visited_on"] = [None, "32/01/2026", "2026-02-28"]
    columns["deleted"] = ["false"] * 3
    frame = pl.DataFrame(columns, schema=dict.fromkeys(VISITS.columns, pl.String))
    kept, rejects = placed(frame, VISITS, date(2026, 3, 1), date(2026, 4, 1))
    assert kept.is_empty()
    assert rejects["rule"].to_list() == [NOT_A_DATE, NOT_A_DATE, OUTSIDE_WINDOW]
    assert [reason.split(",")[0] for reason in rejects["reason"]] == [
        "visited_on is missing",
        "visited_on is no day of the form 2026-03-02",
        "the record is not of the days 2026-03-01 to before 2026-04-01 that were asked for",
    ]
    assert '"visited_on":"32/01/2026"' in rejects["line"][1]


def test_a_tombstone_without_a_day_is_of_the_days_it_was_given_for() -> None:
    columns = {name: ["x", "x"] for name in VISITS.columns} | {"visited_on": [None, "never"], "deleted": ["true"] * 2}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(VISITS.columns, pl.String))
    kept, rejects = placed(frame, VISITS, date(2026, 3, 1), date(2026, 4, 1))
    assert kept.height == 1
    assert rejects["rule"].to_list() == [NOT_A_DATE]
