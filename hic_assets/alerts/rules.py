"""Which rule watches which disease, read from the seed `idsr_alert_rule`, and the settings each method is run with.

The seed is the one declaration: SQL reads it as `staging.idsr_alert_rule`, this module the same rows. Settings of
methods are here, since they are of a method and not of a disease. No arithmetic here.

The choices where sources differ, as measured on the sandbox's outbreaks (`hic bench --only alerts`):

* Farrington, `errors="published"`: the standard errors of Farrington et al. (1996). What R's package computes comes from
  weights kept in the wrong place (`alerts.fit`). The two find the same outbreaks with as few false alarms.
* Farrington, `trend_p=0.05` as in R. Noufaily et al. (2013) keep every trend (1); there is no difference to be seen, and a
  series of three years is not extended by a trend that is mere noise.
* C3, `form="published"`: R's form never looks at this week, and finds an outbreak about a week later.
* EARS only stands in for Farrington: C1 and C2 find fewer outbreaks with more false alarms, C3 as many with ten times as many.
* EARS, `min_sigma=1`: where weeks are mostly zero, one case is no outbreak (manual of `surveillance::earsC`: 0.5 or 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from hic_assets.alerts.ears import C3Form, EarsAlerts, ears_c1, ears_c2, ears_c3
from hic_assets.alerts.options import FarringtonOptions
from hic_assets.alerts.result import Floats

SEED = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "idsr_alert_rule.csv"
SCHEMA = {
    "disease_code": pl.String,
    "rule_code": pl.String,
    "method": pl.String,
    "measure": pl.String,
    "threshold": pl.Float64,
    "weeks": pl.Int64,
    "note": pl.String,
}


class Method(StrEnum):
    """How a rule judges a week."""

    FIXED = "fixed"
    """So many in so many weeks, this one included."""
    RATE = "rate"
    """So many per 100,000 inhabitants in one week."""
    EARS_C1 = "ears_c1"
    EARS_C2 = "ears_c2"
    EARS_C3 = "ears_c3"
    FARRINGTON = "farrington"


THRESHOLDS = (Method.FIXED.value, Method.RATE.value)
"""Methods that hold a count against a number that is set; the others hold it against what is usual."""


class Measure(StrEnum):
    """What is counted."""

    CASES = "cases"
    DEATHS = "deaths"


MIN_SIGMA = 1.0
EARS_BASELINE = 7
EARS_WEEKS = {Method.EARS_C1: EARS_BASELINE, Method.EARS_C2: EARS_BASELINE + 2, Method.EARS_C3: EARS_BASELINE + 4}
"""Weeks before this one that each looks at."""
LEAST_YEARS = 3
"""Years of history below which Farrington is not asked; with more it takes what there is, up to its own five."""
_FARRINGTON = FarringtonOptions(errors="published", trend_p=0.05)


@dataclass(frozen=True)
class Methods:
    """The settings of each method; the defaults are what the warehouse runs with."""

    farrington: FarringtonOptions = _FARRINGTON
    c3_form: C3Form = "published"

    def ears(self, method: Method, counts: Floats) -> EarsAlerts:
        """One of the three on counts (series, weeks)."""
        if method is Method.EARS_C3:
            return ears_c3(counts, baseline=EARS_BASELINE, alpha=0.025, min_sigma=MIN_SIGMA, form=self.c3_form)
        rule = ears_c1 if method is Method.EARS_C1 else ears_c2
        return rule(counts, baseline=EARS_BASELINE, alpha=0.001, min_sigma=MIN_SIGMA)


METHODS = Methods()
HISTORY_WEEKS = METHODS.farrington.years_back * METHODS.farrington.frequency + METHODS.farrington.half_window
"""Weeks before this one that any rule looks at, at most."""


@dataclass(frozen=True)
class Rule:
    """One rule of one disease. `threshold`: cases or deaths (fixed), or per 100,000 (rate); `weeks` of fixed only."""

    disease: str
    code: str
    method: Method
    measure: Measure = Measure.CASES
    threshold: float | None = None
    weeks: int | None = None

    def __post_init__(self) -> None:
        wrong = _wrong(self)
        if wrong:
            raise ValueError(f"Alert rule {self.disease}/{self.code}: {wrong}.")

    @property
    def stands_in(self) -> bool:
        """Whether it is asked only where Farrington, declared for the same disease and measure, cannot say."""
        return self.method in EARS_WEEKS


def _wrong(rule: Rule) -> str:
    given = rule.threshold is not None and math.isfinite(rule.threshold) and rule.threshold > 0
    if rule.method is Method.FIXED:
        whole = given and float(rule.threshold or 0).is_integer()
        return "" if whole and (rule.weeks or 0) >= 1 else "fixed needs a whole threshold and weeks, both at least 1"
    if rule.method is Method.RATE:
        return "" if given and rule.weeks is None else "rate needs a threshold above 0, and no weeks"
    return "" if rule.threshold is None and rule.weeks is None else f"{rule.method} has no threshold and no weeks"


def rules_of(frame: pl.DataFrame) -> tuple[Rule, ...]:
    """The rules of the seed's rows (columns of `SCHEMA`), in their order.

    Errors: ValueError naming the rule that has an unknown method or measure, a threshold it cannot have, or is there twice.
    """
    found = tuple(_rule(row) for row in frame.select([c for c in SCHEMA if c != "note"]).to_dicts())
    names = [(rule.disease, rule.code) for rule in found]
    twice = sorted({f"{d}/{c}" for d, c in names if names.count((d, c)) > 1})
    if twice:
        raise ValueError(f"Alert rules declared twice: {', '.join(twice)}.")
    return found


def _rule(row: Mapping[str, Any]) -> Rule:
    try:
        method, measure = Method(row["method"]), Measure(row["measure"])
    except ValueError as error:
        raise ValueError(f"Alert rule {row['disease_code']}/{row['rule_code']}: {error}.") from None
    return Rule(row["disease_code"], row["rule_code"], method, measure, row["threshold"], row["weeks"])


def declared_rules(path: Path = SEED) -> tuple[Rule, ...]:
    """The rules as the seed's file has them, for work without a database."""
    return rules_of(pl.read_csv(path, schema=SCHEMA))
