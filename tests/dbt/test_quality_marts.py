"""The data-quality marts of the small country, as dbt builds them: every number figured by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from dbt_runner import JANUARY, Dbt
from raw_tables import replace_month
from small_country import ANC1, BUGESERA, COUNTRY, GASABO, JAN, KIBAGABAGA, NYAMATA, REMERA, january

FIRST, SECOND = date(2024, 1, 1), date(2024, 2, 1)


def the_month(dbt: Dbt, columns: str, fact: str, unit: str, month: date, indicator: str = "anc1") -> tuple[Any, ...]:
    (row,) = dbt.query(
        f"select {columns} from {fact} where org_unit_uid = '{unit}' and indicator_id = '{indicator}'"
        f" and period_start = '{month}'"
    )
    return row


def the_row(dbt: Dbt, columns: str, view: str, where: str) -> tuple[Any, ...]:
    (row,) = dbt.query(f"select {columns} from reporting.{view} where {where}")
    return row


def test_values_are_summed_over_disaggregations(country: Dbt) -> None:
    assert country.query(
        "select org_unit_uid, indicator_id, value from intermediate.int_quality_value"
        f" where period_start = '{JAN}' and indicator_id like 'anc_' order by 1, 2"
    ) == [
        (KIBAGABAGA, "anc1", 18),
        (KIBAGABAGA, "anc4", 9),
        (NYAMATA, "anc1", 20),
        (NYAMATA, "anc4", 8),
        (REMERA, "anc1", 10),
        (REMERA, "anc4", 7),
    ]


def test_a_month_without_a_count_is_missing_and_not_judged(country: Dbt) -> None:
    columns = "value, completeness_flag, median_value, mad, trailing_share, is_outlier, is_outlier_published"
    told = the_month(country, columns, "dwh.fct_quality_month", KIBAGABAGA, SECOND)
    assert told == (3, 1, 10.5, 0, pytest.approx(3 / 21), False, False)
    assert the_month(country, columns, "dwh.fct_quality_month", REMERA, SECOND) == (None, 0, 10, 0, None, None, None)


def test_what_is_nowhere_counted_in_hundreds_is_not_adjusted(country: Dbt) -> None:
    columns = "is_adjustable, value_none, value_outliers, value_completeness, value_both, missing_filled_by"
    none = (False, None, None, None, None, None)
    assert the_month(country, columns, "dwh.fct_quality_adjusted", REMERA, SECOND) == none
    assert the_month(country, columns, "dwh.fct_quality_adjusted", REMERA, FIRST) == (False, 10, 10, 10, 10, None)


def test_pairs_are_compared_in_the_district(country: Dbt) -> None:
    assert country.query(
        "select district_key, period_start, pair_id, a_value, b_value, ratio, is_consistent, ratio_published"
        " from dwh.fct_quality_consistency where pair_id = 'pair_anc' order by 1, 2"
    ) == [
        (BUGESERA, FIRST, "pair_anc", 20, 8, 2.5, True, 2.5),
        (BUGESERA, SECOND, "pair_anc", None, None, None, None, None),
        (GASABO, FIRST, "pair_anc", 28, 16, 1.75, True, 1.75),
        (GASABO, SECOND, "pair_anc", 3, 4, 0.75, False, 0.75),
    ]


@pytest.mark.parametrize(
    ("unit", "month", "expected"),
    [
        # One of the three indicators of the score is reported: published, the score is of all three, (1 + 1) / 6.
        (KIBAGABAGA, FIRST, (1, 1, 1, 1, 1, pytest.approx((1 / 3 + 1) / 2), 0)),
        (KIBAGABAGA, SECOND, (1, 1, 0, 0.5, 0, pytest.approx((1 / 3 + 0) / 2), 0)),
        # Two of its three are reported, and without outliers; the district's pair is inconsistent.
        (REMERA, SECOND, (3, pytest.approx(2 / 3), 0, pytest.approx(1 / 3), 0, pytest.approx((4 / 6 + 0) / 2), 0)),
        # No pair has a ratio: the mean is that of the other score.
        (NYAMATA, SECOND, (2, 0, None, 0, 0, 0, 0)),
    ],
)
def test_dqa_score(country: Dbt, unit: str, month: date, expected: tuple[Any, ...]) -> None:
    columns = (
        "indicators, completeness_outlier_score, consistency_score, dqa_mean, dqa_score, dqa_mean_published,"
        " dqa_score_published"
    )
    found = the_row(country, columns, "rpt_quality_dqa", f"org_unit_uid = '{unit}' and month = '{month}'")
    assert found == expected


def test_counts_roll_up_and_are_not_multiplied(country: Dbt) -> None:
    columns = "expected_values, reported_values, outliers, completeness, value_none, value_both"
    where = f"org_unit_uid = '{GASABO}' and indicator_id = 'anc1' and month = '{SECOND}'"
    assert the_row(country, columns, "rpt_quality_monthly", where) == (2, 1, 0, 50, 3, 3)
    sums = [
        country.query(f"select sum({column}), count({column}) from {relation}")
        for column, relation in (
            ("value", "intermediate.int_quality_value"),
            ("value", "dwh.fct_quality_month"),
            ("value_none", "dwh.fct_quality_adjusted"),
            ("value", "dwh.fct_quality_who where level = 'facility'"),
            ("value_none", "reporting.rpt_quality_monthly where level = 'facility'"),
        )
    ]
    # 79 in 8 are the visits; 264 in 16 what indicator_rows has of them: TB 13, ART 140, Penta1 25, BCG 25, MR1 21, OPD 40.
    *below, told = sums
    assert below == [[(79 + 264, 8 + 16)]] * 4
    # Of TB and ART the report tells no counts.
    assert told == [(79 + 264 - 13 - 140, 8 + 16 - 6)]


def test_coverage_of_the_anc1_chain(country: Dbt) -> None:
    columns = "numerator, denominator, coverage, survey_coverage, projected_coverage, is_best_chain"
    where = f"org_unit_uid = '{GASABO}' and indicator_id = 'anc4' and chain = 'anc1' and year = 2024"
    pregnancies = 31 / 0.98
    assert the_row(country, columns, "rpt_quality_coverage", where) == (
        20,
        pytest.approx(pregnancies),
        pytest.approx(100 * 20 / pregnancies),
        47,
        # The first year with a coverage is this one: nothing has changed since.
        pytest.approx(47),
        True,
    )


def test_reports_of_the_year(country: Dbt) -> None:
    columns = (
        "months, expected, received, received_on_time, completeness, is_incomplete, timeliness, is_late, consistency"
    )
    where = f"org_unit_uid = '{COUNTRY}' and data_set_code = 'HMIS' and year = 2024"
    assert the_row(country, columns, "rpt_quality_reporting", where) == (2, 5, 2, 1, 40, True, 20, True, None)


def test_an_indicator_of_the_year(country: Dbt) -> None:
    """Nyamata opened in February: its January value was not expected."""
    columns = "months, value, expected_values, reported_values, completeness, modified_outliers, consistency"
    where = f"org_unit_uid = '{COUNTRY}' and indicator_id = 'anc1' and year = 2024"
    assert the_row(country, columns, "rpt_quality_indicators", where) == (2, 51, 5, 3, 60, 0, None)
    unexpected = the_month(country, "unexpected_values, expected_values", "dwh.fct_quality_who", NYAMATA, FIRST)
    assert unexpected == (1, 0)


def test_pairs_of_the_year(country: Dbt) -> None:
    columns = "a_value, b_value, ratio, parent_ratio, is_consistent"
    where = f"org_unit_uid = '{NYAMATA}' and pair_id = 'rx_anc'"
    assert the_row(country, columns, "rpt_quality_pairs", where) == (20, 8, 2.5, 2.5, True)
    where = f"org_unit_uid = '{GASABO}' and pair_id = 'rx_anc'"
    assert the_row(country, columns, "rpt_quality_pairs", where) == (31, 20, 1.55, 1.55, True)


def test_a_month_landed_again_is_judged_again(own_country: Dbt) -> None:
    """January loses Remera's first visits: what is made of whole series and years follows, February stays."""
    kept = [row for row in january() if not (row["org_unit"] == REMERA and row["data_element"] == ANC1)]
    february = "select * from intermediate.int_quality_value where period_start = '2024-02-01' order by 2, 3"
    before = own_country.query(february)
    with own_country.warehouse.connect() as connection:
        replace_month(connection, "hmis_data_values", JAN, kept, load_id=9)
    own_country.monthly(*JANUARY)

    assert own_country.query(february) == before
    units = "select distinct org_unit_uid from dwh.fct_quality_month where indicator_id = 'anc1' order by 1"
    assert own_country.query(units) == [(KIBAGABAGA,), (NYAMATA,)]
    told = the_month(own_country, "value, reported_values", "dwh.fct_quality_who", GASABO, FIRST)
    assert told == (18, 1)
    assert the_month(own_country, "value, reported_values", "dwh.fct_quality_who", GASABO, SECOND) == (3, 1)


