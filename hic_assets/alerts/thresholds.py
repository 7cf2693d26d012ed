"""Fixed thresholds: diseases of which one case, or a few, is an alert. Which disease has which is the caller's."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hic_assets.alerts.result import Alerts, as_counts, lately


def fixed_threshold(counts: ArrayLike, threshold: int = 1, weeks: int = 1) -> Alerts:
    """Fires when the cases of the last `weeks` weeks, this one included, reach `threshold`.

    counts: (..., weeks), cases a week, oldest first, NaN for a week without a report.
    Gives `Alerts` of that shape. `upper` is what this week alone may count: the threshold less one less the cases
    reported in the weeks before; negative when those alone reach it.
    A missing week can hold any number: the rule fires when the reported weeks reach the threshold all the same, and
    otherwise cannot say. Weeks before the series starts are missing.
    Errors: ValueError for a threshold or a number of weeks below 1, and as `as_counts`.
    Source: WHO AFRO, Technical guidelines for IDSR, 3rd ed. (2019): alert and action thresholds.
    DHIS2 predictors of "4 weeks" sum the four weeks before and leave out this one: not so here.
    """
    if threshold < 1 or weeks < 1:
        raise ValueError(f"threshold and weeks must be at least 1, got {threshold} and {weeks}.")
    values = as_counts(counts)
    window = lately(values, weeks)
    upper = threshold - 1 - np.nansum(window[..., :-1], axis=-1)
    alarm = np.nansum(window, axis=-1) >= threshold
    return Alerts(upper=upper, alarm=alarm, known=alarm | ~np.isnan(window).any(axis=-1))
