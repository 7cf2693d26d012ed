"""How APIs write days and moments, and what they mean. Pure; column-wise where it reads.

The calendar is that of Kigali: the day of a moment is the day it was there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import polars as pl

from hic_assets.extract.dhis2.timestamps import utc_series
from hic_assets.periods import PeriodType, period_of

KIGALI = "Africa/Kigali"
# Days outside are slips of the pen or of the unit (seconds for milliseconds), and no database can hold all of them.
FIRST_YEAR, LAST_YEAR = 1800, 2200
_FIRST_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LAST_MS = int(datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1000)


class TimeForm(StrEnum):
    """A way to write a day or a moment."""

    ISO_DAY = "2026-03-02"
    SLASHED_DAY = "02/03/2026"
    EPI_WEEK = "2026W10"
    """An ISO week, Monday to Sunday, by the year it belongs to. Stands for its Monday."""
    ISO_TIME = "2026-03-02T09:15:00+02:00"
    """Fractions of a second may follow the seconds. Without an offset: local time of Kigali."""
    SLASHED_TIME = "02/03/2026 09:15:00"
    """Local time of Kigali, to the second."""
    EPOCH_MS = "1772435700000"
    """Milliseconds since 1970 in UTC."""

    @property
    def is_day(self) -> bool:
        """Whether it tells days, and no time of day."""
        return self in _DAYS


_DAYS = frozenset({TimeForm.ISO_DAY, TimeForm.SLASHED_DAY, TimeForm.EPI_WEEK})
RESOLUTION = {
    TimeForm.ISO_TIME: timedelta(microseconds=1),
    TimeForm.SLASHED_TIME: timedelta(seconds=1),
    TimeForm.EPOCH_MS: timedelta(milliseconds=1),
}
"""Smallest step between two moments as a form writes them."""


def midnight(day: date, zone: str = KIGALI) -> datetime:
    """The moment a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def write_day(day: date, form: TimeForm) -> str:
    """A day in a form that tells days; of an epi week the one that holds it. Raises ValueError for other forms."""
    if form is TimeForm.ISO_DAY:
        return day.isoformat()
    if form is TimeForm.SLASHED_DAY:
        return f"{day.day:02}/{day.month:02}/{day.year:04}"
    if form is TimeForm.EPI_WEEK:
        year, week, _ = day.isocalendar()
        return f"{year:04}W{week:02}"
    raise ValueError(f"{form.name} tells no day")


def write_moment(moment: datetime, form: TimeForm, zone: str = KIGALI) -> str:
    """An aware moment in a form that tells moments. `zone`: whose local time and offset ISO_TIME has.

    Raises ValueError for a naive moment and for other forms.
    """
    if moment.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    if form is TimeForm.ISO_TIME:
        return moment.astimezone(ZoneInfo(zone)).isoformat()
    if form is TimeForm.SLASHED_TIME:
        return moment.astimezone(ZoneInfo(KIGALI)).strftime("%d/%m/%Y %H:%M:%S")
    if form is TimeForm.EPOCH_MS:
        return str((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
    raise ValueError(f"{form.name} tells no moment")


def days(texts: pl.Series, form: TimeForm) -> pl.Series:
    """The day in Kigali that each text tells, as Date; NULL where it is no day in that form."""
    if form is TimeForm.EPI_WEEK:
        known = {text: _monday(text) for text in texts.unique() if text is not None}
        return texts.replace_strict(known, default=None, return_dtype=pl.Date)
    if not form.is_day:
        return instants(texts, form).dt.convert_time_zone(KIGALI).dt.date()
    # Polars alone would take "2/3/26" and "2026-3-2" too: a form that is not the declared one is a mistake.
    shape, pattern = _DAY_TEXTS[form]
    return _whole(texts, shape).str.to_date(pattern, strict=False)


def instants(texts: pl.Series, form: TimeForm) -> pl.Series:
    """The moment that each text tells, as Datetime(us, UTC); of a day its beginning in Kigali; NULL where it is none."""
    if form is TimeForm.EPOCH_MS:
        numbers = _whole(texts, r"-?\d{1,15}").cast(pl.Int64, strict=False)
        sane = numbers.is_between(_FIRST_MS, _LAST_MS)
        known = numbers.to_frame("n").select(pl.when(sane).then(pl.col("n")))["n"]
        return (known * 1000).cast(pl.Datetime("us", "UTC")).alias(texts.name)
    if form is TimeForm.ISO_TIME:
        return utc_series(_whole(texts, _ISO), KIGALI)
    if form is TimeForm.SLASHED_TIME:
        local = _whole(texts, r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}").str.to_datetime(
            "%d/%m/%Y %H:%M:%S", strict=False, time_unit="us"
        )
    else:
        local = days(texts, form).cast(pl.Datetime("us"))
    return local.dt.replace_time_zone(KIGALI).dt.convert_time_zone("UTC")


_ISO = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?"
_DAY_TEXTS = {
    TimeForm.ISO_DAY: (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    TimeForm.SLASHED_DAY: (r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y"),
}


def _whole(texts: pl.Series, shape: str) -> pl.Series:
    """The texts that are wholly of a shape, the others NULL."""
    return texts.to_frame("t").select(pl.when(pl.col("t").str.contains(f"^(?:{shape})$")).then(pl.col("t")))["t"]


def _monday(text: str) -> date | None:
    year, mark, week = text.partition("W")
    try:
        found = date.fromisocalendar(int(year), int(week), 1) if mark and len(year) == 4 and len(week) == 2 else None
    except ValueError:
        return None
    return found if found and write_day(found, TimeForm.EPI_WEEK) == text else None


def is_week(start: date, end: date) -> bool:
    """Whether [start, end) is whole ISO weeks."""
    return period_of(PeriodType.WEEKLY, start).start == start and (end - start).days % 7 == 0
