"""Views of data quality over several years, and places that are not in the registry: rows put into the facts by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from dbt_runner import Dbt
from pg_servers import copied_database
from quality_lab import Lab
from small_country import COUNTRY, GASABO, HMIS, KIBAGABAGA, POPULATION, REMERA

from hic_assets.warehouse import Warehouse

BUILT = "hic_test_country_built"


@pytest.fixture
def lab(country: Dbt, postgres_server: Warehouse) -> Iterator[Lab]:
    with copied_database(postgres_server, BUILT) as warehouse:
        yield Lab(warehouse, country)


def who(lab: Lab, unit: str, level: str, counts: dict[tuple[int, int], float | None], indicator: str = "anc1") -> None:
    """Monthly counts of a unit, by year and month."""
    with lab.warehouse.connect() as connection:
        for (year, number), count in counts.items():
            connection.execute(
                "insert into dwh.fct_quality_who values (%s, %s, %s, %s, %s, 1, 1, 0, null, null, false, false, false)",
                [date(year, number, 1), unit, level, indicator, count],
            )


def emptied(lab: Lab, table: str) -> None:
    with lab.warehouse.connect() as connection:
        connection.execute(f"delete from {table}")  # type: ignore[arg-type]


def test_counts_are_compared_with_the_same_months_of_three_years_before(lab: Lab) -> None:
    emptied(lab, "dwh.fct_quality_who")
    # 2019 is four years back; February 2022 is missing; March 2023 is new, and so has nothing to be compared with.
    counts: dict[tuple[int, int], float | None] = {(2019, 1): 9000, (2020, 1): 10, (2021, 1): 20, (2022, 1): 30}
    counts |= {(2021, 2): 50, (2022, 2): None, (2023, 1): 36, (2023, 2): 60, (2023, 3): 7}
    who(lab, GASABO, "district", counts)
    found = lab.rows("year, months, value, consistency, is_inconsistent", "reporting.rpt_quality_indicators")
    assert found[-1] == (2023, 3, 103, pytest.approx(100 * (36 + 60) / (20 + 50)), True)
    assert found[0] == (2019, 1, 9000, None, None)


def test_a_stock_is_a_mean_and_not_a_sum(lab: Lab) -> None:
    """And that of a sensitive programme, the only stock there is, is not told."""
    emptied(lab, "dwh.fct_quality_who")
    with lab.warehouse.connect() as connection:
        connection.execute("update staging.quality_indicator set kind = 'stock' where indicator_id = 'anc1'")
    for indicator in ("hiv_art_current", "anc4", "anc1"):
        who(lab, GASABO, "district", {(2024, 1): 100, (2024, 2): 140}, indicator)
    found = lab.rows("indicator_id, value", "reporting.rpt_quality_indicators")
    assert found == [("anc1", 120), ("anc4", 240), ("hiv_art_current", None)]


def test_a_unit_diverges_by_one_extreme_or_two_other_outliers(lab: Lab) -> None:
    emptied(lab, "dwh.fct_quality_who")
    who(lab, GASABO, "district", {(2024, number): 10 for number in range(1, 11)})
    with lab.warehouse.connect() as connection:
        for column, months in (("is_extreme", "1"), ("is_moderate", "1"), ("is_modified_outlier", "1, 2")):
            connection.execute(
                f"update dwh.fct_quality_who set {column} = true where extract(month from period_start) in ({months})"  # type: ignore[arg-type]
            )
    assert lab.rows(
        "extreme_score, moderate_score, modified_score, is_divergent_extreme, is_divergent_moderate, is_divergent_modified",
        "reporting.rpt_quality_indicators",
    ) == [(10, 10, 20, True, False, True)]


def test_the_methods_of_pairs(lab: Lab) -> None:
    emptied(lab, "dwh.fct_quality_who")
    jan = (2024, 1)
    for unit, level, anc, td, first, third in (
        (COUNTRY, "country", 100, 100, 100, 90),
        ("ProvKigali1", "province", 100, 80, 100, 90),
        (GASABO, "district", 100, 100, 90, 91),
        (KIBAGABAGA, "facility", 66, 100, 0, 0),
    ):
        who(lab, unit, level, {jan: anc})
        who(lab, unit, level, {jan: td}, "td2plus")
        who(lab, unit, level, {jan: first}, "penta1")
        who(lab, unit, level, {jan: third}, "penta3")
    view = "reporting.rpt_quality_pairs"
    columns = "level, ratio, parent_ratio, is_consistent"
    assert lab.rows(columns, view, "pair_id = 'r1_anc1_td'") == [
        ("country", 1, None, None),
        ("district", 1, 1.25, True),
        ("facility", 0.66, 1, False),
        ("province", 1.25, 1, True),
    ]
    columns = "level, dropout, is_consistent"
    assert lab.rows(columns, view, "pair_id = 'r2_penta_dropout' and level in ('country', 'district', 'facility')") == [
        ("country", pytest.approx(10), True),
        ("district", pytest.approx(-100 / 90), False),
        ("facility", None, True),
    ]


def test_completeness_is_compared_with_three_years_before(lab: Lab) -> None:
    emptied(lab, "dwh.fct_reporting")
    columns = (
        "period_start, data_set_uid, org_unit_uid, is_expected, is_received, is_received_unexpected,"
        " is_received_on_time, values_present, has_values"
    )
    received = {2018: 1, 2020: 4, 2022: 2, 2023: 1}
    rows: list[tuple[Any, ...]] = [
        (date(year, number, 1), HMIS, REMERA, True, number <= of_four, False, False, 1, True)
        for year, of_four in received.items()
        for number in range(1, 5)
    ]
    lab.fill("dwh.fct_reporting", columns, rows)
    found = lab.rows(
        "year, completeness, completeness_before, consistency, is_inconsistent",
        "reporting.rpt_quality_reporting",
        f"org_unit_uid = '{REMERA}'",
    )
    assert found == [
        (2018, 25, None, None, None),
        (2020, 100, 25, 400, True),
        (2022, 50, 100, 50, True),
        # 2018 is five years back.
        (2023, 25, 75, pytest.approx(100 / 3), True),
    ]


def test_the_survey_is_carried_on_by_the_change_of_coverage(lab: Lab) -> None:
    emptied(lab, "dwh.fct_quality_coverage")
    with lab.warehouse.connect() as connection:
        for year, coverage in ((2019, 0.5), (2021, 0.8), (2022, None), (2023, 0.85)):
            connection.execute(
                "insert into dwh.fct_quality_coverage values"
                " (%s, %s, 'country', 'anc1', 'anc4', 'pregnancy', 12, 8, 10, 10, %s, null, true)",
                [year, COUNTRY, coverage],
            )
    columns = "year, coverage, projected_coverage"
    assert lab.rows(columns, "reporting.rpt_quality_coverage") == [
        (2019, 50, None),
        (2021, 80, pytest.approx(47)),
        (2022, None, pytest.approx(47)),
        (2023, 85, pytest.approx(47 + 5)),
    ]


def test_coverage_and_population_beside_other_sources(lab: Lab) -> None:
    """Three months of 30 first visits are 360 a year; 400 pregnancies were expected, and 98 % surveyed."""
    emptied(lab, "dwh.fct_quality_who")
    who(lab, COUNTRY, "country", {(2024, number): 30 for number in (1, 2, 3)})
    with lab.warehouse.connect() as connection:
        codes = {POPULATION: "POP_PREG", "DeBedsAvera": "POP_TOTAL", "DePeakOccup": "POPD_TOTAL"}
        for uid, code in codes.items():
            connection.execute("update dwh.dim_data_element set code = %s where data_element_uid = %s", [code, uid])
        connection.execute("delete from staging.stg_hmis__yearly_values")
        for element, unit, people in (
            (POPULATION, KIBAGABAGA, 300),
            (POPULATION, REMERA, 100),
            ("DeBedsAvera", REMERA, 880),
            ("DePeakOccup", GASABO, 1000),
        ):
            connection.execute(
                "insert into staging.stg_hmis__yearly_values (year, data_element_uid, org_unit_uid, value_number)"
                " values (2024, %s, %s, %s)",
                [element, unit, people],
            )
    columns = "measure, level, routine_value, other_value, other_year, is_inconsistent"
    where = "comparison = 'survey' or other_source like 'district%'"
    assert lab.rows(columns, "reporting.rpt_quality_external", where) == [
        ("anc1", "country", pytest.approx(0.9), 0.98, 2020, False),
        ("population", "country", 880, 1000, 2024, True),
        ("population", "district", 880, 1000, 2024, True),
        ("population", "province", 880, 1000, 2024, True),
    ]
    where = "other_source like 'UN%'"
    assert lab.rows(columns, "reporting.rpt_quality_external", where) == [
        ("population", "country", 880, 14257000, 2024, True)
    ]


def test_a_place_that_is_not_in_the_registry_is_kept(lab: Lab) -> None:
    lab.report({("nowhere", "anc1"): [150.0, 160.0], (KIBAGABAGA, "anc1"): [150.0, 100.0]})
    lab.rebuild("fct_quality_month", "fct_quality_adjusted", "fct_quality_consistency")
    where = "month = '2020-01-01' and indicator_id = 'anc1'"
    columns = "level, org_unit_uid, org_unit_name, value_both"
    found = lab.rows(columns, "reporting.rpt_quality_monthly", where)
    assert ("unmapped", "nowhere", None, 150) in found
    assert ("country", COUNTRY, "Rwanda", 150) in found
    assert lab.rows("org_unit_uid, month", "reporting.rpt_quality_dqa", "org_unit_uid = 'nowhere'") == [
        ("nowhere", date(2020, 1, 1)),
        ("nowhere", date(2020, 2, 1)),
    ]


def test_outliers_are_left_out_of_pairs(lab: Lab) -> None:
    """12 months of 110, then 9000: published, a facility's first count above 100 is an outlier too."""
    steady = [110.0, 111.0, 109.0, 112.0] * 3
    lab.report({(KIBAGABAGA, "anc1"): [*steady, 9000.0], (KIBAGABAGA, "anc4"): [100.0] * 13})
    lab.rebuild("fct_quality_month", "fct_quality_consistency")
    columns = "period_start, a_value, b_value, ratio, is_consistent, ratio_published, is_consistent_published"
    found = lab.rows(columns, "dwh.fct_quality_consistency")
    assert found[0] == (date(2020, 1, 1), 110, 100, 1.1, True, 0, False)
    assert found[-1] == (date(2021, 1, 1), None, 100, None, None, 0, False)
