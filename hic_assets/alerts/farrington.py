"""Farrington flexible: this week against a regression on the same season of the years before.

Does not belong here: the regression itself (`fit`) and the quantile (`bounds`).

The year is `frequency` positions, as in R without dates. ISO years have 52.18 weeks, so that five years back the window
is off by one week at most, inside its half-width of three. R with dates (epochAsDate) takes the week nearest to the
calendar date instead. On the reference series (tests/alerts/reference/dates.csv) bounds differ by up to 10 % and no
alarm does, and dates would have to be passed along with every count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hic_assets.alerts.bounds import upper_bound
from hic_assets.alerts.fit import Fit, fit_counts
from hic_assets.alerts.options import FarringtonOptions
from hic_assets.alerts.result import Alerts, Bools, Floats, as_counts, lately

# With fewer there is no telling a trend from the difference of two years (Farrington et al. 1996).
LEAST_YEARS_OF_TREND = 3


@dataclass(frozen=True)
class FarringtonAlerts(Alerts):
    """Bounds and alarms, and what they come from; all of the shape of the counts, NaN where nothing can be said.

    `expected` is this week's mean, cases a week; `dispersion` variance over mean, at least 1; `trend` whether the
    expectation has one; `few` where there are too few cases lately for any alarm (`limit_cases`), whatever the bound.
    """

    expected: Floats
    dispersion: Floats
    trend: Bools
    few: Bools


@dataclass(frozen=True)
class _Judged:
    """One week's result; cases a week."""

    upper: float
    expected: float
    dispersion: float
    trend: bool


def farrington_flexible(
    counts: ArrayLike, options: FarringtonOptions | None = None, *, last: int | None = None
) -> FarringtonAlerts:
    """The improved Farrington method (Noufaily et al. 2013, Statist. Med. 32:1206-1222), as R's `farringtonFlexible`.

    counts: (..., weeks), cases a week, oldest first, one entry a week, NaN for a week without a report.
    last: judge only so many last weeks, which a weekly run needs; the others are unknown. Default: all.
    Gives `FarringtonAlerts` of the shape of counts.

    Not known: the first years_back * frequency + half_window weeks, a week without a report, a week of whose season
    no report is left, a fit that fails. It fails, as in R, with seasonal levels and no case in the baseline:
    for such diseases there is `fixed_threshold`. Missing weeks are left out of the baseline, never taken as zero.
    Missing weeks among the last limit_weeks: R gives no alarm; here a count above its bound is then unknown unless
    the reported cases are enough.
    Errors: ValueError as `as_counts`, and for `last` below 1.
    """
    options = options or FarringtonOptions()
    values = as_counts(counts)
    if last is not None and last < 1:
        raise ValueError(f"last must be at least 1, got {last}.")
    upper, expected, dispersion = (np.full(values.shape, np.nan) for _ in range(3))
    trend = np.zeros(values.shape, dtype=np.bool_)
    weeks = values.shape[-1]
    levels = baseline_levels(options)
    start = max(len(levels) - 1, 0 if last is None else weeks - last)
    for series in np.ndindex(values.shape[:-1]):
        for week in range(start, weeks):
            judged = _judge(values[series][week + 1 - len(levels) : week + 1], levels, options)
            if judged is not None:
                place = (*series, week)
                upper[place], expected[place] = judged.upper, judged.expected
                dispersion[place], trend[place] = judged.dispersion, judged.trend
    few, unsure = _few_cases(values, options)
    above = values > upper
    known = ~np.isnan(values) & ~np.isnan(upper) & ~(above & unsure)
    return FarringtonAlerts(upper, above & ~few & known, known, expected, dispersion, trend, few)


def baseline_levels(options: FarringtonOptions) -> NDArray[np.int64]:
    """The seasonal level of each week up to this one, the last entry; 0 is not in the baseline.

    Length years_back * frequency + half_window + 1. Level `periods` is the window about this week's place in each
    year; the weeks between two windows are levels 1 to periods - 1, equally long but for the first ones, which take
    the weeks that are over (Noufaily et al. 2013; Salmon et al. 2016, section 3.1).
    """
    window = 2 * options.half_window + 1
    between = options.frequency - window
    rest = np.zeros(between, dtype=np.int64)
    if options.periods > 1:
        length, over = divmod(between, options.periods - 1)
        lengths = [length + (part < over) for part in range(options.periods - 1)]
        rest = np.repeat(np.arange(1, options.periods), lengths)
    year = np.concatenate([np.full(window, options.periods), rest])
    now = np.full(options.half_window + 1, options.periods)
    levels = np.concatenate([np.tile(year, options.years_back), now])
    levels[len(levels) - 1 - options.past_weeks_excluded :] = 0
    return levels.astype(np.int64)


def _judge(counts: Floats, levels: NDArray[np.int64], options: FarringtonOptions) -> _Judged | None:
    """The last of these weeks (as many as levels) against the others, or None where nothing can be said."""
    used = (levels > 0) & ~np.isnan(counts)
    baseline, of_week = counts[used], levels[used]
    if not np.any(of_week == options.periods):
        return None
    seasons = (of_week[:, None] == np.unique(of_week)).astype(np.float64)
    # Weeks before now: the trend's column is 0 for this week.
    time = np.flatnonzero(used) - (len(counts) - 1.0)
    season_now = np.append(np.zeros(seasons.shape[1] - 1), 1.0)
    with_trend = np.column_stack([seasons, time])
    row = np.append(season_now, 0.0)
    fit = None
    if options.trend:
        fit = fit_counts(baseline, with_trend, options.weights_threshold, options.errors)
    keeps = fit is not None and _keeps_trend(fit, row, baseline, options)
    if not keeps:
        fit, row = fit_counts(baseline, seasons, options.weights_threshold, options.errors), season_now
    if fit is None:
        return None
    log_mean, log_error = fit.predict(row)
    upper = upper_bound(log_mean, log_error, fit.dispersion, options)
    return None if math.isnan(upper) else _Judged(upper, math.exp(log_mean), fit.dispersion, keeps)


def _keeps_trend(fit: Fit, row: Floats, baseline: Floats, options: FarringtonOptions) -> bool:
    """Whether the trend stays: three years, significant, and no expectation above all that was ever seen.

    Farrington et al. (1996). The test is Student's t with n - p degrees of freedom, two-sided.
    """
    from scipy.special import stdtr  # type: ignore[import-untyped]

    if options.years_back < LEAST_YEARS_OF_TREND:
        return False
    unit = np.append(np.zeros(len(row) - 1), 1.0)
    slope, error = fit.predict(unit)
    p_value = 2 * float(stdtr(fit.freedom, -abs(slope / error))) if error > 0 else 0.0
    return p_value < options.trend_p and math.exp(fit.predict(row)[0]) <= baseline.max()


def _few_cases(values: Floats, options: FarringtonOptions) -> tuple[Bools, Bools]:
    """Where the reported cases of the last weeks are too few, and where a missing week could make them enough.

    Farrington et al. (1996), section 3.8, with this week among the last ones, as R has had it since its 0.9-7.
    """
    window = lately(values, options.limit_weeks)
    few: Bools = np.nansum(window, axis=-1) < options.limit_cases
    return few, few & np.isnan(window).any(axis=-1)
