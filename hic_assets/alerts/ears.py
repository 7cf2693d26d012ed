"""EARS C1, C2 and C3: this week against the mean and spread of a few weeks before. For series with little history.

Definitions are those of R's `surveillance::earsC` (Salmon, Schumacher, Hoehle 2016, J. Stat. Softw. 70(10), section
2.2; Hutwagner et al. 2003, J. Urban Health 80, i89-i96; Fricker et al. 2008, Statist. Med. 27:3407-3429). They were
made for days; the weeks here are the time points of that definition, seven as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from hic_assets.alerts.result import Alerts, Floats, as_counts, compared

LAG = 2
C3Form = Literal["published", "surveillance"]


@dataclass(frozen=True)
class EarsAlerts(Alerts):
    """Bounds and alarms, and what they come from; all of the shape of the counts, NaN where nothing can be said.

    `expected` is the mean of the baseline, cases a week. `score` is the statistic (C1, C2 or C3) over z: above 1 it is
    an alarm. Infinite where the baseline has no spread and this week is above it; of C3 0 in a week without a case.
    """

    expected: Floats
    score: Floats


def ears_c1(counts: ArrayLike, *, baseline: int = 7, alpha: float = 0.001, min_sigma: float = 0.0) -> EarsAlerts:
    """C1: above mean + z s of the `baseline` weeks just before; z the normal quantile of 1 - alpha, s with n - 1.

    counts: (..., weeks), cases a week, oldest first, NaN for a week without a report. Gives `EarsAlerts` of that shape.
    min_sigma: least s, in cases a week; 0.5 or 1 for sparse series, where a week of zeros would make one case an alarm.
    A week whose baseline is not wholly reported, or not there yet, has a NaN bound, as in R.
    Errors: ValueError for baseline < 3, alpha outside (0, 1), min_sigma < 0, and as `as_counts`.
    Source: see the module; U1 of `surveillance::earsC`.
    """
    z = _quantile(baseline, alpha, min_sigma)
    values = as_counts(counts)
    mean, sigma = _moments(values, baseline, 0, min_sigma)
    return _with_score(compared(values, mean + z * sigma), mean, _deviations(values, mean, sigma) / z)


def ears_c2(counts: ArrayLike, *, baseline: int = 7, alpha: float = 0.001, min_sigma: float = 0.0) -> EarsAlerts:
    """C2: as C1, the baseline ending two weeks earlier (weeks t-9 to t-3), so that a slow rise does not hide itself.

    Arguments, result, units and errors as `ears_c1`. Source: see the module; U2 of `surveillance::earsC`.
    """
    z = _quantile(baseline, alpha, min_sigma)
    values = as_counts(counts)
    mean, sigma = _moments(values, baseline, LAG, min_sigma)
    return _with_score(compared(values, mean + z * sigma), mean, _deviations(values, mean, sigma) / z)


def ears_c3(
    counts: ArrayLike,
    *,
    baseline: int = 7,
    alpha: float = 0.025,
    min_sigma: float = 0.0,
    form: C3Form = "published",
) -> EarsAlerts:
    """C3: what this week and the two before exceed C2's mean by, beyond one s each, together above z.

    C3(t) = sum over t-2, t-1, t of max(0, C2(i) - 1), C2(i) = (count - mean) / s; an alarm where C3(t) > z and this
    week has a case. The bound is the count at which that begins: mean + s (1 + z - P), P the part of the two weeks
    before; 0 where P alone is above z. Where s is 0, a week above the mean is infinitely far from it.

    form="surveillance" is what the R package computes (1.20.3): bound = max(0, count + s (z - P)).
    It puts this week's count where its manual has the mean, so that its alarm never depends on this week, and the
    first weeks of an outbreak are not seen. It is here to compare with R.

    Arguments, result, units and errors as `ears_c1`; the counts of the two weeks before must be reported too.
    Source: Hutwagner et al. 2003; Fricker et al. 2008; manual of `surveillance::earsC`, C3.
    """
    z = _quantile(baseline, alpha, min_sigma)
    values = as_counts(counts)
    mean, sigma = _moments(values, baseline, LAG, min_sigma)
    past = _past(values, mean, sigma, published=form == "published")
    with np.errstate(invalid="ignore"):
        if form == "surveillance":
            upper, statistic = np.maximum(0.0, values + sigma * (z - past)), past
        else:
            # Beyond z the product would be of any sign, and 0 times infinity where s is 0: only the branch counts there.
            room = np.where(past > z, 0.0, 1.0 + z - past)
            upper = np.where(past > z, 0.0, mean + sigma * room)
            statistic = past + np.maximum(0.0, _deviations(values, mean, sigma) - 1.0)
    # A week without a case is no alarm, whatever the two before.
    return _with_score(compared(values, upper), mean, np.where(values == 0, 0.0, statistic / z))


def _past(values: Floats, mean: Floats, sigma: Floats, *, published: bool) -> Floats:
    """P(t): max(0, C2 - 1) of the two weeks before, summed; NaN where one is not known. Shape (..., weeks)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # R has 0/0 where there is neither spread nor deviation, and with it no bound for two weeks.
        c2 = _deviations(values, mean, sigma) if published else (values - mean) / sigma
    excess = np.maximum(0.0, c2 - 1.0)
    past = np.full(values.shape, np.nan)
    past[..., LAG:] = excess[..., :-LAG] + excess[..., 1 : 1 - LAG]
    return past


def _deviations(values: Floats, mean: Floats, sigma: Floats) -> Floats:
    """(count - mean) / s; no spread and no deviation is no discrepancy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((sigma == 0) & (values == mean), 0.0, (values - mean) / sigma)


def _with_score(bounds: Alerts, expected: Floats, score: Floats) -> EarsAlerts:
    known_score = np.where(bounds.known, score, np.nan)
    return EarsAlerts(bounds.upper, bounds.alarm, bounds.known, expected, known_score)


def _moments(values: Floats, baseline: int, lag: int, min_sigma: float) -> tuple[Floats, Floats]:
    """Mean and standard deviation (n - 1, at least min_sigma) of each week's baseline; NaN where there is none."""
    mean, sigma = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    first = baseline + lag
    if values.shape[-1] > first:
        windows = sliding_window_view(values, baseline, axis=-1)[..., : values.shape[-1] - first, :]
        mean[..., first:] = windows.mean(axis=-1)
        sigma[..., first:] = np.maximum(windows.std(axis=-1, ddof=1), min_sigma)
    return mean, sigma


def _quantile(baseline: int, alpha: float, min_sigma: float) -> float:
    if baseline < 3 or min_sigma < 0:
        raise ValueError(f"baseline must be at least 3 and min_sigma not negative, got {baseline} and {min_sigma}.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}.")
    return NormalDist().inv_cdf(1 - alpha)
