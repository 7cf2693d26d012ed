"""What reviewers decide: kept, respected by the runs that follow, and shown with its evidence."""

from __future__ import annotations

import pytest
from pg_servers import rows
from told import STRANGER, events, persons, prepared, run, together

from hic_assets.identity.review import Record, UnknownRecordError, decide, evidence, queue
from hic_assets.warehouse import Warehouse

PAIR = ({"record_id": "a", "village": "Umucyo"}, {"record_id": "b", "village": "Umucyo", "system": "tb"})
A, B, S = Record("hiv", "a"), Record("tb", "b"), Record("hiv", "s")
DOUBT = {"nid": "1198580012345067"}, {"nid": "1198580099999067"}


@pytest.fixture
def people(warehouse: Warehouse) -> Warehouse:
    return prepared(warehouse)


def decided(people: Warehouse, one: Record, other: Record, accepted: bool, by: str = "Reviewer") -> None:
    with people.connect() as connection:
        decide(connection, one, other, accepted, by, "looked at the files")


def test_a_rejected_pair_is_split_and_stays_apart(people: Warehouse) -> None:
    run(people, *PAIR)
    before = persons(people)
    decided(people, B, A, False)
    assert run(people).split == 1
    assert together(people) == {frozenset("a"), frozenset("b")}
    # Whatever happens to the records, and through whomever they would meet.
    run(people, {**PAIR[0], "phone": "0788123456"}, PAIR[1], {"record_id": "c", "system": "cemr", "village": "Umucyo"})
    assert not any({"a", "b"} <= group for group in together(people))
    decided(people, A, B, True)
    assert run(people).records == 3
    assert together(people) == {frozenset("abc")}
    assert set(persons(people).values()) == {before["a"]}
    assert [event[:2] for event in events(people)][-1] == (4, "merged")


def test_an_accepted_pair_leaves_the_queue_and_survives(people: Warehouse) -> None:
    told = [PAIR[0] | DOUBT[0], PAIR[1] | DOUBT[1]]
    assert run(people, *told).in_review == 1
    with people.connect() as connection:
        (waiting,) = queue(connection, 10)
        assert (waiting["record_id_l"], waiting["record_id_r"], waiting["reason"]) == ("a", "b", "other national ID")
        decide(connection, B, A, True, "Reviewer", "same card issued twice")
        assert queue(connection, 10) == []
    assert run(people).in_review == 0
    assert together(people) == {frozenset("ab")}
    run(people, told[0] | {"village": "Amahoro"}, told[1])
    assert together(people) == {frozenset("ab")}


def test_strangers_may_be_accepted_though_nothing_brought_them_together(people: Warehouse) -> None:
    run(people, *PAIR, {"record_id": "s", **STRANGER})
    decided(people, S, A, True)
    run(people)
    assert together(people) == {frozenset("abs")}


def test_a_decision_is_kept_with_who_when_and_why(people: Warehouse) -> None:
    run(people, *PAIR)
    decided(people, B, A, False, "First")
    decided(people, A, B, True, "Second")
    kept = rows(
        people,
        "select system_l, system_r, accepted, by_whom, reason, decided_at is not null from identity.decision order by 1, decision_id",
    )
    assert kept == [
        ("hiv", "tb", False, "First", "looked at the files", True),
        ("hiv", "tb", True, "Second", "looked at the files", True),
    ]
    run(people)
    assert together(people) == {frozenset("ab")}


def test_what_cannot_be_decided(people: Warehouse) -> None:
    run(people, *PAIR)
    with people.connect() as connection:
        with pytest.raises(UnknownRecordError, match="hiv:nobody"):
            decide(connection, A, Record("hiv", "nobody"), True, "Reviewer", "why")
        with pytest.raises(ValueError, match="one record"):
            decide(connection, A, A, True, "Reviewer", "why")
        with pytest.raises(ValueError, match="name and a reason"):
            decide(connection, A, B, True, " ", "why")
    assert rows(people, "select count(*) from identity.decision") == [(0,)]
    assert Record.parse("cancer:urn:7") == Record("cancer", "urn:7")
    for wrong in ("hiv", ":a", "hiv:"):
        with pytest.raises(ValueError, match="system:id"):
            Record.parse(wrong)


def test_the_evidence_adds_up(people: Warehouse) -> None:
    run(people, *(one | doubt for one, doubt in zip(PAIR, DOUBT, strict=True)), {"record_id": "s", **STRANGER})
    with people.connect() as connection:
        found = evidence(connection, B, A)
        assert (found.left["record_id"], found.right["record_id"]) == ("a", "b")
        assert found.pair is not None
        assert found.steps[-1]["total"] == pytest.approx(found.pair["weight"], abs=0.001)
        assert {step["comparison"]: step["words"] for step in found.steps}["nid"] == "different"
        assert evidence(connection, A, S).pair is None


def test_a_reason_does_not_grow_from_run_to_run(people: Warehouse) -> None:
    """A link that is cut is in the queue for as long as it is; its reason is said once."""
    chain = [
        {"record_id": "a", "nid": "1198580012345067", "village": "Umucyo"},
        {"record_id": "b", "village": "Umucyo", "system": "tb"},
        {"record_id": "c", "nid": "1198580099999067", "system": "cemr", "given_name": None},
    ]
    run(people, *chain)
    before = rows(people, "select record_id_l, record_id_r, reason, review_reason from identity.pair order by 1, 2")
    assert any("contradicted by others" in (why or "") for *_, why in before)
    run(people)
    run(people)
    assert (
        rows(people, "select record_id_l, record_id_r, reason, review_reason from identity.pair order by 1, 2")
        == before
    )
