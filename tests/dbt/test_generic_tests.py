"""The generic tests of the project fail when they should: each as dbt compiles it, on rows that were damaged for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dbt_runner import Dbt

TESTED = ("district", "stg_hmis__organisation_unit_group_members")
KEY, MEMBERS = "is_key_district_district_code", "is_key_stg_hmis__organisation_unit_group_members"
ANOTHER_GROUP = (
    "insert into staging.stg_hmis__organisation_unit_group_members (group_set_uid, group_uid, org_unit_uid)"
    " select null, 'AnyGroup001', unnest(array['FacRemera01', 'FacNyamata1'])"
)


@pytest.fixture(scope="module")
def compiled(country: Dbt) -> dict[str, str]:
    """The SQL of the tests by their name."""
    country.run("compile", "--select", *TESTED)
    results = json.loads((country.target / "run_results.json").read_text())["results"]
    kinds_and_names = ((result["unique_id"].split("."), result["compiled_code"]) for result in results)
    return {name: code for (kind, _, name, *_), code in kinds_and_names if kind == "test"}


def found(country: Dbt, test: str, *damage: str) -> list[tuple[Any, ...]]:
    """What a test finds after some statements, which are then undone."""
    with country.warehouse.connect() as connection:
        for statement in damage:
            assert connection.execute(statement.encode()).rowcount > 0
        rows: list[tuple[Any, ...]] = connection.execute(test.encode()).fetchall()
        connection.rollback()
    return sorted(rows)


@pytest.mark.parametrize(
    ("damage", "rows"),
    [
        ([], []),
        (["update staging.district set district_code = '101' where district_code = '102'"], [(101, 2)]),
        (["update staging.district set district_code = null where district_code = '102'"], [(None, 1)]),
    ],
)
def test_a_key_is_neither_shared_nor_null(
    country: Dbt, compiled: dict[str, str], damage: list[str], rows: list[tuple[Any, ...]]
) -> None:
    assert found(country, compiled[KEY], *damage) == rows


@pytest.mark.parametrize(
    ("damage", "rows"),
    [
        ([ANOTHER_GROUP], []),
        ([ANOTHER_GROUP, ANOTHER_GROUP], [(None, "AnyGroup001", f, 2) for f in ("FacNyamata1", "FacRemera01")]),
        (
            [ANOTHER_GROUP.replace("'AnyGroup001'", "null")],
            [(None, None, f, 1) for f in ("FacNyamata1", "FacRemera01")],
        ),
    ],
)
def test_a_column_of_a_key_that_may_be_null_still_tells_rows_apart(
    country: Dbt, compiled: dict[str, str], damage: list[str], rows: list[tuple[Any, ...]]
) -> None:
    assert found(country, compiled[MEMBERS], *damage) == rows


def test_what_is_not_complete_is_listed_by_column_with_how_many_rows(country: Dbt, compiled: dict[str, str]) -> None:
    complete = compiled["complete_district"]
    assert found(country, complete) == []
    no_people = "update staging.district set population_2022 = null where district_code in ('101', '102')"
    assert found(country, complete, no_people) == [("population_2022", 2)]
    no_province = "update staging.district set province_code = null where district_code = '102'"
    assert found(country, complete, no_people, no_province) == [("population_2022", 2), ("province_code", 1)]
    assert found(country, complete, "delete from staging.district") == []
