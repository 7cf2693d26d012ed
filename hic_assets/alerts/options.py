"""The settings of Farrington flexible, with the reason of each default. No arithmetic here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["delta", "nbPlugin", "muan"]
Power = Literal["2/3", "1/2", "none"]
Errors = Literal["surveillance", "published"]


@dataclass(frozen=True)
class FarringtonOptions:
    """Settings of `farrington_flexible`; in brackets their names in R's `surveillance`, whose meaning they have.

    Defaults are those of the improved method (Noufaily et al. 2013, Statist. Med. 32:1206-1222; as options: Salmon et
    al. 2016, J. Stat. Softw. 70(10), section 3.1): nine parts of the year beside the window, the last 26 weeks left
    out, weights from 2.58. R's own defaults are those of the method of 1996. The trend keeps R's test; that paper
    keeps the trend whatever its test says, which is trend_p=1. Defaults are for comparison with R; what the warehouse runs
    with is `alerts.rules.METHODS`.

    Errors: ValueError for a setting outside its range.
    """

    years_back: int = 5
    """[b] Years of history used, each of `frequency` weeks."""
    half_window: int = 3
    """[w] Weeks before and after this week's place in each year that are of its season."""
    periods: int = 10
    """[noPeriods] Seasonal levels: the window, and the rest of the year in periods - 1 parts. 1: the windows only."""
    past_weeks_excluded: int = 26
    """[pastWeeksNotIncluded] Weeks before this one left out of the baseline, so that an outbreak is not its own."""
    weights_threshold: float | None = 2.58
    """[weightsThreshold, reweight] Standardized residual above which a past week weighs less; None: no weights."""
    trend: bool = True
    """[trend] Try a linear trend (on the log scale)."""
    trend_p: float = 0.05
    """[pThresholdTrend] A trend is kept only with a p-value below this."""
    alpha: float = 0.01
    """[alpha] One-sided: the bound is the 1 - alpha quantile."""
    method: Method = "delta"
    """[thresholdMethod] How the bound follows from the fit; see `alerts.bounds`."""
    power: Power = "2/3"
    """[powertrans] Of method delta: the power at which counts are taken as normal."""
    limit_cases: float = 5
    """[limit54, first] No alarm with fewer cases than this ..."""
    limit_weeks: int = 4
    """[limit54, second] ... in so many weeks, this one included."""
    frequency: int = 52
    """[freq] Weeks of a year, by position; see `farrington_flexible`."""
    errors: Errors = "surveillance"
    """What standard errors (of trend and expected count) are scaled by, as R or as the papers; see `alerts.fit`."""

    def __post_init__(self) -> None:
        rest = self.frequency - 2 * self.half_window - 1
        valid = {
            "years_back": self.years_back >= 1,
            "half_window": self.half_window >= 0 and rest >= 0,
            "periods": 1 <= self.periods <= rest + 1,
            "past_weeks_excluded": 0 <= self.past_weeks_excluded < self.years_back * self.frequency,
            "weights_threshold": self.weights_threshold is None or self.weights_threshold > 0,
            "trend_p": 0 <= self.trend_p <= 1,
            # Above one half the bound would lie below what is expected.
            "alpha": 0 < self.alpha < 0.5,
            "method": self.method in {"delta", "nbPlugin", "muan"},
            "power": self.power in {"2/3", "1/2", "none"},
            "limit_cases": self.limit_cases >= 0,
            "limit_weeks": self.limit_weeks >= 1,
            "errors": self.errors in {"surveillance", "published"},
        }
        wrong = [f"{name}={getattr(self, name)!r}" for name, is_valid in valid.items() if not is_valid]
        if wrong:
            raise ValueError(f"Farrington settings out of range: {', '.join(wrong)}.")
