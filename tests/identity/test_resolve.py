"""Runs of identity resolution on PostgreSQL: what changed is compared, keys stay, and what became of persons is noted."""

from __future__ import annotations

from datetime import date

import pytest
from pg_servers import rows
from told import KEY, NID, STRANGER, events, persons, prepared, run, tell, together

from hic_assets.identity.pseudonym import pseudonym
from hic_assets.identity.resolve import RecordsGoneError, resolve
from hic_assets.identity.store import NotBuiltError
from hic_assets.warehouse import Warehouse

CHILD = {
    "birth_date": date(2023, 5, 1), "mother_name": "Uwase Alice", "phone": "0788123456", "system": "immunization", "sex": "F",
}  # fmt: skip


@pytest.fixture
def people(warehouse: Warehouse) -> Warehouse:
    return prepared(warehouse)


def test_the_tables_are_there_before_any_run(people: Warehouse) -> None:
    assert rows(people, "select count(*) from identity.assignment") == [(0,)]
    with pytest.raises(NotBuiltError, match="all_reference"):
        resolve(people, KEY)


def test_a_key_stays_when_a_record_joins(people: Warehouse) -> None:
    first = run(people, {"record_id": "m"}, {"record_id": "s", **STRANGER})
    before = persons(people)
    second = run(people, {"record_id": "m"}, {"record_id": "s", **STRANGER}, {"record_id": "a", "system": "tb"})
    after = persons(people)
    assert (first.added, first.persons, second.added, second.changed, second.persons) == (2, 2, 1, 0, 2)
    assert after == {**before, "a": before["m"]}
    assert events(people) == []
    assert rows(people, "select distinct since from identity.assignment") == [(1,)]


def test_only_what_changed_is_compared_and_nothing_is_written_twice(people: Warehouse) -> None:
    twenty = [{"record_id": f"r{n:02}"} for n in range(20)]
    assert run(people, *twenty).compared == 190
    written = "select xmin::text, record_id from identity.assignment order by record_id"
    before = rows(people, written)
    again = run(people)
    assert (again.compared, again.added, again.changed, again.removed, again.persons) == (0, 0, 0, 0, 1)
    assert rows(people, written) == before
    assert run(people, *twenty, {"record_id": "x"}).compared == 20


def test_the_day_of_the_record_alone_is_no_change(people: Warehouse) -> None:
    run(people, {"record_id": "a", "recorded_on": date(2026, 1, 5)})
    assert run(people, {"record_id": "a", "recorded_on": date(2026, 2, 5)}).changed == 0


def test_a_changed_record_is_compared_again_and_a_split_is_noted(people: Warehouse) -> None:
    run(people, {"record_id": "a"}, {"record_id": "b"})
    before = persons(people)
    second = run(people, {"record_id": "a"}, {"record_id": "b", **STRANGER})
    after = persons(people)
    assert (second.changed, second.split, second.persons) == (1, 1, 2)
    assert after["a"] == before["a"] != after["b"]
    assert events(people) == [(2, "split", before["a"], after["b"], 1)]


def test_a_merge_keeps_the_older_key_and_is_noted(people: Warehouse) -> None:
    run(people, {"record_id": "m", "nid": NID})
    run(people, {"record_id": "m", "nid": NID}, {"record_id": "a", **STRANGER})
    before = persons(people)
    third = run(people, {"record_id": "m", "nid": NID}, {"record_id": "a", "nid": NID})
    assert (third.merged, set(persons(people).values())) == (1, {before["m"]})
    assert events(people) == [(3, "merged", before["m"], before["a"], 1)]


def test_a_record_that_is_gone_takes_nothing_along(people: Warehouse) -> None:
    run(people, {"record_id": "a"}, {"record_id": "b"}, {"record_id": "s", **STRANGER})
    before = persons(people)
    second = run(people, {"record_id": "b"}, {"record_id": "s", **STRANGER})
    assert (second.removed, second.records, persons(people)) == (1, 2, {"b": before["b"], "s": before["s"]})
    assert rows(people, "select count(*) from identity.pair") == [(0,)]
    # And when it comes back it is who it was.
    run(people, {"record_id": "a"}, {"record_id": "b"}, {"record_id": "s", **STRANGER})
    assert persons(people) == before


