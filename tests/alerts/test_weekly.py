"""Verdicts of weeks: which rule is asked where, what it says, and why where it cannot."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.alerts import ears_c1, ears_c2, ears_c3, farrington_flexible
from hic_assets.alerts.judge import Series, judge
from hic_assets.alerts.rules import HISTORY_WEEKS, METHODS, Measure, Method, Rule
from hic_assets.alerts.weekly import COUNTS, KEY, VERDICTS, verdicts

FIRST = date(2019, 12, 30)
SINGLE = Rule("VHF", "single", Method.FIXED, threshold=1, weeks=1)
FOUR_WEEKS = Rule("VHF", "five", Method.FIXED, threshold=5, weeks=4)
DEATH = Rule("VHF", "death", Method.FIXED, Measure.DEATHS, threshold=1, weeks=1)
RATE = Rule("VHF", "rate", Method.RATE, threshold=3)
FARRINGTON = Rule("VHF", "farrington", Method.FARRINGTON)
EARS = tuple(Rule("VHF", m.value, m) for m in (Method.EARS_C1, Method.EARS_C2, Method.EARS_C3))


def monday(week: int) -> date:
    return FIRST + timedelta(weeks=week)


def counted(*cases: float | None, district: str = "101", disease: str = "VHF", deaths: int = 0) -> pl.DataFrame:
    """Counts from the first week on; None is a week without a report."""
    rows = [
        (disease, district, monday(week), n if n is None else int(n), None if n is None else deaths)
        for week, n in enumerate(cases)
    ]
    return pl.DataFrame(rows, schema=COUNTS, orient="row")


def years(many: int, seed: int = 1, level: float = 8.0) -> list[float]:
    """Counts of so many years of 52 weeks, the half window, and one more week."""
    return np.random.default_rng(seed).poisson(level, many * 52 + 4).astype(float).tolist()


def said(frame: pl.DataFrame) -> dict[str, tuple[bool | None, str | None]]:
    """By rule: whether it fired, and why it cannot say."""
    return {row["rule_code"]: (row["has_fired"], row["why_unknown"]) for row in frame.to_dicts()}


def test_one_row_a_disease_district_week_and_rule() -> None:
    counts = pl.concat([counted(0, 1, 0), counted(0, 0, 2, district="102"), counted(3, 3, 3, disease="ILI")])
    found = verdicts(counts, [SINGLE, DEATH], [monday(2), monday(1), monday(2)])
    assert found.schema == VERDICTS
    assert found.select(KEY).rows() == [
        ("VHF", district, monday(week), rule)
        for district in ("101", "102")
        for week in (1, 2)
        for rule in ("death", "single")
    ]
    fired = found.filter("has_fired").select("district_code", "week_start", "rule_code", "cases", "observed", "upper")
    assert fired.rows() == [("101", monday(1), "single", 1, 1.0, 0.0), ("102", monday(2), "single", 2, 2.0, 0.0)]


def test_a_week_without_a_report_is_not_zero() -> None:
    found = verdicts(counted(1, 1, None), [SINGLE, FOUR_WEEKS, DEATH, RATE], [monday(2)], {"101": 200_000})
    assert set(said(found).values()) == {(None, "not_reported")}
    numbers = found.select("cases", "deaths", "upper", "expected", "score", "has_fired")
    assert set(numbers.rows()) == {(None,) * 6}


def test_a_week_that_is_not_there_is_one_without_a_report() -> None:
    gap = counted(1, 1, 1, 1, 1).filter(pl.col("week_start") != monday(2))
    found = verdicts(gap, [SINGLE, FOUR_WEEKS], [monday(2), monday(4), monday(9)])
    by_week = {week: said(rows) for (week,), rows in found.group_by(["week_start"])}
    assert by_week[monday(2)] == {"single": (None, "not_reported"), "five": (None, "not_reported")}
    assert by_week[monday(4)] == {"single": (True, None), "five": (None, "history_incomplete")}
    assert by_week[monday(9)] == {"single": (None, "not_reported"), "five": (None, "not_reported")}


def test_four_weeks_together_with_this_one() -> None:
    found = verdicts(counted(9, 1, 1, 1, 2), [FOUR_WEEKS], [monday(4)])
    assert found.select("cases", "observed", "upper", "score", "has_fired").row(0) == (2, 5.0, 4.0, 1.0, True)
    assert said(verdicts(counted(9, 1, 1, 1, 1), [FOUR_WEEKS], [monday(4)])) == {"five": (False, None)}
    # Weeks before the series began may hold any number; what was reported is enough all the same.
    assert said(verdicts(counted(1, 3), [FOUR_WEEKS], [monday(1)])) == {"five": (None, "history_too_short")}
    assert said(verdicts(counted(1, 4), [FOUR_WEEKS], [monday(1)])) == {"five": (True, None)}
    assert said(verdicts(counted(4, None, 1), [FOUR_WEEKS], [monday(2)])) == {"five": (True, None)}


@pytest.mark.parametrize(("cases", "fires"), [(8, False), (9, True)])
def test_a_rate_is_of_the_people_who_live_there(cases: int, fires: bool) -> None:
    # 3 per 100,000 of 300,000 are 9.
    found = verdicts(counted(cases), [RATE], [FIRST], {"101": 300_000})
    assert found.select("has_fired", "upper", "score").row(0) == (fires, 8.0, cases / 9)
    assert said(verdicts(counted(cases), [RATE], [FIRST])) == {"rate": (None, "no_population")}
    assert said(verdicts(counted(0, 1), [RATE], [monday(1)], {"101": 1000.0})) == {"rate": (True, None)}
    assert said(verdicts(counted(0, 0), [RATE], [monday(1)], {"101": 1000.0})) == {"rate": (False, None)}


@pytest.mark.parametrize("position", [0, 1, 2])
def test_ears_needs_its_weeks(position: int) -> None:
    rule, needed = EARS[position], (7, 9, 11)[position]
    counts = counted(*[3, 4, 5] * 10)
    found = verdicts(counts, [rule], [monday(needed - 1), monday(needed)])
    assert found["why_unknown"].to_list() == ["history_too_short", None]
    late = verdicts(counted(*[None] * 10, *[3, 4, 5] * 10), [rule], [monday(9 + needed), monday(10 + needed)])
    assert late["why_unknown"].to_list() == ["history_too_short", None]
    gap = verdicts(counted(*[3, 4, 5] * 8, None, 4, 4, 4, 4), [rule], [monday(28)])
    assert gap["why_unknown"].to_list() == ["history_incomplete"]


def test_ears_says_what_the_method_says() -> None:
    cases = [*[3, 4, 5] * 6, 30, 12, 9]
    weeks = [monday(n) for n in range(12, len(cases))]
    found = verdicts(counted(*cases), EARS, weeks)
    for rule, method in zip(EARS, (ears_c1, ears_c2, ears_c3), strict=True):
        expected = method(np.array(cases, dtype=float), min_sigma=1.0)
        rows = found.filter(pl.col("rule_code") == rule.code)
        for name in ("expected", "upper", "score"):
            np.testing.assert_array_equal(rows[name].to_numpy(), getattr(expected, name)[12:])
        assert rows["has_fired"].to_list() == expected.alarm[12:].tolist()
        assert (rows["has_fired"] == (rows["score"] > 1)).all()
        assert rows["has_fired"].any()


@pytest.mark.parametrize("many", [3, 4, 5])
def test_farrington_takes_the_years_there_are(many: int) -> None:
    cases = years(many)
    cases[-1] = 40
    found = verdicts(counted(*cases), [FARRINGTON], [monday(len(cases) - 1)])
    options = METHODS.farrington
    alone = farrington_flexible(cases, type(options)(years_back=many, errors="published"), last=1)
    row = found.to_dicts()[0]
    assert (row["has_fired"], row["expected"], row["upper"]) == (True, alone.expected[-1], alone.upper[-1])
    assert row["score"] == pytest.approx((40 - row["expected"]) / (row["upper"] - row["expected"]))
    assert row["score"] > 1


def test_farrington_on_more_than_it_needs_looks_at_no_more() -> None:
    cases = years(7)
    here = monday(len(cases) - 1)
    whole = verdicts(counted(*cases), [FARRINGTON], [here])
    recent = counted(*cases).filter(pl.col("week_start") >= here - timedelta(weeks=HISTORY_WEEKS))
    assert whole.equals(verdicts(recent, [FARRINGTON], [here]))
    assert whole["why_unknown"].to_list() == [None]


def test_ears_stands_in_where_farrington_cannot_say() -> None:
    rules = (FARRINGTON, *EARS, SINGLE)
    short, long = years(3)[1:], years(3)
    begun = verdicts(counted(*short), rules, [monday(len(short) - 1)])
    assert said(begun)["farrington"] == (None, "history_too_short")
    assert {r for r, (_, why) in said(begun).items() if why is None} == {"single", "ears_c1", "ears_c2", "ears_c3"}
    assert set(said(verdicts(counted(*long), rules, [monday(len(long) - 1)]))) == {"farrington", "single"}
    silent = verdicts(counted(*long[:-1], None), rules, [monday(len(long) - 1)])
    assert said(silent) == {"farrington": (None, "not_reported"), "single": (None, "not_reported")}
    # Five years that never had a case: the regression gives nothing, and six cases are seen all the same.
    never = verdicts(counted(*[0] * 263, 6), rules, [monday(263)])
    assert said(never)["farrington"] == (None, "no_fit")
    assert said(never)["ears_c1"] == (True, None)


def test_ears_alone_is_asked_everywhere() -> None:
    deaths = Rule("VHF", "deaths", Method.FARRINGTON, Measure.DEATHS)
    long = years(3)
    found = verdicts(counted(*long), [*EARS, deaths], [monday(len(long) - 1)])
    assert {"ears_c1", "ears_c2", "ears_c3"} <= set(said(found))


def test_each_district_with_its_own_history() -> None:
    long = years(3)
    late = [None] * 30 + long[30:]
    counts = pl.concat([counted(*long), counted(*late, district="102")])
    found = verdicts(counts, [FARRINGTON], [monday(len(long) - 1)])
    assert found.select("district_code", "why_unknown").rows() == [("101", None), ("102", "history_too_short")]


def test_few_cases_lately_are_no_alarm() -> None:
    cases = [*[1, 0, 0, 0] * 40]
    cases = [float(n) for n in cases[: 3 * 52 + 3]] + [3.0]
    row = verdicts(counted(*cases), [FARRINGTON], [monday(len(cases) - 1)]).to_dicts()[0]
    assert row["observed"] > row["upper"] and row["score"] == 0.0 and row["has_fired"] is False


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=30, max_size=45), st.integers(12, 29), st.randoms())
@settings(max_examples=30)
def test_a_week_is_judged_by_what_came_before_it(cases: list[int | None], week: int, chance) -> None:
    rules = (SINGLE, FOUR_WEEKS, RATE, *EARS)
    asked, people = [monday(week)], {"101": 300_000.0}
    known = verdicts(counted(*cases[: week + 1]), rules, asked, people)
    later = [*cases[: week + 1], *[chance.randint(0, 99) for _ in cases[week + 1 :]]]
    assert known.equals(verdicts(counted(*later), rules, asked, people))
    assert known.equals(verdicts(counted(*later).sample(fraction=1, shuffle=True, seed=3), rules, asked, people))
    together = verdicts(counted(*later), rules, [monday(n) for n in range(len(later))], people)
    assert known.equals(together.filter(pl.col("week_start") == asked[0]))


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=25))
@settings(max_examples=30)
def test_a_verdict_or_a_reason(cases: list[int | None]) -> None:
    rules = (SINGLE, FOUR_WEEKS, RATE, DEATH, FARRINGTON, *EARS)
    found = verdicts(counted(*cases), rules, [monday(n) for n in range(len(cases))], {"101": 250_000})
    assert found.height >= 5 * len(cases)
    assert (found["has_fired"].is_null() == found["why_unknown"].is_not_null()).all()
    said_so = found.filter(pl.col("why_unknown").is_null())
    assert said_so["upper"].null_count() == 0
    assert (said_so["has_fired"] == (said_so["observed"] > said_so["upper"])).all()


def test_nothing_asked_and_nothing_known() -> None:
    assert verdicts(counted(1), [SINGLE], []).schema == VERDICTS
    assert verdicts(counted(1).clear(), [SINGLE], [FIRST]).is_empty()
    assert verdicts(counted(1), [], [FIRST]).is_empty()
    assert verdicts(counted(1), [SINGLE], [FIRST - timedelta(weeks=2)]).is_empty()


def test_counts_that_are_none() -> None:
    with pytest.raises(ValueError, match="Monday"):
        verdicts(counted(1), [SINGLE], [FIRST + timedelta(days=1)])
    with pytest.raises(ValueError, match="more than once"):
        verdicts(pl.concat([counted(1), counted(2)]), [SINGLE], [FIRST])
    with pytest.raises(ValueError, match="negative"):
        verdicts(counted(-1), [SINGLE], [FIRST])


def test_history_begins_with_the_first_report() -> None:
    series = Series(np.array([[np.nan, 1, np.nan, 2], [np.nan] * 4]), np.full(2, np.nan))
    assert series.history.tolist() == [[-1, 0, 1, 2], [-4, -3, -2, -1]]
    assert judge(SINGLE, series, np.array([3])).unknown.tolist() == [[""], ["not_reported"]]
