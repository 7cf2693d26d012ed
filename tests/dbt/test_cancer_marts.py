"""Cancer incidence by hand: new primaries, rates by the world standard, and how they were diagnosed."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import Dbt
from small_country import COUNTRY, GASABO


def told(dbt: Dbt, columns: str, where: str) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    found = dbt.query(f"select org_unit_uid, sex, site, {columns} from reporting.rpt_cancer_incidence where {where}")
    return {row[:3]: row[3:] for row in found}


def test_new_primaries_and_their_basis(marts: Dbt) -> None:
    """Of breast, of three women: one verified at 52 and 91 each, one by certificate. The same woman's cervix is another."""
    found = told(
        marts, "cases, of_unknown_age, morphologically_verified, death_certificate_only", "incidence_year = 2023"
    )
    assert found[GASABO, "F", "C50"] == found[COUNTRY, "all", "C50"] == (3, 1, 2, 1)
    assert found[GASABO, "F", "all"] == (4, 1, 2, 1)
    assert found[COUNTRY, "all", "all"] == (5, 1, 3, 1)
    assert (GASABO, "M", "C61") not in found and found[COUNTRY, "M", "C61"] == (1, 0, 1, 0)
    assert told(marts, "cases", "incidence_year = 2024") == {}, "recorded again is no new case"


def test_rates_by_the_world_standard(marts: Dbt) -> None:
    """5,000 of the standard are 50 to 54, of 2,000 women: one case there is 2.5; 500 are 85 and over, of 1,000: 0.5."""
    found = told(marts, "population, crude_rate, age_standardised_rate, verified_share", "incidence_year = 2023")
    assert found[GASABO, "F", "C50"] == (19_000, pytest.approx(300_000 / 19_000), 3.0, pytest.approx(200 / 3))
    assert found[GASABO, "F", "all"][2] == 5.5
    # Nobody told how many men there are.
    assert found[COUNTRY, "M", "C61"] == (None, None, None, 100)
