"""Which records of a reply belong to the days that were asked for. Pure, vectorised.

A partition is when something happened: a record outside its window would be in two partitions or in none.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from hic_assets.extract.batches import REJECT_SCHEMA
from hic_assets.extract.rest.moments import days
from hic_assets.extract.rest.resource import Resource

NOT_A_DATE = "not_a_date"
OUTSIDE_WINDOW = "outside_window"
TOMBSTONE = "true"


def placed(frame: pl.DataFrame, resource: Resource, start: date, end: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that happened from `start` to before `end`, and the others as rejects (line, rule, reason, key).

    A tombstone that tells no day belongs to the days it was given for.
    """
    assert resource.happened is not None  # noqa: S101  (of every resource that has a window)
    column = resource.happened.column
    day = day_of(frame, resource)
    inside = day.is_between(start, end, closed="left")
    if resource.deleted is not None:
        bare = (frame[resource.deleted] == TOMBSTONE) & frame[column].is_null()
        inside = inside.fill_null(False) | bare.fill_null(False)
    refused = frame.with_columns(day.alias("@day")).filter(~inside.fill_null(False))
    if refused.is_empty():
        return frame, pl.DataFrame(schema=REJECT_SCHEMA)
    missing = f"{column} is missing, which tells the day"
    unreadable = f"{column} is no day of the form {resource.happened.form.value}"
    elsewhere = f"the record is not of the days {start} to before {end} that were asked for"
    no_day = pl.col("@day").is_null()
    (key,) = resource.keys if len(resource.keys) == 1 else (None,)
    rejects = refused.select(
        line=pl.struct(frame.columns).struct.json_encode(),
        rule=pl.when(no_day).then(pl.lit(NOT_A_DATE)).otherwise(pl.lit(OUTSIDE_WINDOW)),
        reason=pl.when(no_day & pl.col(column).is_null())
        .then(pl.lit(missing))
        .when(no_day)
        .then(pl.lit(unreadable))
        .otherwise(pl.lit(elsewhere)),
        key=pl.col(key) if key else pl.lit(None, dtype=pl.String),
    )
    return frame.filter(inside.fill_null(False)), rejects


def day_of(frame: pl.DataFrame, resource: Resource) -> pl.Series:
    """The day in Kigali on which each row happened; NULL where it does not tell, as in registries."""
    if resource.happened is None:
        return pl.Series([None] * frame.height, dtype=pl.Date)
    return days(frame[resource.happened.column], resource.happened.form)
