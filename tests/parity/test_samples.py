"""The samples that are kept and shown: few, of every class and field, and without what may identify a person."""

from __future__ import annotations

import json

import pytest
from pg_servers import rows

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.warehouse import Warehouse
from parity.builders import (
    EVENTS,
    LEGACY,
    TE,
    UNIFIED,
    changed,
    compared,
    event,
    hold,
    prepare,
    records,
    valued,
    without,
)

SHOWN = (
    "select class, record, field, legacy_value, unified_value from ops.parity_difference order by class, field, record"
)
SECRET = "Uwimana Ménard, 0788123456, 1199070012345678"


def shown(warehouse: Warehouse, kind: Kind = EVENTS) -> list[tuple[object, ...]]:
    compared(warehouse, kind)
    return rows(warehouse, SHOWN)


def register(warehouse: Warehouse, data_element: str, option_set: str | None) -> None:
    rows(
        warehouse,
        """insert into raw.hiv_tracker_program_stage_data_elements (program_stage, data_element, option_set, _load_id)
           values ('HivStgVisit', %s, %s, 0)""",
        (data_element, option_set),
    )


@pytest.mark.parametrize("value", ["57.5", "-3", "2025-03-04", "2025-03-04T10:00:00.000", "true", "FALSE", "007"])
def test_numbers_dates_and_answers_are_shown(tracker: Warehouse, value: str) -> None:
    hold(tracker, LEGACY, records(2))
    hold(tracker, UNIFIED, valued(records(2), [0], {"weight00000": value}))
    assert shown(tracker) == [("value_differs", "event000000", "data_values.weight00000", "50.5", value)]


@pytest.mark.parametrize(
    "value", [SECRET, "0788123456", "1199070012345678", "+250788123456", "Kigali", "30.06,-1.95", "12 x"]
)
def test_any_other_data_value_is_masked(tracker: Warehouse, value: str) -> None:
    hold(tracker, LEGACY, records(2))
    hold(tracker, UNIFIED, valued(records(2), [0], {"weight00000": value}))
    assert shown(tracker)[0][3:] == ("50.5", f"{len(value)} characters")


def test_an_option_is_shown(tracker: Warehouse) -> None:
    register(tracker, "regimen0000", "HivRegimens")
    register(tracker, "remark00000", None)
    hold(tracker, LEGACY, records(1))
    hold(tracker, UNIFIED, valued(records(1), [0], {"regimen0000": "TDF-3TC-EFV", "remark00000": "better"}))
    assert shown(tracker) == [
        ("value_differs", "event000000", "data_values.regimen0000", "TDF-3TC-DTG", "TDF-3TC-EFV"),
        ("value_differs", "event000000", "data_values.remark00000", "6 characters", "6 characters"),
    ]


def test_options_are_masked_while_the_registry_is_not_there(warehouse: Warehouse) -> None:
    tracker = warehouse
    prepare(tracker)
    rows(tracker, "drop table raw.hiv_tracker_program_stage_data_elements")
    hold(tracker, LEGACY, records(1))
    hold(tracker, UNIFIED, valued(records(1), [0], {"regimen0000": "TDF-3TC-EFV"}))
    assert shown(tracker)[0][3:] == ("11 characters", "11 characters")


def test_attributes_users_and_places_are_always_masked(tracker: Warehouse) -> None:
    other = valued(
        records(1, TE), [0], {"name0000000": SECRET, "birthdate00": "1990-04-13", "nationalid0": "12"}, "attributes"
    )
    hold(tracker, LEGACY, records(1, TE), TE)
    hold(
        tracker,
        UNIFIED,
        changed(other, [0], stored_by="nurse.uwimana", geometry='{"type":"Point"}', org_unit="facil000007"),
        TE,
    )
    assert [row[2:] for row in shown(tracker, TE)] == [
        ("attributes.birthdate00", "10 characters", "10 characters"),
        ("attributes.name0000000", "14 characters", f"{len(SECRET)} characters"),
        ("attributes.nationalid0", "16 characters", "2 characters"),
        ("geometry", None, "16 characters"),
        ("org_unit", "facil000000", "facil000007"),
        ("stored_by", "5 characters", "13 characters"),
    ]


def test_nothing_of_a_person_is_in_any_result(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(9, TE), TE)
    hold(tracker, UNIFIED, valued(without(records(9, TE), [1]), [2, 3], {"name0000000": SECRET}, "attributes"), TE)
    result = compared(tracker, TE)
    everything = json.dumps(
        [result.patterns, rows(tracker, "select to_jsonb(p) from ops.parity p"), rows(tracker, SHOWN)], default=str
    )
    assert not [word for word in ("Uwase", "Ménard", "Uwimana", "0788", "1199") if word in everything]
    assert "name0000000" in everything


def test_a_few_of_each_class_and_of_each_field_first(tracker: Warehouse) -> None:
    there = valued(without(records(200), range(40)), range(100), {"weight00000": "1"})
    there = changed(there, [5], status="ACTIVE")
    hold(tracker, LEGACY, records(200))
    hold(tracker, UNIFIED, [*there, event(901)])
    found = shown(tracker)
    by_class = {name: [row for row in found if row[0] == name] for name in {row[0] for row in found}}
    assert {name: len(of) for name, of in by_class.items()} == {
        "missing_in_unified": 20, "missing_in_legacy": 1, "value_differs": 20,
    }  # fmt: skip
    assert [row[1] for row in by_class["missing_in_unified"]] == [f"event{i:06d}" for i in range(20)]
    assert sum(row[2] == "status" for row in by_class["value_differs"]) == 1, "the one of 100 others is not lost"
