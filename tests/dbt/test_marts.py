"""What the marts say of the small country, against figures computed by hand (see small_country for the rows)."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import Dbt
from small_country import (
    BUGESERA,
    CLOSED,
    COUNTRY,
    GASABO,
    JAN,
    KIBAGABAGA,
    KIGALI,
    NYAMATA,
    REMERA,
)


def indicator(country: Dbt, code: str, unit: str, month: str = JAN) -> tuple[Any, ...]:
    """(numerator, denominator, value) in the report; fails when there is not exactly one row."""
    found = country.query(
        "select numerator, denominator, value from reporting.rpt_indicator_monthly"
        f" where indicator_code = '{code}' and org_unit_uid = '{unit}' and month = '{month}'"
    )
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("unit", "numerator", "denominator", "value"),
    [
        (KIBAGABAGA, 9, 18, 50),
        (REMERA, 7, 10, 70),
        (NYAMATA, 8, 20, 40),
        (GASABO, 16, 28, 1600 / 28),
        (KIGALI, 16, 28, 1600 / 28),
        (COUNTRY, 24, 48, 50),
    ],
)
def test_a_ratio_is_summed_first_and_divided_last(
    country: Dbt, unit: str, numerator: float, denominator: float, value: float
) -> None:
    assert indicator(country, "ANC4_RATIO", unit) == (numerator, denominator, pytest.approx(value))


def test_a_nonlinear_expression_is_evaluated_at_each_level(country: Dbt) -> None:
    """More than 15 visits count, fewer count nothing: 18 and 0 in the district's facilities, 28 in the district."""
    values = {unit: indicator(country, "ANC1_BUSY", unit)[2] for unit in (KIBAGABAGA, REMERA, GASABO, COUNTRY)}
    assert values == {KIBAGABAGA: 18, REMERA: 0, GASABO: 28, COUNTRY: 48}


@pytest.mark.parametrize(
    ("unit", "month", "days", "visits", "pregnancies"),
    [
        (KIBAGABAGA, JAN, 31, 18, 1200),
        (GASABO, JAN, 31, 28, 2000),
        (COUNTRY, JAN, 31, 48, 5000),
        (BUGESERA, JAN, 31, 20, 3000),  # population held by the district, visits by its facility
        (GASABO, "2024-02-01", 29, 3, 2000),  # 365 days, although 2024 has 366
    ],
)
def test_an_annualised_coverage_uses_365_over_days(
    country: Dbt, unit: str, month: str, days: int, visits: int, pregnancies: int
) -> None:
    expected = 100 * visits / pregnancies * 365 / days
    assert indicator(country, "ANC1_COVERAGE", unit, month) == (visits, pregnancies, pytest.approx(expected))


def test_a_side_without_values_gives_no_value(country: Dbt) -> None:
    assert indicator(country, "ANC1_COVERAGE", NYAMATA) == (20, None, None)
    assert indicator(country, "ANC1_COVERAGE", BUGESERA, "2024-02-01") == (None, 3000, None)


def test_operands_of_every_kind(country: Dbt) -> None:
    """One disaggregation; with attribute combo and wildcard; average by days; maximum; groups; reporting rate."""
    assert indicator(country, "ANC1_YOUNG", GASABO) == (16, 28, pytest.approx(1600 / 28))
    assert indicator(country, "ANC1_AOC", GASABO)[0] == 16 + 28
    assert indicator(country, "BEDS", GASABO)[2] == (93 + 31) / 2 / 31
    assert indicator(country, "PEAK", COUNTRY)[2] == 55
    assert indicator(country, "POWER", COUNTRY) == (1, 2, 0.5)
    assert indicator(country, "REPORTING", COUNTRY, "2024-02-01")[2] == 0


def test_values_not_to_be_aggregated_stay_where_they_were_reported(country: Dbt) -> None:
    found = country.query(
        "select org_unit_uid, value from reporting.rpt_indicator_monthly where indicator_code = 'NIGHTS'"
    )
    assert sorted(found) == [(GASABO, 11), (KIBAGABAGA, 5)]


def test_a_refused_indicator_has_no_value_but_a_reason(country: Dbt) -> None:
    assert country.query("select 1 from reporting.rpt_indicator_monthly where indicator_code = 'REFUSED'") == []
    assert country.query("select refused_reason from dwh.dim_indicator where not is_compiled") == [
        ("numerator: uses a program indicator",)
    ]


def test_the_report_says_where_when_and_how_complete(country: Dbt) -> None:
    found = country.query(
        "select level, org_unit_name, fosa_code, district, province, fiscal_year, reporting_completeness,"
        " data_as_of at time zone 'UTC' from reporting.rpt_indicator_monthly"
        f" where indicator_code = 'ANC4_RATIO' and month = '{JAN}' and org_unit_uid in"
        f" ('{REMERA}', '{COUNTRY}', '{BUGESERA}') order by level"
    )
    assert [tuple(map(str, row)) for row in found] == [
        ("country", "Rwanda", "None", "None", "None", "fy_2023_24", "100.0", "2024-03-05 04:00:00"),
        # Nyamata opened in February: nothing was expected of the district in January.
        (
            "district",
            "BUGESERA",
            "None",
            "BUGESERA",
            "Eastern Province",
            "fy_2023_24",
            "None",
            "2024-03-05 04:00:00",
        ),
        (
            "facility",
            "Remera",
            "0440",
            "Gasabo District",
            "City of Kigali",
            "fy_2023_24",
            "100.0",
            "2024-03-05 04:00:00",
        ),
    ]


