"""The control chart of FASTR module 3: what a month was expected to be, and how far off it was.

Belongs here: robust regression, smoothing, the control statistic. Does not: what is tagged (`tags`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from hic_assets.disruption.design import SEASON_FROM, Bools, Floats, Months, design

LOW = 0.5
"""Share of the series' mean below which a month is left out of the regression."""
SMOOTHED = 7
"""Months of the rolling median, an odd number."""
_ITERATIONS = 100
# Of the weights, 0 to 1: these do not depend on what is counted, as the deviance by its rounding did.
_TOLERANCE = 1e-6
# Keeps a flat series from a division by zero, as in the source; a count is one at least.
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class Chart:
    """Of each month: ``usual``, the count expected; ``control``, how many spreads the count is above it.

    ``control`` is NaN where there is no count.
    """

    usual: Floats
    control: Floats


def control_chart(months: Months, counts: Floats) -> Chart:
    """The chart of one series: consecutive months, and counts with NaN for a month without one.

    Expects 12 counts and more; fewer say nothing (the source takes their median). Published, the prediction is smoothed
    before counts are held against it (`published_chart`). Of a straight line a median of seven months is the line itself, so
    that all it smooths away is the season: months that are low each year stand out each year.
    """
    return chart_of(counts, predicted(months, counts))


def published_chart(chart: Chart, counts: Floats) -> Chart:
    """The chart as it is published, against the smoothed prediction; for comparison."""
    return chart_of(counts, smoothed(chart.usual))


def chart_of(counts: Floats, usual: Floats) -> Chart:
    """Counts held against what is usual; the spread is the median distance of the residuals from their median."""
    residual = counts - usual
    spread = np.nanmedian(np.abs(residual - np.nanmedian(residual)))
    return Chart(usual, residual / (spread + _NO_SPREAD))


def predicted(months: Months, counts: Floats) -> Floats:
    """Trend and season by Huber's robust regression, never below 0; as ``MASS::rlm`` fits it, iterated to the end."""
    # Imported here: statsmodels takes about two seconds, which not every start of a code location should pay.
    from statsmodels.robust.norms import HuberT  # type: ignore[import-untyped]
    from statsmodels.robust.robust_linear_model import RLM  # type: ignore[import-untyped]

    known = int(np.count_nonzero(~np.isnan(counts)))
    columns = design(months, season=known >= SEASON_FROM)
    with warnings.catch_warnings():
        # A series that its trend fits exactly has no scale: the fit stands, and is what is wanted.
        warnings.filterwarnings("ignore", "Estimated scale is 0.0")
        fit = RLM(without_gaps(counts), columns, M=HuberT()).fit(maxiter=_ITERATIONS, conv="weights", tol=_TOLERANCE)
    return np.maximum(0.0, np.asarray(fit.fittedvalues, dtype=np.float64))


def without_gaps(counts: Floats) -> Floats:
    """Months without a count, or with less than half the mean, on the line between their neighbours; ends carried on."""
    kept: Bools = ~np.isnan(counts) & ~(counts < LOW * np.nanmean(counts))
    place = np.arange(len(counts))
    return np.interp(place, place[kept], counts[kept])


def smoothed(values: Floats) -> Floats:
    """Centred rolling median; the ends, where it has no whole window, stay as they are."""
    smooth = values.copy()
    if len(values) >= SMOOTHED:
        half = SMOOTHED // 2
        windows = np.lib.stride_tricks.sliding_window_view(values, SMOOTHED)
        smooth[half : len(values) - half] = np.median(windows, axis=1)
    return smooth
