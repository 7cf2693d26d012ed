"""How well the alert rules do on outbreaks put into made countries: found, false alarms, days until found.

Countries are the sandbox's at full scale, a seed each, with the true weekly cases of every district since 2017 (no report
is missing, late or wrong). Weeks from 2022 on are judged, with five years before them: every week of every outbreak and,
for false alarms, a sample of other weeks, all districts of each, the same for every rule. What is not run in the warehouse
(R's form of C3, R's errors and Noufaily's trend in Farrington, three years of history) is there to compare with.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from statistics import NormalDist, mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hic_assets.alerts.evaluate import Outbreak, performance
from hic_assets.alerts.judge import Series, judge
from hic_assets.alerts.result import Alerts, Bools, Floats
from hic_assets.alerts.rules import METHODS, Measure, Method, Methods, Rule, declared_rules
from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.clinical import idsr_truth
from hic_assets.sandbox.world.clinical.idsr_counts import Country
from hic_assets.sandbox.world.clinical.idsr_outbreaks import outbreaks
from hic_assets.sandbox.world.facilities import build
from hic_assets.sandbox.world.roster import Roster

SCALE = 1.0
FIRST_WEEK, WEEKS = date(2017, 1, 2), 512
JUDGED_FROM = 264
"""Position of the first week that has behind it the five years and the half window that Farrington looks back at."""
SETTLING = 4
"""Weeks after an outbreak that count as neither."""
SAMPLED = 5
"""Other weeks sampled a disease and country, thirty districts of each: a fit takes some milliseconds."""
Z = NormalDist().inv_cdf(0.975)
_F = METHODS.farrington
VARIANTS: tuple[tuple[str, Method, Methods], ...] = (
    ("ears_c3 in R's form", Method.EARS_C3, Methods(c3_form="surveillance")),
    ("farrington with R's errors", Method.FARRINGTON, Methods(replace(_F, errors="surveillance"))),
    ("farrington with every trend", Method.FARRINGTON, Methods(replace(_F, trend_p=1.0))),
    ("farrington on three years", Method.FARRINGTON, Methods(replace(_F, years_back=3))),
)
LONG, SHORT = "all rules, five years", "all rules, short history"


@dataclass(frozen=True)
class Watched:
    """One disease in one country: cases (districts, weeks), its outbreaks, and which weeks are outside of them."""

    disease: str
    series: Series
    outbreaks: Sequence[Outbreak]
    quiet: Bools
    sampled: NDArray[np.int64]


@dataclass
class Tally:
    """What one rule did, over diseases and countries. `clusters`: false alarms and weeks judged, a series each."""

    detected: int = 0
    outbreaks: int = 0
    days: list[int] = field(default_factory=list)
    clusters: list[tuple[int, int]] = field(default_factory=list)

    def add(self, alerts: Alerts, watched: Watched) -> None:
        """Count what the rule said of one disease in one country."""
        found = performance(alerts, watched.outbreaks, watched.quiet)
        self.detected += found.detected
        self.outbreaks += found.outbreaks
        self.days += found.days
        judged = watched.quiet & alerts.known
        false = (judged & alerts.alarm).sum(axis=1)
        self.clusters += zip(false.tolist(), judged.sum(axis=1).tolist(), strict=True)

    def row(self, rule: str) -> dict[str, Any]:
        """The numbers of the rule, with 95 % intervals; None where there was nothing to divide by."""
        false, judged = (sum(c[i] for c in self.clusters) for i in (0, 1))
        found = interval(self.detected, self.outbreaks)
        alarms = interval(false, judged, design_effect(self.clusters))
        return {
            "rule": rule,
            "outbreaks": self.outbreaks,
            "found_pct": _share(self.detected, self.outbreaks, 100),
            "found_95": _between(found, 100, 0),
            "days_mean": round(mean(self.days), 1) if self.days else None,
            "days_median": float(median(self.days)) if self.days else None,
            "quiet_weeks": judged,
            "false_per_1000": _share(false, judged, 1000),
            "false_95": _between(alarms, 1000, 1),
        }


def measure(countries: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row a rule, then one a way it could be run, then all rules together, by disease last."""
    rules = [rule for rule in declared_rules() if rule.measure is Measure.CASES]
    tallies: dict[str, Tally] = defaultdict(Tally)
    for seed in range(1, countries + 1):
        say(f"country {seed} of {countries}: ten years of weeks")
        for watched in country(seed):
            say(f"country {seed} of {countries}: {watched.disease}")
            count([r for r in rules if r.disease == watched.disease], watched, tallies)
    singly = list(dict.fromkeys(r.code for r in rules))
    ways = [name for name, _, _ in VARIANTS]
    diseases = sorted(name for name in tallies if name not in {*singly, *ways, LONG, SHORT})
    return [tallies[name].row(name) for name in (*singly, *ways, LONG, SHORT, *diseases)]


