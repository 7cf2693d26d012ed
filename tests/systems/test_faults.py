"""Every fault of the sandbox in every system: healed with nothing lost, kept apart, or a clear failed run, the old data intact.

One body for all systems; `faults` says what is expected where. Tests share one warehouse, in any order: each edits the
source first, so that what is held differs from what is there, and can be seen to stay or to change.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import polars as pl
import pytest
from pg_servers import rows

from hic_assets.assets.raw import asset_key
from hic_assets.sandbox.server.faults import FAULTS
from systems.country import Country, struck
from systems.declared import UNCOUNTED, UNCOUNTED_WORDS
from systems.faults import (
    CASES,
    DOORS,
    ELSEWHERE,
    ONCE,
    TRANSPORT,
    Case,
    Counted,
    Failed,
    Landed,
    NotThere,
    Quarantined,
)
from systems.subjects import SUBJECTS, Subject

EACH = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def cases(*kinds: type) -> pytest.MarkDecorator:
    """Every fault in every system where one of these is expected of it."""
    found = [(subject, case) for subject in SUBJECTS for case in CASES if isinstance(case.of(subject.name), kinds)]
    assert found
    names = [f"{subject.name}-{case.fault}" for subject, case in found]
    marked = [pytest.param(subject, case, marks=open_defects(subject, case)) for subject, case in found]
    return pytest.mark.parametrize(("subject", "case"), marked, ids=names)


def open_defects(subject: Subject, case: Case) -> list[pytest.MarkDecorator]:
    """What is known not to hold yet; it must fail until it does."""
    known = subject.name in UNCOUNTED and case.fault in ("duplicates", "conflicting_duplicates")
    return [pytest.mark.xfail(reason=UNCOUNTED_WORDS, strict=True)] if known else []


def test_no_fault_is_without_an_expectation() -> None:
    assert {case.fault for case in CASES}.isdisjoint(ELSEWHERE)
    assert {case.fault for case in CASES} | set(ELSEWHERE) == set(FAULTS)
    assert {fault for fault, _ in ONCE} <= {case.fault for case in CASES}
    names = {subject.name for subject in SUBJECTS}
    assert all(set(case.different) <= names for case in CASES)


@pytest.fixture
def key(country: Country, subject: Subject) -> Iterator[str]:
    """A partition that was edited at the source since it was loaded."""
    options = country.options
    key = subject.keys[1]
    subject.edit(country.sandbox(subject), key)
    # What a tracker's failed load had read is gone on from, for some hours; here each test reads anew.
    shutil.rmtree(country.folder / "kept")
    (country.folder / "kept").mkdir()
    yield key
    country.options, country.wrong = options, False
    country.sandbox(subject).faults.clear()


def assert_whole(country: Country, subject: Subject, key: str) -> None:
    assert country.held(subject, key).equals(country.truth(subject, key))
    load = country.loads(subject, key)[-1]
    assert (load["status"], load["quarantined"], load["is_current"]) == ("committed", 0, True)
    assert load["rows_read"] == load["landed"] + load["duplicates"]
    assert load["landed"] == country.truth(subject, key).height


@EACH
def test_what_happens_once_is_healed_with_nothing_lost(country: Country, subject: Subject, key: str) -> None:
    """One request meets them all, one after the other."""
    sandbox = country.sandbox(subject)
    country.limit(max_attempts=len(ONCE) + 1)
    sandbox.faults.hits.clear()
    for number, (fault, options) in enumerate(ONCE):
        sandbox.faults.set(fault, path=subject.path, skip=number, times=1, **options)
    run = country.load(subject, key)
    assert run.success, run.failure
    assert sandbox.faults.hits == {fault: 1 for fault, _ in ONCE}
    assert_whole(country, subject, key)
    assert run.checks(asset_key(subject.system, subject.feed))["accounting"]
    country.assert_tidy(run)


@cases(Failed)
def test_a_clear_failure_with_the_old_data_intact(country: Country, subject: Subject, key: str, case: Case) -> None:
    fails_clearly(country, subject, key, case, subject.path)


@pytest.mark.parametrize("case", TRANSPORT, ids=lambda case: case.fault)
@pytest.mark.parametrize("subject", [s for s in SUBJECTS if s.name in DOORS], ids=lambda subject: subject.name)
def test_the_same_where_a_token_is_asked_for(country: Country, subject: Subject, key: str, case: Case) -> None:
    fails_clearly(country, subject, key, case, DOORS[subject.name])


def fails_clearly(country: Country, subject: Subject, key: str, case: Case, path: str) -> None:
    expected = case.of(subject.name)
    assert isinstance(expected, Failed)
    before = country.held(subject, key)
    assert not before.equals(country.truth(subject, key)), "there is something that could have changed"
    if case.fault == "slow":
        country.limit(read_timeout=0.15, max_attempts=1)  # the step's retry asks once more
    sandbox = country.sandbox(subject)
    with struck(sandbox, case.fault, path=path, **case.options):
        run = country.load(subject, key)
    words = (f"{subject.name}: ", sandbox.urls[subject.name], expected.words, expected.error.advice)
    country.assert_failed(subject, key, run, *words)
    assert country.loads(subject, key)[-1]["error"].startswith(f"{expected.error.__name__}: ")
    assert country.held(subject, key).equals(before)
    assert not sandbox.elsewhere_requests, "nobody else was asked"


@EACH
def test_a_server_that_is_down_for_a_while_heals_by_dagsters_retry(
    country: Country, subject: Subject, key: str
) -> None:
    """The attempts at the first request are used up; the step's retry comes when the server is back."""
    with struck(country.sandbox(subject), "unavailable", path=subject.path, times=country.options.max_attempts):
        run = country.load(subject, key)
    assert run.success, run.failure
    assert [load["status"] for load in country.loads(subject, key)][-2:] == ["failed", "committed"]
    assert_whole(country, subject, key)
    country.assert_tidy(run)


