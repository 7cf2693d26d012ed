"""The check that reconciles IDSR's two paths, as dbt compiles it, on numbers that were changed for it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from dbt_runner import Dbt
from small_country import REMERA
from surveillance import STRADDLING

TEST, MODEL = "idsr_paths_agree", "int_idsr_path"
# As the direct path has it.
CORRECTED = """
update dwh.fct_idsr_weekly as f set cases = d.cases, deaths = d.deaths from dwh.fct_idsr_weekly as d
where f.path = 'dhis2' and d.path = 'direct' and f.is_reported and d.is_reported
    and (f.week_start, f.place_key, f.disease_code, f.age_band) = (d.week_start, d.place_key, d.disease_code, d.age_band)
"""


@pytest.fixture(scope="module")
def sql(country: Dbt) -> dict[str, str]:
    """Of the test and of the model that puts the paths side by side, by their names."""
    assert {*country.run("compile", "--select", TEST, MODEL).values()} == {"success"}
    results = json.loads((country.target / "run_results.json").read_text())["results"]
    return {result["unique_id"].split(".")[2]: result["compiled_code"] for result in results}


@pytest.fixture(scope="module")
def compiled(sql: dict[str, str]) -> str:
    assert "0.05 * (counted.agree" in sql[TEST], "the declared tolerance"
    return sql[TEST]


def found(country: Dbt, sql: dict[str, str], test: str, *changes: str) -> list[dict[str, Any]]:
    """What the test lists after some statements, which are then undone, and after its week was built again."""
    paths = f"intermediate.{MODEL}"
    with country.warehouse.connect() as connection:
        for statement in changes:
            connection.execute(statement.encode())
        connection.execute(f"delete from {paths}".encode())
        connection.execute(f"insert into {paths} {sql[MODEL]}".encode())
        cursor = connection.execute(test.encode())
        names = [column.name for column in cursor.description or ()]
        listed = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        connection.rollback()
    return listed


def test_a_week_over_the_tolerance_is_listed_with_its_verdicts_and_first_differences(
    country: Dbt, sql: dict[str, str], compiled: str
) -> None:
    (week,) = found(country, sql, compiled)
    told = country.query(
        f"select verdict, count(*) from reporting.rpt_idsr_paths where week_start = '{STRADDLING}' group by 1"
    )
    counts = {"only dhis2": 0, **dict(told)}
    assert week["week_start"] == date.fromisoformat(STRADDLING)
    assert (week["agree"], week["differ"]) == (counts["agrees"], counts["differs"])
    assert (week["only_direct"], week["only_dhis2"]) == (counts["only direct"], counts["only dhis2"])
    assert float(week["share"]) == pytest.approx(counts["differs"] / (counts["agrees"] + counts["differs"]), abs=0.001)
    assert "Kibagabaga MEASLES: 3 cases, 1 deaths direct; 4, 0 DHIS2" in week["first_differences"]


def test_what_one_path_alone_tells_is_counted_beside_the_share(
    country: Dbt, sql: dict[str, str], compiled: str
) -> None:
    silent = "update dwh.fct_idsr_weekly set is_reported = false, cases = null, deaths = null"
    place = f"where place_key = '{REMERA}' and disease_code = 'MEASLES' and week_start = '{STRADDLING}'"
    (before,) = found(country, sql, compiled)
    (week,) = found(country, sql, compiled, f"{silent} {place} and path = 'direct'")
    assert (week["only_dhis2"], week["only_direct"]) == (before["only_dhis2"] + 1, before["only_direct"])
    assert (week["agree"], week["differ"]) == (before["agree"] - 1, before["differ"])


def test_paths_that_agree_or_differ_within_the_tolerance_are_no_row(
    country: Dbt, sql: dict[str, str], compiled: str
) -> None:
    assert found(country, sql, compiled, CORRECTED) == []
    assert found(country, sql, compiled.replace("0.05 *", "0.9 *")) == []


def test_it_warns_and_stops_nothing(country: Dbt) -> None:
    assert country.run("test", "--select", TEST) == {TEST: "warn"}
