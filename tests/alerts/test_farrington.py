"""Farrington flexible: against R's farringtonFlexible, what it cannot say, and properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.alerts import FarringtonOptions, farrington_flexible
from hic_assets.alerts.farrington import baseline_levels
from hic_assets.alerts.fit import fit_counts, outbreak_weights

from .reference_numbers import TIGHT, column, groups, series

FIRST, LAST = 268, 313
NOUFAILY = FarringtonOptions()
SETTINGS = {
    "delta": NOUFAILY,
    "nbPlugin": FarringtonOptions(method="nbPlugin", trend_p=1),
    "muan": FarringtonOptions(method="muan"),
    "classic": FarringtonOptions(
        years_back=4, periods=1, past_weeks_excluded=3, weights_threshold=1, alpha=0.05, power="1/2"
    ),
    "plain": FarringtonOptions(
        years_back=3,
        half_window=2,
        periods=7,
        past_weeks_excluded=10,
        weights_threshold=None,
        trend=False,
        power="none",
    ),
}
# A smaller method, for what does not depend on the size: a year of 8 weeks, three of them.
SMALL = FarringtonOptions(years_back=3, half_window=1, periods=2, past_weeks_excluded=2, frequency=8)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", list(series()))
def test_as_in_r(name: str, setting: str) -> None:
    lines = groups("farrington.csv", "setting", "series")[setting, name]
    counts = series()[name][:LAST]
    alerts = farrington_flexible(counts, SETTINGS[setting], last=LAST - FIRST + 1)
    weeks = slice(FIRST - 1, LAST)
    upper, alarm = column(lines, "upper"), column(lines, "alarm")
    there = ~np.isnan(upper)
    # Where R has no bound, none is said here either, but for a report missing lately: it is the bound's no matter.
    missing_lately = np.array([np.isnan(counts[week - 4 : week]).any() for week in range(FIRST, LAST + 1)])
    assert np.isnan(alerts.upper[weeks][~there & ~missing_lately]).all()
    mine, expected = alerts.upper[weeks][there], upper[there]
    np.testing.assert_allclose(mine, expected, rtol=TIGHT, atol=1e-10)
    np.testing.assert_allclose(alerts.expected[weeks][there], column(lines, "expected")[there], rtol=TIGHT, atol=1e-10)
    np.testing.assert_allclose(alerts.dispersion[weeks][there], column(lines, "dispersion")[there], rtol=TIGHT)
    np.testing.assert_array_equal(alerts.trend[weeks][there], column(lines, "trend")[there] == 1)
    np.testing.assert_array_equal(alerts.alarm[weeks], alarm == 1)
    assert not alerts.known[weeks][np.isnan(alarm)].any()


def test_the_reference_has_what_it_is_there_for() -> None:
    alarms = {key: sum(line["alarm"] == "1" for line in lines) for key, lines in _reference().items()}
    trends = {key: sum(line["trend"] == "1" for line in lines) for key, lines in _reference().items()}
    assert alarms["delta", "rising"] == 8
    assert trends["delta", "falling"] == 46
    assert trends["delta", "low"] == 0
    assert 0 < trends["delta", "outbreaks"] < 46
    assert all(line["upper"] == "NA" for line in _reference()["delta", "zero"])


def _reference() -> dict:
    return groups("farrington.csv", "setting", "series")


def test_levels_of_the_season() -> None:
    levels = baseline_levels(NOUFAILY)
    assert len(levels) == 5 * 52 + 3 + 1
    assert levels[:7].tolist() == [10] * 7
    assert levels[7:52].tolist() == [part for part in range(1, 10) for _ in range(5)]
    assert levels[52:59].tolist() == [10] * 7
    assert not levels[-27:].any()
    assert levels[-28] > 0


def test_levels_share_what_is_over() -> None:
    # 52 - 5 = 47 weeks in 6 parts: the first five have 8.
    levels = baseline_levels(SETTINGS["plain"])
    assert [int((levels[5:52] == part).sum()) for part in range(1, 7)] == [8, 8, 8, 8, 8, 7]


def test_levels_of_windows_only() -> None:
    levels = baseline_levels(SETTINGS["classic"])
    assert int((levels > 0).sum()) == 4 * 7
    assert set(levels[7:52]) == {0}


def test_too_short_series_cannot_say() -> None:
    full = len(baseline_levels(NOUFAILY))
    counts = np.random.default_rng(4).poisson(9, full).astype(float)
    short = farrington_flexible(counts[1:])
    assert np.isnan(short.upper).all()
    assert not short.known.any()
    assert not short.alarm.any()
    enough = farrington_flexible(counts)
    assert enough.known.tolist() == [False] * (full - 1) + [True]
    assert farrington_flexible([]).upper.shape == (0,)


def test_last_judges_the_same_weeks_only() -> None:
    counts = series()["outbreaks"][:270]
    every, last = farrington_flexible(counts), farrington_flexible(counts, last=2)
    np.testing.assert_array_equal(every.upper[-2:], last.upper[-2:])
    assert not last.known[:-2].any()
    assert every.known[-7:].all()


def test_missing_weeks_of_the_baseline_are_left_out() -> None:
    counts = np.tile([4.0, 5.0, 6.0, 5.0], 70)
    gap = counts.copy()
    gap[::9] = np.nan
    gap[-1] = counts[-1]
    with_zeros = np.nan_to_num(gap)
    expected = [farrington_flexible(each, last=1).expected[-1] for each in (counts, gap, with_zeros)]
    assert expected[1] == pytest.approx(expected[0], rel=0.05)
    assert expected[2] < 0.95 * expected[0]


def test_no_report_this_week_has_a_bound_and_no_verdict() -> None:
    counts = series()["seasonal"][:270].copy()
    counts[-1] = np.nan
    alerts = farrington_flexible(counts, last=1)
    assert alerts.upper[-1] > 0
    assert not alerts.known[-1]
    assert not alerts.alarm[-1]


def test_season_without_a_report_cannot_say() -> None:
    levels = baseline_levels(SMALL)
    counts = np.full(len(levels), 5.0)
    counts[levels == SMALL.periods] = np.nan
    assert np.isnan(farrington_flexible(counts, SMALL).upper[-1])


def test_baseline_almost_empty_cannot_say() -> None:
    counts = np.full(len(baseline_levels(SMALL)), np.nan)
    counts[[0, -1]] = 5
    assert not farrington_flexible(counts, SMALL).known[-1]


def test_few_cases_lately() -> None:
    counts = np.zeros(270)
    counts[::13] = 1
    counts[-4:] = [0, 0, 0, 4]
    four = farrington_flexible(counts, last=1)
    assert four.few[-1]
    assert four.known[-1]
    assert not four.alarm[-1]
    counts[-1] = 5
    five = farrington_flexible(counts, last=1)
    assert not five.few[-1]
    assert five.alarm[-1]
    counts[-4:] = [0, np.nan, 0, 4]
    unsure = farrington_flexible(counts, last=1)
    assert unsure.upper[-1] < 4
    assert not unsure.known[-1]
    assert not unsure.alarm[-1]
    counts[-4:] = [1, np.nan, 0, 4]
    assert farrington_flexible(counts, last=1).alarm[-1]


def test_recent_outbreak_is_not_its_own_baseline() -> None:
    counts = series()["seasonal"][:270].copy()
    counts[-1] = 200
    quiet = farrington_flexible(counts, last=1).upper[-1]
    counts[-27:-1] += 100
    assert farrington_flexible(counts, last=1).upper[-1] == quiet
    counts[-28] += 100
    assert farrington_flexible(counts, last=1).upper[-1] != quiet


def test_past_outbreak_weighs_less() -> None:
    counts = series()["outbreaks"][:270]
    weighed = farrington_flexible(counts, last=1)
    plain = farrington_flexible(counts, replace(NOUFAILY, weights_threshold=None), last=1)
    assert weighed.upper[-1] < plain.upper[-1]
    assert weighed.dispersion[-1] < plain.dispersion[-1]


def test_weights_sum_to_their_number() -> None:
    weights = outbreak_weights(np.array([0.1, -3.0, 2.58, 5.16]), 2.58)
    assert weights.sum() == pytest.approx(4)
    assert weights[0] / weights[3] == pytest.approx(5.16**2)
    assert weights[0] == weights[1] == weights[2]


def test_published_errors_are_the_ordinary_ones() -> None:
    """One column, no weights: the mean, and its error sqrt(phi / sum of counts) on the log scale."""
    counts = np.array([3.0, 9.0, 4.0, 12.0, 7.0])
    fit = fit_counts(counts, np.ones((5, 1)), None, "published")
    assert fit is not None
    log_mean, error = fit.predict(np.ones(1))
    phi = counts.var(ddof=1) / counts.mean()
    assert np.exp(log_mean) == pytest.approx(7, rel=1e-9)
    assert fit.dispersion == pytest.approx(phi, rel=1e-6)
    assert error == pytest.approx(np.sqrt(phi / counts.sum()), rel=1e-4)


def test_published_errors_keep_fewer_trends() -> None:
    counts = series()["outbreaks"][:LAST]
    published = farrington_flexible(counts, replace(NOUFAILY, errors="published"), last=46)
    in_r = farrington_flexible(counts, last=46)
    assert published.known[-46:].all()
    assert published.trend.sum() < in_r.trend.sum()


def test_trend_needs_three_years() -> None:
    counts = series()["falling"]
    two = replace(NOUFAILY, years_back=2)
    assert not farrington_flexible(counts, two, last=5).trend.any()
    assert farrington_flexible(counts, replace(two, years_back=3), last=5).trend[-5:].all()


def test_mean_too_large_for_a_float_cannot_say() -> None:
    """Method muan with a season that never had a case: its error has no bound."""
    counts = series()["sparse_season"][:300]
    assert not farrington_flexible(counts, SETTINGS["muan"], last=1).known[-1]


HISTORIES = st.lists(st.integers(0, 40), min_size=25, max_size=25)
METHODS = st.sampled_from(["delta", "nbPlugin", "muan"])


@given(HISTORIES, st.integers(0, 60), st.integers(1, 60), METHODS)
@settings(max_examples=40, deadline=None)
def test_more_cases_never_remove_an_alarm(history: list[int], now: int, more: int, method) -> None:
    options = replace(SMALL, method=method)
    before = farrington_flexible([*history, now], options, last=1)
    after = farrington_flexible([*history, now + more], options, last=1)
    assert after.alarm[-1] >= before.alarm[-1]
    np.testing.assert_array_equal(after.upper, before.upper)


@given(HISTORIES, st.sets(st.integers(0, 24), max_size=25), METHODS)
@settings(max_examples=40, deadline=None)
def test_any_gaps_give_a_bound_or_none(history: list[int], gaps: set[int], method) -> None:
    counts = np.array([*history, 12], dtype=float)
    counts[sorted(gaps)] = np.nan
    alerts = farrington_flexible(counts, replace(SMALL, method=method), last=1)
    assert not np.any(alerts.alarm & ~alerts.known)
    if not np.isnan(alerts.upper[-1]):
        assert alerts.upper[-1] >= 0
        assert alerts.dispersion[-1] >= 1


@given(st.integers(1, 1_000_000))
@settings(max_examples=20, deadline=None)
def test_constant_series_never_fires(level: int) -> None:
    for method in ("delta", "nbPlugin", "muan"):
        alerts = farrington_flexible(np.full(26, level), replace(SMALL, method=method), last=1)
        assert alerts.known[-1]
        assert not alerts.alarm[-1]
        assert alerts.expected[-1] == pytest.approx(level, rel=1e-6)


def test_types_and_shapes_do_not_matter() -> None:
    counts = np.array([series()["low"][:266], series()["rising"][:266]])
    together = farrington_flexible(counts[:, None, :])
    assert together.upper.shape == (2, 1, 266)
    for row in range(2):
        alone = farrington_flexible(counts[row].astype(int).tolist())
        np.testing.assert_array_equal(together.upper[row, 0], alone.upper)
        np.testing.assert_array_equal(together.trend[row, 0], alone.trend)


def test_last_out_of_range() -> None:
    with pytest.raises(ValueError, match="last"):
        farrington_flexible(np.ones(300), last=0)
