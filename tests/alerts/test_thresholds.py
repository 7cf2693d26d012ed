"""Fixed thresholds, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hic_assets.alerts import fixed_threshold

NAN = np.nan


def test_any_case_fires() -> None:
    alerts = fixed_threshold([0, 1, 0, 7, NAN])
    assert alerts.alarm.tolist() == [False, True, False, True, False]
    assert alerts.known.tolist() == [True, True, True, True, False]
    assert alerts.upper.tolist() == [0, 0, 0, 0, 0]


def test_three_in_one_week() -> None:
    assert fixed_threshold([2, 3, 4], threshold=3).alarm.tolist() == [False, True, True]


def test_cases_of_four_weeks() -> None:
    alerts = fixed_threshold([0, 0, 0, 2, 2, 0, 1, 0, 0], threshold=5, weeks=4)
    assert alerts.alarm.tolist() == [False] * 6 + [True, False, False]
    # Three weeks are missing before the series: what is not known is not "no alarm".
    assert alerts.known.tolist() == [False] * 3 + [True] * 6
    assert alerts.upper[6] == 0
    assert alerts.upper[5] == 0


def test_missing_week_does_not_hide_what_was_reported() -> None:
    alerts = fixed_threshold([0, 0, 5, NAN, 0, 0, 0], threshold=5, weeks=3)
    assert alerts.alarm.tolist() == [False, False, True, True, True, False, False]
    assert alerts.known.tolist() == [False, False, True, True, True, False, True]


def test_several_series_and_no_weeks() -> None:
    alerts = fixed_threshold([[0, 2], [3, 0]], threshold=2)
    assert alerts.alarm.tolist() == [[False, True], [True, False]]
    assert fixed_threshold([], weeks=4).alarm.shape == (0,)


@pytest.mark.parametrize(("threshold", "weeks"), [(0, 1), (1, 0)])
def test_settings_out_of_range(threshold: int, weeks: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        fixed_threshold([1], threshold=threshold, weeks=weeks)
