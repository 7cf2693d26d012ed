"""How well alert rules do on series whose outbreaks are known: sensitivity, false alarms, days to detection.

Does not belong here: making the series, and putting outbreaks into them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import ArrayLike

from hic_assets.alerts.result import Alerts, Bools, Floats, as_counts

DAYS = 7
Rule = Callable[[Floats], Alerts]


@dataclass(frozen=True)
class Outbreak:
    """A known outbreak: in which series, its first week (position, from 0), and how many weeks it lasts."""

    series: int
    start: int
    weeks: int


@dataclass(frozen=True)
class Performance:
    """What one rule did. None where there was nothing to divide by."""

    outbreaks: int
    detected: int
    """Outbreaks with an alarm in one of their weeks."""
    unjudged_outbreaks: int
    """Of those not detected, how many had no week that the rule could judge. They count as missed all the same."""
    series_weeks: int
    """Weeks outside outbreaks that the rule judged, over all series."""
    false_alarms: int
    """Alarms in those."""
    days: tuple[int, ...]
    """Of each detected outbreak, in the order given: days from the start of its first week to that of its alarm."""

    @property
    def sensitivity(self) -> float | None:
        """Detected outbreaks over all outbreaks."""
        return self.detected / self.outbreaks if self.outbreaks else None

    @property
    def false_alarm_rate(self) -> float | None:
        """False alarms a judged series-week outside outbreaks."""
        return self.false_alarms / self.series_weeks if self.series_weeks else None

    @property
    def median_days(self) -> float | None:
        """Median of `days`: of detected outbreaks only, so read it beside the sensitivity. 0 is the first week."""
        return float(median(self.days)) if self.days else None


def evaluate(
    counts: ArrayLike, outbreaks: Sequence[Outbreak], rules: Mapping[str, Rule], *, settling: int = 0
) -> dict[str, Performance]:
    """Runs each rule on counts (series, weeks; cases a week, the outbreaks' included) and says how it did, by name.

    settling: weeks after an outbreak that are not judged, since cases still fall (and C3 looks back two weeks); an
    alarm there is neither a detection nor false.
    Errors: ValueError if counts are not two-dimensional, an outbreak lies outside them, or a rule's result is of
    another shape; and as `as_counts`.
    Source: the usual measures (Noufaily et al. 2019, Bioinformatics 35:3110-3118, compare such algorithms by them).
    """
    values = as_counts(counts)
    if values.ndim != 2:
        raise ValueError(f"Counts must be (series, weeks), got {values.ndim} dimensions.")
    if settling < 0:
        raise ValueError(f"settling must not be negative, got {settling}.")
    for outbreak in outbreaks:
        _check(outbreak, values.shape[0], values.shape[1])
    quiet = np.ones(values.shape, dtype=np.bool_)
    for outbreak in outbreaks:
        quiet[outbreak.series, outbreak.start : outbreak.start + outbreak.weeks + settling] = False
    return {name: performance(_run(name, rule, values), outbreaks, quiet) for name, rule in rules.items()}


def performance(alerts: Alerts, outbreaks: Sequence[Outbreak], quiet: Bools) -> Performance:
    """How alerts (series, weeks) did, given the outbreaks and which weeks (same shape) are outside of all of them."""
    days: list[int] = []
    unjudged = 0
    for outbreak in outbreaks:
        place = (outbreak.series, slice(outbreak.start, outbreak.start + outbreak.weeks))
        alarms = np.flatnonzero(alerts.alarm[place])
        if len(alarms):
            days.append(int(alarms[0]) * DAYS)
        elif not alerts.known[place].any():
            unjudged += 1
    judged = quiet & alerts.known
    return Performance(
        outbreaks=len(outbreaks),
        detected=len(days),
        unjudged_outbreaks=unjudged,
        series_weeks=int(judged.sum()),
        false_alarms=int((alerts.alarm & judged).sum()),
        days=tuple(days),
    )


def _run(name: str, rule: Rule, values: Floats) -> Alerts:
    alerts = rule(values)
    if alerts.alarm.shape != values.shape:
        raise ValueError(f"Rule {name} gave alarms of shape {alerts.alarm.shape} for counts of {values.shape}.")
    return alerts


def _check(outbreak: Outbreak, series: int, weeks: int) -> None:
    inside = 0 <= outbreak.series < series and outbreak.start >= 0 and outbreak.start + outbreak.weeks <= weeks
    if not inside or outbreak.weeks < 1:
        raise ValueError(f"{outbreak} is not inside {series} series of {weeks} weeks.")