@cases(Counted)
def test_what_comes_again_is_counted(country: Country, subject: Subject, key: str, case: Case) -> None:
    sandbox = country.sandbox(subject)
    sandbox.faults.injected.clear()
    with struck(sandbox, case.fault, path=subject.path, **case.options):
        run = country.load(subject, key)
    assert run.success, run.failure
    assert_whole(country, subject, key)
    injected = sandbox.faults.injected[case.fault]
    assert country.loads(subject, key)[-1]["duplicates"] == injected > 0
    assert run.materialised(asset_key(subject.system, subject.feed))[key]["duplicates"] == injected
    country.assert_tidy(run)


@cases(Quarantined)
def test_bad_records_are_kept_apart_and_the_good_ones_land(
    country: Country, subject: Subject, key: str, case: Case
) -> None:
    expected = case.of(subject.name)
    assert isinstance(expected, Quarantined)
    sandbox = country.sandbox(subject)
    sandbox.faults.injected.clear()
    with struck(sandbox, case.fault, path=subject.path, **case.options):
        run = country.load(subject, key)
    assert run.success, run.failure
    truth, held, bad = country.truth(subject, key), country.held(subject, key), country.quarantine(subject, key)
    missing = truth.join(held, on="id", how="anti")
    assert missing.height == (0 if expected.beside else bad.height)
    if case.fault == "conflicting_duplicates":  # which of two that contradict each other is true nobody can say
        held, truth = held.drop("said"), truth.drop("said")
    assert held.equals(truth.join(missing, on="id", how="anti"))
    assert set(bad["rule"]) == {expected.rule}
    assert bad["reason"].str.contains(expected.words, literal=True).all()
    if case.fault != "invalid_utf8":
        assert_kept(subject, bad, missing)
    shown = run.materialised(asset_key(subject.system, subject.feed))[key]
    assert shown["quarantined"] == bad.height
    [line] = [record.data for record in shown["quarantine"].records]
    assert (line["rule"], line["rows"]) == (expected.rule, bad.height)
    load = country.loads(subject, key)[-1]
    assert load["quarantined"] == bad.height >= sandbox.faults.injected.get(case.fault, 1) > 0
    assert load["rows_read"] == load["landed"] + load["quarantined"] + load["duplicates"]
    assert run.checks(asset_key(subject.system, subject.feed))["accounting"]
    country.assert_tidy(run)


