"""The control chart: against R, by hand, and properties."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.disruption.chart import chart_of, control_chart, predicted, published_chart, smoothed, without_gaps

from .reference_numbers import SERIES, SHAPES, months_of, table

NAN = np.nan
COUNTS = st.lists(st.integers(50, 1000).map(float), min_size=12, max_size=40).map(np.array)


def months(number: int) -> np.ndarray:
    return np.arange(np.datetime64("2022-01"), np.datetime64("2022-01") + number)


@pytest.mark.parametrize("district", range(4))
@pytest.mark.parametrize("shape", SHAPES)
def test_predicted_as_in_r(shape: str, district: int) -> None:
    of_series = (pl.col("shape") == shape) & (pl.col("district") == district)
    one, expected = SERIES.filter(of_series), table("predicted.csv").filter(of_series)
    found = predicted(months_of(one), one["count"].to_numpy())
    # R's scale divides by 0.6745, which is rounded: the fits differ in the sixth digit.
    np.testing.assert_allclose(found, expected["predicted"].to_numpy(), rtol=2e-5)
    # Where R stops by itself, it is as near as it goes.
    np.testing.assert_allclose(found, expected["as_published"].to_numpy(), rtol=1e-3)


def test_gaps_and_months_below_half_the_mean_are_bridged() -> None:
    # The mean of the seven is 90: 30 is below half of it.
    counts = np.array([NAN, 100.0, NAN, 120.0, 30.0, 100.0, 90.0, 100.0, NAN])
    assert without_gaps(counts).tolist() == [100, 100, 110, 120, 110, 100, 90, 100, 100]
    assert without_gaps(np.zeros(3)).tolist() == [0, 0, 0]


def test_the_median_is_of_seven_months_and_leaves_the_ends() -> None:
    assert smoothed(np.array([9.0, 1, 2, 3, 4, 5, 90, 7, 8])).tolist() == [9, 1, 2, 4, 4, 5, 90, 7, 8]
    assert smoothed(np.array([3.0, 1, 2])).tolist() == [3, 1, 2]


def test_the_spread_is_the_median_distance_from_the_median() -> None:
    # Residuals 0, 2, 4, 6, -20, median 2; distances 2, 0, 2, 4, 22, median 2.
    chart = chart_of(np.array([10.0, 12, 14, 16, -10, NAN]), np.full(6, 10.0))
    np.testing.assert_allclose(chart.control, [0, 1, 2, 3, -10, NAN], rtol=1e-6)


def test_a_line_is_predicted_exactly_and_a_single_fall_does_not_bend_it() -> None:
    line = 100 + 2.0 * months(20).astype("datetime64[D]").astype(float) / 30
    np.testing.assert_allclose(predicted(months(20), line), line, rtol=1e-9)
    fallen = line.copy()
    fallen[10] *= 0.6
    np.testing.assert_allclose(predicted(months(20), fallen), line, rtol=1e-3)


def test_the_season_stands_out_only_where_it_is_smoothed_away() -> None:
    place = np.arange(48)
    counts = 1000 + 200 * np.sin(place * np.pi / 6) + np.random.default_rng(5).normal(0, 10, 48)
    chart = control_chart(months(48), counts)
    assert np.abs(counts - chart.usual).max() < 40
    assert np.abs(counts - published_chart(chart, counts).usual).max() > 80


@given(counts=COUNTS, factor=st.sampled_from([0.5, 3.0, 64.0]))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_counting_does_not_matter(counts: np.ndarray, factor: float) -> None:
    one, other = predicted(months(len(counts)), counts), predicted(months(len(counts)), counts * factor)
    np.testing.assert_allclose(other, one * factor, rtol=1e-5, atol=1e-5 * factor)


@given(counts=COUNTS)
@settings(max_examples=40, deadline=None)
def test_nothing_is_expected_below_zero_and_every_month_has_an_expectation(counts: np.ndarray) -> None:
    chart = control_chart(months(len(counts)), np.where(np.arange(len(counts)) == 3, NAN, counts))
    assert (chart.usual >= 0).all()
    assert np.isnan(chart.control).tolist() == [i == 3 for i in range(len(counts))]
