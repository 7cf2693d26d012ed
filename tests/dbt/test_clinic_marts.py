"""Stock-outs and what outpatients are diagnosed with, by hand."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from small_country import BUGESERA, COUNTRY, GASABO, KIBAGABAGA, NYAMATA


def stock(dbt: Dbt, columns: str, period: str) -> dict[str, tuple[Any, ...]]:
    where = f"period = '{period}' and source_code = 'MED019'"
    return {
        row[0]: row[1:]
        for row in dbt.query(f"select org_unit_uid, {columns} from reporting.rpt_stock_out where {where}")
    }


def test_days_and_facilities_without_a_product(marts: Dbt) -> None:
    columns = "facilities, facilities_out, facilities_out_share, days_out, days, days_out_share"
    march = stock(marts, columns, "2024-03")
    # 40 days are the month's 31; the card counted last counts. Nyamata's card tells no days.
    assert march[KIBAGABAGA] == (1, 1, 100, 31, 31, 100)
    assert march[COUNTRY] == march[GASABO] == (2, 1, 50, 31, 62, 50)
    assert march[NYAMATA] == (0, 0, None, None, None, None)
    # January 31, February 29 with 9 out, March 31 out, and 31 of Remera.
    quarter = stock(marts, f"{columns}, facility_months, facility_months_out", "2024Q1")
    assert quarter[COUNTRY] == (2, 1, 50, 40, 122, 4000 / 122, 4, 2)


def test_months_of_stock(marts: Dbt) -> None:
    """Kibagabaga issued 30, 60 and 0: 30 a month, and holds 80. Remera issued 10 and holds 10. Below zero is no stock."""
    columns = "in_stock, monthly_consumption, months_of_stock"
    found = stock(marts, f"in_stock_at_end_of::text, {columns}", "2024Q1")
    assert found[KIBAGABAGA] == ("2024-03-01", 80, 30, 80 / 30)
    assert found[COUNTRY] == ("2024-03-01", 90, 40, 2.25)
    assert found[BUGESERA] == ("2024-03-01", None, None, None)


def test_nothing_issued_is_no_number_of_months(marts: Dbt) -> None:
    what = "select months_of_stock, days_out_share from reporting.rpt_stock_out"
    assert marts.query(f"{what} where source_code = 'MED001' and period = '2024-02' and level = 'country'") == [
        (None, 100)
    ]


def burden(dbt: Dbt, unit: str, age: str, sex: str) -> list[tuple[Any, ...]]:
    return dbt.query(
        "select icd10_category, rank, numerator, denominator from reporting.rpt_outpatient_burden"
        f" where org_unit_uid = '{unit}' and age_band_key = '{age}' and sex = '{sex}' and month = '2024-03-01' order by 2, 1"
    )


def test_diagnoses_by_age_and_sex_ranked(marts: Dbt) -> None:
    """Not old cases, not community's, who is not told to be new; nothing of HIV; a visit once a category."""
    assert burden(marts, KIBAGABAGA, "opd_under_5", "F") == [("B54", 1, 3, 5), ("J18", 2, 1, 5), ("none", None, 1, 5)]
    assert burden(marts, KIBAGABAGA, "all", "all") == [("J18", 1, 5, 9), ("B54", 2, 3, 9), ("none", None, 1, 9)]
    assert burden(marts, COUNTRY, "all", "F") == [("B54", 1, 4, 6), ("J18", 2, 1, 6), ("none", None, 1, 6)]
    assert burden(marts, COUNTRY, "opd_20_plus", "all") == [("J18", 1, 3, 3)]
