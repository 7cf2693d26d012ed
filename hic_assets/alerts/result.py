"""What every alert rule takes and gives: weekly counts in, bounds and alarms out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Alerts:
    """Bounds and alarms, each of the shape of the counts (..., weeks).

    `upper` is in cases a week: the highest count that is no alarm. NaN: no bound can be said.
    `alarm` is true where the rule fires. False is "no alarm" only where `known` is true; elsewhere the rule cannot say,
    for want of weeks before or of this week's report. An alarm is always known.
    """

    upper: Floats
    alarm: Bools
    known: Bools


def as_counts(counts: ArrayLike) -> Floats:
    """Counts as floats of shape (..., weeks), oldest week first, cases a week; NaN is a week without a report.

    Errors: ValueError if there is no axis of weeks, or a count is negative or infinite.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim == 0:
        raise ValueError("Counts need an axis of weeks; got a single number.")
    if np.any(values < 0) or np.any(np.isinf(values)):
        raise ValueError("Counts must be finite and not negative; a week without a report is NaN.")
    return values


def lately(counts: Floats, weeks: int) -> Floats:
    """The `weeks` counts that end with each week: shape (..., weeks of the series, weeks); NaN before its start."""
    padding = np.full((*counts.shape[:-1], weeks), np.nan)
    return sliding_window_view(np.concatenate([padding, counts], axis=-1), weeks, axis=-1)[..., 1:, :]


def compared(counts: Floats, upper: Floats) -> Alerts:
    """Alarm where a count is above its bound; not known where either is NaN. Shapes (..., weeks), cases a week."""
    return Alerts(upper=upper, alarm=counts > upper, known=~np.isnan(counts) & ~np.isnan(upper))
