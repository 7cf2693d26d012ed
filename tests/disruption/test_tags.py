"""Tags of a chart, each by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.disruption.chart import Chart
from hic_assets.disruption.tags import Tags, disrupted, in_a_row, tags

NAN = np.nan
FLAGS = st.lists(st.booleans(), max_size=20)


def of_control(*control: float) -> Tags:
    """Counts near 100, which is usual, with these distances."""
    return tags(np.full(len(control), 100.0), Chart(np.full(len(control), 100.0), np.array(control)))


def of_counts(*counts: float) -> Tags:
    """Counts of which 100 is usual, none of them far off by spreads."""
    return tags(np.array(counts), Chart(np.full(len(counts), 100.0), np.where(np.isnan(counts), NAN, 0.0)))


def test_sharp_is_one_and_a_half_spreads_on_either_side() -> None:
    found = of_control(1.5, -1.5, 1.49, -1.49, NAN, 0)
    assert found.sharp.tolist() == [True, True, False, False, False, False]


def test_sustained_is_three_months_in_a_row_on_the_same_side() -> None:
    assert of_control(0, 1.1, 1.2, 1.3, 0).sustained.tolist() == [False, True, True, True, False]
    # Published, no month is ever sustained: neither these, nor any with a sharp one among them.
    assert of_control(-1.1, -2, -1.2).sustained.tolist() == [True] * 3
    assert not of_control(1.1, -1.2, 1.3).sustained.any()
    assert not of_control(1.1, 1.2, 0.9, 1.2).sustained.any()
    assert not of_control(1.1, 1.2, NAN, 1.2, 1.1).sustained.any()


def test_a_dip_is_three_months_below_nine_tenths_or_without_a_count() -> None:
    assert of_counts(100, 89, NAN, 80, 100).dip.tolist() == [False, True, True, True, False]
    assert not of_counts(89, 89, 90, 89, 89).dip.any()


def test_a_rise_is_three_months_above_ten_ninths() -> None:
    assert of_counts(112, 112, 112, 111, 112).rise.tolist() == [True, True, True, False, False]
    assert not of_counts(112, NAN, 112, 112).rise.any()


def test_missing_is_two_of_the_last_three() -> None:
    found = of_counts(NAN, 0, 100, 100, 0, 100, NAN, 100)
    assert found.missing.tolist() == [False, False, True, False, False, False, True, False]


def test_the_last_seven_months_are_tagged_as_published_only() -> None:
    calm = of_counts(*[100.0] * 10)
    assert not calm.any.any()
    assert calm.published.tolist() == [False] * 3 + [True] * 7
    # Nor does asking for it change the tags.
    assert not calm.sharp.any()


def test_disrupted_is_tagged_and_more_than_a_tenth_off() -> None:
    counts = np.array([89.0, 91, 111, 109, 89, NAN, 90])
    chart = Chart(np.full(7, 100.0), np.zeros(7))
    tagged = np.array([True, True, True, True, False, True, True])
    assert disrupted(counts, chart, tagged).tolist() == [True, False, True, False, False, False, False]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_less_than_three_months_are_no_run(number: int) -> None:
    assert in_a_row(np.ones(number, dtype=bool)).tolist() == [False] * number


@given(flags=FLAGS)
def test_runs_are_those_of_the_text(flags: list[bool]) -> None:
    text = "".join("x" if flag else "." for flag in flags)
    long_runs = ["x" * len(part) if len(part) >= 3 else "-" * len(part) for part in text.split(".")]
    assert in_a_row(np.array(flags, dtype=bool)).tolist() == [one == "x" for one in ".".join(long_runs)]


@given(flags=FLAGS)
def test_runs_are_the_same_backwards_and_of_themselves(flags: list[bool]) -> None:
    given_flags = np.array(flags, dtype=bool)
    found = in_a_row(given_flags)
    assert in_a_row(given_flags[::-1]).tolist() == found[::-1].tolist()
    assert in_a_row(found).tolist() == found.tolist()
    assert not (found & ~given_flags).any()
