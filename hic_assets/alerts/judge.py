"""One rule on the series of one disease: what it says of the weeks that are asked, and why where it cannot say.

Belongs here: which method is asked with how much history, and one shape of answer for all of them. Does not belong here:
the methods themselves, and which disease has which rule (`rules`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hic_assets.alerts.farrington import farrington_flexible
from hic_assets.alerts.result import Bools, Floats, lately
from hic_assets.alerts.rules import EARS_WEEKS, LEAST_YEARS, METHODS, Method, Methods, Rule
from hic_assets.alerts.thresholds import fixed_threshold

Whole = NDArray[np.int64]


class Unknown(StrEnum):
    """Why a week could not be judged."""

    NOT_REPORTED = "not_reported"
    """No facility of the district reported this week."""
    SHORT = "history_too_short"
    """The series has not been there for as long as the rule looks back."""
    GAPS = "history_incomplete"
    """Weeks that the rule needs were not reported."""
    NO_FIT = "no_fit"
    """The regression gives no answer, mostly since the weeks it is made of have no case."""
    FEW_REPORTS = "too_few_reports"
    """A statistical rule was quiet, and too few facilities had reported for that to mean anything (`completeness`)."""
    NO_POPULATION = "no_population"
    """A rate, and nobody knows of how many."""


@dataclass(frozen=True)
class Series:
    """Weekly counts of one disease: cases or deaths of shape (districts, weeks), oldest week first, NaN: no report.

    `population`: inhabitants by district, NaN where unknown.
    """

    values: Floats
    population: Floats

    @property
    def history(self) -> Whole:
        """Weeks since the first report, by district and week; negative before it, and where there never was one."""
        reported = ~np.isnan(self.values)
        weeks = self.values.shape[-1]
        first = np.where(reported.any(axis=1), reported.argmax(axis=1), weeks)
        since: Whole = np.arange(weeks)[None, :] - first[:, None]
        return since


@dataclass(frozen=True)
class Judged:
    """What a rule says, each of shape (districts, weeks asked).

    `observed` is what is held against `upper` (cases or deaths; of fixed rules, of all its weeks together), `upper` the
    highest that is no alarm, `expected` a week's usual number (NaN where the method has none). `score` is how far the week
    is on the way to an alarm: 1 is the bound. `unknown` is an `Unknown`, or empty where the rule could say.
    """

    observed: Floats
    expected: Floats
    upper: Floats
    score: Floats
    alarm: Bools
    unknown: NDArray[np.object_]


def judge(rule: Rule, series: Series, weeks: Whole, methods: Methods = METHODS) -> Judged:
    """What a rule says of the weeks at these positions of the series. A week is judged by itself and those before it only.

    A week without a report is never judged, whatever the weeks before it hold.
    """
    found = _JUDGES[rule.method](rule, series, weeks, methods)
    silent = np.isnan(series.values[:, weeks])
    unknown = np.where(silent, Unknown.NOT_REPORTED, found.unknown)
    said = unknown == ""
    return replace(
        found,
        expected=np.where(said, found.expected, np.nan),
        upper=np.where(said, found.upper, np.nan),
        score=np.where(said, found.score, np.nan),
        alarm=found.alarm & said,
        unknown=unknown,
    )


def _fixed(rule: Rule, series: Series, weeks: Whole, _methods: Methods) -> Judged:
    assert rule.threshold is not None and rule.weeks is not None  # noqa: S101 - rules of the method have both
    alerts = fixed_threshold(series.values, int(rule.threshold), rule.weeks)
    observed = np.nansum(lately(series.values, rule.weeks), axis=-1)[:, weeks]
    return Judged(
        observed=observed,
        expected=np.full(observed.shape, np.nan),
        upper=np.full(observed.shape, rule.threshold - 1),
        score=observed / rule.threshold,
        alarm=alerts.alarm[:, weeks],
        unknown=_why(alerts.known[:, weeks], series.history[:, weeks] < rule.weeks - 1, Unknown.GAPS),
    )


def _rate(rule: Rule, series: Series, weeks: Whole, _methods: Methods) -> Judged:
    assert rule.threshold is not None  # noqa: S101 - rules of the method have it
    observed = series.values[:, weeks]
    # The first whole number that is at least the rate. Rounded before, lest 3 * 0.1 be a case more than 0.3.
    needed = np.ceil(np.round(rule.threshold * series.population / 1e5, 9))[:, None]
    needed = np.broadcast_to(np.maximum(needed, 1), observed.shape)
    return Judged(
        observed=observed,
        expected=np.full(observed.shape, np.nan),
        upper=needed - 1,
        score=observed / needed,
        alarm=observed >= needed,
        unknown=np.where(np.isnan(needed), Unknown.NO_POPULATION, "").astype(object),
    )


def _ears(rule: Rule, series: Series, weeks: Whole, methods: Methods) -> Judged:
    alerts = methods.ears(rule.method, series.values)
    return Judged(
        observed=series.values[:, weeks],
        expected=alerts.expected[:, weeks],
        upper=alerts.upper[:, weeks],
        score=alerts.score[:, weeks],
        alarm=alerts.alarm[:, weeks],
        unknown=_why(alerts.known[:, weeks], series.history[:, weeks] < EARS_WEEKS[rule.method], Unknown.GAPS),
    )


def _farrington(_rule: Rule, series: Series, weeks: Whole, methods: Methods) -> Judged:
    """Each week with as many years as its district has. Only the weeks asked are fitted: a fit takes milliseconds."""
    options = methods.farrington
    observed = series.values[:, weeks]
    years = np.minimum((series.history[:, weeks] - options.half_window) // options.frequency, options.years_back)
    expected, upper, score = (np.full(observed.shape, np.nan) for _ in range(3))
    alarm = np.zeros(observed.shape, dtype=np.bool_)
    unknown = np.full(observed.shape, Unknown.SHORT, dtype=object)
    for column, week in enumerate(weeks):
        for back in range(LEAST_YEARS, options.years_back + 1):
            rows = np.flatnonzero((years[:, column] == back) & ~np.isnan(observed[:, column]))
            if not len(rows):
                continue
            first = week - back * options.frequency - options.half_window
            counts = series.values[rows, first : week + 1]
            found = farrington_flexible(counts, replace(options, years_back=back), last=1)
            expected[rows, column], upper[rows, column] = found.expected[:, -1], found.upper[:, -1]
            room = found.upper[:, -1] - found.expected[:, -1]
            over = (counts[:, -1] - found.expected[:, -1]) / np.where(room > 0, room, np.nan)
            # With few cases lately it is no alarm, however far above (Noufaily et al. 2013: an exceedance of 0).
            score[rows, column] = np.where(found.few[:, -1], 0.0, over)
            alarm[rows, column] = found.alarm[:, -1]
            no_bound = np.where(np.isnan(found.upper[:, -1]), Unknown.NO_FIT, Unknown.GAPS)
            unknown[rows, column] = np.where(found.known[:, -1], "", no_bound)
    return Judged(observed, expected, upper, score, alarm, unknown)


def _why(known: Bools, short: Bools, otherwise: Unknown) -> NDArray[np.object_]:
    return np.where(known, "", np.where(short, Unknown.SHORT, otherwise)).astype(object)


_JUDGES: dict[Method, Callable[[Rule, Series, Whole, Methods], Judged]] = {
    Method.FIXED: _fixed,
    Method.RATE: _rate,
    Method.FARRINGTON: _farrington,
    **dict.fromkeys(EARS_WEEKS, _ears),
}
