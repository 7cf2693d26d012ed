"""Faults of the HMIS alone, and of more of its addresses: healed with nothing lost, or a clear failed run, old data intact.

What strikes every system is met in `tests/systems/test_faults.py`, the HMIS included: what a proxy, a network or a dying
server does to the reply with the values, copies of rows, text in numbers, the step's retry.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

import polars as pl
import pytest
from systems.faults import ELSEWHERE

from fault.country import KEY, REGISTRATIONS, VALUES, Country, Run, struck
from hic_assets.extract import errors
from hic_assets.extract.errors import SourceError

DATA = "/api/dataValueSets"
REGISTERED = "/api/completeDataSetRegistrations"


class Healed(NamedTuple):
    """The run succeeds and the warehouse holds what the source has."""

    fault: str
    options: dict[str, Any]
    table: str = VALUES


class Quarantined(NamedTuple):
    """The good rows land, the bad ones are kept apart. `spoils`: a bad row came in the place of a good one."""

    fault: str
    rule: str
    words: str
    spoils: bool


class Failed(NamedTuple):
    """The run fails with this error, and the partition stays as it was."""

    fault: str
    options: dict[str, Any]
    error: type[SourceError]
    words: str
    table: str = VALUES


HEALED = [
    Healed("unavailable", {"times": 2, "retry_after": 5}),
    Healed("unavailable", {"times": 2, "status": 502, "path": DATA}),
    Healed("slow", {"times": 2, "seconds": 3, "path": DATA}),
    Healed("cut_body", {"times": 2, "path": REGISTERED}, REGISTRATIONS),
    Healed("truncated_json", {"times": 2, "path": REGISTERED}, REGISTRATIONS),
    Healed("truncated_json", {"times": 1, "path": "/api/organisationUnits"}),
    Healed("timeout_over_rows", {"rows": 1200}),
    Healed("ou_ignored", {"times": 3}),
]
QUARANTINED = [
    Quarantined("ragged_rows", "ragged", "12 fields where the header has 11", spoils=True),
    Quarantined("invalid_utf8", "invalid_utf8", "is not UTF-8", spoils=True),
    Quarantined("unknown_facility", "unknown_facility", "is not in raw.hmis_organisation_units", spoils=False),
    Quarantined("unknown_data_element", "unknown_data_element", "is not in raw.hmis_data_elements", spoils=False),
    Quarantined("impossible_period", "impossible_period", "202613", spoils=False),
]
FAILED = [
    Failed("unavailable", {}, errors.ServerFault, "503"),
    Failed("truncated_json", {"path": REGISTERED}, errors.TruncatedBody, "JSON body stops", REGISTRATIONS),
    Failed("timeout_over_rows", {"rows": 10}, errors.ServerFault, "504"),
    Failed("wrong_columns", {"column": "value"}, errors.WrongColumns, "no column value"),
    Failed("wrong_columns", {"column": "orgunit", "to": "unit"}, errors.WrongColumns, "no column orgunit"),
    Failed("wrong_system_id", {}, errors.SystemChanged, "the system id is"),
]


def name(expected: Any) -> str:
    options = getattr(expected, "options", {})
    return "-".join([expected.fault, *(f"{k}={v}" for k, v in options.items())]).replace("/", "")


def test_what_only_the_hmis_can_suffer_is_met_here() -> None:
    expected: list[Healed | Quarantined | Failed] = [*HEALED, *QUARANTINED, *FAILED]
    own = {fault for fault, where in ELSEWHERE.items() if "tests/fault/test_faults.py" in where}
    assert own and own <= {e.fault for e in expected}


@pytest.fixture
def edited(country: Country, month: date) -> Country:
    """The month was edited at the source since it was loaded: a reload must bring the new values, or leave the old."""
    country.sandbox.world.advance(hours=1)
    country.sandbox.world.edit_values(month, 0.05)
    country.sandbox.world.delete_values(month, 0.01)
    facility = country.truth(month, REGISTRATIONS).row(0, named=True)
    country.sandbox.world.uncomplete(facility["org_unit"], facility["data_set"], month)
    return country


@pytest.mark.parametrize("expected", HEALED, ids=name)
def test_healed_with_nothing_lost(edited: Country, month: date, expected: Healed) -> None:
    if expected.fault == "slow":
        edited.limit(read_timeout=1.0)
    with struck(edited, expected.fault, **expected.options):
        run = edited.months(month, job=expected.table)
    assert run.success, run.failure
    assert edited.held(month, expected.table).equals(edited.truth(month, expected.table))
    load = edited.loads(month, expected.table)[-1]
    assert (load["status"], load["quarantined"], load["landed"]) == (
        "committed",
        0,
        edited.truth(month, expected.table).height,
    )
    assert load["rows_read"] == load["landed"] + load["duplicates"]
    assert run.checks(expected.table)["accounting"]
    edited.assert_tidy(run)


@pytest.mark.parametrize("expected", QUARANTINED, ids=name)
def test_bad_rows_are_quarantined_and_the_good_ones_land(edited: Country, month: date, expected: Quarantined) -> None:
    with struck(edited, expected.fault, rows=2):
        run = edited.months(month)
    assert run.success, run.failure
    truth, held, bad = edited.truth(month), edited.held(month), edited.quarantine()
    missing = truth.join(held, on=KEY, how="anti")
    assert held.equals(truth.join(missing, on=KEY, how="anti"))
    assert missing.height == (bad.height if expected.spoils else 0)
    assert bad["rule"].unique().to_list() == [expected.rule]
    assert bad["reason"].str.contains(expected.words, literal=True).all()
    assert_text_is_kept(bad, missing)
    assert_visible_in_dagster(run, month, expected.rule, bad.height)
    load = edited.loads(month)[-1]
    assert load["quarantined"] == bad.height >= edited.sandbox.faults.injected.get(expected.fault, 3) > 2
    assert load["rows_read"] == load["landed"] + load["quarantined"] + load["duplicates"]
    assert run.checks()["accounting"]
    if expected.rule in run.checks():
        assert not run.checks()[expected.rule], "the check warns"
    edited.assert_tidy(run)


def assert_text_is_kept(bad: pl.DataFrame, missing: pl.DataFrame) -> None:
    """For each good row that did not come, the quarantine holds the text that came in its place."""
    text = bad["row"]
    for row in missing.select(KEY[:4]).rows():
        found = text
        for part in row:
            found = found.filter(found.str.contains(part, literal=True))
        assert found.len() == 1, row


def assert_visible_in_dagster(run: Run, month: date, rule: str, number: int) -> None:
    """The materialisation shows how many rows were refused, by which rule, and an example of the reason."""
    shown = run.materialised()[str(month)]
    assert shown["quarantined"] == number
    [line] = [record.data for record in shown["quarantine"].records]
    assert (line["rule"], line["rows"]) == (rule, number)
    assert line["for_example"]


def test_rows_that_contradict_each_other_are_quarantined(edited: Country, month: date) -> None:
    """Of two rows with one key and one age nobody can say which is true: one lands, the other is kept apart."""
    with struck(edited, "conflicting_duplicates", rows=2):
        run = edited.months(month)
    assert run.success, run.failure
    truth, held, bad = edited.truth(month), edited.held(month), edited.quarantine()
    injected = edited.sandbox.faults.injected["conflicting_duplicates"]
    assert bad["rule"].to_list() == ["duplicate_key"] * injected
    assert held.select(KEY).equals(truth.select(KEY))
    refused = pl.DataFrame([json.loads(row) for row in bad["row"]], schema=truth.schema)
    pairs = truth.join(held, on=KEY, suffix="_held").join(refused, on=KEY, suffix="_refused")
    assert pairs.height == injected
    for row in pairs.to_dicts():
        assert {row["value_held"], row["value_refused"]} == {row["value"], row["value"] + "7"}
    assert held.join(pairs, on=KEY, how="anti").equals(truth.join(pairs, on=KEY, how="anti"))
    assert_visible_in_dagster(run, month, "duplicate_key", injected)
    assert run.checks()["accounting"]


@pytest.mark.parametrize("expected", FAILED, ids=name)
def test_a_clear_failure_with_the_old_data_intact(edited: Country, month: date, expected: Failed) -> None:
    before = edited.held(month, expected.table)
    assert not before.equals(edited.truth(month, expected.table)), "there is something that could have changed"
    with struck(edited, expected.fault, **expected.options):
        run = edited.months(month, job=expected.table)
    words = ("hmis: ", edited.sandbox.url, expected.words, expected.error.advice)
    edited.assert_failed(run, month, *words, table=expected.table)
    assert edited.loads(month, expected.table)[-1]["error"].startswith(f"{expected.error.__name__}: ")
    assert edited.held(month, expected.table).equals(before)
    assert not run.materialised(expected.table)
    assert not edited.sandbox.elsewhere_requests, "nobody else was asked"


def test_the_next_run_brings_what_the_failed_one_did_not(edited: Country, month: date) -> None:
    with struck(edited, "cut_body", path=DATA):
        assert not edited.months(month).success
    assert edited.months(month).success
    assert edited.held(month).equals(edited.truth(month))
    assert [load["status"] for load in edited.loads(month)][-2:] == ["failed", "committed"]
