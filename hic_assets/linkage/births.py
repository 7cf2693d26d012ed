"""Dates of birth: what of them is known, and how else they may have been written.

Belongs here: placeholders, days that only stand for a year, day and month exchanged. Source: domain trap 2.
"""

from __future__ import annotations

from datetime import date

import polars as pl

EARLIEST = date(1900, 1, 2)
"""1 January 1900 and before stand for "not known"."""
SEEN = 5
"""Years. Of an older person 1 January and 1 July stand for the year; a small child's day was seen."""


def birth_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """With ``birth_day`` (where the day is known), ``birth_swap`` (day and month exchanged), ``birth_year``, ``birth_about``
    (the year is one of three) and ``birth_canon``: the same text for a day and for the day it becomes when exchanged.
    """
    # A day's grace: a server in another zone writes down a birth of the night on the day before.
    after = pl.col("recorded_on").dt.offset_by("1d") < pl.col("birth_date")
    known = pl.when((pl.col("birth_date") >= EARLIEST) & ~after.fill_null(False)).then("birth_date")
    found = frame.with_columns(birth_date=known)
    day, month, year = (getattr(pl.col("birth_date").dt, part)() for part in ("day", "month", "year"))
    age = (pl.col("recorded_on").dt.year() - year).fill_null(SEEN)
    first = (day == 1) & month.is_in([1, 7]) & (age >= SEEN)
    to_the_day = (pl.col("birth_precision").fill_null("day") == "day") & ~first
    low, high = pl.min_horizontal(day, month), pl.max_horizontal(day, month)
    canon = year.cast(pl.String) + "-" + low.cast(pl.String) + "-" + high.cast(pl.String)
    return found.with_columns(
        birth_day=pl.when(to_the_day).then("birth_date"),
        birth_swap=pl.when(to_the_day & (day <= 12)).then(pl.date(year, day, month)),
        birth_year=year.cast(pl.Int32),
        birth_about=(pl.col("birth_precision") == "age").fill_null(False) & year.is_not_null(),
        birth_canon=pl.when(to_the_day).then(canon),
    )
