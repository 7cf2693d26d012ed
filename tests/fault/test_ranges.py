"""A range of months in one run: what fails is said, what did not is kept, in the warehouse and in Dagster."""

from __future__ import annotations

from datetime import date
from typing import Any

import dagster as dg
import pytest

from fault.country import LOADED, REGISTRATIONS, UNLOADED, Country, struck
from hic_assets.assets.raw import asset_key
from hic_assets.systems import HMIS

FIRST, BROKEN, LAST = (*LOADED, UNLOADED)


@pytest.fixture
def edited(country: Country) -> Country:
    country.sandbox.world.advance(hours=1)
    for month in (FIRST, BROKEN, LAST):
        country.sandbox.world.edit_values(month, 0.05)
    return country


@pytest.mark.parametrize(
    ("fault", "options", "words"),
    [
        ("unavailable", {}, "HTTP 503"),
        ("cut_body", {}, "the body was cut"),
        ("wrong_columns", {"column": "value"}, "no column value"),
        ("html_404", {}, "HTTP 404"),
        ("bad_values", {"rows": 100_000}, "rows broke the contract (not_a_number"),
    ],
)
def test_one_month_that_fails_keeps_no_other_from_landing(
    edited: Country, fault: str, options: dict[str, Any], words: str
) -> None:
    before = edited.held(BROKEN)
    with struck(edited, fault, path="/api/dataValueSets", query=f"period={BROKEN:%Y%m}", **options):
        run = edited.months(FIRST, LAST)
    edited.assert_failed(run, BROKEN, words)
    assert "1 partition(s) not loaded (2025-06-01)" in run.failure
    assert edited.held(BROKEN).equals(before)
    for month in (FIRST, LAST):
        assert edited.held(month).equals(edited.truth(month))
        assert edited.loads(month)[-1]["status"] == "committed"
    assert set(run.materialised()) == {str(FIRST), str(LAST)}
    assert run.materialised()[str(LAST)]["landed"] == edited.truth(LAST).height
    key = asset_key(HMIS, HMIS.feed("data_values"))
    assert edited.instance.get_materialized_partitions(key) == {str(FIRST), str(LAST)}


def test_what_would_fail_for_every_month_is_not_tried_for_every_month(edited: Country) -> None:
    """A login page in place of data: the months after it are named as not tried."""
    with struck(edited, "html_login", path="/api/dataValueSets", query=f"period={BROKEN:%Y%m}"):
        run = edited.months(FIRST, LAST)
    edited.assert_failed(run, BROKEN, "a web page titled")
    assert "2 partition(s) not loaded (2025-06-01, 2025-07-01)" in run.failure
    assert not [r for r in edited.sandbox.requests if f"period={LAST:%Y%m}" in r.query]
    assert set(run.materialised()) == {str(FIRST)}
    # It was asked for, so the ledger says why it is not there; nothing was read for it.
    assert [(load["status"], load["rows_read"], load["is_current"]) for load in edited.loads(LAST)] == [
        ("failed", 0, False)
    ]


def test_months_before_the_registries_say_what_to_do_first(edited: Country) -> None:
    with edited.warehouse.connect() as connection:
        connection.execute("delete from raw.hmis_data_sets")
    run = edited.months(FIRST, LAST)
    edited.assert_failed(run, FIRST, "Materialise the registries of 'hmis' first")
    assert "3 partition(s) not loaded" in run.failure


def test_each_month_of_a_range_shows_its_own_numbers(edited: Country) -> None:
    with struck(edited, "bad_values", rows=1, query=f"period={BROKEN:%Y%m}"):
        run = edited.months(FIRST, LAST)
    assert run.success, run.failure
    shown = run.materialised()
    bad = edited.sandbox.faults.injected["bad_values"]
    assert {m: s["quarantined"] for m, s in shown.items()} == {str(FIRST): 0, str(BROKEN): bad, str(LAST): 0}
    for month in (FIRST, BROKEN, LAST):
        load = edited.loads(month)[-1]
        assert shown[str(month)]["landed"] == load["landed"] == edited.held(month).height
        assert shown[str(month)]["bytes"] == load["bytes"] > 100_000


def test_a_month_that_shrinks_to_a_fraction_is_refused_until_accepted(country: Country, month: date) -> None:
    """A half-blind server: most facilities are gone from its tree, under status 200."""
    before = country.held(month)
    world = country.sandbox.world
    world.facilities = world.facilities[:5]
    world.refresh()
    run = country.months(month)
    country.assert_failed(run, month, "the source gave", "run again with accept_shrink")
    assert country.held(month).equals(before)
    assert country.months(month, accept_shrink=True).success
    assert country.held(month).equals(country.truth(month))


def test_an_uncompleted_report_is_gone_after_the_next_load(country: Country, month: date) -> None:
    report = country.truth(month, REGISTRATIONS).row(3, named=True)
    country.sandbox.world.uncomplete(report["org_unit"], report["data_set"], month)
    before = country.held(month, REGISTRATIONS)
    assert country.months(month, job=REGISTRATIONS).success
    held = country.held(month, REGISTRATIONS)
    assert held.equals(country.truth(month, REGISTRATIONS))
    assert held.height == before.height - 1


def test_a_failing_month_is_not_retried_when_a_retry_cannot_help(edited: Country) -> None:
    with struck(edited, "wrong_columns", column="value"):
        run = edited.months(BROKEN)
    assert not run.success
    assert not [e for e in run.result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert [load["status"] for load in edited.loads(BROKEN)] == ["committed", "failed"]
