"""What both regressions explain counts by: a constant, the trend, and the season. Does not belong here: fitting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Months = NDArray[np.datetime64]
"""Months as ``datetime64[M]``."""

JUDGED_FROM = 12
"""Months with a count from which on a series is judged."""
SEASON_FROM = 36
"""Months with a count from which on calendar months have levels of their own: each is then seen three times, two of them against one.

Published: 13, whose thirteen coefficients go through all thirteen counts, so that nothing is left to stand out; of two years,
the fit goes half-way to each disrupted month.
"""
_DAYS_OF_YEAR = 365.25


def design(months: Months, *, season: bool) -> Floats:
    """Columns of the regression, a row a month: 1, years since 1970, and calendar months seen but the first of them.

    The trend is by days, as in the source; counting them in years only keeps the numbers near each other.
    """
    days = months.astype("datetime64[D]").astype(np.float64)
    columns = [np.ones(len(months)), days / _DAYS_OF_YEAR]
    if season:
        calendar = months.astype(np.int64) % 12
        columns += [(calendar == month).astype(np.float64) for month in np.unique(calendar)[1:]]
    return np.column_stack(columns)