@pytest.mark.parametrize(
    ("unit", "month", "expected"),
    [
        (GASABO, JAN, (2, 2, 1, 0, 100, 50)),
        (COUNTRY, JAN, (2, 2, 1, 0, 100, 50)),
        (REMERA, JAN, (1, 1, 0, 0, 100, 0)),
        (COUNTRY, "2024-02-01", (3, 0, 0, 0, 0, 0)),
        (BUGESERA, "2024-02-01", (1, 0, 0, 0, 0, 0)),
    ],
)
def test_reporting_rates(country: Dbt, unit: str, month: str, expected: tuple[float, ...]) -> None:
    assert country.query(
        "select expected, received, received_on_time, received_unexpected, reporting_rate, timeliness"
        " from reporting.rpt_reporting_rates"
        f" where data_set_code = 'HMIS' and org_unit_uid = '{unit}' and month = '{month}'"
    ) == [expected]


def test_a_rate_says_when_its_month_was_landed(country: Dbt) -> None:
    assert country.query(
        "select distinct month::text, (data_as_of at time zone 'UTC')::text from reporting.rpt_reporting_rates order by 1"
    ) == [(JAN, "2024-03-05 04:00:00"), ("2024-02-01", "2024-03-04 04:00:00")]


def test_a_report_that_was_not_expected_is_kept_out_of_the_rate(country: Dbt) -> None:
    assert country.query(
        "select org_unit_uid, expected, received, received_unexpected, reporting_rate"
        " from reporting.rpt_reporting_rates where data_set_code = 'EPI' and received_unexpected > 0 and"
        " level in ('facility', 'country') order by 1"
    ) == [(KIBAGABAGA, 0, 0, 1, None), (COUNTRY, 1, 0, 1, 0)]


def test_tombstones_are_left_out_and_text_is_kept(country: Dbt) -> None:
    assert country.query(
        "select value, value_text, load_id from dwh.fct_data_value"
        f" where org_unit_uid = '{CLOSED}' or data_element_uid = 'DeRemarkTxt' order by value_text"
    ) == [(None, "12", 7), (None, "n/a", 7)]


def test_facilities_are_conformed(country: Dbt) -> None:
    assert country.query(
        "select facility_uid, fosa_code, source_code, facility_type_code, ownership_code, district_name,"
        " sub_district_name, sector_name, has_coordinates, valid_from::date::text, is_current"
        " from dwh.dim_facility order by 1"
    ) == [
        (
            CLOSED,
            None,
            "HP-X",
            "UNMAPPED",
            "UNMAPPED",
            "BUGESERA",
            "Nyamata catchment",
            "Nyamata",
            False,
            "2019-01-01",
            True,
        ),
        (
            KIBAGABAGA,
            "0022",
            "22",
            "DH",
            "PUBLIC",
            "Gasabo District",
            "Kibagabaga catchment",
            "Remera",
            True,
            "2006-05-01",
            True,
        ),
        (
            NYAMATA,
            "0454",
            "454.0",
            "HC",
            "UNMAPPED",
            "BUGESERA",
            "Nyamata catchment",
            "Nyamata",
            False,
            "2024-02-15",
            True,
        ),
        (
            REMERA,
            "0440",
            "0440",
            "HC",
            "AGREE",
            "Gasabo District",
            "Kibagabaga catchment",
            "Remera",
            False,
            "2000-01-01",
            True,
        ),
    ]


def test_geography_carries_district_codes_and_population(country: Dbt) -> None:
    assert country.query(
        "select geography_uid, level, province_code, district_code, population_2022 from dwh.dim_geography"
        " where level in ('country', 'province', 'district') order by level_number, geography_uid"
    ) == [
        (COUNTRY, "country", None, None, 879505 + 551103),
        ("ProvEaster1", "province", "5", None, 551103),
        (KIGALI, "province", "1", None, 879505),
        (BUGESERA, "district", "5", "507", 551103),
        (GASABO, "district", "1", "102", 879505),
    ]


def test_census_population_sums_to_the_national_figure(country: Dbt) -> None:
    assert country.query("select count(*), sum(population_2022) from staging.district") == [(30, 13_246_394)]


def test_periods(country: Dbt) -> None:
    assert country.query(
        "select period_id, quarter_id, fiscal_year, fiscal_quarter, days_in_month from dwh.dim_period"
        " where period_start in ('2024-02-01', '2024-06-01', '2024-07-01', '1999-12-01', '2029-12-01')"
        " order by period_start"
    ) == [
        ("202402", "2024Q1", "fy_2023_24", 3, 29),
        ("202406", "2024Q2", "fy_2023_24", 4, 30),
        ("202407", "2024Q3", "fy_2024_25", 1, 31),
        ("202912", "2029Q4", "fy_2029_30", 2, 31),
    ]


def test_a_contradiction_is_listed(country: Dbt) -> None:
    assert country.query(
        "select rule_code, org_unit_uid, month::text, lesser_value, greater_value"
        " from reporting.rpt_consistency_breaches"
    ) == [("anc4_le_anc1", KIBAGABAGA, "2024-02-01", 4, 3)]


def test_names_and_free_text_stay_in_raw(country: Dbt) -> None:
    assert (
        country.query(
            "select table_schema, table_name, column_name from information_schema.columns where table_schema in"
            " ('staging', 'intermediate', 'dwh', 'reporting') and column_name in ('stored_by', 'comment')"
        )
        == []
    )


def test_the_schemas_are_the_layers_and_nothing_else(country: Dbt) -> None:
    made = country.query("select distinct schemaname from pg_tables where schemaname !~ '^(pg_|information)'")
    assert sorted(schema for (schema,) in made) == ["dwh", "identity", "intermediate", "ops", "raw", "staging"]
