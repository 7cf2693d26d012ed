"""`hic explain` on the small country: numbers and rows are those of the marts and raw tables, whatever is wrong is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dbt_runner import Dbt
from explaining import SIDES, ask, hic, raw_keys
from indicator_rows import ELEMENTS
from small_country import (
    ANC1,
    ANC4,
    BEDS,
    BUGESERA,
    COUNTRY,
    EPI,
    FEB,
    GASABO,
    HC_GROUP,
    HMIS,
    JAN,
    KIBAGABAGA,
    NYAMATA,
    POPULATION,
    REMERA,
)

from hic_assets.cli.errors import CommandError
from hic_assets.explain import facts
from hic_assets.explain.project import FactMeasure, fact_measures

CATALOGUED = (
    "select indicator_code, org_unit_uid, period, numerator, denominator, value from reporting.rpt_core_indicators"
    " where level <> 'unmapped' and (period in ('2024Q1', '2024-02') or period = 'fy_2023_24' and level = 'country')"
)
COMPILED = (
    "select indicator_uid, org_unit_uid, to_char(period_start, 'YYYY-MM'), numerator, denominator, value"
    " from dwh.fct_indicator_value where level <> 'unmapped'"
)


@pytest.mark.parametrize("query", [CATALOGUED, COMPILED], ids=["catalogue", "dhis2"])
def test_every_number_is_the_marts_and_its_rows_add_up_to_it(country: Dbt, query: str) -> None:
    cells = country.query(query)
    assert len(cells) > 30
    assert {unit for _, unit, *_ in cells} >= {COUNTRY, GASABO, KIBAGABAGA}
    for code, unit, period, *numbers in cells:
        found = ask(country.warehouse, code, unit, period)
        told = [found[name] for name in (*SIDES, "value")]
        assert told == [number if number is None else pytest.approx(number) for number in numbers], (code, unit, period)
        assert found["disagreements"] == [], (code, unit, period)
        assert len(found["agrees"]) >= 3


def test_a_difference_of_stocks_and_flows_is_explained_by_month_and_sign(country: Dbt) -> None:
    found = ask(country.warehouse, "BCG_MR1_DROPOUT", "440", "2024Q1")
    assert [(p["part"], p["sign"], p["value"], p["counts_as"]) for p in found["parts"]] == [
        ("BCG", 1.0, 20.0, 20.0),
        ("MR1", -1.0, 21.0, -21.0),
        ("BCG", 1.0, 20.0, 20.0),
    ]
    beds = ask(country.warehouse, "BED_OCCUPANCY", "22", "2024Q1")["parts"][1]
    assert (beds["part"], beds["value"], beds["counts_as"]) == ("IPD_BEDS", 45.0, 25 * 31 + 20 * 29)


def values_of(country: Dbt, table: str, elements: list[str], period: str) -> list[tuple[Any, ...]]:
    """Raw rows by a query of its own; those that are no number are in no fact."""
    told = ", ".join(f"'{one}'" for one in elements)
    return sorted(
        (table, *row)
        for row in country.query(
            f"select org_unit, data_element, btrim(value) from raw.{table} where data_element in ({told})"
            f" and period like '{period}%' and deleted is distinct from 'true' and value ~ '[0-9]'"
        )
    )


@pytest.mark.parametrize(
    ("code", "period", "numerator", "denominator"),
    [
        ("ZERO_DOSE", "2024-01", None, None),
        ("OPD_UTILISATION", "2024Q1", ["OPD_NEW"], ["POP_TOTAL"]),
        ("BED_OCCUPANCY", "2024-02", ["IPD_DAYS"], ["IPD_BEDS"]),
        ("BCG_MR1_DROPOUT", "2024", ["EPI_BCG", "EPI_MR1"], ["EPI_BCG"]),
    ],
)
def test_the_raw_rows_of_the_country_are_exactly_those_behind(
    country: Dbt, code: str, period: str, numerator: list[str] | None, denominator: list[str] | None
) -> None:
    found = ask(country.warehouse, code, COUNTRY, period)
    month = "2024" if len(period) != 7 else period.replace("-", "")
    if numerator is None:
        # Infants of the year, a share of the population where a unit has none of its own, less first doses.
        yearly = values_of(country, "hmis_yearly_values", [ELEMENTS["POP_INFANTS"]], "2024")
        yearly += [("hmis_yearly_values", KIBAGABAGA, ELEMENTS["POP_TOTAL"], "12000")]
        doses = values_of(country, "hmis_data_values", [ELEMENTS["EPI_PENTA1"]], month)
        assert raw_keys(found, "numerator") == sorted(yearly + doses)
        assert raw_keys(found, "denominator") == sorted(yearly)
        return
    for side, codes in (("numerator", numerator), ("denominator", denominator or [])):
        table = "hmis_yearly_values" if codes == ["POP_TOTAL"] else "hmis_data_values"
        assert raw_keys(found, side) == values_of(country, table, [ELEMENTS[c] for c in codes], month), side


def test_the_raw_rows_of_reports_are_assignments_and_registrations(country: Dbt) -> None:
    found = ask(country.warehouse, "REPORTING_COMPLETENESS", GASABO)
    assigned = [
        ("hmis_data_set_org_units", REMERA, EPI, "assigned"),
        ("hmis_data_set_org_units", KIBAGABAGA, HMIS, "assigned"),
        ("hmis_data_set_org_units", REMERA, HMIS, "assigned"),
    ]
    registered = [
        ("hmis_complete_registrations", KIBAGABAGA, HMIS, "completed 2024-02-15"),
        ("hmis_complete_registrations", REMERA, HMIS, "completed 2024-02-16"),
    ]
    assert raw_keys(found, "denominator") == sorted(assigned)
    assert raw_keys(found, "numerator") == sorted(assigned[1:] + registered)
    rate = ask(country.warehouse, "IndReportRa", GASABO)
    told = {row["unit"]: (row["value"], row["counts_as"]) for row in rate["parts"][0]["facilities"]}
    assert told == {KIBAGABAGA: (100, None), REMERA: (100, None)}
    assert raw_keys(rate, "numerator") == sorted(assigned[1:] + registered)


def test_the_raw_rows_of_dhis2s_own_are_those_of_their_operands(country: Dbt) -> None:
    ratio = ask(country.warehouse, "IndAnc4Anc1", GASABO)
    here = {KIBAGABAGA, REMERA}
    for side, element in (("numerator", ANC4), ("denominator", ANC1)):
        expected = [r for r in values_of(country, "hmis_data_values", [element], "202401") if r[1] in here]
        assert raw_keys(ratio, side) == expected
    beds = ask(country.warehouse, "IndBedsAver", GASABO)
    assert raw_keys(beds, "numerator") == values_of(country, "hmis_data_values", [BEDS], "202401")
    power = ask(country.warehouse, "IndPowerYes", BUGESERA)
    assert raw_keys(power, "numerator")[0][1::2] == (NYAMATA, "false")
    assert raw_keys(power, "denominator") == [
        ("hmis_organisation_unit_group_members", NYAMATA, HC_GROUP, "member"),
    ]
    coverage = ask(country.warehouse, "IndAnc1Cove", COUNTRY)
    assert raw_keys(coverage, "denominator") == values_of(country, "hmis_yearly_values", [POPULATION], "2024")


def test_loads_are_the_ledgers_and_one_that_it_has_not_says_so(country: Dbt) -> None:
    loads = {load["load_id"]: load for load in ask(country.warehouse, "ANC1_COVERAGE", GASABO, "2024Q1")["loads"]}
    assert loads[7]["relation"] == loads[8]["relation"] == "raw.hmis_data_values"
    assert [loads[n]["partition"] for n in (7, 8)] == [JAN, FEB]
    assert (loads[7]["status"], loads[1]["status"]) == ("committed", "not in the ledger")
    assert loads[7]["requests"] == 0


def test_requests_are_those_of_the_place_period_and_data_set(own_country: Dbt) -> None:
    where = "https://hmis.example/api/dataValueSets"
    urls = [
        f"{where}?dataSet={HMIS}&orgUnit={GASABO}&children=true&period=202401&token=Very-Secret-1",
        f"{where}?dataSet={HMIS}&orgUnit={BUGESERA}&children=true&period=202401",
        f"{where}?dataSet={EPI}&orgUnit={GASABO}&children=true&period=202401",
    ]
    with own_country.warehouse.connect() as connection:
        for url in urls:
            connection.execute("insert into ops.load_slice values (7, 'slice', %s, 1, 1, 1, 1)", (url,))
    found = ask(own_country.warehouse, "IndAnc4Anc1", KIBAGABAGA)
    path = f"/api/dataValueSets?dataSet={HMIS}&orgUnit={GASABO}&children=true&period=202401&token=***"
    assert [request["url"] for request in found["requests"]] == [path]


def test_a_measure_counted_in_another_fact_is_added_up_and_said_not_to_be_followed(
    own_country: Dbt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a line of fact_measures would have it: here the reports again, under another name."""
    with own_country.warehouse.connect() as connection:
        connection.execute("create table dwh.fct_reports_again as select * from dwh.fct_reporting")
    line = FactMeasure(
        "REPORTS_RECEIVED",
        "fct_reports_again",
        "period_start",
        "org_unit_uid",
        "count(*)",
        "is_received and is_expected",
    )
    monkeypatch.setattr(facts, "fact_measures", lambda: {**fact_measures(), "REPORTS_RECEIVED": line})
    monkeypatch.setattr(facts, "relation", lambda name: f"dwh.{name}")
    found = ask(own_country.warehouse, "REPORTING_COMPLETENESS", GASABO)
    assert found["disagreements"] == [] and found["parts"][0]["value"] == 2
    assert [(row["fact"], row["value"]) for row in found["parts"][0]["rows"]] == [("dwh.fct_reports_again", 1)] * 2
    assert found["parts"][0]["raw_rows"] == []
    assert any("Not followed to raw rows: dwh.fct_reports_again" in words for words in found["not_shown"])


