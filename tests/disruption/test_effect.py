"""The disruption regression: against R, by hand, and properties."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.disruption.effect import Tagged, share_of_expected, undisrupted, with_tag

from .reference_numbers import SERIES, SHAPES, months_of, table


def months(number: int) -> np.ndarray:
    return np.arange(np.datetime64("2022-01"), np.datetime64("2022-01") + number)


def rows_of_one(counts: np.ndarray, tagged: list[int]) -> tuple[np.ndarray, ...]:
    """One district."""
    place = np.arange(len(counts))
    return months(len(counts)), np.zeros(len(counts), dtype=np.int64), counts, np.isin(place, tagged)


@pytest.mark.parametrize("districts", [4, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_as_in_r(shape: str, districts: int) -> None:
    rows = SERIES.filter(pl.col("shape") == shape).drop_nulls("count")
    if districts == 1:
        rows = rows.filter(pl.col("district") == 1)
    number = rows["district"].rank("dense").to_numpy().astype(np.int64) - 1
    tagged = rows["tagged"].to_numpy() == 1
    counts = rows["count"].to_numpy()
    given_rows = (months_of(rows), number, counts, tagged)
    found, rest = with_tag(*given_rows), undisrupted(*given_rows)
    assert found is not None and found.p is not None and rest is not None
    (said,) = table("effect.csv").filter(shape=shape, districts=districts).to_dicts()
    assert found.p == pytest.approx(said["p"], rel=1e-6)
    assert share_of_expected(counts, found.expected, tagged) == pytest.approx(said["b"], rel=1e-8)
    for name, expected in (("expected", found.expected), ("undisrupted", rest)):
        assert expected[tagged].sum() == pytest.approx(said[f"{name}_tagged"], rel=1e-9)
        assert expected.sum() == pytest.approx(said[f"{name}_all"], rel=1e-9)


def test_a_fall_by_hand() -> None:
    """100 each month but for two of 60: without these a line of 100."""
    counts = np.full(14, 100.0)
    counts[[5, 6]] = 60
    rows = rows_of_one(counts, [5, 6])
    for expected in (undisrupted(*rows), told(with_tag(*rows)).expected):
        assert expected is not None
        np.testing.assert_allclose(expected, 100)
        assert share_of_expected(counts, expected, rows[-1]) == pytest.approx(-0.4)


def test_a_fall_and_a_rise_cancel_out_in_one_coefficient_only() -> None:
    counts = np.full(20, 100.0)
    counts[[5, 6]] = 60
    counts[[12, 13]] = 140
    rows = rows_of_one(counts, [5, 6, 12, 13])
    expected = undisrupted(*rows)
    assert expected is not None
    np.testing.assert_allclose(expected, 100)
    # The trend is bent towards the fall and the rise.
    assert abs(told(with_tag(*rows)).expected - 100).max() > 5


def test_without_a_tag_there_is_no_coefficient_and_all_months_say_what_is_expected() -> None:
    rows = rows_of_one(np.arange(12.0), [])
    expected = undisrupted(*rows)
    assert expected is not None and with_tag(*rows) is None
    # Months have not all the same days.
    np.testing.assert_allclose(expected, np.arange(12.0), atol=0.1)
    assert share_of_expected(np.arange(12.0), expected, rows[-1]) is None


def test_what_cannot_be_told_apart_is_not_said() -> None:
    all_months = rows_of_one(np.full(12, 5.0), list(range(12)))
    # Each January, of three years, is tagged: that is the season.
    januaries, two_of_three = (rows_of_one(np.arange(36.0), tagged) for tagged in ([0, 12, 24], [0, 12]))
    assert [undisrupted(*rows) is None for rows in (all_months, januaries, two_of_three)] == [True, True, False]
    assert [with_tag(*rows) is None for rows in (all_months, januaries, two_of_three)] == [True, True, False]


def test_a_month_without_the_large_district_is_no_fall() -> None:
    place = np.tile(np.arange(14), 2)
    district = np.repeat([0, 1], 14)
    counts = np.where(district == 1, 1000.0, 10.0)
    kept = ~((district == 1) & (place == 6))
    tagged = np.isin(place, [6, 7])
    rows = (months(14)[place[kept]], district[kept], counts[kept], tagged[kept])
    for expected in (undisrupted(*rows), told(with_tag(*rows)).expected):
        assert expected is not None
        np.testing.assert_allclose(expected, counts[kept])


@given(size=st.integers(100, 10_000), share=st.floats(0.05, 0.9), where=st.integers(4, 18), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_planted_fall_is_found_and_scales(size: int, share: float, where: int, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.002, 23)
    counts = size * (1 + noise)
    counts[where : where + 3] *= 1 - share
    tagged = list(range(where, where + 3))
    rows, doubled = rows_of_one(counts, tagged), rows_of_one(2 * counts, tagged)
    expected, twice = undisrupted(*rows), undisrupted(*doubled)
    assert expected is not None and twice is not None
    assert share_of_expected(counts, expected, rows[-1]) == pytest.approx(-share, abs=0.01)
    np.testing.assert_allclose(twice, 2 * expected)
    assert told(with_tag(*doubled)).p == pytest.approx(told(with_tag(*rows)).p, rel=1e-4, abs=1e-12)
    # What the other months have more and less than the line cancels out.
    assert expected[~rows[-1]].sum() == pytest.approx(counts[~rows[-1]].sum())


@given(lost=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_what_is_expected_does_not_depend_on_what_is_lost(lost: list[float]) -> None:
    counts = np.random.default_rng(8).normal(1000, 30, 24)
    fallen = counts.copy()
    fallen[10:13] *= lost
    one, other = (undisrupted(*rows_of_one(values, [10, 11, 12])) for values in (counts, fallen))
    assert one is not None and other is not None
    np.testing.assert_allclose(one, other)


def told(found: Tagged | None) -> Tagged:
    assert found is not None
    return found