def country(seed: int) -> list[Watched]:
    """Every disease of a country."""
    roster = Roster.of(build(seed, SCALE))
    counts = idsr_truth.district_counts(roster, FIRST_WEEK, WEEKS, Country(seed, SCALE)).astype(np.float64)
    districts = len(geography.districts())
    population = geography.districts()["population_2022"].to_numpy().astype(np.float64)
    placed = idsr_truth.in_series(outbreaks(seed, SCALE), FIRST_WEEK, WEEKS)
    draw = np.random.default_rng(seed)
    made = []
    for first in range(0, len(counts), districts):
        here = [replace(o, series=o.series - first) for o in placed if first <= o.series < first + districts]
        sampled = np.sort(draw.choice(np.arange(JUDGED_FROM, WEEKS), SAMPLED, replace=False))
        quiet = np.zeros((districts, WEEKS), dtype=np.bool_)
        quiet[:, sampled] = True
        for o in here:
            quiet[o.series, o.start : o.start + o.weeks + SETTLING] = False
        judged = [o for o in here if o.start >= JUDGED_FROM]
        series = Series(counts[first : first + districts], population)
        made.append(Watched(idsr_truth.series()[first][0], series, judged, quiet, sampled))
    return made


def count(rules: Sequence[Rule], watched: Watched, tallies: dict[str, Tally]) -> None:
    """Ask every rule of a disease in every way, alone and together, and add what they say."""
    said = {rule: ask(rule, watched, METHODS) for rule in rules}
    for rule, alerts in said.items():
        tallies[rule.code].add(alerts, watched)
        for name, method, methods in VARIANTS:
            if rule.method is method:
                tallies[name].add(ask(rule, watched, methods), watched)
    long = either([alerts for rule, alerts in said.items() if not rule.stands_in])
    short = either([alerts for rule, alerts in said.items() if rule.method is not Method.FARRINGTON])
    tallies[LONG].add(long, watched)
    tallies[SHORT].add(short, watched)
    tallies[f"{watched.disease}, five years"].add(long, watched)


def ask(rule: Rule, watched: Watched, methods: Methods) -> Alerts:
    """What a rule says of the sampled weeks and of every outbreak's; other weeks are not known."""
    series = watched.series
    alarm, known = (np.zeros(series.values.shape, dtype=np.bool_) for _ in range(2))
    places = [(np.arange(len(series.values)), watched.sampled)]
    places += [(np.array([o.series]), np.arange(o.start, o.start + o.weeks)) for o in watched.outbreaks]
    for rows, weeks in places:
        judged = judge(rule, Series(series.values[rows], series.population[rows]), weeks, methods)
        alarm[np.ix_(rows, weeks)] = judged.alarm
        known[np.ix_(rows, weeks)] = judged.unknown == ""
    return Alerts(np.full(alarm.shape, np.nan), alarm, known)


def either(said: Sequence[Alerts]) -> Alerts:
    """An alarm where one of them has one."""
    alarm, known = (np.any([getattr(a, name) for a in said], axis=0) for name in ("alarm", "known"))
    return Alerts(said[0].upper, alarm, known)


def interval(hits: int, trials: int, effect: float = 1.0) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share, of so many fewer trials as `effect` says; None without a trial."""
    if not trials:
        return None
    size, share = trials / effect, hits / trials
    centre = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2)) / (1 + Z**2 / size)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def design_effect(clusters: Iterable[tuple[int, int]]) -> float:
    """How many times the variance of a share is that of independent trials; (hits, trials) a cluster. At least 1."""
    held: Floats = np.array([c for c in clusters if c[1]], dtype=np.float64)
    if len(held) < 2:
        return 1.0
    hits, trials = held.sum(axis=0)
    share = hits / trials
    if share in (0, 1):
        return 1.0
    among = len(held) / (len(held) - 1) * ((held[:, 0] - share * held[:, 1]) ** 2).sum() / trials**2
    return max(1.0, float(among / (share * (1 - share) / trials)))


def _share(hits: int, trials: int, times: int) -> float | None:
    return round(times * hits / trials, 1) if trials else None


def _between(found: tuple[float, float] | None, times: int, digits: int) -> str | None:
    return f"{found[0] * times:.{digits}f} to {found[1] * times:.{digits}f}" if found else None
