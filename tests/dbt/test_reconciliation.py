"""rpt_reconciliation: two pathways side by side, by hand."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA


def compared(dbt: Dbt, comparison: str, columns: str, month: str = "2024-01-01") -> dict[str, tuple[Any, ...]]:
    """By unit."""
    found = dbt.query(
        f"select org_unit_uid, {columns} from reporting.rpt_reconciliation"
        f" where comparison = '{comparison}' and month = '{month}'"
    )
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def test_both_numbers_with_ratio_and_difference(marts: Dbt) -> None:
    found = compared(marts, "DOSES_PENTA1", "level, first_value, second_value, ratio, difference")
    assert found == {
        # Ann, Ben, and Cat on the last day of the month; the fourth child of the week was vaccinated in February.
        KIBAGABAGA: ("facility", 3, 4, 0.75, -1),
        # Gave BCG that month, so no Penta1 is none; the HMIS has no report of it.
        REMERA: ("facility", 0, None, None, None),
        # Is not in the tracker.
        NYAMATA: ("facility", None, 6, None, None),
        GASABO: ("district", 3, 4, 0.75, -1),
        KIGALI: ("province", 3, 4, 0.75, -1),
        BUGESERA: ("district", None, 6, None, None),
        EAST: ("province", None, 6, None, None),
        COUNTRY: ("country", 3, 10, 0.3, -7),
        # Fay's BCG, at a place that the registry does not know.
        "NoSuchUnit1": ("unmapped", 0, None, None, None),
    }
    february = compared(marts, "DOSES_PENTA1", "first_value, second_value", "2024-02-01")
    assert february[KIBAGABAGA] == (1, None)


def test_a_month_says_which_side_is_whole(marts: Dbt) -> None:
    """Of January the HMIS's month is loaded and no week of CRVS; of April the doses are, and the HMIS is not."""
    columns = "first_is_complete, second_is_complete"
    assert set(compared(marts, "BIRTHS_CRVS", columns).values()) == {(False, True)}
    assert set(compared(marts, "DOSES_PENTA1", columns, "2024-04-01").values()) == {(True, False)}
    assert set(compared(marts, "IDSR_CASES", columns, "2024-02-01").values()) == {(False, False)}


def test_like_is_compared_with_like_beside_it(marts: Dbt) -> None:
    columns = "facilities_first, facilities_second, facilities_both, first_value_both, second_value_both, ratio_both"
    found = compared(marts, "DOSES_PENTA1", columns)
    assert found[COUNTRY] == (2, 2, 1, 3, 4, 0.75)
    assert found[BUGESERA] == (0, 1, 0, None, None, None)


def test_births_of_three_sources(marts: Dbt) -> None:
    columns = "first_source, first_value, second_source, second_value, ratio"
    # At home is no birth of the facility; a birth whose facility nobody named counts from its sector upwards.
    crvs = compared(marts, "BIRTHS_CRVS", columns)
    assert crvs[KIBAGABAGA] == ("CRVS", 1, "HMIS", 0, None), "divided by none there is no ratio, and it is not 0"
    assert crvs[GASABO] == ("CRVS", 2, "HMIS", 8, 0.25)
    # A stillbirth is no live birth.
    assert compared(marts, "BIRTHS_EBUZIMA", columns)[COUNTRY] == ("EBUZIMA", 2, "HMIS", 8, 0.25)
    assert compared(marts, "BIRTHS_CRVS_EBUZIMA", columns)[KIBAGABAGA] == ("CRVS", 1, "EBUZIMA", 2, 0.5)


def test_the_two_paths_of_idsr(marts: Dbt) -> None:
    found = compared(marts, "IDSR_CASES", "item, first_value, second_value, ratio", "2024-02-01")
    # 4 and 0 by one path, 5 and no report by the other.
    assert found[KIBAGABAGA] == ("MEASLES", 4, 5, 0.8)
    assert compared(marts, "IDSR_CASES", "item") == {}
