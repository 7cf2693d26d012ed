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
    return compiled_tests(country)


def compiled_tests(country: Dbt) -> dict[str, str]:
    """The SQL of the tests that were compiled last, by their names."""
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


VALUE = "is_key_fct_data_value"
VISIT = "is_key_fct_visit_visit_key"
A_VALUE = "insert into dwh.fct_data_value (period_start, data_element_uid, org_unit_uid) values (date '{}', 'a', 'b')"
A_VISIT = "insert into dwh.fct_visit (period_start, visit_key) values (date '{}', {})"
NEW, OLD, OLDER = "2024-02-01", "2024-01-01", "2023-12-01"
ONE, NONE = "'00000000-0000-0000-0000-000000000001'", "null"


@pytest.fixture(scope="module")
def of_february(country: Dbt) -> dict[str, str]:
    """The SQL of the tests of two monthly facts by their names, for a run of February."""
    window = ("--event-time-start", "2024-02-01", "--event-time-end", "2024-03-01")
    country.run("build", "--resource-type", "test", "--select", "fct_data_value", "fct_visit", *window)
    return compiled_tests(country)


def test_a_run_is_tested_in_its_months(country: Dbt, of_february: dict[str, str]) -> None:
    january, february = A_VALUE.format("2024-01-01"), A_VALUE.format("2024-02-01")
    name = next(name for name in of_february if name.startswith(VALUE))
    assert [len(found(country, of_february[name], damage)) for damage in (january, february)] == [0, 1]


@pytest.mark.parametrize(
    ("months_and_keys", "wrong"),
    [
        ([(OLD, ONE), (OLDER, ONE)], 0),
        ([(OLD, ONE), (NEW, ONE)], 1),
        ([(OLD, NONE)], 0),
        ([(NEW, NONE)], 1),
    ],
)
def test_a_key_without_its_month_is_looked_for_in_all_months(
    country: Dbt, of_february: dict[str, str], months_and_keys: list[tuple[str, str]], wrong: int
) -> None:
    """A visit that a run has written must not stand in a month of another run either."""
    damage = [A_VISIT.format(month, key) for month, key in months_and_keys]
    assert len(found(country, of_february[VISIT], *damage)) == wrong
