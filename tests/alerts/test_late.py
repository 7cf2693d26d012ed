"""Which later weeks a late change is felt in: held to what the methods really say when one number is changed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from hic_assets.alerts.farrington import baseline_levels
from hic_assets.alerts.late import COUNTED, LATER, changed, felt, reach
from hic_assets.alerts.options import FarringtonOptions
from hic_assets.alerts.rules import METHODS, Method, Rule

DAY = date(2024, 1, 1)


def rule(method: Method, disease: str = "MEASLES", **more: float) -> Rule:
    return Rule(disease, method.value, method, **more)  # type: ignore[arg-type]


def rows(*given: tuple[str, str, date, int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=COUNTED, orient="row")


@pytest.mark.parametrize(
    ("given", "weeks"),
    [
        (rule(Method.FIXED, threshold=1, weeks=1), set()),
        (rule(Method.FIXED, threshold=5, weeks=4), {1, 2, 3}),
        (rule(Method.RATE, threshold=3.0), set()),
        (rule(Method.EARS_C1), set(range(1, 8))),
        (rule(Method.EARS_C2), set(range(1, 10))),
        (rule(Method.EARS_C3), set(range(1, 12))),
        (rule(Method.FARRINGTON), {1, 2, 3, *range(27, 264)}),
    ],
)
def test_how_far_a_week_is_felt_follows_from_the_method(given: Rule, weeks: set[int]) -> None:
    assert reach(given) == weeks


def test_ears_looks_at_nothing_beyond_its_reach() -> None:
    usual = np.random.default_rng(5).poisson(6, 60).astype(float)
    for method in (Method.EARS_C1, Method.EARS_C2, Method.EARS_C3):
        other = usual.copy()
        other[30] += 40
        then, now = (METHODS.ears(method, counts) for counts in (usual, other))
        # A score of infinity is one of the two: compared as they are.
        moved = {i - 30 for i in range(60) if not np.array_equal([then.score[i]], [now.score[i]], equal_nan=True)}
        assert max(moved) <= max(reach(rule(method)))
        assert moved - {0}


def test_windows_alone_are_felt_a_year_later_only() -> None:
    levels = baseline_levels(FarringtonOptions(periods=1, years_back=1, half_window=2, past_weeks_excluded=26))
    assert set(np.flatnonzero(levels[::-1])) == {50, 51, 52, 53, 54}


def test_only_numbers_that_are_others_are_a_change() -> None:
    before = rows(
        ("A", "101", DAY, 3, 0), ("A", "102", DAY, None, None), ("A", "103", DAY, 2, 0), ("A", "104", DAY, 1, None)
    )
    now = rows(("A", "101", DAY, 3, 0), ("A", "103", DAY, 2, 1), ("A", "104", DAY, None, None), ("A", "105", DAY, 0, 0))
    assert sorted(changed(before, now)["district_code"]) == ["103", "104", "105"]
    assert changed(before, before).is_empty()


def test_it_is_felt_in_weeks_that_were_judged_and_in_no_other_series() -> None:
    late = pl.DataFrame([("A", "101", DAY), ("B", "102", DAY), ("NONE", "101", DAY)], schema=LATER, orient="row")
    rules = [rule(Method.EARS_C1, "A"), rule(Method.FIXED, "B", threshold=5, weeks=2)]
    judged = [DAY + timedelta(weeks=n) for n in (-1, 0, 1, 7, 8, 40)]
    found = felt(late, rules, judged)
    assert found.rows() == [
        ("A", "101", DAY + timedelta(weeks=1)),
        ("A", "101", DAY + timedelta(weeks=7)),
        ("B", "102", DAY + timedelta(weeks=1)),
    ]
