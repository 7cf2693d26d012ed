"""The data-quality models against the same formulas written in Python, on random series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import quality_reference as reference
from dbt_runner import Dbt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pg_servers import copied_database
from quality_lab import Key, Lab, month

from hic_assets.warehouse import Warehouse

BUILT = "hic_test_country_built"
Series = dict[Key, list[float | None]]
UNITS, INDICATORS = ("FacKibagab1", "FacRemera01", "nowhere"), ("anc1", "maternal_deaths")
EXACTLY = {"rel": 1e-9, "abs": 1e-9}
slowly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

counts = st.one_of(
    st.none(),
    st.none(),
    st.just(0.0),
    st.integers(0, 30),
    st.integers(95, 160),
    st.integers(95, 160),
    st.integers(0, 9000),
).map(lambda count: None if count is None else float(count))
flat = st.sampled_from([None, 120.0, 120.0, 120.0, 121.0, 5000.0])


@st.composite
def one_series(draw: st.DrawFn) -> list[float | None]:
    """A series with gaps, and months without reports at its ends; at least one month is reported."""
    body = draw(st.lists(draw(st.sampled_from([counts, flat])), min_size=1, max_size=30))
    first = float(draw(st.integers(0, 400)))
    before, after = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    return [None] * before + [first, *body] + [None] * after


keys = st.tuples(st.sampled_from(UNITS), st.sampled_from(INDICATORS))
many = st.dictionaries(keys, one_series(), min_size=1, max_size=5)
STEADY = [110.0, 112.0, 109.0, 111.0, 110.0, 113.0, 108.0]
EXAMPLE: Series = {
    ("FacKibagab1", "anc1"): [500.0, *STEADY, None, *STEADY, 9000.0, *STEADY, None, None],
    ("FacRemera01", "anc1"): [None] * 6 + STEADY + [None] * 7,
    # An outlier with nobody near: only the year before is left.
    ("nowhere", "anc1"): [*STEADY, *STEADY, *[None] * 5, 9000.0, *[None] * 5, 110.0],
    ("nowhere", "maternal_deaths"): [0.0, None, *STEADY, 9000.0],
}


@pytest.fixture(scope="module")
def lab(country: Dbt, postgres_server: Warehouse) -> Iterator[Lab]:
    with copied_database(postgres_server, BUILT) as warehouse:
        yield Lab(warehouse, country)


def on_the_grid(series: Series) -> Series:
    """The series cut or filled to the months from the first to the last of any of their indicator, as the grid is."""
    grid: Series = {}
    for indicator in {indicator for _, indicator in series}:
        of_it = {key: counts for key, counts in series.items() if key[1] == indicator}
        reported = [n for counts in of_it.values() for n, count in enumerate(counts) if count is not None]
        first, last = min(reported), max(reported)
        for key, counts in of_it.items():
            full = counts + [None] * (last + 1 - len(counts))
            grid[key] = [None] * first + full[first : last + 1]
    return grid


def first_month(counts: list[float | None], series: Series, indicator: str) -> int:
    """Where the grid of an indicator begins."""
    return min(
        n for (_, known), c in series.items() if known == indicator for n, count in enumerate(c) if count is not None
    )


@slowly
@given(many)
@example(EXAMPLE)
def test_outliers_and_completeness(lab: Lab, series: Series) -> None:
    lab.report(series)
    lab.rebuild("fct_quality_month")
    found = lab.rows(
        "org_unit_uid, indicator_id, period_start, value, completeness_flag, mad_residual, trailing_share, is_outlier,"
        " is_outlier_published",
        "dwh.fct_quality_month",
    )
    expected: list[tuple[Any, ...]] = []
    for (unit, indicator), counts in on_the_grid(series).items():
        start = first_month(counts, series, indicator)
        for number, one in enumerate(reference.judge(counts[start:]), start):
            head = (unit, indicator, month(number), counts[number], one.flag)
            expected.append((*head, one.residual, one.share, one.outlier, one.outlier_published))
    agree(found, expected)


@slowly
@given(many)
@example(EXAMPLE)
def test_the_four_scenarios(lab: Lab, series: Series) -> None:
    assert_adjusted(lab, series)


def assert_adjusted(lab: Lab, series: Series, sql: Mapping[str, str] | None = None) -> None:
    """`sql` is that of the published variant."""
    published = sql is not None
    lab.report(series)
    lab.rebuild("fct_quality_month", "fct_quality_adjusted", sql=sql)
    found = lab.rows(
        "org_unit_uid, indicator_id, period_start, value_none, value_outliers, value_completeness, value_both,"
        " outlier_replaced_by, missing_filled_by",
        "dwh.fct_quality_adjusted",
    )
    highest = {i: max(c for (_, k), cs in series.items() if k == i for c in cs if c is not None) for _, i in series}
    expected: list[tuple[Any, ...]] = []
    for (unit, indicator), counts in on_the_grid(series).items():
        start = first_month(counts, series, indicator)
        judged = reference.judge(counts[start:])
        active = [n for n, one in enumerate(judged, start) if one.flag != 2]
        outliers = [
            bool(judged[n - start].outlier_published if published else judged[n - start].outlier) for n in active
        ]
        adjustable = indicator == "anc1" and highest[indicator] >= 100
        adjusted = reference.adjust([counts[n] for n in active], outliers, adjustable=adjustable, published=published)
        for n, a in zip(active, adjusted, strict=True):
            values = (a.none, a.outliers, a.completeness, a.both)
            expected.append((unit, indicator, month(n), *values, a.outlier_by, a.missing_by))
    agree(found, expected)


def test_the_published_adjustment_by_a_variable(country: Dbt, lab: Lab, tmp_path: Path) -> None:
    dbt = Dbt(country.warehouse, tmp_path)
    dbt.run("compile", "--select", "fct_quality_adjusted", "--vars", "{quality_variant: published}")
    published = {"fct_quality_adjusted": Lab(lab.warehouse, dbt).sql("fct_quality_adjusted")}

    @slowly
    @given(many)
    @example(EXAMPLE)
    def hold(series: Series) -> None:
        assert_adjusted(lab, series, published)

    hold()


def agree(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """The same rows, numbers to 1e-9."""
    for got, wanted in zip(found, sorted(expected, key=lambda row: row[:3]), strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert a == (pytest.approx(b, **EXACTLY) if isinstance(b, float) else b), (got, wanted)
