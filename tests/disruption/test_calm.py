"""How often months of calm series are tagged, and taken for disrupted: the numbers of docs/data-quality.md."""

from __future__ import annotations

import numpy as np
import pytest

from hic_assets.disruption.chart import control_chart, published_chart
from hic_assets.disruption.tags import disrupted, tags


def shares(number: int, season: float, noise: float) -> list[float]:
    """Of the months of 40 made series: tagged, disrupted, tagged as published."""
    months, place = np.arange(np.datetime64("2022-01"), np.datetime64("2022-01") + number), np.arange(number)
    found = []
    for seed in range(40):
        off = np.random.default_rng(seed).normal(0, noise, number)
        counts = 1000 * (1 + season * np.sin(place * np.pi / 6) + off)
        chart = control_chart(months, counts)
        tagged = tags(counts, chart).any
        published = tags(counts, published_chart(chart, counts)).published
        found.append([one.mean() for one in (tagged, disrupted(counts, chart, tagged), published)])
    return np.mean(found, axis=0).tolist()


@pytest.mark.parametrize(("noise", "taken"), [(0.02, 0.0), (0.05, 0.035), (0.1, 0.187)])
def test_with_three_years_and_a_season_of_a_fifth(noise: float, taken: float) -> None:
    tagged, found, published = shares(36, 0.2, noise)
    assert (tagged, found) == (pytest.approx(0.333, abs=0.01), pytest.approx(taken, abs=0.01))
    assert published > 0.48


def test_with_less_than_three_years_a_season_is_taken_for_disruption() -> None:
    assert shares(18, 0.2, 0.02)[1] == pytest.approx(0.57, abs=0.02)
    assert shares(18, 0.0, 0.02)[1] == 0
