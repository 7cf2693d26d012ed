"""One run after another: what is linked, what is not, which keys stay."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from hic_assets.linkage import Linked, link, load, waterfall
from hic_assets.linkage.persons import person_key
from linkage.made import SECRET, decisions, groups, key_of, records

NID = "1198580012345067"
MOTHER = {"mother_name": "Uwase Alice", "phone": "0788123456", "sector": "Remera", "village": "Umucyo"}
CHILD = {**MOTHER, "birth_date": date(2025, 6, 3), "system": "immunization"}


def run(*rows: dict[str, Any], known: Linked | None = None, number: int = 1, **more: Any) -> Linked:
    """Link records in a district-size country."""
    return link(records(*rows), known, secret=SECRET, run=number, model=load().of_population(300_000), **more)


def again(found: Linked) -> Linked:
    """What a warehouse would give back."""
    return Linked(found.records, found.assignments, found.pairs)


def test_names_in_another_order_and_spelling_are_one_person() -> None:
    found = run(
        {"record_id": "a", "surname": "Habyarimana", "given_name": "Claude"},
        {"record_id": "b", "surname": "CLAUDE", "given_name": "Habialimana "},
        {"record_id": "c", "surname": "Bizimana", "given_name": "Eric"},
    )
    assert groups(found.assignments) == {frozenset("ab"), frozenset("c")}


@pytest.mark.parametrize("born", [date(1985, 7, 4), date(1985, 4, 6), date(1986, 4, 7)])
def test_typical_slips_of_a_birth_date(born: date) -> None:
    place = {"village": "Umucyo", "birth_date": date(1985, 4, 7)}
    found = run({"record_id": "a", **place}, {"record_id": "b", **place, "birth_date": born})
    assert len(groups(found.assignments)) == 1


def test_a_new_card_is_the_same_person_and_says_so() -> None:
    far = {"sector": "Gihundwe", "district": "Rusizi", "birth_date": date(1985, 1, 1), "given_name": None}
    found = run({"record_id": "a", "nid": NID}, {"record_id": "b", "nid": "1 1985 8 0012345 1 99", **far})
    assert groups(found.assignments) == {frozenset("ab")}
    assert found.pairs["reason"].to_list() == ["national ID"]


def test_a_shared_identifier_does_not_link_persons_who_disagree() -> None:
    found = run(
        {"record_id": "a", "upi": "230606-0022-4112"},
        {"record_id": "b", "upi": "230606-0022-4112", "surname": "Bizimana", "given_name": "Eric"},
        {"record_id": "c", "upi": "230606-0022-4112", "birth_date": date(1952, 2, 2)},
    )
    assert len(groups(found.assignments)) == 3
    assert set(found.review["reason"]) == {
        "a shared identifier, other names",
        "a shared identifier, another birth or sex",
    }


def test_programme_numbers_link() -> None:
    number = {"programme_numbers": ["tracnet:123456789012"]}
    found = run(
        {"record_id": "a", **number}, {"record_id": "b", **number, "birth_date": None, "sector": None, "district": None}
    )
    assert groups(found.assignments) == {frozenset("ab")}


def test_twins_are_two() -> None:
    found = run(
        {"record_id": "a", **CHILD, "surname": "Mutoni", "given_name": "Aline", "sex": "F"},
        {"record_id": "b", **CHILD, "surname": "Keza", "given_name": "Diane", "sex": "F"},
        {"record_id": "c", **CHILD, "system": "crvs", "surname": "Aline", "given_name": "Mutoni", "sex": "F"},
    )
    assert groups(found.assignments) == {frozenset("ac"), frozenset("b")}


def test_twins_without_names_are_told_apart_by_order_or_looked_at() -> None:
    twin = {**CHILD, "surname": "Baby of", "given_name": None, "multiple_birth": True}
    found = run(
        {"record_id": "a", **twin, "birth_order": 1},
        {"record_id": "b", **twin, "birth_order": 2},
        {"record_id": "c", **twin},
    )
    assert len(groups(found.assignments)) == 3
    assert set(found.review["reason"]) == {"perhaps a twin"}


def test_a_single_child_without_a_name_is_found_by_its_mother() -> None:
    found = run(
        {"record_id": "a", **CHILD, "surname": "Baby of", "given_name": None},
        {"record_id": "b", **CHILD, "surname": "Keza", "given_name": "Diane"},
    )
    assert groups(found.assignments) == {frozenset("ab")}


def test_a_familys_phone_does_not_make_one_person() -> None:
    found = run(
        {"record_id": "a", **CHILD, "surname": "Mutoni", "given_name": "Aline"},
        {"record_id": "b", **CHILD, "surname": "Mutoni", "given_name": "Diane", "birth_date": date(2023, 5, 1)},
        {
            "record_id": "c",
            **MOTHER,
            "mother_name": None,
            "surname": "Uwase",
            "given_name": "Alice",
            "birth_date": date(1995, 5, 2),
        },
    )
    assert len(groups(found.assignments)) == 3


def test_systems_that_guarantee_one_record_a_person() -> None:
    pair = ({"record_id": "a", "village": "Umucyo"}, {"record_id": "b", "village": "Umucyo"})
    third = {"record_id": "c", "system": "tb", "village": "Umucyo"}
    assert groups(run(*pair, third).assignments) == {frozenset("abc")}
    found = run(*pair, third, one_to_one={"hiv"})
    assert groups(found.assignments) == {frozenset("ac"), frozenset("b")}
    assert "linked by weight, but contradicted by others" in found.review["reason"].to_list()


def test_a_chain_with_two_national_ids_is_cut_at_its_weakest() -> None:
    found = run(
        {"record_id": "a", "nid": NID, "village": "Umucyo"},
        {"record_id": "b", "village": "Umucyo", "system": "tb"},
        {"record_id": "c", "nid": "1198580099999067", "system": "cemr", "given_name": None},
    )
    assert groups(found.assignments) == {frozenset("ab"), frozenset("c")}


def test_decisions_are_respected_by_this_run_and_the_next() -> None:
    rows = ({"record_id": "a"}, {"record_id": "b"}, {"record_id": "c", "surname": "Bizimana", "given_name": "Eric"})
    decided = decisions(("a", "b", False), ("b", "c", True))
    found = run(*rows, decisions=decided)
    assert groups(found.assignments) == {frozenset("a"), frozenset("bc")}
    later = run({"record_id": "d"}, known=again(found), number=2, decisions=decided)
    assert not {"a", "b"} <= set.union(*({*g} for g in groups(later.assignments) if "a" in g))
    assert key_of(later.assignments, "b") == key_of(later.assignments, "c")
    last = decisions(("a", "b", False), ("b", "a", True))
    assert groups(run(*rows[:2], decisions=last).assignments) == {frozenset("ab")}


def test_a_key_stays_when_a_record_joins() -> None:
    first = run({"record_id": "m"})
    second = run({"record_id": "a"}, known=again(first), number=2)
    assert key_of(second.assignments, "a") == key_of(second.assignments, "m") == key_of(first.assignments, "m")
    assert second.events.is_empty()
    assert second.assignments["since"].to_list() == [1, 1]


def test_a_merge_keeps_the_older_key_and_a_split_gives_a_new_one() -> None:
    first = run({"record_id": "m", "nid": NID})
    stranger = {"record_id": "a", "surname": "Bizimana", "given_name": "Eric"}
    second = run(stranger, known=again(first), number=2)
    old, young = key_of(first.assignments, "m"), key_of(second.assignments, "a")
    assert old != young
    merged = run(known=again(second), number=3, decisions=decisions(("a", "m", True)))
    assert set(merged.assignments["person_key"]) == {old}
    assert merged.events.rows() == [("merged", old, young, 1)]
    split = run(known=again(merged), number=4, decisions=decisions(("a", "m", True), ("a", "m", False)))
    event, kept, other, moved = split.events.row(0)
    assert (event, kept, moved) == ("split", old, 1)
    assert {kept, other} == set(split.assignments["person_key"])


def test_a_changed_record_is_compared_again() -> None:
    first = run({"record_id": "a"}, {"record_id": "b"})
    assert len(groups(first.assignments)) == 1
    second = run({"record_id": "b", "surname": "Bizimana", "given_name": "Eric"}, known=again(first), number=2)
    assert groups(second.assignments) == {frozenset("a"), frozenset("b")}
    assert second.events["event"].to_list() == ["split"]


def test_only_new_records_are_compared() -> None:
    first = run(*({"record_id": f"r{i}"} for i in range(20)))
    assert first.compared == 190
    assert run({"record_id": "x"}, known=again(first), number=2).compared == 20
    assert run(known=again(first), number=2).compared == 0


def test_keys_cannot_be_made_without_the_secret() -> None:
    assert person_key(SECRET, "hiv", "a") != person_key(SECRET + b"!", "hiv", "a")
    assert len(person_key(SECRET, "hiv", "a")) == 32
    assert person_key(SECRET, "hiv", "a", 1) != person_key(SECRET, "hiv", "a")
    with pytest.raises(ValueError, match="16 bytes"):
        person_key(b"short", "hiv", "a")


def test_the_waterfall_adds_up_and_masks() -> None:
    rows = (
        {"record_id": "a", "phone": "0788123456", "nid": NID},
        {"record_id": "b", "phone": "0788123456", "given_name": None},
    )
    found = run(*rows)
    steps = waterfall(found.pairs, found.records, load().of_population(300_000))
    assert steps["comparison"].to_list() == [
        "prior",
        "names",
        "birth",
        "sex",
        "place",
        "phone",
        "mother",
        "nid",
        "upi",
        "number",
    ]
    assert steps["total"][-1] == pytest.approx(found.pairs["weight"][0], abs=1e-6)
    said = {r["comparison"]: r for r in steps.to_dicts()}
    assert said["names"]["words"] == "the names of one are among the other's"
    assert said["names"]["value_l"] == "Mugabo, Jean"
    assert said["names"]["masked_l"] == "M•, J•"
    assert said["phone"]["masked_l"] == "•56"
    shown = " ".join(steps.select(pl.concat_str(pl.col("masked_l", "masked_r").fill_null(""))).to_series())
    assert not any(secret in shown for secret in ("Mugabo", "Jean", "788123", NID[:13], "1985-03"))
