"""Which later weeks a late change is felt in: those whose rules look back at a week that is no longer what it was.

Frames in, frames out. Belongs here: how far each method looks back, seen from the week it looks at. Does not belong here:
judging (`weekly`), tables (`warehouse`).

The rule: a series (disease and district) whose cases or deaths of week t are others than when t was judged is judged
again in those weeks up to the newest that were judged before and lie, after t,

* fixed thresholds: within the weeks that are summed;
* EARS: within the weeks that C1, C2 and C3 look at (7, 9 and 11);
* Farrington: within the weeks of the test for few cases (4), and from 27 to 263 weeks later: the whole of its baseline,
  since with seasonal levels each week of five years is in it, and not the seven about the season only.

So no week is judged again of which no rule has changed its ground, and no series of which no number has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import polars as pl

from hic_assets.alerts.farrington import baseline_levels
from hic_assets.alerts.rules import EARS_WEEKS, METHODS, Method, Methods, Rule

SERIES = ("disease_code", "district_code")
COUNTED = {**dict.fromkeys(SERIES, pl.String), "week_start": pl.Date, "cases": pl.Int64, "deaths": pl.Int64}
"""What was counted when a week was judged: one row a series and week."""
LATER = {**dict.fromkeys(SERIES, pl.String), "week_start": pl.Date}
"""A week of a series; of `felt`, those that are to be judged again."""


def reach(rule: Rule, methods: Methods = METHODS) -> frozenset[int]:
    """How many weeks later the weeks are that look back at a week."""
    if rule.method is Method.FIXED:
        return frozenset(range(1, rule.weeks or 1))
    if rule.method in EARS_WEEKS:
        return frozenset(range(1, EARS_WEEKS[rule.method] + 1))
    if rule.method is Method.FARRINGTON:
        # From this week, the last of the levels, back.
        back = np.flatnonzero(baseline_levels(methods.farrington)[::-1])
        return frozenset(int(weeks) for weeks in back) | frozenset(range(1, methods.farrington.limit_weeks))
    return frozenset()


def changed(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Series and weeks (`LATER`) of which other numbers are counted now than before; both of `COUNTED`.

    A week without a row is one without a report, as is a row of NULLs.
    """
    both = before.join(now, on=list(LATER), how="full", coalesce=True, suffix="_now")
    other = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_now")) for c in ("cases", "deaths"))
    return both.filter(other).select(list(LATER))


def felt(late: pl.DataFrame, rules: Sequence[Rule], judged: Iterable[date]) -> pl.DataFrame:
    """The weeks (`LATER`) in which late changes (`LATER`) are felt, of those that were ``judged`` (Mondays)."""
    looking: dict[str, set[int]] = {}
    for rule in rules:
        looking.setdefault(rule.disease, set()).update(reach(rule))
    weeks, days = sorted(set(judged)), late["week_start"].unique().to_list()
    pairs = [
        (disease, day, week)
        for disease, offsets in looking.items()
        for day in days
        for week in weeks
        if (week - day).days // 7 in offsets
    ]
    schema = {"disease_code": pl.String, "week_start": pl.Date, "later": pl.Date}
    reached = late.join(pl.DataFrame(pairs, schema=schema, orient="row"), on=["disease_code", "week_start"])
    return reached.select(*SERIES, week_start="later").unique().sort(list(LATER))
