"""What the catalogued indicators say of the small country, by hand (rows: small_country and indicator_rows)."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import JANUARY, Dbt
from raw_tables import replace_month
from small_country import BUGESERA, COUNTRY, FEB, GASABO, JAN, KIBAGABAGA, NYAMATA, REMERA, january

Answer = tuple[Any, Any, Any, list[str]]
# Two of the twelve months, or three, are there.
PART = "months_missing"


def answer(country: Dbt, code: str, unit: str, period: str = "2024-01") -> Answer:
    """(numerator, denominator, value, flags); fails when there is not exactly one row."""
    found = country.query(
        "select numerator, denominator, value, quality_flags from reporting.rpt_core_indicators"
        f" where indicator_code = '{code}' and org_unit_uid = '{unit}' and period = '{period}'"
    )
    assert len(found) == 1, found
    numerator, denominator, value, flags = found[0]
    return numerator, denominator, value, [f for f in flags if f not in ("completeness_unknown", "incomplete")]


@pytest.mark.parametrize(
    ("unit", "period", "numerator", "denominator", "flags"),
    [
        # 12,000 people * 3.1 % / 12 months: a share stands in for the target that the unit has not
        (KIBAGABAGA, "2024-01", 18, 31, ["estimated_target"]),
        (REMERA, "2024-01", 10, 5, ["over_100"]),
        (GASABO, "2024-01", 28, 36, ["estimated_target"]),
        (COUNTRY, "2024-01", 48, 36, ["over_100", "estimated_target"]),
        (NYAMATA, "2024-01", 20, None, ["no_denominator"]),
        (REMERA, "2024-02", None, 5, ["no_numerator"]),
        (GASABO, "2024Q1", 31, 72, ["estimated_target", PART]),
        (GASABO, "2024", 31, 72, ["estimated_target", PART]),
        (GASABO, "fy_2023_24", 31, 72, ["estimated_target", PART]),
    ],
)
def test_a_coverage_divides_by_a_share_of_the_years_target_and_is_never_clipped(
    country: Dbt, unit: str, period: str, numerator: float, denominator: float | None, flags: list[str]
) -> None:
    value = None if numerator is None or denominator is None else pytest.approx(100 * numerator / denominator)
    assert answer(country, "ANC1_COVERAGE", unit, period) == (numerator, denominator, value, flags)


def test_a_stock_is_that_of_the_last_month(country: Dbt) -> None:
    """50 and then 60 on ART; Nyamata told nothing in February, and what it told in January is no answer for it."""
    assert answer(country, "ART_COVERAGE", GASABO, "2024Q1") == (60, 100, 60, [PART])
    assert answer(country, "ART_COVERAGE", BUGESERA, "2024Q1") == (None, 50, None, ["no_numerator", PART])
    assert answer(country, "ART_COVERAGE", COUNTRY, "2024") == (60, 150, 40, [PART])


def test_beds_times_days_are_a_flow(country: Dbt) -> None:
    assert answer(country, "BED_OCCUPANCY", KIBAGABAGA) == (620, 25 * 31, 80, [])
    both = (910, 25 * 31 + 20 * 29, pytest.approx(91000 / 1355), [PART])
    assert answer(country, "BED_OCCUPANCY", KIBAGABAGA, "2024Q1") == both


def test_a_dropout_may_be_negative_and_needs_both_doses(country: Dbt) -> None:
    assert answer(country, "BCG_MR1_DROPOUT", REMERA) == (-2, 10, -20, ["negative_dropout"])
    assert answer(country, "BCG_MR1_DROPOUT", NYAMATA) == (5, 5, 100, ["missing_term"])
    assert answer(country, "BCG_MR1_DROPOUT", COUNTRY) == (3, 15, 20, [])
    assert answer(country, "BCG_MR1_DROPOUT", REMERA, "2024Q1") == (-1, 20, -5, ["negative_dropout", PART])


def test_zero_dose_is_not_below_zero_though_its_numerator_adds_up(country: Dbt) -> None:
    """Infants of a month: Remera 60 / 12, Kibagabaga 12,000 * 2.55 % / 12, Nyamata 12 / 12; first doses 10, 0 and 5."""
    gasabo = (5 + 25.5 - 10, 30.5, pytest.approx(2050 / 30.5), ["estimated_target"])
    assert answer(country, "ZERO_DOSE", GASABO) == gasabo
    assert answer(country, "ZERO_DOSE", BUGESERA) == (-4, 1, 0, ["below_zero"])
    assert answer(country, "ZERO_DOSE", COUNTRY)[:2] == (16.5, 31.5)


def test_an_option_picks_a_disaggregation_and_a_zero_denominator_gives_no_value(country: Dbt) -> None:
    assert answer(country, "OPD_UNDER_FIVE_SHARE", REMERA) == (None, 0, None, ["no_numerator", "denominator_zero"])
    assert answer(country, "OPD_UNDER_FIVE_SHARE", REMERA, "2024-02") == (40, 40, 100, [])


def test_a_small_cell_is_kept_back_with_the_one_that_would_give_it_away(country: Dbt) -> None:
    """Three positives in one of the district's two facilities in January."""
    kept = (None, None, None, ["suppressed"])
    assert answer(country, "HIV_POSITIVITY", KIBAGABAGA) == answer(country, "HIV_POSITIVITY", REMERA) == kept
    assert answer(country, "HIV_POSITIVITY", GASABO)[:2] == (23, 300)
    assert answer(country, "HIV_POSITIVITY", NYAMATA)[:2] == (9, 150)
    assert answer(country, "HIV_POSITIVITY", KIBAGABAGA, "2024-02") == (8, 100, 8, [])
    for period in ("2024Q1", "2024", "fy_2023_24"):
        assert answer(country, "HIV_POSITIVITY", KIBAGABAGA, period)[3] == ["suppressed", PART]
        assert answer(country, "HIV_POSITIVITY", GASABO, period)[:2] == (37, 450)


