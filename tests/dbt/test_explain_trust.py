"""`hic explain` keeps back what reports do, names nobody, and finds what was tampered with."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import Dbt
from explaining import SIDES, Found, ask, hic
from indicator_rows import ELEMENTS
from roles_world import roles_on
from small_country import (
    ANC1,
    ANC4,
    GASABO,
    JAN,
    KIBAGABAGA,
    NYAMATA,
    REMERA,
)

from hic_assets.cli.errors import CommandError
from hic_assets.explain.report import Question, explained
from hic_assets.explain.resolve import Unknown, indicator_of, indicators, unit_of, units
from hic_assets.explain.rights import rights_of

MARK = "MUKAMANA-secret"


def numbers_in(found: Found) -> list[Any]:
    """Whatever could tell the value: sides, parts, facilities, rows."""
    told = [found[name] for name in (*SIDES, "value")]
    for part in found["parts"]:
        told += [part[name] for name in ("value", "counts_as", "fact_rows", "raw_rows_in_all")]
        told += [*part["facilities"], *part["rows"], *part["raw_rows"]]
    return [one for one in told if one is not None]


def test_what_reports_keep_back_is_kept_back(country: Dbt) -> None:
    """Three positives of January; Remera is kept back with them, as it would give them away."""
    for unit in (KIBAGABAGA, REMERA):
        found = ask(country.warehouse, "HIV_POSITIVITY", unit)
        assert found["is_kept_back"] and numbers_in(found) == []
        assert any("Kept back" in words for words in found["not_shown"])
        assert found["disagreements"] == [] and len(found["agrees"]) == 4
    # The district is shown, and none of its facilities, nor any row.
    district = ask(country.warehouse, "HIV_POSITIVITY", GASABO)
    assert [district[side] for side in SIDES] == [23, 300]
    assert [part["value"] for part in district["parts"]] == [23, 300]
    assert all(not part[what] for part in district["parts"] for what in ("facilities", "rows", "raw_rows", "fact_rows"))
    # A month later both are shown, and so are they below their district; rows by sex and age never.
    february = ask(country.warehouse, "HIV_POSITIVITY", GASABO, "2024-02")
    shown = {row["unit"]: row["value"] for row in february["parts"][0]["facilities"]}
    assert shown == {KIBAGABAGA: 8, REMERA: 6}
    assert february["parts"][0]["rows"] == []


def test_who_may_read_raw_may_ask_for_what_is_kept_back(country: Dbt, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ask(country.warehouse, "HIV_POSITIVITY", KIBAGABAGA, confidential=True)
    assert [found[name] for name in (*SIDES, "value")] == [3, 100, 3]
    assert [row["value"] for row in found["parts"][0]["raw_rows"]] == ["3"]
    said = hic(monkeypatch, country.warehouse, "HIV_POSITIVITY", "--facility", "22", "--period", "202401")
    assert said.exit_code == 0, said.output
    assert "value: kept back" in said.output and "CONFIDENTIAL" not in said.output


def test_an_analyst_gets_the_number_and_its_measures_with_a_word_on_the_rest(own_country: Dbt) -> None:
    with roles_on(own_country.warehouse) as world:
        world.apply()
        world.add("analyst", "analyst")
        analyst = world.of("analyst")
        found = ask(analyst, "ANC1_COVERAGE", GASABO)
        assert [found[side] for side in SIDES] == [28, 36]
        assert [part["value"] for part in found["parts"]] == [28, 36 * 12]
        assert found["loads"] == [] and all(part["rows"] == [] for part in found["parts"])
        assert any("may not read" in words and "int_org_unit_closure" in words for words in found["not_shown"])
        assert numbers_in(ask(analyst, "HIV_POSITIVITY", KIBAGABAGA)) == []
        assert ask(analyst, "IndAnc4Anc1", GASABO)["numerator"] == 16
        ((code,),) = own_country.query(f"select district_code from dwh.dim_geography where geography_uid = '{GASABO}'")
        world.add("district", "district", code)
        own = ask(world.of("district"), "ANC1_COVERAGE", GASABO)
        assert [own[side] for side in SIDES] == [28, 36] and own["disagreements"] == []
        with pytest.raises(Unknown, match="there is no place"):
            ask(world.of("district"), "ANC1_COVERAGE", NYAMATA)
        world.add("officer", "officer")
        with pytest.MonkeyPatch.context() as patch:
            refused = hic(patch, analyst, "HIV_POSITIVITY", "--facility", "22", "--period", "202401", "--confidential")
            none = hic(patch, world.of("officer"), "ANC1_COVERAGE", "--facility", "22", "--period", "202401")
        assert isinstance(refused.exception, CommandError) and refused.exception.exit_code == 3
        assert "may not read raw.hmis_data_values" in str(refused.exception)
        assert isinstance(none.exception, CommandError) and "an analyst's login may" in str(none.exception)


def test_nothing_that_names_anybody_comes_along(own_country: Dbt, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_country.warehouse.connect() as connection:
        for table, columns in (
            ("hmis_data_values", ("stored_by", "comment")),
            ("hmis_yearly_values", ("stored_by", "comment")),
            ("hmis_complete_registrations", ("stored_by",)),
        ):
            told = ", ".join(f"{column} = '{MARK}'" for column in columns)
            connection.execute(f"update raw.{table} set {told}".encode())
        # What is no number is not quoted, though a fact had one there.
        connection.execute(f"update raw.hmis_data_values set value = '{MARK}' where data_element = '{ANC4}'".encode())
    for code in ("ANC1_COVERAGE", "REPORTING_COMPLETENESS", "IndAnc4Anc1", "IndReportRa", "HIV_POSITIVITY"):
        for output in ((), ("--json",)):
            arguments = (code, "--facility", "Rwanda", "--period", "202401", "--confidential", *output)
            said = hic(monkeypatch, own_country.warehouse, *arguments)
            assert said.stdout and MARK not in said.output, code


TAMPERED = [
    (
        f"update dwh.fct_data_value set value = value + 1 where data_element_uid = '{ANC1}' and org_unit_uid = '{REMERA}'",
        "dwh.fct_measure_month says 28, the fact rows add up to 30",
        "the expression makes of the fact rows",
    ),
    (
        f"update dwh.fct_measure_month set value = 29 where measure_code = 'ANC1' and org_unit_uid = '{GASABO}'",
        "numerator: dwh.fct_core_indicator says 28, its measures add up to 29",
        None,
    ),
    (
        f"update dwh.fct_core_indicator set numerator = 99 where indicator_code = 'ANC1_COVERAGE' and org_unit_uid = '{GASABO}'",
        "numerator: dwh.fct_core_indicator says 99, its measures add up to 28",
        None,
    ),
    (
        f"update dwh.fct_indicator_value set numerator = 99 where org_unit_uid = '{GASABO}'",
        None,
        "numerator: dwh.fct_indicator_value says 99, the expression makes of the fact rows",
    ),
    (
        f"update raw.hmis_data_values set value = '77' where data_element = '{ANC1}' and org_unit = '{REMERA}'",
        "fact rows: 2 have a raw row of another value",
        "fact rows: 2 have a raw row of another value",
    ),
    (
        f"update raw.hmis_data_values set _load_id = 9 where _partition = '{JAN}'",
        "fact rows: 4 have a raw row of another load",
        "have a raw row of another load",
    ),
    (
        f"delete from raw.hmis_data_values where data_element = '{ANC1}' and org_unit = '{REMERA}'",
        "fact rows: 2 have no raw row",
        "fact rows: 2 have no raw row",
    ),
    (
        f"update dwh.fct_data_value set value = null where data_element_uid = '{ANC1}' and org_unit_uid = '{REMERA}'",
        "raw rows: 2 that count are in no fact row",
        "raw rows: 2 that count are in no fact row",
    ),
]


def test_whatever_was_tampered_with_is_found(own_country: Dbt, monkeypatch: pytest.MonkeyPatch) -> None:
    for statement, catalogued, compiled in TAMPERED:
        with own_country.warehouse.connect() as connection:
            connection.execute(statement.encode())
            for code, words in (("ANC1_COVERAGE", catalogued), ("IndAnc1Cove", compiled)):
                meant, _ = indicator_of(code, indicators(connection))
                place = unit_of(GASABO, units(connection))
                found = explained(connection, rights_of(connection), Question(meant, place, "2024-01"))
                assert (words is None) == (found["disagreements"] == []), (statement, found["disagreements"])
                assert words is None or any(words in one for one in found["disagreements"]), found["disagreements"]
            connection.rollback()
    with own_country.warehouse.connect() as connection:
        connection.execute(TAMPERED[0][0].encode())
        hidden = (
            f"update dwh.fct_data_value set value = 4 where data_element_uid = '{ELEMENTS['HIV_POS']}' and value = 3"
        )
        connection.execute(hidden.encode())
    said = hic(monkeypatch, own_country.warehouse, "ANC1_COVERAGE", "--facility", GASABO, "--period", "2024-01")
    assert isinstance(said.exception, CommandError) and said.exception.exit_code == 1
    assert str(said.exception) == "the number and its rows do not agree; see above."
    assert "✗ ANC1 2024-01: dwh.fct_measure_month says 28, the fact rows add up to 30" in said.output
    kept = ask(own_country.warehouse, "HIV_POSITIVITY", KIBAGABAGA)
    assert kept["disagreements"] and "3" not in "".join(kept["disagreements"]).replace("2024-0", "")