def assert_kept(subject: Subject, bad: pl.DataFrame, missing: pl.DataFrame) -> None:
    """For each good record that did not come, the quarantine holds the text of that which came in its place."""
    texts = [set(map(str, json.loads(row).values())) for row in bad["row"]]
    for record in missing["id"]:
        parts = set(record.split("/"))
        assert sum(parts <= text for text in texts) == 1, record


@cases(Landed)
def test_what_no_rule_forbids_lands_as_it_came(country: Country, subject: Subject, key: str, case: Case) -> None:
    sandbox = country.sandbox(subject)
    sandbox.faults.injected.clear()
    with struck(sandbox, case.fault, path=subject.path, **case.options):
        run = country.load(subject, key)
    assert run.success, run.failure
    assert_whole(country, subject, key)
    column = "facility_name" if subject.name == "cemr" else "facility_code"
    query = f"select count(*) from {subject.relation} where _partition = %s and {column} = '9999999'"
    assert rows(country.warehouse, query, (key,)) == [(sandbox.faults.injected[case.fault],)]


@cases(NotThere)
def test_what_a_server_cannot_do_changes_nothing(country: Country, subject: Subject, key: str, case: Case) -> None:
    with struck(country.sandbox(subject), case.fault, path=subject.path, **case.options):
        run = country.load(subject, key)
    assert run.success, run.failure
    assert_whole(country, subject, key)


@EACH
def test_wrong_credentials_are_tried_once(country: Country, subject: Subject, key: str) -> None:
    """Neither the next partition nor the step's retry tries them again: that would lock the account."""
    country.wrong = True
    before = pl.concat(country.held(subject, one) for one in subject.keys)
    sandbox = country.sandbox(subject)
    sandbox.requests.clear()
    run = country.load(subject, *subject.keys)
    assert [request.status for request in sandbox.requests] == [401]
    words = ("refused", "HTTP 401", "Check the credentials", f"{subject.name}: ", sandbox.urls[subject.name])
    # A REST API is first asked when the first partition is read, and the second is not tried, but noted with the reason.
    for asked in subject.keys:
        country.assert_failed(subject, asked, run, *words)
    assert pl.concat(country.held(subject, one) for one in subject.keys).equals(before)


def _allowed(subject: Subject) -> frozenset[str]:
    return next(column.allowed for column in subject.feed.table.columns if column.name == subject.column)


CLOSED = [s for s in SUBJECTS if s.column and _allowed(s)]


def test_closed_lists_of_codes_are_met_in_systems_that_have_them() -> None:
    assert {subject.name for subject in CLOSED} == {"cemr", "idsr"}


@pytest.mark.parametrize("subject", CLOSED, ids=lambda subject: subject.name)
def test_a_code_that_nobody_knows_is_kept_apart_until_it_is_corrected(
    country: Country, subject: Subject, key: str
) -> None:
    sandbox = country.sandbox(subject)
    record = subject.records(sandbox, key)[3]
    sandbox.clinical[subject.name].store.edit(subject.stored, record, {subject.edited: "PERHAPS"})
    run = country.load(subject, key)
    assert run.success, run.failure
    bad = country.quarantine(subject, key)
    assert bad["rule"].to_list() == ["not_allowed"]
    assert record in bad["row"].item() and "PERHAPS" in bad["row"].item()
    truth = country.truth(subject, key)
    assert country.held(subject, key).equals(truth.filter(pl.col("id") != record))
    sandbox.world.advance(minutes=1)
    subject.edit_record(sandbox, record)
    assert country.load(subject, key).success
    assert_whole(country, subject, key)
