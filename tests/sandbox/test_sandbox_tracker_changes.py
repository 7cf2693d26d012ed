"""The trackers as time passes and people change them: everything that changes says when."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from tracker_records import HOME, PROGRAMMES, SPECS, START, frame

from hic_assets.sandbox import World
from hic_assets.sandbox.world import memo
from hic_assets.sandbox.world.trackers.bench import synthetic_store
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES, ProgrammeSpec
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, KINDS, TRACKED_ENTITIES

SCALE = 0.01


@pytest.fixture
def small() -> World:
    return World(scale=SCALE)


# ---- time


def _told(world: World, key: str) -> list[pl.DataFrame]:
    return [frame(world, key, kind).sort("uid") for kind in KINDS]


@pytest.mark.parametrize("key", ["tb", "child_death_audit", "cancer", "hiv"])
def test_same_seed_same_records_other_seed_others(key: str) -> None:
    one, other = _told(World(seed=3, scale=SCALE), key), _told(World(seed=4, scale=SCALE), key)
    memo.forget()
    assert all(a.equals(b) for a, b in zip(one, _told(World(seed=3, scale=SCALE), key), strict=True))
    assert not one[2].equals(other[2])


@pytest.mark.parametrize("key", PROGRAMMES)
def test_a_longer_story_has_the_shorter_one_in_it(small: World, key: str) -> None:
    later = World(scale=SCALE, today=small.today + timedelta(days=100))
    frame(later, key, EVENTS)
    later.set_now(small.now)
    for one, other in zip(_told(small, key), _told(later, key), strict=True):
        assert one.equals(other)


@pytest.mark.parametrize("key", PROGRAMMES)
def test_whatever_changes_says_when(small: World, key: str) -> None:
    before, then = _told(small, key), small.now_ms
    small.advance(days=6, hours=5)
    for old, new in zip(before, _told(small, key), strict=True):
        assert old["uid"].is_in(new["uid"].implode()).all()
        untouched = new.filter(pl.col("updated_ms") <= then)
        assert untouched.equals(old.filter(pl.col("uid").is_in(untouched["uid"].implode())))
        added = new.filter(~pl.col("uid").is_in(old["uid"].implode()))
        assert (added["created_ms"] > then).all()
        assert added.height > 0 or new.height < 3_000


def test_a_week_brings_doses_edits_and_deletions(small: World) -> None:
    old, then = frame(small, "immunization", EVENTS), small.now_ms
    small.advance(days=7)
    both = frame(small, "immunization", EVENTS).join(old, on="uid", suffix="_old")
    came = both.filter(pl.col("status_old") == "SCHEDULE", pl.col("status") == "COMPLETED")
    assert came.height > 20
    assert came["occurred_at_old"].is_null().all()
    assert both.filter(pl.col("deleted") & ~pl.col("deleted_old")).height > 0
    edited = both.filter(pl.col("data_values") != pl.col("data_values_old"), pl.col("status_old") == "COMPLETED")
    assert edited.height > 5
    assert (edited["updated_ms"] > then).all()


# ---- changes


def _one(world: World, key: str, kind: str, uid: str) -> dict:  # type: ignore[type-arg]
    return frame(world, key, kind).filter(uid=uid).row(0, named=True)


def _said(row: dict) -> dict[str, str]:  # type: ignore[type-arg]
    return {p["data_element"]: p["value"] for p in row["data_values"]}


def _first_alive(world: World, key: str, kind: str) -> dict:  # type: ignore[type-arg]
    return frame(world, key, kind).filter(~pl.col("deleted")).sort("uid").row(0, named=True)


def test_an_event_is_inserted_edited_and_deleted(small: World) -> None:
    store, spec = small.tracker("hmis_tracker"), SPECS["tb"]
    enrolment = _first_alive(small, "tb", ENROLLMENTS)
    stage = spec.stage("laboratory")
    number, smear = (e.uid for e in stage.data_elements if e.code in ("TB_LAB_NO", "TB_SMEAR"))
    version = store.version
    own = store.insert_event(spec.uid, enrolment["uid"], stage.uid, date(2026, 9, 1), {number: "007", smear: "SC"})
    assert store.version != version
    made = _one(small, "tb", EVENTS, own)
    assert (made["status"], made["occurred_at"], made["updated_ms"]) == ("COMPLETED", date(2026, 9, 1), small.now_ms)
    assert made["tracked_entity"] == enrolment["tracked_entity"]
    assert _one(small, "tb", TRACKED_ENTITIES, made["tracked_entity"])["updated_ms"] == small.now_ms
    small.advance(hours=1)
    store.edit_event(own, values={number: "0070", smear: None}, occurred_at=date(2026, 9, 2), status="ACTIVE")
    edited = _one(small, "tb", EVENTS, own)
    assert _said(edited) == {number: "0070"}
    assert (edited["status"], edited["completed_ms"], edited["occurred_at"]) == ("ACTIVE", None, date(2026, 9, 2))
    assert (edited["created_ms"], edited["updated_ms"]) == (made["created_ms"], small.now_ms)
    small.advance(hours=1)
    store.delete(EVENTS, own)
    gone = _one(small, "tb", EVENTS, own)
    assert gone["deleted"]
    assert (gone["updated_ms"], gone["_alive_updated_ms"]) == (small.now_ms, edited["updated_ms"])
    assert _said(gone) == {number: "0070"}
    truth = store.truth(EVENTS)
    assert truth.filter(uid=own).height == 1


def test_an_inserted_event_without_values_gets_plausible_ones(small: World) -> None:
    spec = SPECS["cancer"]
    enrolment = _first_alive(small, "cancer", ENROLLMENTS)
    stage = spec.stage("referral")
    own = small.tracker("cancer_registry").insert_event(spec.uid, enrolment["uid"], stage.uid, small.today)
    assert 3 < len(_said(_one(small, "cancer", EVENTS, own))) <= len(stage.data_elements)


def test_a_dose_on_the_calendar_is_given(small: World) -> None:
    due = frame(small, "immunization", EVENTS).filter(~pl.col("deleted"), pl.col("status") == "SCHEDULE").sort("uid")
    row = due.row(0, named=True)
    small.tracker("immunization_tracker").edit_event(row["uid"], status="COMPLETED")
    given = _one(small, "immunization", EVENTS, row["uid"])
    assert given["occurred_at"] == min(row["scheduled_at"], small.today)
    assert given["completed_ms"] == small.now_ms


def test_a_change_may_have_been_made_before_now(small: World) -> None:
    row = _first_alive(small, "cancer", EVENTS)
    at = small.now_ms - 3_600_000
    small.tracker("cancer_registry").edit_event(row["uid"], occurred_at=date(2026, 1, 5), at=at)
    assert _one(small, "cancer", EVENTS, row["uid"])["updated_ms"] == at
    small.advance(hours=-2)
    assert _one(small, "cancer", EVENTS, row["uid"])["occurred_at"] == row["occurred_at"]


def test_attributes_are_edited(small: World) -> None:
    store, row = small.tracker("hiv_tracker"), _first_alive(small, "hiv", TRACKED_ENTITIES)
    first = next(a.uid for a in SPECS["hiv"].attributes if a.code == "FIRST_NAME")
    phone = next(a.uid for a in SPECS["hiv"].attributes if a.code == "PHONE")
    store.edit_attributes(row["uid"], {first: "Jeanne", phone: None})
    made = _one(small, "hiv", TRACKED_ENTITIES, row["uid"])
    held = {p["attribute"]: p["value"] for p in made["attributes"]}
    assert held[first] == "Jeanne"
    assert phone not in held
    assert made["updated_ms"] == small.now_ms
    assert made["enrolled"] == row["enrolled"]


@pytest.mark.parametrize("key", PROGRAMMES)
def test_a_person_is_registered(small: World, key: str) -> None:
    store, unit = small.tracker(HOME[key]), small.facilities[0].uid
    people = store.persons().height
    entity, enrolment = store.insert_person(SPECS[key].uid, org_unit=unit, enrolled_at=date(2026, 9, 7))
    made = _one(small, key, TRACKED_ENTITIES, entity)
    assert made["org_unit"] == unit
    assert made["enrolled"] == [date(2026, 9, 7)]
    asked = {a.uid: a for a in SPECS[key].attributes}
    held = {p["attribute"]: p["value"] for p in made["attributes"]}
    assert {u for u, a in asked.items() if a.mandatory} <= set(held) <= set(asked)
    enrolled = _one(small, key, ENROLLMENTS, enrolment)
    assert (enrolled["tracked_entity"], enrolled["status"]) == (entity, "ACTIVE")
    assert store.truth(TRACKED_ENTITIES).filter(uid=entity).height == 1
    assert store.persons().height == people + 1


def test_given_attributes_replace_the_drawn_ones(small: World) -> None:
    own = SPECS["cancer"].attributes[0].uid
    entity, _ = small.tracker("cancer_registry").insert_person(SPECS["cancer"].uid, attributes={own: "20260001"})
    assert _one(small, "cancer", TRACKED_ENTITIES, entity)["attributes"] == [{"attribute": own, "value": "20260001"}]


def test_a_deleted_person_stays_deleted_whatever_was_to_come(small: World) -> None:
    store = small.tracker("immunization_tracker")
    waiting = frame(small, "immunization", EVENTS).filter(~pl.col("deleted"), pl.col("status") == "SCHEDULE")
    entities = waiting["tracked_entity"].unique().sort()[:60]
    store.delete_many(TRACKED_ENTITIES, SPECS["immunization"].uid, entities)
    small.advance(days=70)
    for kind, column in ((TRACKED_ENTITIES, "uid"), (ENROLLMENTS, "tracked_entity"), (EVENTS, "tracked_entity")):
        mine = frame(small, "immunization", kind).filter(pl.col(column).is_in(entities.implode()))
        assert mine.height >= 60
        assert mine["deleted"].all()


def test_tombstones_are_purged(small: World) -> None:
    store = small.tracker("cancer_registry")
    enrolment = _first_alive(small, "cancer", ENROLLMENTS)
    store.delete(ENROLLMENTS, enrolment["uid"])
    assert _one(small, "cancer", ENROLLMENTS, enrolment["uid"])["deleted"]
    alive = {kind: frame(small, "cancer", kind).filter(~pl.col("deleted"))["uid"].sort() for kind in KINDS}
    store.purge_deleted()
    for kind in KINDS:
        left = frame(small, "cancer", kind)
        assert not left["deleted"].any()
        assert left["uid"].sort().equals(alive[kind])
    small.advance(days=10)
    assert enrolment["uid"] not in set(frame(small, "cancer", ENROLLMENTS)["uid"])


@pytest.mark.parametrize("name", [i.name for i in INSTANCES])
def test_drift_changes_about_as_much_as_asked_and_all_of_it_now(small: World, name: str) -> None:
    store = small.tracker(name)
    programmes: tuple[ProgrammeSpec, ...] = store.instance.programmes
    before = {(p.uid, k): store.frame(k, p.uid) for p in programmes for k in KINDS}
    small.advance(minutes=1)
    still = {(p.uid, k): store.frame(k, p.uid) for p in programmes for k in KINDS}
    store.drift(200, np.random.default_rng(5))
    seen: dict[str, int] = {"new": 0, "changed": 0, "deleted": 0}
    for at, old in still.items():
        new = store.frame(at[1], at[0])
        assert set(before[at]["uid"]) <= set(new["uid"])
        assert new["uid"].is_unique().all()
        fresh = new.filter(pl.col("updated_ms") == small.now_ms)
        rest = new.filter(pl.col("updated_ms") != small.now_ms).sort("uid")
        assert rest.equals(old.filter(pl.col("uid").is_in(rest["uid"].implode())).sort("uid"))
        if at[1] == EVENTS:
            known = fresh.filter(pl.col("uid").is_in(old["uid"].implode()))
            seen["new"] += fresh.height - known.height
            seen["deleted"] += known["deleted"].sum()
            seen["changed"] += known.height
    assert seen["new"] > 10
    assert seen["deleted"] > 5
    assert 60 < seen["new"] + seen["changed"] < 400


def test_drift_is_repeatable(small: World) -> None:
    small.tracker("cancer_registry").drift(80, np.random.default_rng(2))
    memo.forget()
    other = World(scale=SCALE)
    other.tracker("cancer_registry").drift(80, np.random.default_rng(2))
    assert all(a.equals(b) for a, b in zip(_told(small, "cancer"), _told(other, "cancer"), strict=True))


def test_what_is_unknown_is_refused(small: World) -> None:
    store = small.tracker("cancer_registry")
    with pytest.raises(KeyError):
        small.tracker("no_tracker")
    with pytest.raises(KeyError):
        store.frame(EVENTS, SPECS["tb"].uid)
    with pytest.raises(KeyError, match="nowhere00000"):
        store.edit_event("nowhere00000", status="ACTIVE")
    with pytest.raises(ValueError, match="no kind"):
        store.truth("persons")
    with pytest.raises(ValueError, match="Monday"):
        World(scale=SCALE, trackers_from=date(2025, 1, 7))


# ---- benchmarks


def test_a_synthetic_store_has_exactly_the_events_asked_for() -> None:
    world = World(scale=SCALE)
    store = synthetic_store(world, 5_001, weeks=2)
    assert world.tracker("hiv_tracker") is store
    events = frame(world, "hiv", EVENTS)
    assert events.height == 5_001
    assert events["uid"].is_unique().all()
    assert events["occurred_at"].is_between(START, START + timedelta(days=13)).all()
    assert events["data_values"].list.len().mean() > 8
    assert frame(world, "hiv", TRACKED_ENTITIES).height == frame(world, "hiv", ENROLLMENTS).height == 1_251
