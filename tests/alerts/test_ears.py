"""EARS C1 to C3: against R, against the definition written out, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.alerts import ears_c1, ears_c2, ears_c3

from .reference_numbers import TIGHT, column, groups, rows, series

FIRST, LAST = 12, 70
RULES = {"C1": ears_c1, "C2": ears_c2, "C3": ears_c3}
COUNTS = st.lists(st.integers(0, 60), min_size=14, max_size=30)


@pytest.mark.parametrize("sigma", ["0", "0.5"])
@pytest.mark.parametrize("method", ["C1", "C2", "C3"])
@pytest.mark.parametrize("name", list(series()))
def test_as_in_r(name: str, method: str, sigma: str) -> None:
    lines = groups("ears.csv", "series")[(name,)]
    form = {"form": "surveillance"} if method == "C3" else {}
    alerts = RULES[method](series()[name], min_sigma=float(sigma), **form)
    weeks = slice(FIRST - 1, LAST)
    expected = column(lines, f"{method}_{sigma}")
    np.testing.assert_allclose(alerts.upper[weeks], expected, rtol=TIGHT, atol=1e-11)
    alarms = column(lines, f"{method}_{sigma}_alarm")
    np.testing.assert_array_equal(alerts.known[weeks], ~np.isnan(alarms))
    np.testing.assert_array_equal(alerts.alarm[weeks], alarms == 1)


def test_other_baseline_and_alpha_as_in_r() -> None:
    alerts = ears_c2(series()["outbreaks"], baseline=5, alpha=0.01)
    expected = column(rows("ears_baseline_5.csv"), "upper")
    np.testing.assert_allclose(alerts.upper[FIRST - 1 : LAST], expected, rtol=TIGHT)


@pytest.mark.parametrize("sigma", [0.5, 1.0])
@pytest.mark.parametrize("name", ["low", "seasonal", "outbreaks", "overdispersed", "sparse_season", "large"])
def test_published_c3_is_its_sum(name: str, sigma: float) -> None:
    """The bound says the same as C3(t) = sum of max(0, C2 - 1) over three weeks, which is written out here."""
    counts = series()[name]
    z = 1.959963984540054
    alerts = ears_c3(counts, min_sigma=sigma)
    for week in range(11, len(counts)):
        total = 0.0
        for each in (week, week - 1, week - 2):
            baseline = counts[each - 9 : each - 2]
            total += max(0.0, (counts[each] - baseline.mean()) / max(baseline.std(ddof=1), sigma) - 1)
        assert alerts.known[week]
        assert alerts.alarm[week] == (total > z and counts[week] > 0)


def test_published_c3_sees_this_week_and_r_does_not() -> None:
    counts = [3, 4, 5, 3, 4, 5, 3, 4, 5, 3, 4, 40]
    assert ears_c3(counts).alarm[-1]
    assert not ears_c3(counts, form="surveillance").alarm[-1]


def test_first_weeks_are_unknown() -> None:
    counts = np.arange(20)
    for rule, first in ((ears_c1, 7), (ears_c2, 9), (ears_c3, 11)):
        alerts = rule(counts)
        assert not alerts.known[:first].any()
        assert np.isnan(alerts.upper[:first]).all()
        assert alerts.known[first:].all()


@pytest.mark.parametrize("rule", RULES.values())
@pytest.mark.parametrize("length", [0, 1, 7, 9])
def test_too_short_series_cannot_say(rule, length: int) -> None:
    alerts = rule(np.full(length, 3.0))
    assert alerts.known.tolist() == [False] * length if length < 8 else not alerts.alarm.any()
    assert not alerts.alarm.any()


@pytest.mark.parametrize("rule", RULES.values())
def test_missing_weeks_are_unknown_and_not_zero(rule) -> None:
    counts = np.full(40, 5.0)
    counts[20] = np.nan
    alerts = rule(counts)
    assert not alerts.known[20]
    assert not alerts.alarm.any()
    assert alerts.known[19]
    assert alerts.known[39]
    after = {ears_c1: range(21, 28), ears_c2: range(23, 30), ears_c3: range(21, 32)}[rule]
    assert not alerts.known[list(after)].any()


@given(st.integers(0, 10_000), st.integers(12, 40), st.sampled_from([0.0, 0.5]))
def test_constant_series_never_fires(level: int, length: int, sigma: float) -> None:
    for rule in RULES.values():
        alerts = rule(np.full(length, level), min_sigma=sigma)
        assert not alerts.alarm.any()
        assert alerts.known[11:].all()


@given(COUNTS, st.integers(1, 100), st.sampled_from(["C1", "C2", "C3", "R"]))
def test_more_cases_never_remove_an_alarm(counts: list[int], more: int, which: str) -> None:
    def rule(values):
        return ears_c3(values, form="surveillance") if which == "R" else RULES[which](values)

    before, after = rule(counts), rule([*counts[:-1], counts[-1] + more])
    assert after.alarm[-1] >= before.alarm[-1]
    np.testing.assert_array_equal(before.alarm[:-1], after.alarm[:-1])


@given(COUNTS, st.sampled_from([0.0, 1.0]), st.sampled_from(["C1", "C2", "C3", "R"]))
def test_score_says_what_the_bound_says(counts: list[int], sigma: float, which: str) -> None:
    form = {"form": "surveillance"} if which == "R" else {}
    alerts = RULES["C3" if which == "R" else which](counts, min_sigma=sigma, **form)
    np.testing.assert_array_equal(np.isnan(alerts.score), ~alerts.known)
    near = np.isclose(alerts.score, 1)  # rounding decides
    np.testing.assert_array_equal((alerts.score > 1)[~near], alerts.alarm[~near])


@given(COUNTS, st.integers(2, 1000))
@settings(max_examples=50)
def test_bounds_scale_with_counts(counts: list[int], factor: int) -> None:
    for rule in (ears_c1, ears_c2):
        once, scaled = rule(counts), rule(np.array(counts) * factor, min_sigma=0.0)
        np.testing.assert_allclose(scaled.upper, once.upper * factor, rtol=1e-9)


@pytest.mark.parametrize("rule", RULES.values())
def test_series_side_by_side(rule) -> None:
    counts = np.array([series()["low"], series()["missing"], series()["large"]])
    together = rule(counts)
    for row, alone in enumerate(counts):
        np.testing.assert_array_equal(together.upper[row], rule(alone).upper)
        np.testing.assert_array_equal(together.alarm[row], rule(alone).alarm)


@pytest.mark.parametrize("wrong", [{"baseline": 2}, {"alpha": 0}, {"alpha": 1}, {"min_sigma": -1}])
def test_settings_out_of_range(wrong) -> None:
    for rule in RULES.values():
        with pytest.raises(ValueError, match=next(iter(wrong))):
            rule(np.ones(20), **wrong)


@pytest.mark.parametrize("wrong", [[1, -1, 2], [1, np.inf], 5])
def test_counts_that_are_none(wrong) -> None:
    with pytest.raises(ValueError, match=r"[Cc]ounts"):
        ears_c1(wrong)
