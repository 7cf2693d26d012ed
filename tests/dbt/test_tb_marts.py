"""TB notifications and the cohort of a year before, by hand, of the first quarter of 2023."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import Dbt
from small_country import COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, REMERA


def told(dbt: Dbt, columns: str, period: str = "2023Q1") -> dict[str, tuple[Any, ...]]:
    found = dbt.query(f"select org_unit_uid, {columns} from reporting.rpt_tb_cohort where period_notified = '{period}'")
    return {row[0]: row[1:] for row in found}


def test_notifications_by_type(marts: Dbt) -> None:
    """6 + 6 + 5 resistant + 1 new, 5 relapses, 5 others. Extra-pulmonary 6 + 5. Of all but 5 the HIV status is known."""
    columns = (
        "notified, new_cases, relapses, previously_treated, bacteriologically_confirmed, extrapulmonary, hiv_known"
    )
    found = told(marts, f"{columns}, hiv_positive, resistant, population, notification_rate")
    # 23 new and relapsed of a quarter of 400,000.
    assert found[COUNTRY] == (28, 18, 5, 5, 21, 11, 23, 6, 5, 100_000, 23)


def test_outcomes_of_the_cohort_without_the_resistant(marts: Dbt) -> None:
    columns = "is_cohort_over, cohort, cured, completed, success, failed, died, lost, not_evaluated, success_rate"
    assert told(marts, columns)[COUNTRY] == (True, 23, 6, 7, 13, 5, 5, 0, 0, 1300 / 23)


def test_one_case_in_the_east_keeps_the_provinces_back(marts: Dbt) -> None:
    found = told(marts, "notified, cohort, success_rate, is_suppressed, is_outcome_suppressed")
    assert {found[unit] for unit in (EAST, KIGALI, KIBAGABAGA)} == {(None, None, None, True, True)}


def test_a_cohort_is_told_of_after_a_year(marts: Dbt) -> None:
    """The last week landed is of June 2024: of the second quarter of 2023, which ended on 30 June, a year has not passed."""
    columns = "quarters, notified, is_cohort_over, cohort, success_rate, is_suppressed, is_outcome_suppressed"
    assert told(marts, columns, "2023Q2")[COUNTRY] == (1, 6, False, None, None, False, False)
    fiscal = told(marts, columns, "fy_2022_23")[COUNTRY]
    assert fiscal == (2, 34, False, None, None, False, False)


@pytest.mark.parametrize(("programme", "at_facilities"), [("tb", (None, None)), ("immunization", (20, 3))])
def test_small_numbers_of_a_sensitive_programme_are_in_no_monthly_report(
    marts: Dbt, programme: str, at_facilities: tuple[int | None, int | None]
) -> None:
    found = marts.query(
        "select org_unit_uid, records, people, is_suppressed from reporting.rpt_programme_monthly"
        f" where programme = '{programme}' and month = '2024-03-01'"
    )
    by = {row[0]: row[1:] for row in found}
    assert (by[KIBAGABAGA][0], by[REMERA][0]) == at_facilities == (by[KIBAGABAGA][1], by[REMERA][1])
    assert by[COUNTRY] == by[GASABO] == (23, 23, False)