def test_what_was_judged_otherwise_is_judged_anew_and_what_is_no_longer_asked_is_gone(own_country: Dbt) -> None:
    """By other settings, or before they were kept; an indicator taken out of the seed; and else nothing is written."""
    tables = ("dwh.fct_quality_month", "dwh.fct_quality_adjusted")
    kept = {
        table: f"select * from {table} where indicator_id <> 'opd' order by org_unit_uid, indicator_id, period_start"
        for table in tables
    }
    before = {table: own_country.query(query) for table, query in kept.items()}
    assert all(before.values())
    with own_country.warehouse.connect() as connection:
        connection.execute("update dwh.fct_quality_month set mad = 99, judged_by = 0")
        connection.execute("update dwh.fct_quality_adjusted set value_both = -1")
        connection.execute("alter table dwh.fct_quality_adjusted drop column judged_by")
        connection.execute("delete from staging.quality_indicator where indicator_id = 'opd'")
    own_country.monthly(*JANUARY)
    assert {table: own_country.query(query) for table, query in kept.items()} == before
    gone = "select count(*) from dwh.fct_quality_adjusted where indicator_id = 'opd'"
    assert own_country.query(gone) == [(0,)]
    written = "select table_name, max(xmin::text::bigint) from ({}) as t group by 1 order by 1"
    newest = written.format(" union all ".join(f"select '{t}' as table_name, xmin from {t}" for t in tables))
    first = own_country.query(newest)
    own_country.monthly(*JANUARY)
    assert own_country.query(newest) == first