def test_what_is_read_by_quarter_is_reported_by_quarter_only(country: Dbt) -> None:
    """Two and four cases are small months of a quarter that is not."""
    assert answer(country, "TB_HIV_STATUS_KNOWN", GASABO, "2024Q1") == (6, 6, 100, [PART])
    assert answer(country, "TB_NOTIFICATION", GASABO, "2024Q1") == (6, 5000, 120, [PART])
    types = country.query(
        "select indicator_code, period_type from reporting.rpt_core_indicators join dwh.dim_core_indicator"
        " using (indicator_code) where is_sensitive and periodicity <> 'monthly' and period_type = 'month'"
    )
    assert types == []


def test_levels_below_the_lowest_are_not_reported(country: Dbt) -> None:
    found = country.query("select distinct level from dwh.fct_core_indicator where indicator_code = 'TB_NOTIFICATION'")
    assert {level for (level,) in found} == {"district", "province", "country"}


def test_completeness_comes_from_the_data_sets_behind_it(country: Dbt) -> None:
    """Of Kibagabaga and Remera both came in January, none of three in February; Nyamata opened in February."""
    found = country.query(
        "select period, reporting_completeness, 'incomplete' = any(quality_flags), data_as_of at time zone 'UTC'"
        f" from reporting.rpt_core_indicators where indicator_code = 'ANC4_CONTINUATION' and org_unit_uid = '{COUNTRY}'"
        " and period_type in ('month', 'quarter') order by period"
    )
    assert [tuple(map(str, row)) for row in found] == [
        ("2024-01", "100.0", "False", "2024-03-05 04:00:00"),
        ("2024-02", "0.0", "True", "2024-03-04 04:00:00"),
        ("2024Q1", "40.0", "True", "2024-03-05 04:00:00"),
    ]


def test_reports_are_measures_too(country: Dbt) -> None:
    """EPI is expected of Remera beside the monthly report, and did not come; Kibagabaga's EPI was not expected."""
    assert answer(country, "REPORTING_COMPLETENESS", GASABO)[:2] == (2, 3)
    assert answer(country, "REPORTING_TIMELINESS", GASABO)[:2] == (1, 3)


def test_the_catalogue_says_why_there_is_no_value(country: Dbt) -> None:
    reasons = dict(country.query("select indicator_code, no_value_reason from dwh.dim_core_indicator"))
    assert reasons["ANC1_COVERAGE"] is None
    assert reasons["CSECTION_RATE"] == "the HMIS has no data element DEL_CSECTION, DEL_TOTAL"
    assert (
        reasons["CRVS_CAUSE_OF_DEATH"]
        == "no sum of the HMIS; see death_cause_share of reporting.rpt_civil_registration"
    )
    without = {code for code, reason in reasons.items() if reason}
    valued = {code for (code,) in country.query("select distinct indicator_code from dwh.fct_core_indicator")}
    assert valued & without == set()


def test_a_month_landed_again_replaces_its_measures_and_what_may_be_shown(own_country: Dbt) -> None:
    held = "select t::text from dwh.{} t where period_start = '{}' order by 1"
    february = {fact: own_country.query(held.format(fact, FEB)) for fact in ("fct_measure_month", "fct_core_indicator")}
    with own_country.warehouse.connect() as connection:
        replace_month(connection, "hmis_data_values", JAN, january(), load_id=9)
    own_country.monthly(*JANUARY)
    assert {fact: own_country.query(held.format(fact, FEB)) for fact in february} == february
    assert answer(own_country, "HIV_POSITIVITY", KIBAGABAGA, "2024Q1") == (8, 100, 8, [PART])
    assert answer(own_country, "ANC1_COVERAGE", GASABO)[:2] == (28, 36)
