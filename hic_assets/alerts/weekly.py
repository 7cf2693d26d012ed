"""From weekly counts of the country and the declared rules to a verdict a disease, district, week and rule.

Belongs here: frames in, frames out. Does not belong here: what a rule says (`judge`), tables (`warehouse`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from hic_assets.alerts.judge import Judged, Series, Unknown, Whole, judge
from hic_assets.alerts.result import Bools, Floats
from hic_assets.alerts.rules import THRESHOLDS, Measure, Method, Rule

COUNTS = {
    "disease_code": pl.String,
    "district_code": pl.String,
    "week_start": pl.Date,
    "cases": pl.Int64,
    "deaths": pl.Int64,
}
VERDICTS = {
    "disease_code": pl.String,
    "district_code": pl.String,
    "week_start": pl.Date,
    "rule_code": pl.String,
    "method": pl.String,
    "measure": pl.String,
    "cases": pl.Int64,
    "deaths": pl.Int64,
    "observed": pl.Float64,
    "expected": pl.Float64,
    "upper": pl.Float64,
    "score": pl.Float64,
    "has_fired": pl.Boolean,
    "why_unknown": pl.String,
}
KEY = ("disease_code", "district_code", "week_start", "rule_code")


def verdicts(
    counts: pl.DataFrame, rules: Sequence[Rule], weeks: Sequence[date], population: Mapping[str, float] | None = None
) -> pl.DataFrame:
    """What each rule says of each district in each of the weeks (Mondays) that are asked.

    counts: columns of `COUNTS`, one row a disease, district and week: all reports of a district together, NULL where none
    came. A week that is not there is one without a report, never one of zeros. Weeks after those asked are not read.
    population: inhabitants by district code, for rules that are rates.
    Gives columns of `VERDICTS` sorted by `KEY`, one row a disease, district (with counts of that disease), week and rule
    that was asked. `has_fired` is NULL, and `why_unknown` says why (`judge.Unknown`), where the rule could not say.
    EARS is asked only where Farrington, if declared, cannot say although the week was reported.
    Errors: ValueError for a day that is no Monday, a key twice, or a negative count.
    """
    _check(counts, weeks)
    asked = sorted(set(weeks))
    if not asked:
        return pl.DataFrame(schema=VERDICTS)
    until = counts.filter(pl.col("week_start") <= asked[-1])
    frames = [
        frame
        for (disease,), rows in until.group_by(["disease_code"], maintain_order=True)
        for frame in _of_disease(rows, [r for r in rules if r.disease == disease], asked, population or {})
    ]
    return pl.concat([pl.DataFrame(schema=VERDICTS), *frames]).sort(KEY)


def strongest_first(found: pl.DataFrame) -> pl.DataFrame:
    """Verdicts that fired, in the order in which they deserve a look.

    Single cases of what is rare come before how far a count is above the usual. Also in SQL: `rpt_idsr_alerts`.
    """
    statistical = pl.col("method").is_in(THRESHOLDS).not_()
    return found.filter("has_fired").sort(statistical, pl.col("score").neg(), *KEY, nulls_last=True)


def _check(counts: pl.DataFrame, weeks: Sequence[date]) -> None:
    days = {*weeks, *counts["week_start"].unique().to_list()}
    other = sorted(day for day in days if day.weekday())
    if other:
        raise ValueError(f"Weeks begin on Mondays; {other[0]} is none.")
    key = ["disease_code", "district_code", "week_start"]
    if counts.select(pl.struct(key).is_duplicated().any()).item():
        raise ValueError("Counts have a disease, district and week more than once.")
    if counts.select(pl.min_horizontal("cases", "deaths").min() < 0).item():
        raise ValueError("Counts are negative.")


def _of_disease(
    rows: pl.DataFrame, rules: Sequence[Rule], asked: Sequence[date], population: Mapping[str, float]
) -> Iterator[pl.DataFrame]:
    """The verdicts of one disease, a frame a rule."""
    districts = sorted(rows["district_code"].unique().to_list())
    first = min(rows.select(pl.col("week_start").min()).item(), asked[0])
    people = np.array([population.get(d, np.nan) for d in districts], dtype=np.float64)
    matrices = {m: _matrix(rows, m, districts, first, asked[-1]) for m in Measure}
    at: Whole = np.array([(week - first).days // 7 for week in asked], dtype=np.int64)
    judged = {rule.code: judge(rule, Series(matrices[rule.measure], people), at) for rule in rules}
    cases, deaths = (matrices[m][:, at] for m in (Measure.CASES, Measure.DEATHS))
    for rule in rules:
        wanted = _asked_for(rule, rules, judged)
        yield _frame(rule, judged[rule.code], wanted, districts, asked, cases, deaths)


def _matrix(rows: pl.DataFrame, measure: Measure, districts: Sequence[str], first: date, last: date) -> Floats:
    """Counts of shape (districts, weeks from first to last), NaN where there is no row or no number."""
    found = np.full((len(districts), (last - first).days // 7 + 1), np.nan)
    place = {district: i for i, district in enumerate(districts)}
    numbered = rows.select(
        pl.col("district_code").replace_strict(place, return_dtype=pl.Int64).alias("row"),
        ((pl.col("week_start") - first).dt.total_days() // 7).alias("week"),
        pl.col(measure).cast(pl.Float64).fill_null(np.nan),
    )
    found[numbered["row"].to_numpy(), numbered["week"].to_numpy()] = numbered[measure].to_numpy()
    return found


def _asked_for(rule: Rule, rules: Sequence[Rule], judged: Mapping[str, Judged]) -> Bools:
    """Where a rule is asked: everywhere, unless it stands in for Farrington and is not needed."""
    wanted: Bools = np.ones(judged[rule.code].alarm.shape, dtype=np.bool_)
    if rule.stands_in:
        for other in rules:
            if other.method is Method.FARRINGTON and other.measure is rule.measure:
                unknown = judged[other.code].unknown
                wanted &= (unknown != "") & (unknown != Unknown.NOT_REPORTED)
    return wanted


def _frame(
    rule: Rule,
    judged: Judged,
    wanted: Bools,
    districts: Sequence[str],
    asked: Sequence[date],
    cases: Floats,
    deaths: Floats,
) -> pl.DataFrame:
    row, column = np.nonzero(wanted)
    unknown = pl.Series([str(why) or None for why in judged.unknown[wanted]], dtype=pl.String)
    texts = {"rule_code": rule.code, "method": rule.method.value, "measure": rule.measure.value}
    numbers = {name: getattr(judged, name)[wanted] for name in ("observed", "expected", "upper", "score")}
    frame = pl.DataFrame(
        {
            "district_code": pl.Series(districts, dtype=pl.String).gather(row),
            "week_start": pl.Series(asked, dtype=pl.Date).gather(column),
            "cases": cases[wanted],
            "deaths": deaths[wanted],
            **numbers,
            "has_fired": judged.alarm[wanted],
            "why_unknown": unknown,
        }
    )
    return frame.with_columns(
        pl.col("cases", "deaths", *numbers).fill_nan(None),
        # What was counted of a week without a report is not known, and not zero.
        pl.when(pl.col("why_unknown").is_null()).then("has_fired").alias("has_fired"),
        pl.lit(rule.disease).alias("disease_code"),
        **{name: pl.lit(text) for name, text in texts.items()},
    ).select([pl.col(name).cast(kind) for name, kind in VERDICTS.items()])
