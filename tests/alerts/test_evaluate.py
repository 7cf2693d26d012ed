"""Evaluation of rules, on cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hic_assets.alerts import Alerts, Outbreak, ears_c1, evaluate, fixed_threshold


def given_alarms(alarm: list[list[int]], known: list[list[int]] | None = None):
    """A rule that says what it is told: 1 is an alarm."""
    fires = np.array(alarm, dtype=bool)
    can = np.ones_like(fires) if known is None else np.array(known, dtype=bool)
    return lambda counts: Alerts(np.zeros(counts.shape), fires, can)


COUNTS = np.ones((2, 10))
OUTBREAKS = [Outbreak(0, 3, 3), Outbreak(1, 6, 2)]


def test_by_hand() -> None:
    rule = given_alarms([[0, 1, 0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]])
    result = evaluate(COUNTS, OUTBREAKS, {"rule": rule})["rule"]
    assert (result.outbreaks, result.detected, result.sensitivity) == (2, 1, 0.5)
    # 7 and 8 quiet weeks; the alarm before the first outbreak, and the one after the second.
    assert (result.series_weeks, result.false_alarms, result.false_alarm_rate) == (15, 2, 2 / 15)
    assert (result.days, result.median_days) == ((14,), 14.0)


def test_alarm_in_the_first_week_is_zero_days_and_later_ones_do_not_count() -> None:
    rule = given_alarms([[0, 0, 0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]])
    result = evaluate(COUNTS, OUTBREAKS, {"rule": rule})["rule"]
    assert (result.days, result.median_days, result.false_alarms) == ((0, 7), 3.5, 0)


def test_settling_weeks_are_neither() -> None:
    rule = given_alarms([[0] * 10, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]])
    result = evaluate(COUNTS, OUTBREAKS, {"rule": rule}, settling=1)["rule"]
    assert (result.detected, result.series_weeks, result.false_alarms) == (0, 13, 1)


def test_unknown_weeks_are_not_quiet_weeks() -> None:
    known = [[0] * 6 + [1] * 4, [1] * 10]
    rule = given_alarms([[0] * 10, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0]], known)
    result = evaluate(COUNTS, OUTBREAKS, {"rule": rule})["rule"]
    assert (result.sensitivity, result.unjudged_outbreaks, result.series_weeks) == (0.5, 1, 12)


def test_nothing_to_divide_by() -> None:
    rule = given_alarms([[0] * 10] * 2, [[0] * 10] * 2)
    result = evaluate(COUNTS, [], {"rule": rule})["rule"]
    assert (result.sensitivity, result.false_alarm_rate, result.median_days) == (None, None, None)


def test_overlapping_outbreaks_take_their_weeks_once() -> None:
    rule = given_alarms([[0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [0] * 10])
    result = evaluate(COUNTS, [Outbreak(0, 3, 3), Outbreak(0, 4, 4)], {"rule": rule})["rule"]
    assert (result.days, result.series_weeks) == ((7, 0), 15)


def test_real_rules_side_by_side() -> None:
    counts = np.tile([2.0, 3.0], (1, 15))
    counts[0, 20:22] = [30, 40]
    rules = {"single": fixed_threshold, "c1": ears_c1}
    results = evaluate(counts, [Outbreak(0, 20, 2)], rules, settling=8)
    assert list(results) == ["single", "c1"]
    assert (results["single"].false_alarm_rate, results["single"].median_days) == (1.0, 0.0)
    assert (results["c1"].sensitivity, results["c1"].false_alarms, results["c1"].series_weeks) == (1.0, 0, 13)


@pytest.mark.parametrize("outbreak", [Outbreak(2, 0, 1), Outbreak(0, 9, 2), Outbreak(0, -1, 2), Outbreak(0, 3, 0)])
def test_outbreak_outside(outbreak: Outbreak) -> None:
    with pytest.raises(ValueError, match="not inside"):
        evaluate(COUNTS, [outbreak], {})


def test_wrong_shapes() -> None:
    with pytest.raises(ValueError, match="series, weeks"):
        evaluate(np.ones(10), [], {})
    with pytest.raises(ValueError, match="settling"):
        evaluate(COUNTS, [], {}, settling=-1)
    with pytest.raises(ValueError, match="Rule r gave"):
        evaluate(COUNTS, [], {"r": lambda counts: ears_c1(counts[0])})
