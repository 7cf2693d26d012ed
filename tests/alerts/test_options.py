"""Settings of Farrington flexible that mean nothing are refused."""

from __future__ import annotations

import pytest

from hic_assets.alerts import FarringtonOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"years_back": 0},
        {"half_window": -1},
        {"half_window": 26},
        {"periods": 0},
        {"periods": 47},
        {"past_weeks_excluded": -1},
        {"past_weeks_excluded": 260},
        {"weights_threshold": 0},
        {"trend_p": 2},
        {"alpha": 0},
        {"alpha": 0.5},
        {"method": "other"},
        {"power": "1"},
        {"limit_cases": -1},
        {"limit_weeks": 0},
        {"errors": "other"},
    ],
)
def test_settings_out_of_range(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FarringtonOptions(**wrong)