def test_it_is_readable_bounded_and_json(country: Dbt, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("anc1_coverage", "--facility", "gasabo", "--period", "202401", "--rows", "1")
    said = hic(monkeypatch, country.warehouse, *asked)
    assert said.exit_code == 0, said.output
    assert "value: 77.7778 = 28 x 100 / 36" in said.output
    assert "ask for IndAnc1Cove" in said.output
    assert "the largest 1, and 3 more (--rows)" in " ".join(said.output.split())
    found = json.loads(hic(monkeypatch, country.warehouse, *asked, "--json").stdout)
    assert all(len(part[what]) <= 1 for part in found["parts"] for what in ("facilities", "rows", "raw_rows"))
    assert found["parts"][0]["fact_rows"] == 4 and found["disagreements"] == []


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("ANC1_COVRAGE", "--facility", "22", "--period", "202401"), "did you mean ANC1_COVERAGE", 2),
        (("ANC1_COVERAGE", "--facility", "Kibagabga", "--period", "202401"), "did you mean Kibagabaga", 2),
        (("ANC1_COVERAGE", "--facility", "22", "--period", "2024W3"), "indicators have values of months", 2),
        (("ANC1_COVERAGE", "--facility", "22", "--period", "2023-05"), "there are: ", 3),
        (("ANC1_COVERAGE", "--facility", "SectRemera1", "--period", "202401"), "no values of a sector", 3),
        (("CSECTION_RATE", "--facility", "22", "--period", "202401"), "the HMIS has no data element", 3),
        (("TB_NOTIFICATION", "--facility", "Gasabo", "--period", "202401"), "kept back by quarter", 3),
        (("IndRefusedX", "--facility", "22", "--period", "202401"), "REFUSED has no values", 3),
        (("BEDS", "--facility", "22", "--period", "2024Q1"), "there are: 2024-01", 3),
    ],
)
def test_what_cannot_be_explained_is_said(
    country: Dbt, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str, code: int
) -> None:
    said = hic(monkeypatch, country.warehouse, *arguments)
    if code == 2:
        assert (said.exit_code, words in said.output) == (2, True), said.output
    else:
        assert isinstance(said.exception, CommandError), said.output
        assert (said.exception.exit_code, words in str(said.exception)) == (3, True), said.exception
