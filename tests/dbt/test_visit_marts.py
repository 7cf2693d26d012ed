"""Visits, insurance and laboratory tests by place and period, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import JANUARY as RUN_OF_JANUARY
from dbt_runner import Dbt
from marts_rows import put
from marts_visits import JANUARY, SENSITIVE_TESTS, result, visit
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA

VISITED = "visits, new_case_told, new_cases, outcome_told, referred, referred_share, admitted, left_untreated"
LOADED = "months_loaded, is_complete, data_as_of is not null"
NOT_TOLD = "not told or not known"
REPORTS = ("rpt_visits", "rpt_insurance", "rpt_lab_positivity")


def visits(dbt: Dbt, period: str, system: str, columns: str = VISITED) -> dict[str, tuple[Any, ...]]:
    where = f"period = '{period}' and system = '{system}'"
    return {
        row[0]: row[1:] for row in dbt.query(f"select org_unit_uid, {columns} from reporting.rpt_visits where {where}")
    }


def insurance(dbt: Dbt, unit: str, period: str) -> dict[str, tuple[Any, ...]]:
    where = f"period = '{period}' and org_unit_uid = '{unit}'"
    return {
        row[0]: row[1:]
        for row in dbt.query(f"select scheme, visits, all_visits, share from reporting.rpt_insurance where {where}")
    }


def laboratory(dbt: Dbt, unit: str, period: str) -> dict[str, tuple[Any, ...]]:
    columns = "system || ':' || source_code, results, positive_or_negative, positive, share"
    where = f"period = '{period}' and org_unit_uid = '{unit}'"
    return {row[0]: row[1:] for row in dbt.query(f"select {columns} from reporting.rpt_lab_positivity where {where}")}


def test_visits_of_a_month_at_every_level(marts: Dbt) -> None:
    """CEMR tells of every encounter whether the patient was sent on; eFICHE tells no outcome of one of its three."""
    everyone = visits(marts, "2024-01", "all")
    assert everyone[COUNTRY] == (6, 3, 2, 5, 1, 20, 1, 0)
    assert everyone[KIGALI] == everyone[GASABO] == (6, 3, None, 5, 1, 20, 1, 0)
    assert everyone[KIBAGABAGA] == (3, 3, None, 2, 0, 0, 1, 0)
    assert everyone.keys() == {COUNTRY, KIGALI, GASABO, KIBAGABAGA, REMERA}
    assert visits(marts, "2024-01", "efiche")[KIBAGABAGA] == everyone[KIBAGABAGA]


def test_what_a_system_does_not_tell_is_not_0(marts: Dbt) -> None:
    assert visits(marts, "2024-01", "cemr")[REMERA] == (3, 0, None, 3, 1, 100 / 3, None, None)
    assert visits(marts, "2024-07", "hpemr")[REMERA] == (2, 2, None, 2, 1, 50, None, None)
    assert visits(marts, "2024-07", "hpemr")[COUNTRY] == (2, 2, 1, 2, 1, 50, None, None)


@pytest.mark.parametrize(
    ("period", "country", "bugesera"),
    [
        ("2024-02", (2, 1, 1, 2, 1, 50, 0, 1), None),
        ("2024Q1", (8, 4, 3, 7, 2, 200 / 7, 1, 1), None),
        ("2024Q2", (1, 1, 1, 1, 1, 100, 0, 0), (1, 1, None, 1, 1, 100, 0, 0)),
        ("fy_2023_24", (9, 5, 4, 8, 3, 37.5, 1, 1), (1, 1, None, 1, 1, 100, 0, 0)),
        ("fy_2024_25", (2, 2, 1, 2, 1, 50, None, None), None),
        ("2024", (11, 7, 5, 10, 4, 40, 1, 1), (1, 1, None, 1, 1, 100, 0, 0)),
    ],
)
def test_visits_of_every_kind_of_period(
    marts: Dbt, period: str, country: tuple[Any, ...], bugesera: tuple[Any, ...] | None
) -> None:
    found = visits(marts, period, "all")
    assert found[COUNTRY] == country
    assert found.get(BUGESERA) == found.get(EAST) == found.get(NYAMATA) == bugesera


def test_a_facility_that_the_registry_does_not_know_is_in_no_place_above(marts: Dbt) -> None:
    columns = f"level, org_unit_name, district, {VISITED}"
    unknown = visits(marts, "2024-02", "all", columns)["HP-9"]
    assert unknown == ("unmapped", None, None, 1, 1, None, 1, 0, 0, None, None)
    assert "HP-9" in visits(marts, "2024", "hpemr")
    assert insurance(marts, "HP-9", "2024Q1") == {"CBHI": (1, 1, 100)}
    assert laboratory(marts, "999", "2024") == {"efiche:TDR": (1, 1, 1, 100)}


def test_months_that_are_loaded(marts: Dbt) -> None:
    """Of all systems, the months that each of them has."""
    for system, loaded in {"efiche": (3, True), "cemr": (3, True), "hpemr": (2, False), "all": (2, False)}.items():
        assert set(visits(marts, "2024Q1", system, LOADED).values()) == {(*loaded, True)}, system
    assert visits(marts, "2024-01", "all", LOADED)[COUNTRY] == (1, True, True)
    assert visits(marts, "2024-07", "all", LOADED)[COUNTRY] == (0, False, False)
    said = f"select distinct {LOADED} from reporting.{{}} where period = '2024Q1'"
    assert marts.query(said.format("rpt_insurance")) == [(2, False, True)]
    of_efiche = marts.query(said.format("rpt_lab_positivity") + " and system = 'efiche'")
    assert of_efiche == [(1, False, True)]
    assert marts.query(said.format("rpt_lab_positivity") + " and system = 'cemr'") == [(3, True, True)]


def test_insurance_of_those_who_are_asked(marts: Dbt) -> None:
    """Categories of a scheme are one scheme. Who is not asked, by community health workers, is in no side."""
    assert insurance(marts, KIBAGABAGA, "2024-01") == {"CBHI": (2, 3, 200 / 3), NOT_TOLD: (1, 3, 100 / 3)}
    quarter = {"CBHI": (2, 5, 40), "RAMA": (1, 5, 20), NOT_TOLD: (2, 5, 40)}
    for unit in (COUNTRY, KIGALI, GASABO, KIBAGABAGA):
        assert insurance(marts, unit, "2024Q1") == quarter
    assert insurance(marts, REMERA, "2024Q1") == {}
    year = {"CBHI": (4, 8, 50), "RAMA": (1, 8, 12.5), "NONE": (1, 8, 12.5), NOT_TOLD: (2, 8, 25)}
    assert insurance(marts, COUNTRY, "2024") == year
    assert insurance(marts, COUNTRY, "fy_2024_25") == {"CBHI": (1, 2, 50), "NONE": (1, 2, 50)}


def test_how_often_a_test_is_positive(marts: Dbt) -> None:
    """The invalid one is a result and says nothing; a quantity is neither positive nor negative."""
    january = {"efiche:TDR": (3, 2, 1, 50), "efiche:HB": (1, 0, 0, None)}
    assert laboratory(marts, KIBAGABAGA, "2024-01") == january
    community = {"cemr:RDT": (1, 1, 1, 100)}
    for unit in (GASABO, KIGALI, COUNTRY):
        assert laboratory(marts, unit, "2024-01") == january | community
    assert laboratory(marts, GASABO, "2024Q1")["efiche:TDR"] == (4, 3, 2, 200 / 3)
    assert laboratory(marts, COUNTRY, "fy_2023_24")["efiche:TDR"] == (5, 4, 2, 50)
    assert laboratory(marts, COUNTRY, "2024")["efiche:TDR"] == (6, 5, 2, 40)
    assert laboratory(marts, BUGESERA, "2024Q3") == {"efiche:TDR": (1, 1, 0, 0), "efiche:RPR": (1, 1, 1, 100)}


def test_sensitive_tests_and_those_nobody_knows_are_in_no_row(marts: Dbt) -> None:
    known = "select source_code from dwh.dim_lab_test where is_sensitive"
    assert {code for (code,) in marts.query(known)} == set(SENSITIVE_TESTS)
    for where in ("dwh.fct_lab_month", "reporting.rpt_lab_positivity"):
        column = "lab_test_key" if where.startswith("dwh") else "system || ':' || source_code"
        found = {test for (test,) in marts.query(f"select distinct {column} from {where}")}
        assert found == {"efiche:TDR", "efiche:HB", "efiche:RPR", "cemr:RDT"}, where


def test_a_test_that_is_called_sensitive_later_is_left_out_at_once(own_marts: Dbt) -> None:
    with own_marts.warehouse.connect() as connection:
        connection.execute("update dwh.dim_lab_test set is_sensitive = true where lab_test_key = 'efiche:TDR'")
    assert laboratory(own_marts, KIBAGABAGA, "2024-01") == {"efiche:HB": (1, 0, 0, None)}


@pytest.mark.parametrize("report", REPORTS)
def test_places_add_up_to_the_place_above(marts: Dbt, report: str) -> None:
    """Whatever does not have a place is in none of them."""
    column, kind = ("results", "system, source_code") if report == "rpt_lab_positivity" else ("visits", "scheme")
    kind = "system" if report == "rpt_visits" else kind
    sums = f"select period_type, period, {kind}, sum({column})::bigint from reporting.{report} where level = '{{}}'"
    levels = [
        sorted(marts.query(f"{sums.format(level)} group by period_type, period, {kind}"))
        for level in ("country", "province", "district", "facility")
    ]
    assert levels[0] and levels.count(levels[0]) == 4


def test_a_month_landed_again_replaces_its_numbers(own_marts: Dbt) -> None:
    """In January Kibagabaga's three visits and its tests are gone; other months are not touched."""
    others = "select md5(string_agg(m::text, ' ' order by m::text)) from dwh.{} as m where period_start <> '2024-01-01'"
    facts = ("fct_visit_month", "fct_lab_month")
    before = [own_marts.query(others.format(fact)) for fact in facts]
    with own_marts.warehouse.connect() as connection:
        for fact in ("fct_visit", "fct_lab_result"):
            connection.execute(
                f"delete from dwh.{fact} where period_start = '{JANUARY}' and facility_uid = '{KIBAGABAGA}'".encode()
            )
        put(connection, "dwh.fct_visit", [visit("n9", JANUARY, NYAMATA, "left", insurance_key="mmi")])
        put(connection, "dwh.fct_lab_result", [result("n9", JANUARY, NYAMATA, "TDR", False)])
    window = ("--event-time-start", RUN_OF_JANUARY[0], "--event-time-end", RUN_OF_JANUARY[1])
    own_marts.run("run", "--select", *facts, *window)
    below = dict.fromkeys((EAST, BUGESERA, NYAMATA), (1, 1, None, 1, 0, 0, 0, 1))
    assert visits(own_marts, "2024-01", "efiche") == {COUNTRY: (1, 1, 1, 1, 0, 0, 0, 1), **below}
    assert visits(own_marts, "2024Q1", "all")[COUNTRY] == (6, 2, 2, 6, 2, 100 / 3, 0, 2)
    assert insurance(own_marts, COUNTRY, "2024-01") == {"MMI": (1, 1, 100)}
    assert laboratory(own_marts, KIBAGABAGA, "2024-01") == {}
    assert laboratory(own_marts, COUNTRY, "2024Q1") == {"efiche:TDR": (2, 2, 1, 50), "cemr:RDT": (1, 1, 1, 100)}
    assert [own_marts.query(others.format(fact)) for fact in facts] == before


def test_a_warehouse_from_before_sensitive_tests_were_named_gets_the_column(own_marts: Dbt) -> None:
    """Seeds stay where they are, with the columns they had; so does the dimension."""
    what = "select count(*), count(is_sensitive) from staging.xwalk_lab_test"
    before = own_marts.query(what)
    with own_marts.warehouse.connect() as connection:
        connection.execute("drop view reporting.rpt_lab_positivity")
        connection.execute("alter table staging.xwalk_lab_test drop column is_sensitive")
        connection.execute("alter table dwh.dim_lab_test drop column is_sensitive")
    results = own_marts.run("build", "--select", "xwalk_lab_test", "dim_lab_test")
    assert set(results.values()) <= {"success", "pass"}
    assert own_marts.query(what) == before
    known = "select source_code from dwh.dim_lab_test where is_sensitive"
    assert {code for (code,) in own_marts.query(known)} == set(SENSITIVE_TESTS)
