"""All places and indicators: from counts of districts to one row a place, indicator and month.

Frames in, frames out. Belongs here: which rows make up a place, and what is said of a series that cannot be judged. Does
not: the arithmetic (`chart`, `tags`, `effect`), tables (`warehouse`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hic_assets.disruption.chart import control_chart, published_chart
from hic_assets.disruption.design import JUDGED_FROM, Bools, Floats, Months
from hic_assets.disruption.effect import share_of_expected, undisrupted, with_tag
from hic_assets.disruption.tags import disrupted, tags

LEVELS = ("country", "province", "district")
COUNTS = {
    **{f"{level}_uid": pl.String for level in LEVELS},
    "indicator_id": pl.String,
    "period_start": pl.Date,
    "actual": pl.Float64,
    "reported": pl.Float64,
}
"""One row a district, indicator and month: the count with both adjustments, and as reported. No district: facilities outside of all."""
_TAGS = (
    "is_sharp",
    "is_sustained",
    "is_dip",
    "is_rise",
    "is_missing",
    "is_tagged",
    "is_disrupted",
    "is_tagged_published",
)
_NUMBERS = ("actual", "reported", "usual", "control", "expected", "expected_published")
_SERIES = {
    **dict.fromkeys(("org_unit_uid", "level", "indicator_id", "why_unknown"), pl.String),
    **dict.fromkeys(("effect", "p_value"), pl.Float64),
}
_MONTHS = {
    "series": pl.Int64,
    "period_start": pl.Date,
    **dict.fromkeys(_NUMBERS, pl.Float64),
    **dict.fromkeys(_TAGS, pl.Boolean),
}
DISRUPTIONS = {name: kind for name, kind in {**_SERIES, **_MONTHS}.items() if name != "series"}
"""One row a place, indicator and month, from the first to the last that the place has; counts, and shares of 1. Each column is described in dbt (stg_quality__disruptions)."""


class Unknown(StrEnum):
    """Why a series is not judged."""

    TOO_FEW_MONTHS = "too_few_months"
    """Fewer than 12 months with a count."""
    NOT_SEPARABLE = "not_separable"
    """The months that are not disrupted do not say what to expect, as when a calendar month is disrupted each year."""


def disruptions(counts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts (`DISRUPTIONS`) on counts (`COUNTS`), at each of the levels."""
    # What is said of a series as a whole is joined to its months at the end: put into each frame, it took a quarter of the time.
    series: list[dict[str, Any]] = []
    frames = [pl.DataFrame(schema=_MONTHS)]
    for level in LEVELS:
        place = f"{level}_uid"
        for (uid, indicator), rows in counts.drop_nulls(place).group_by([place, "indicator_id"], maintain_order=True):
            months, said = _of_place(rows)
            number = np.full(len(months["actual"]), len(series), dtype=np.int64)
            frames.append(pl.DataFrame({"series": number, **months}, schema_overrides={"period_start": pl.Date}))
            series.append({"org_unit_uid": uid, "level": level, "indicator_id": indicator, **said})
    whole = pl.DataFrame(series, schema=_SERIES).with_row_index("series").cast({"series": pl.Int64})
    # What a frame does not say is NULL.
    found = pl.concat(frames, how="diagonal").join(whole, on="series").select(list(DISRUPTIONS))
    return found.with_columns(pl.col(_NUMBERS).fill_nan(None)).sort("org_unit_uid", "indicator_id", "period_start")


def _of_place(rows: pl.DataFrame) -> tuple[dict[str, Any], dict[str, Any]]:
    """One place and indicator: columns of its months, and what is said of the series."""
    in_month = rows["period_start"].to_numpy().astype("datetime64[M]")
    place = (in_month - in_month.min()).astype(np.int64)
    months = np.arange(in_month.min(), in_month.max() + 1)
    actual = _summed(place, rows["actual"].to_numpy(), len(months))
    found = {
        "period_start": months.astype("datetime64[D]"),
        "actual": actual,
        "reported": _summed(place, rows["reported"].to_numpy(), len(months)),
    }
    if np.count_nonzero(~np.isnan(actual)) < JUDGED_FROM:
        return found, {"why_unknown": Unknown.TOO_FEW_MONTHS.value}
    judged, said = _judged(rows, place, months, actual)
    return {**found, **judged}, said


def _judged(
    rows: pl.DataFrame, place: NDArray[np.int64], months: Months, actual: Floats
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Chart, tags and regressions; ``place``: the position among ``months`` of each row."""
    chart = control_chart(months, actual)
    rules = tags(actual, chart)
    off = disrupted(actual, chart, rules.any)
    published = tags(actual, published_chart(chart, actual)).published
    found = {
        "usual": chart.usual,
        "control": chart.control,
        "is_sharp": rules.sharp,
        "is_sustained": rules.sustained,
        "is_dip": rules.dip,
        "is_rise": rules.rise,
        "is_missing": rules.missing,
        "is_tagged": rules.any,
        "is_disrupted": off,
        "is_tagged_published": published,
    }
    counts = rows["actual"].to_numpy()
    known = ~np.isnan(counts)
    at, names = place[known], rows["district_uid"].fill_null("").to_numpy()[known]
    _, districts = np.unique(names.astype(str), return_inverse=True)
    expected, said = _expected(months, at, districts.astype(np.int64), counts[known], off, published)
    return {**found, **expected}, said


def _expected(
    months: Months, at: NDArray[np.int64], districts: NDArray[np.int64], counts: Floats, off: Bools, published: Bools
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The regressions of a place, of rows at positions ``at`` of its months; ``off`` and ``published`` are of the months."""
    rows = (months[at], districts, counts)
    as_published, tagged = with_tag(*rows, published[at]), with_tag(*rows, off[at])
    found = {}
    if as_published is not None:
        found["expected_published"] = _summed(at, as_published.expected, len(months))
    expected = undisrupted(*rows, off[at])
    if expected is None:
        return found, {"why_unknown": Unknown.NOT_SEPARABLE.value}
    found["expected"] = _summed(at, expected, len(months))
    return found, {
        "effect": share_of_expected(counts, expected, off[at]),
        "p_value": tagged.p if tagged is not None else None,
    }


def _summed(place: NDArray[np.int64], values: Floats, months: int) -> Floats:
    """The sum of each month; NaN where no row has a value."""
    known = ~np.isnan(values)
    sums = np.bincount(place[known], weights=values[known], minlength=months)
    return np.where(np.bincount(place[known], minlength=months) > 0, sums, np.nan)
