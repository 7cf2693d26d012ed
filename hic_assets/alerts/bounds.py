"""From what is expected this week to the highest count that is no alarm: the three methods of Farrington flexible."""

from __future__ import annotations

import math
from statistics import NormalDist

from hic_assets.alerts.options import FarringtonOptions, Power

POWERS: dict[Power, float] = {"2/3": 2 / 3, "1/2": 1 / 2, "none": 1.0}


def upper_bound(log_mean: float, log_error: float, dispersion: float, options: FarringtonOptions) -> float:
    """The 1 - alpha quantile of this week's count, cases a week, given the logarithm of its mean and the error of that.

    delta: the count to the power q is normal with variance q^2 m^(2q-1) (phi + se^2 / m), m the mean and se its
    error: error of estimation and of prediction (Farrington et al. 1996, J. R. Statist. Soc. A 159:547-563). Not whole.
    nbPlugin: quantile of the negative binomial of mean m and variance phi m, Poisson if phi is 1 (Noufaily et al.
    2013). A whole number; the error of estimation is left out.
    muan: the same about the 1 - alpha quantile of m itself (Salmon et al. 2016, section 3.1). Of no use
    where a season had no case: the error of its mean is boundless, and so is the bound.
    NaN where the mean is too large for a float.
    """
    z = NormalDist().inv_cdf(1 - options.alpha)
    if options.method == "delta":
        return _delta(log_mean, log_error, dispersion, POWERS[options.power], z)
    return _quantile(log_mean if options.method == "nbPlugin" else log_mean + z * log_error, dispersion, options.alpha)


def _delta(log_mean: float, log_error: float, dispersion: float, power: float, z: float) -> float:
    try:
        mean = math.exp(log_mean)
    except OverflowError:
        return math.nan
    # The error of the mean is mean * log_error; its square over the mean stays finite where the mean goes to 0.
    tau = dispersion + mean * log_error**2
    return float((mean**power + z * power * math.sqrt(mean ** (2 * power - 1) * tau)) ** (1 / power))


def _quantile(log_mean: float, dispersion: float, alpha: float) -> float:
    # Imported here for the time it takes, as statsmodels in `fit`.
    from scipy.stats import nbinom, poisson  # type: ignore[import-untyped]

    try:
        mean = math.exp(log_mean)
    except OverflowError:
        return math.nan
    if dispersion > 1:
        return float(nbinom.ppf(1 - alpha, mean / (dispersion - 1), 1 / dispersion))
    return float(poisson.ppf(1 - alpha, mean))
