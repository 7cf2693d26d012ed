"""Staging of the REST systems: each in its own forms of days, moments and lists, what is unreadable shown and not lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from dbt_runner import PROJECT, Dbt
from raw_tables import TABLES

SYSTEMS = ("efiche", "hpemr", "ebuzima", "cemr", "idsr")


def described(system: str) -> dict[str, dict[str, Any]]:
    """The columns of a system's sources and models, by relation and name."""
    folder = PROJECT / "models" / "staging" / system
    sources = yaml.safe_load((folder / "_sources.yml").read_text())["sources"][0]["tables"]
    models = yaml.safe_load((folder / f"_{system}.yml").read_text())["models"]
    return {one["name"]: {column["name"]: column for column in one["columns"]} for one in (*sources, *models)}


def why(column: dict[str, Any]) -> str | None:
    sensitive: str | None = column.get("config", {}).get("meta", {}).get("sensitive")
    return sensitive


@pytest.mark.parametrize("system", SYSTEMS)
def test_sources_are_the_declared_tables_and_say_who_may_not_read_them(system: str) -> None:
    relations, declared = described(system), {r: t for r, t in TABLES.items() if t.system == system}
    assert {name for name in relations if not name.startswith("stg_")} == set(declared)
    for relation, table in declared.items():
        columns = relations[relation]
        stored = [c for c in table.columns if c.name in table.stored_names]
        assert [name for name in columns if not name.startswith("_")] == [c.name for c in stored]
        assert {c.name: why(columns[c.name]) for c in stored} == {c.name: c.sensitive for c in stored}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_column_is_staged_and_none_is_less_protected_than_in_raw(system: str) -> None:
    relations = described(system)
    for relation, table in TABLES.items():
        if table.system != system:
            continue
        staged = relations[f"stg_{system}__{table.name}"]
        lists = {c.name for c in table.columns if c.json}
        for column in table.columns:
            if column.name in lists or column.name in (table.updated_column, "deleted", "record_state", "void_reason"):
                assert column.name not in staged
            else:
                assert why(staged[column.name]) == column.sensitive, (relation, column.name)
        taken_apart = [
            name
            for name in relations
            if (sql := PROJECT / "models" / "staging" / system / f"{name}.sql").exists()
            and (found := re.search(r"json_items\('records\.(\w+)'\)", sql.read_text()))
            and found[1] in lists
            and f"'{relation}'" in sql.read_text()
        ]
        assert len(taken_apart) == len(lists), relation


def test_days_moments_and_numbers_are_read_in_the_form_of_their_system(country: Dbt) -> None:
    assert country.query(
        "select visit_date::text, date_of_birth, age_years, temperature_c, national_id,"
        " created_at at time zone 'UTC', partition_start::text from staging.stg_efiche__visits where visit_id = 'v1'"
    ) == [("2024-01-31", None, 23, 38.5, "1 2000 8 0012345 6 78", *_utc(country, "2024-01-31 21:30"), "2024-01-01")]
    assert country.query(
        "select started_at at time zone 'Africa/Kigali', ended_at, date_of_birth::text, new_case"
        " from staging.stg_hpemr__encounters"
    ) == [(*_utc(country, "2024-01-31 23:30"), None, "1961-11-02", True)]
    assert country.query(
        "select registered_at at time zone 'UTC', last_menstrual_period::text, gravida, on_art"
        " from staging.stg_ebuzima__pregnancies"
    ) == [(*_utc(country, "2024-01-31 21:30"), "2023-10-01", 2, False)]
    assert country.query(
        "select patient_id, given_name, created_at at time zone 'UTC', facility_code from staging.stg_cemr__patients"
    ) == [("100035135539555", "Marie Grace", *_utc(country, "2024-01-31 22:30"), "440")]
    assert country.query(
        "select month::text, closing_quantity, days_out_of_stock from staging.stg_efiche__stock_balances"
    ) == [("2024-01-01", -3, None)]


def _utc(country: Dbt, moment: str) -> tuple[Any, ...]:
    return country.query(f"select timestamp '{moment}'")[0]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-02T09:15:00+02:00", "2026-03-02 07:15:00"),
        ("2026-03-02T09:15:00.123456Z", "2026-03-02 09:15:00.123456"),
        ("2026-03-02T09:15:00-0530", "2026-03-02 14:45:00"),
        ("2026-03-02 09:15", "2026-03-02 07:15:00"),
        ("2026-02-30T09:15:00Z", None),
        ("2026-03-02T25:15:00Z", None),
        ("2026-03-02", None),
        ("02/03/2026 09:15:00", None),
        ("now", None),
    ],
)
def test_moments(country: Dbt, text: str, utc: str | None) -> None:
    """As the SQL that dbt compiles for a staging model, on text of all kinds."""
    sql = (country.target / "compiled/hic/models/staging/ebuzima/stg_ebuzima__newborns.sql").read_text()
    found = re.search(r"(case\s+when born_at ~.*?end) as born_at", sql, re.DOTALL)
    assert found
    got = country.query(f"select (({found[1]}) at time zone 'UTC')::text from (values ('{text}')) as t (born_at)")
    assert got == [(utc,)]


def test_lists_are_taken_apart_in_their_order(country: Dbt) -> None:
    assert country.query(
        "select position, diagnosis_code, diagnosis_label, facility_code, visit_date::text"
        " from staging.stg_efiche__visit_diagnoses where visit_id = 'v1' order by 1 limit 2"
    ) == [
        (1, "P01", "Paludisme simple / Simple malaria", "22", "2024-01-31"),
        (2, None, "gastrite", "22", "2024-01-31"),
    ]
    assert country.query(
        "select lab_order_id, test_code, value_number, value_text, unit, range_low, flag"
        " from staging.stg_efiche__lab_results order by position"
    ) == [("l1", "HB", 9.8, None, "g/dL", 11, "L"), ("l1", "WIDAL", None, "TO 1/160", None, None, None)]
    assert country.query(
        "select newborn_id, weight_g, temperature_c, danger_signs from staging.stg_ebuzima__postnatal_newborns order by position"
    ) == [("b1", 3100, 36.8, ["JAUNDICE", "NOT_FEEDING"]), (None, None, None, [])]
    assert country.query("select symptom from staging.stg_cemr__encounter_symptoms order by position") == [
        ("FEVER",),
        ("COUGH",),
    ]
    assert country.query("select count(*) from staging.stg_cemr__encounter_danger_signs") == [(0,)]
    assert country.query("select product_code, quantity, days from staging.stg_hpemr__encounter_treatments") == [
        ("AL", 24, 3)
    ]


def test_a_record_stands_where_it_was_last_changed_and_not_at_all_once_deleted(country: Dbt) -> None:
    found = country.query(
        "select visit_id, visit_date::text, partition_start::text from staging.stg_efiche__visits order by 1"
    )
    assert found == [("v1", "2024-01-31", "2024-01-01"), ("v3", "2024-02-01", "2024-02-01")]
    assert country.query("select diagnosis_code from staging.stg_efiche__visit_diagnoses where visit_id = 'v3'") == [
        ("Z99",)
    ]


def test_what_does_not_fit_its_type_is_told(country: Dbt) -> None:
    """A birthday on 31 February, a moment in microseconds, a count in words."""
    said = {name: status for name, status in country.first_reference.items() if name.endswith("_casts_hold")}
    warned = {name for name, status in said.items() if status == "warn"}
    assert warned == {f"stg_{m}_casts_hold" for m in ("efiche__visits", "hpemr__encounters", "efiche__stock_balances")}
    assert set(said.values()) == {"pass", "warn"} and len(said) == 15
