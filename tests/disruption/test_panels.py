"""Places and indicators together: a planted disruption, a calm country, and what is not judged."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hic_assets.disruption.panels import COUNTS, DISRUPTIONS, disruptions

MONTHS = 36
FALL = [date(2023, 10, 1), date(2023, 11, 1), date(2023, 12, 1)]


def counts(
    district: str | None, values: np.ndarray, indicator: str = "anc1", province: str = "P1"
) -> list[tuple[Any, ...]]:
    """Rows of the months from January 2022, NaN as NULL."""
    return [
        (
            "C",
            province,
            district,
            indicator,
            date(2022 + i // 12, i % 12 + 1, 1),
            None if np.isnan(v) else float(v),
            1.0,
        )
        for i, v in enumerate(values)
    ]


def usual(size: float, seed: int, number: int = MONTHS, noise: float = 0.02) -> np.ndarray:
    """A calm service with a season of a fifth."""
    place = np.arange(number)
    off = np.random.default_rng(seed).normal(0, noise, number)
    return size * (1 + 0.2 * np.sin(place * np.pi / 6) + off)


def fallen(size: float, seed: int) -> np.ndarray:
    """The same with 40 % lost in three months (21 to 23) of 36."""
    values = usual(size, seed)
    values[21:24] *= 0.6
    return values


def judged(*rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return disruptions(pl.DataFrame([row for some in rows for row in some], schema=COUNTS, orient="row"))


def disrupted(found: pl.DataFrame, place: str) -> list[date]:
    return found.filter("is_disrupted", org_unit_uid=place)["period_start"].to_list()


def test_a_planted_disruption_is_found_where_it_is_and_nowhere_else() -> None:
    found = judged(
        counts("D1", fallen(1000, 1)), counts("D2", usual(1000, 2)), counts("D3", usual(500, 3), province="P2")
    )
    assert disrupted(found, "D1") == FALL
    assert disrupted(found, "D2") == disrupted(found, "D3") == disrupted(found, "P2") == []
    # Of two districts of a size one lost two fifths: a fifth of the province.
    assert disrupted(found, "P1") == FALL
    lost = found.filter(pl.col("period_start").is_in(FALL), org_unit_uid="D1")
    should = usual(1000, 1)[21:24].sum() * 0.4
    assert (lost["expected"] - lost["actual"]).sum() == pytest.approx(should, rel=0.05)
    assert lost["effect"].unique().len() == 1 and lost["p_value"][0] < 0.001


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_what_was_lost_is_told_without_bias_and_published_less_of_it(noise: float) -> None:
    """Two fifths lost in three months of 36, after two months a third over; in forty districts."""
    series = [usual(1000, seed, noise=noise) for seed in range(40)]
    true = sum(0.4 * one[21:24].sum() for one in series)
    for one in series:
        one[21:24] *= 0.6
        one[13:15] *= 1.3
    found = judged(*(counts(f"D{i}", one) for i, one in enumerate(series))).filter(level="district")
    assert found["why_unknown"].null_count() == found.height
    fallen_months = found.filter(pl.col("period_start").is_in(FALL))
    lost, lost_published = (
        (fallen_months[name] - fallen_months["actual"]).sum() / true for name in ("expected", "expected_published")
    )
    assert lost == pytest.approx(1, abs=0.02)
    assert lost_published < 0.8
    assert fallen_months["is_disrupted"].mean() > 0.97


def test_a_calm_country_is_left_alone_and_published_it_is_not() -> None:
    found = judged(*(counts(f"D{i}", usual(1000, i)) for i in range(8)))
    assert [disrupted(found, place) for place in found["org_unit_uid"].unique()] == [[]] * 10
    by_district = found.filter(level="district")
    # Published, the low season is tagged, and the last seven months.
    assert by_district["is_tagged_published"].mean() > 0.6


def test_places_are_the_sum_of_their_districts_and_of_what_is_in_none() -> None:
    found = judged(counts("D1", usual(100, 1)), counts(None, usual(50, 2)), counts("D2", usual(70, 3), province="P2"))
    assert found.schema == pl.Schema(DISRUPTIONS)
    assert found.unique(["level", "org_unit_uid"]).height == 1 + 2 + 2
    first = dict(found.filter(period_start=date(2022, 3, 1)).select("org_unit_uid", "actual").iter_rows())
    at = {size: usual(size, seed)[2] for size, seed in ((100, 1), (50, 2), (70, 3))}
    assert first == pytest.approx(
        {"C": sum(at.values()), "P1": at[100] + at[50], "P2": at[70], "D1": at[100], "D2": at[70]}
    )
    assert found.select("org_unit_uid", "indicator_id", "period_start").is_duplicated().sum() == 0


def test_eleven_months_are_not_judged_and_twelve_are() -> None:
    found = judged(counts("D1", usual(100, 1, 11)), counts("D1", usual(100, 1, 12), "opd"))
    eleven = found.filter(indicator_id="anc1", level="district")
    assert eleven["why_unknown"].unique().to_list() == ["too_few_months"]
    assert eleven["is_tagged"].null_count() == eleven["expected"].null_count() == eleven["usual"].null_count() == 11
    assert eleven["actual"].null_count() == 0
    twelve = found.filter(indicator_id="opd", level="district")
    assert twelve["why_unknown"].null_count() == 12 and twelve["is_tagged"].null_count() == 0


def test_months_without_a_count_are_rows_without_expectation() -> None:
    values = usual(100, 1)
    values[[10, 11]] = np.nan
    found = judged(counts("D1", values)).filter(level="district")
    assert found.height == MONTHS
    silent = found.filter(pl.col("actual").is_null())
    assert silent["is_missing"].to_list() == [False, True]
    assert silent["expected"].null_count() == silent["control"].null_count() == 2
    assert silent["usual"].null_count() == 0


def test_a_series_that_is_always_zero_is_calm() -> None:
    found = judged(counts("D1", np.zeros(MONTHS))).filter(level="district")
    # Two of the last three are 0, always: that is the rule. Nothing is lost of nothing.
    assert found["is_sharp"].sum() == found["is_dip"].sum() == 0
    assert found["is_missing"].sum() == MONTHS - 2


def test_no_counts_no_rows() -> None:
    assert disruptions(pl.DataFrame(schema=COUNTS)).height == 0


def test_the_order_of_rows_does_not_matter() -> None:
    rows = pl.DataFrame([*counts("D1", fallen(1000, 1)), *counts("D2", usual(800, 2))], schema=COUNTS, orient="row")
    assert_frame_equal(disruptions(rows.sample(fraction=1, shuffle=True, seed=4)), disruptions(rows))