def test_all_may_go(people: Warehouse) -> None:
    run(people, {"record_id": "a"}, {"record_id": "b"})
    tell(people, [])
    done = run(people)
    assert (done.records, done.persons, done.removed) == (0, 0, 2)


def test_many_records_gone_at_once_are_refused(people: Warehouse) -> None:
    many = [{"record_id": f"r{n:03}", "surname": f"Name{chr(65 + n % 26)}{chr(65 + n // 26)}"} for n in range(120)]
    run(people, *many)
    before = persons(people)
    with pytest.raises(RecordsGoneError, match=r"30 of 120 known .* hiv \(30\).*accept_shrink"):
        run(people, *many[30:])
    assert persons(people) == before
    assert run(people, *many[30:], accept_shrink=True).removed == 30


def test_another_population_weighs_all_anew_and_keys_stay(people: Warehouse) -> None:
    run(people, {"record_id": "a"}, {"record_id": "b"}, {"record_id": "c", "nid": NID})
    before = persons(people)
    (weight,) = rows(people, "select max(weight) from identity.pair")[0]
    done = resolve(people, KEY, population=30_000_000)
    (lighter,) = rows(people, "select max(weight) from identity.pair")[0]
    assert (done.weighed_all, done.compared, done.added, done.changed) == (True, 3, 0, 0)
    assert lighter == pytest.approx(weight - 6.644, abs=0.01)
    assert set(persons(people).values()) >= set(before.values())
    assert not resolve(people, KEY, population=30_000_000).weighed_all


def test_twins_stay_apart_and_a_single_child_is_found(people: Warehouse) -> None:
    run(
        people,
        {"record_id": "a", **CHILD, "surname": "Mutoni", "given_name": "Aline"},
        {"record_id": "b", **CHILD, "surname": "Keza", "given_name": "Diane"},
        {"record_id": "c", **CHILD, "system": "crvs", "surname": "Aline", "given_name": "Mutoni"},
        {"record_id": "d", **CHILD, "system": "birth_registration", "surname": "Baby of Uwase", "given_name": None,
         "multiple_birth": True},
    )  # fmt: skip
    assert together(people) == {frozenset("ac"), frozenset("b"), frozenset("d")}
    assert ("perhaps a twin",) in rows(people, "select distinct review_reason from identity.pair where in_review")


def test_a_number_that_contradicts_the_person_does_not_decide(people: Warehouse) -> None:
    """Year and sex stand in the national ID: one that says otherwise is somebody else's; and two are two persons."""
    run(
        people,
        {"record_id": "m", "nid": NID, "village": "Umucyo"},
        {"record_id": "w", "nid": NID, **STRANGER, "sex": "F", "birth_date": date(1960, 2, 9)},
        {"record_id": "o", "nid": "1198580099999067", "village": "Umucyo", "system": "tb"},
    )
    assert together(people) == {frozenset("m"), frozenset("w"), frozenset("o")}
    (reason,) = rows(people, "select distinct review_reason from identity.pair where in_review")
    assert reason == ("other national ID",)


def test_records_without_numbers_do_not_share_one(people: Warehouse) -> None:
    """A list without members is no number; the known ones make the way through PostgreSQL."""
    run(people, {"record_id": "a", "programme_numbers": []})
    run(people, {"record_id": "a", "programme_numbers": []}, {"record_id": "b", **STRANGER, "programme_numbers": []})
    assert together(people) == {frozenset("a"), frozenset("b")}
    numbers = {"programme_numbers": ["tracnet:123456789012", "tb:7"]}
    done = run(
        people,
        {"record_id": "c", **numbers},
        {"record_id": "d", **numbers, "system": "tb", "birth_date": None, "sector": None},
    )
    assert done.persons == 1
    assert rows(people, "select programme_numbers from identity.record where record_id = 'c'") == [
        (["tracnet:123456789012", "tb:7"],)
    ]


def test_a_person_key_is_the_pseudonym_of_no_record(people: Warehouse) -> None:
    run(people, {"record_id": "a"}, {"record_id": "s", **STRANGER})
    for record, key in persons(people).items():
        assert pseudonym(KEY, "hiv", record).hex != key
