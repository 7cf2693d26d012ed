"""Coverage, dropout, timeliness and the children without a first dose, by hand, of April 2024."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from marts_rows import key
from small_country import COUNTRY, GASABO, KIBAGABAGA, NYAMATA, REMERA


def doses(dbt: Dbt, columns: str, period: str = "2024-04") -> dict[tuple[str, str], tuple[Any, ...]]:
    """By unit and dose."""
    found = dbt.query(
        f"select org_unit_uid, dose_code, {columns} from reporting.rpt_immunization where period = '{period}'"
    )
    return {row[:2]: row[2:] for row in found}


def test_coverage_over_a_twelfth_of_the_target(marts: Dbt) -> None:
    """24 infants a year are 2 a month, 36 of the district 3, and 36 births 3. Of five doses, four are known to be under one year."""
    found = doses(marts, "doses, numerator, target_group, target, coverage")
    assert found[KIBAGABAGA, "PENTA1"] == (5, 4, "surviving infants", 2, 200)
    assert found[GASABO, "PENTA1"] == (5, 4, "surviving infants", 3, 400 / 3)
    assert found[KIBAGABAGA, "BCG"] == (2, 2, "live births", 3, 200 / 3)
    # At thirteen months, MR1 is not of the first year.
    assert found[KIBAGABAGA, "MR1"] == (3, 0, "surviving infants", 2, 0)
    # Was there and gave none; and has no target of births.
    assert found[REMERA, "PENTA1"] == (0, 0, "surviving infants", 1, 0)
    assert found[REMERA, "BCG"] == (0, 0, "live births", None, None)
    assert (KIBAGABAGA, "ROTA3") not in found, "no longer in the schedule"


def test_coverage_of_registered_births(marts: Dbt) -> None:
    found = doses(marts, "registered_births, coverage_of_registered")
    assert found[KIBAGABAGA, "BCG"] == (4, 50)
    assert found[REMERA, "BCG"] == (None, None)


def test_shares_of_valid_doses_in_time(marts: Dbt) -> None:
    """Of five Penta1 one is of unknown age, one too early, one too late."""
    found = doses(marts, "doses_judged, doses_valid, doses_in_window, valid_share, in_window_share")
    assert found[KIBAGABAGA, "PENTA1"] == (4, 3, 2, 75, 50)
    assert found[REMERA, "PENTA1"] == (0, 0, 0, None, None)


def test_a_longer_period_adds_up_both_parts(marts: Dbt) -> None:
    assert doses(marts, "months, doses, target", "2024Q2")[KIBAGABAGA, "PENTA1"] == (1, 5, 2)
    # January and February have doses and no target, and with the year they are not told to have one.
    assert doses(marts, "months, doses, target, coverage", "2024")[COUNTRY, "PENTA1"] == (3, 10, None, None)


def test_a_dose_of_unknown_age_is_not_one_that_does_not_count(marts: Dbt) -> None:
    """Nyamata gave one Penta1 to a child that is not known otherwise; of Kibagabaga's five it is one."""
    columns = "doses, doses_of_unknown_age, numerator, coverage, coverage_of_registered, doses_judged, doses_valid, doses_in_window"
    found = doses(marts, columns)
    assert found[NYAMATA, "PENTA1"] == (1, 1, None, None, None, 0, None, None)
    assert found[KIBAGABAGA, "PENTA1"] == (5, 1, 4, 200, 100, 4, 3, 2)
    assert found[COUNTRY, "PENTA1"][:3] == (6, 2, 4)
    # It gave none of these, so none counts.
    assert found[NYAMATA, "PENTA3"][:3] == (0, 0, 0)


def test_a_period_says_whether_all_of_it_is_loaded(marts: Dbt) -> None:
    """Five weeks touch April, and are loaded; of May it is one of five."""
    by_period = {
        period: {
            row[0]
            for row in marts.query(
                f"select (months_loaded, is_complete)::text from reporting.{report} where period = '{period}'"
            )
        }
        for report in ("rpt_immunization", "rpt_immunization_dropout")
        for period in ("2024-01", "2024-04", "2024Q2", "2024")
    }
    assert by_period == {"2024-01": {"(0,f)"}, "2024-04": {"(1,t)"}, "2024Q2": {"(1,f)"}, "2024": {"(1,f)"}}


def test_dropout(marts: Dbt) -> None:
    found = marts.query(
        "select org_unit_uid, dropout, first_doses, last_doses, numerator, dropout_rate, is_negative"
        " from reporting.rpt_immunization_dropout where period = '2024-04' and level = 'facility'"
    )
    by = {row[:2]: row[2:] for row in found}
    assert by[KIBAGABAGA, "PENTA1_PENTA3"] == (5, 1, 4, 80, False)
    assert by[KIBAGABAGA, "BCG_MR1"] == (2, 3, -1, -50, True)
    assert by[REMERA, "PENTA1_PENTA3"] == (0, 0, 0, None, False), "divided by none there is no dropout, and it is not 0"


def test_children_past_the_age_of_their_first_dose(marts: Dbt) -> None:
    found = marts.query(
        "select patient_source_key::text, facility_uid, residence_sector, age_days, days_overdue, as_of::text"
        " from reporting.rpt_zero_dose order by age_days"
    )
    assert found == [
        (key("child", "overdue"), KIBAGABAGA, "Remera", 43, 1, "2024-04-14"),
        (key("child", "not yet five"), KIBAGABAGA, "Remera", 1826, 1784, "2024-04-14"),
    ]
