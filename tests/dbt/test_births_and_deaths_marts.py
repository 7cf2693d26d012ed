"""Maternal and perinatal outcomes and civil registration by hand, of the third quarter of 2024."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, NYAMATA

QUARTER = "2024Q3"


def told(dbt: Dbt, report: str, columns: str, period: str = QUARTER) -> dict[str, tuple[Any, ...]]:
    """By unit."""
    found = dbt.query(f"select org_unit_uid, {columns} from reporting.{report} where period = '{period}'")
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def test_rates_from_both_parts(marts: Dbt) -> None:
    """Three months of 100 live births, 2 + 4 stillbirths and 1 + 2 deaths of newborns at one hospital; 20 births elsewhere."""
    columns = (
        "deliveries, live_births, stillbirths, total_births, stillbirth_rate, neonatal_deaths, neonatal_mortality_rate"
    )
    found = told(marts, "rpt_maternal_perinatal", columns)
    assert found[KIBAGABAGA] == (315, 300, 18, 318, 18000 / 318, 9, 30)
    assert found[COUNTRY] == (375, 360, 18, 378, 18000 / 378, 9, 25)


def test_audits_within_seven_days(marts: Dbt) -> None:
    """Of 25 deaths 15 are audited: 5 in time, 5 late, and 5 of which nobody knows. 5 of the 20 others are in time."""
    columns = (
        "perinatal_notified, perinatal_audited, perinatal_audited_in_time, perinatal_lateness_unknown,"
        " perinatal_audited_share, perinatal_audited_in_time_share, is_newborns_suppressed"
    )
    assert told(marts, "rpt_maternal_perinatal", columns)[COUNTRY] == (25, 15, 5, 5, 60, 25, False)


def test_what_is_not_loaded_is_not_none(marts: Dbt) -> None:
    """Of the third quarter three months of the one audit are loaded and one of the other; of the first, none. January has births."""
    columns = (
        "perinatal_notified, perinatal_audited_in_time_share, is_newborns_suppressed, hmis_months_loaded,"
        " maternal_months_loaded, perinatal_months_loaded"
    )
    assert told(marts, "rpt_maternal_perinatal", columns, "2024Q1")[COUNTRY] == (None, None, False, 2, 0, 0)
    assert told(marts, "rpt_maternal_perinatal", columns)[COUNTRY] == (25, 25, False, 0, 1, 3)
    assert told(marts, "rpt_maternal_perinatal", columns)[NYAMATA][0] == 0, "loaded, and none there"
    assert told(marts, "rpt_maternal_perinatal", columns, "2024")[COUNTRY] == (25, 25, False, 2, 1, 3)


def test_civil_registration_says_whether_a_period_is_whole(marts: Dbt) -> None:
    found = {
        period: told(marts, "rpt_civil_registration", "months_loaded, is_complete", period)[COUNTRY]
        for period in ("2024Q1", "2024Q3", "2024Q4", "2024")
    }
    # The week of 30 September touches October, of which four more weeks are not loaded.
    assert found == {"2024Q1": (0, False), "2024Q3": (3, True), "2024Q4": (0, False), "2024": (3, False)}


def test_small_numbers_of_audits_are_kept_back_at_every_place(marts: Dbt) -> None:
    """One audited death is small in the country, and so everywhere. The HMIS's deaths, 9 and 3, rpt_core_indicators shows too."""
    columns = (
        "maternal_deaths, maternal_mortality_ratio, maternal_notified, maternal_audited_share, is_mothers_suppressed"
    )
    found = told(marts, "rpt_maternal_perinatal", columns)
    assert {found[unit][0] for unit in (KIBAGABAGA, GASABO)} == {9} and found[COUNTRY][0] == 12
    assert found[KIBAGABAGA][1] == 3000 and {found[unit][0] for unit in (NYAMATA, EAST)} == {3}
    assert {row[2:] for row in found.values()} == {(None, None, True)}


def test_registered_births_over_expected_and_over_the_hmis(marts: Dbt) -> None:
    """48 births a year are 12 a quarter. The birth of 1 October is of the next; the one at home is none of the hospital."""
    columns = (
        "registered_births, expected_births, birth_completeness, registered_births_in_facility, hmis_live_births,"
        " facility_birth_completeness, births_registered_on_time, birth_timeliness"
    )
    found = told(marts, "rpt_civil_registration", columns)
    assert found[KIBAGABAGA] == (9, 12, 75, 9, 300, 3, 6, 100 * 6 / 9)
    assert found[GASABO] == (10, 12, 1000 / 12, 9, 300, 3, 7, 70)
    autumn = told(marts, "rpt_civil_registration", columns, "2024Q4")
    assert autumn[KIBAGABAGA][:3] == (1, None, None), "of a quarter that is not loaded nobody knows how many to expect"


def test_registered_deaths_and_those_kept_back(marts: Dbt) -> None:
    columns = "registered_deaths, deaths_registered_on_time, death_timeliness, deaths_with_cause, is_deaths_suppressed"
    found = told(marts, "rpt_civil_registration", columns)
    assert found[KIBAGABAGA] == found[COUNTRY] == (11, 6, 100 * 6 / 11, 6, False)
    # One death in the east, without cause: the nine elsewhere would give it away, and the nine with cause of ten.
    autumn = told(marts, "rpt_civil_registration", columns, "2024Q4")
    assert {autumn[unit][0] for unit in (NYAMATA, BUGESERA, EAST, GASABO, KIBAGABAGA, COUNTRY)} == {None}
    # A year is shown only if all its quarters are.
    assert told(marts, "rpt_civil_registration", "registered_deaths, registered_births", "2024")[COUNTRY][0] is None
