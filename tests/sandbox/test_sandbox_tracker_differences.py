"""Each difference is in the replies of one family, in as many records as it says, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import requests
from sandbox_tracker_help import EVENTS_EACH, FIRST_DAY, PROGRAM, ROOT, TRACKER, HandStore, at, event

from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.server.tracker.differences import DIFFERENCES
from hic_assets.sandbox.world.trackers.catalogue import ElementSpec
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

Json = dict[str, Any]
Records = dict[str, Json]
OLD_PATHS = {TRACKED_ENTITIES: "trackedEntityInstances", ENROLLMENTS: "enrollments", EVENTS: "events"}
NEW_PATHS = {TRACKED_ENTITIES: "trackedEntities", ENROLLMENTS: "enrollments", EVENTS: "events"}
KEYS = {TRACKED_ENTITIES: "trackedEntity", ENROLLMENTS: "enrollment", EVENTS: "event"}
PERSONS = 30
ELEMENTS = [e for s in PROGRAM.stages for e in s.data_elements]


def _element(wanted: Callable[[ElementSpec], bool]) -> ElementSpec:
    return next(e for e in ELEMENTS if wanted(e))


OPTION = _element(lambda e: e.option_set is not None)
DATE = _element(lambda e: e.value_type == "DATE")
NUMBER = _element(lambda e: e.value_type in ("NUMBER", "INTEGER", "INTEGER_POSITIVE", "INTEGER_ZERO_OR_POSITIVE"))
TEXT = next(a for a in PROGRAM.attributes if a.value_type == "TEXT" and a.option_set is None)
BORN = next(a for a in PROGRAM.attributes if a.value_type == "DATE")
PHONE = next(a for a in PROGRAM.attributes if a.value_type == "PHONE_NUMBER")


def store_of(sandbox: Sandbox) -> HandStore:
    """Persons and events that have a value of every sort in them, entered within two weeks."""
    store = HandStore(sandbox.world, PERSONS)
    codes = OPTION.option_set.options if OPTION.option_set else ()
    for row in store.rows[EVENTS]:
        number = row["_seq"] % 40
        values = {
            OPTION.uid: codes[number % len(codes)][0],
            NUMBER.uid: f"{number}.25",
            DATE.uid: f"2026-03-{number % 9 + 4:02d}",
        }
        row["data_values"] = [{"data_element": k, "value": v} for k, v in values.items()]
    for row in store.rows[TRACKED_ENTITIES]:
        values = {TEXT.uid: f"Désiré {row['_seq']}", BORN.uid: "1990-05-11", PHONE.uid: f"07880000{row['_seq']:02d}"}
        row["attributes"] = [{"attribute": k, "value": v} for k, v in values.items()]
    return store


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as sandbox:
        sandbox.world.trackers.install(store_of(sandbox))  # type: ignore[arg-type]
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    yield served
    served.differences.clear()


def ask(sandbox: Sandbox, path: str, **changes: Any) -> list[Json]:
    """Everything, deleted records included, in one page."""
    unit = "ou" if path in ("trackedEntityInstances", "enrollments") else "orgUnit"
    base = {"program": PROGRAM.uid, unit: ROOT, "ouMode": "DESCENDANTS", "includeDeleted": "true", "pageSize": 500}
    url, auth = f"{sandbox.urls[TRACKER]}/api/{path}", (sandbox.username, sandbox.password)
    reply = requests.get(url, params=base | changes, auth=auth, timeout=20)
    assert reply.status_code == 200, reply.text
    found: list[Json] = next(v for v in reply.json().values() if isinstance(v, list))
    return found


def unified(sandbox: Sandbox, kind: str, **changes: Any) -> Records:
    return {r[KEYS[kind]]: r for r in ask(sandbox, f"tracker/{NEW_PATHS[kind]}", **changes)}


def values(row: Json) -> dict[str, str]:
    listed = row.get("dataValues", row.get("attributes", []))
    return {v.get("dataElement", v.get("attribute")): v["value"] for v in listed}


def pairs(before: Records, after: Records) -> list[tuple[Json, Json]]:
    return [(row, after[uid]) for uid, row in before.items() if uid in after and after[uid] != row]


def value_pairs(before: Records, after: Records) -> list[tuple[str, str]]:
    """(value before, value after), where they differ."""
    found = []
    for was, now in pairs(before, after):
        old, new = values(was), values(now)
        found += [(old[k], new[k]) for k in old if k in new and old[k] != new[k]]
    return found


@pytest.mark.parametrize("name", [n for n, spec in DIFFERENCES.items() if spec.change])
def test_one_family_is_touched_and_says_which_records(sandbox: Sandbox, name: str) -> None:
    kind = DIFFERENCES[name].kinds[0]
    legacy, clean = ask(sandbox, OLD_PATHS[kind]), ask(sandbox, f"tracker/{NEW_PATHS[kind]}")
    made = sandbox.differences.inject(name, "unified", PROGRAM.uid, rows=2)
    changed = ask(sandbox, f"tracker/{NEW_PATHS[kind]}")
    assert ask(sandbox, OLD_PATHS[kind]) == legacy
    key = KEYS[kind]
    assert len(made.uids) == (1 if DIFFERENCES[name].tombstones and kind != EVENTS else 2)
    assert {r[key] for r in clean if r not in changed} <= set(made.uids)
    assert changed != clean
    sandbox.differences.clear(name)
    assert ask(sandbox, f"tracker/{NEW_PATHS[kind]}") == clean
    legacy_only = sandbox.differences.inject(name, "legacy", rows=2)
    assert ask(sandbox, f"tracker/{NEW_PATHS[kind]}") == clean
    assert ask(sandbox, OLD_PATHS[kind]) != legacy
    assert legacy_only.uids == made.uids


def test_another_programme_is_left_alone(sandbox: Sandbox) -> None:
    clean = unified(sandbox, EVENTS)
    sandbox.differences.inject("lost_page", "unified", "AnotherPrg1")
    assert unified(sandbox, EVENTS) == clean


def test_unknown_ones_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no difference 'gremlins'"):
        sandbox.differences.inject("gremlins")
    with pytest.raises(ValueError, match="no side 'both'"):
        sandbox.differences.inject("lost_page", "both")
    with pytest.raises(ValueError, match="does not touch 'events'"):
        sandbox.differences.inject("lost_enrollment", kind=EVENTS)


def test_records_are_chosen_within_a_window_by_a_seed(sandbox: Sandbox) -> None:
    begin, end = FIRST_DAY + timedelta(days=7), FIRST_DAY + timedelta(days=13)
    chosen = []
    for seed in (1, 2):
        made = sandbox.differences.inject("wrong_org_unit", start=begin, end=str(end), rows=4, seed=seed)
        days = {r["event"]: r["scheduledAt"][:10] for r in ask(sandbox, "tracker/events")}
        assert all(str(begin) <= days[uid] <= str(end) for uid in made.uids)
        chosen.append(set(made.uids))
        sandbox.differences.clear()
    assert chosen[0] != chosen[1]


# ---- what each does


def injected(sandbox: Sandbox, name: str, kind: str, **options: Any) -> tuple[Records, Records]:
    """All records before and after."""
    before = unified(sandbox, kind)
    sandbox.differences.inject(name, "unified", kind=kind, **options)
    return before, unified(sandbox, kind)


def test_lost_page(sandbox: Sandbox) -> None:
    before, after = injected(sandbox, "lost_page", EVENTS)
    lost = [uid for uid in before if uid not in after]
    assert len(lost) == 50
    rows = (
        sandbox.world.tracker(TRACKER)
        .frame(EVENTS, PROGRAM.uid)
        .filter(~pl.col("deleted"))
        .sort("_seq")["uid"]
        .to_list()
    )
    begin = min(rows.index(uid) for uid in lost)
    assert sorted(rows[begin : begin + 50]) == sorted(lost)


@pytest.mark.parametrize("kind", [EVENTS, ENROLLMENTS, TRACKED_ENTITIES])
def test_deletions(sandbox: Sandbox, kind: str) -> None:
    count = EVENTS_EACH if kind == EVENTS else 1
    before, after = injected(sandbox, "lost_deletion", kind, rows=None)
    assert sum(r["deleted"] for r in before.values()) == count
    assert not any(r["deleted"] for r in after.values())
    # a person is not found by the programme while the enrolment is deleted
    assert len(unified(sandbox, kind, includeDeleted="false")) == len(before) - (kind == TRACKED_ENTITIES)
    sandbox.differences.clear()
    before, after = injected(sandbox, "lost_tombstone", kind, rows=None)
    assert len(before) - len(after) == count
    assert not any(r["deleted"] for r in after.values())


def test_hour_shift_moves_a_record_to_the_day_before(sandbox: Sandbox) -> None:
    before, after = injected(sandbox, "hour_shift", EVENTS)
    moved = pairs(before, after)
    assert len(moved) == 3
    for was, now in moved:
        day = was["occurredAt"][:10]
        assert now["occurredAt"][11:] == "23:00:00.000"
        assert now["occurredAt"][:10] < day
        assert was["event"] not in unified(sandbox, EVENTS, occurredAfter=day, occurredBefore=day)
        earlier = now["occurredAt"][:10]
        assert was["event"] in unified(sandbox, EVENTS, occurredAfter=earlier, occurredBefore=earlier)
    sandbox.differences.clear()
    before, after = injected(sandbox, "hour_shift", ENROLLMENTS, hours=2, rows=None)
    assert {r["enrolledAt"][11:13] for r in after.values() if not r["deleted"]} == {"22"}


def test_values(sandbox: Sandbox) -> None:
    for old, new in value_pairs(*injected(sandbox, "rounded_value", EVENTS)):
        assert new == str(round(float(old)))
    sandbox.differences.clear()
    codes = [c for c, _ in OPTION.option_set.options] if OPTION.option_set else []
    changed = value_pairs(*injected(sandbox, "swapped_code", EVENTS, rows=5))
    assert len(changed) == 5
    assert all(old in codes and new in codes for old, new in changed)
    sandbox.differences.clear()
    assert {new for _, new in value_pairs(*injected(sandbox, "swapped_day_month", TRACKED_ENTITIES))} == {"1990-11-05"}
    sandbox.differences.clear()
    for old, new in value_pairs(*injected(sandbox, "lost_zero", TRACKED_ENTITIES)):
        assert (old, new) == ("0" + new, new)
    sandbox.differences.clear()
    for old, new in value_pairs(*injected(sandbox, "truncated_text", TRACKED_ENTITIES)):
        assert old.startswith(new)
        assert len(new) == len(old) // 2
    sandbox.differences.clear()
    for old, new in value_pairs(*injected(sandbox, "mangled_encoding", TRACKED_ENTITIES)):
        assert new == old.encode().decode("latin-1") != old
    sandbox.differences.clear()
    before, after = injected(sandbox, "missing_value", EVENTS)
    assert [len(values(was)) - len(values(now)) for was, now in pairs(before, after)] == [1, 1, 1]


def test_one_data_element_alone(sandbox: Sandbox) -> None:
    before, after = injected(sandbox, "swapped_day_month", EVENTS, element=DATE.uid, rows=2)
    changed = pairs(before, after)
    assert len(changed) == 2
    assert all({k for k in values(was) if values(was)[k] != values(now)[k]} == {DATE.uid} for was, now in changed)


def test_a_stale_value_has_its_old_time(sandbox: Sandbox) -> None:
    before, after = injected(sandbox, "stale_value", EVENTS)
    assert len(value_pairs(before, after)) == 3
    assert all(now["updatedAt"] < was["updatedAt"] for was, now in pairs(before, after))


def test_records_too_many(sandbox: Sandbox) -> None:
    clean = ask(sandbox, "tracker/events")
    made = sandbox.differences.inject("duplicated_event")
    found = [r["event"] for r in ask(sandbox, "tracker/events")]
    assert len(found) == len(clean) + 3
    assert {uid for uid in found if found.count(uid) == 2} == set(made.uids)
    sandbox.differences.clear()
    before, after = injected(sandbox, "ghost_event", EVENTS)
    ghosts = [after[uid] | {"event": ""} for uid in after if uid not in before]
    assert len(ghosts) == 3
    assert all(ghost in [r | {"event": ""} for r in before.values()] for ghost in ghosts)


def test_units_statuses_and_times(sandbox: Sandbox) -> None:
    changed = pairs(*injected(sandbox, "wrong_org_unit", EVENTS))
    assert all(was["orgUnit"] != now["orgUnit"] for was, now in changed)
    assert len(changed) == 3
    sandbox.differences.clear()
    for was, now in pairs(*injected(sandbox, "status_changed", ENROLLMENTS)):
        assert {was["status"], now["status"]} == {"ACTIVE", "COMPLETED"}
    sandbox.differences.clear()
    for was, now in pairs(*injected(sandbox, "cut_time", EVENTS)):
        assert now["completedAt"] == was["completedAt"][:10] + "T00:00:00.000"
    sandbox.differences.clear()
    before, after = injected(sandbox, "lost_enrollment", ENROLLMENTS)
    assert len(before) - len(after) == 3


def test_truncated_list(sandbox: Sandbox) -> None:
    sandbox.differences.inject("truncated_list", limit=17)
    assert len(ask(sandbox, "tracker/events", skipPaging="true")) == 17
    assert len(ask(sandbox, "tracker/enrollments", orgUnit=ROOT)) == 17
    assert ask(sandbox, "tracker/events", page=3, pageSize=10) == []
    assert len(ask(sandbox, "events", skipPaging="true")) == PERSONS * EVENTS_EACH
    sandbox.differences.clear()
    sandbox.differences.inject("truncated_list", "legacy", limit=17)
    assert len(ask(sandbox, "events", skipPaging="true")) == 17


def test_ou_mode_ignored(sandbox: Sandbox) -> None:
    facility = sandbox.world.facilities[0]
    sector = {"orgUnit": facility.sector}
    inside = [r["event"] for r in ask(sandbox, "tracker/events", **sector)]
    assert inside
    sandbox.differences.inject("ou_mode_ignored")
    assert ask(sandbox, "tracker/events", **sector) == []
    assert {r["event"] for r in ask(sandbox, "tracker/events", orgUnit=facility.uid)} <= set(inside)
    assert sorted(r["event"] for r in ask(sandbox, "events", **sector)) == sorted(inside)


def test_a_change_at_the_source_does_not_choose_anew(sandbox: Sandbox) -> None:
    made = sandbox.differences.inject("status_changed", rows=2)
    unified(sandbox, EVENTS)
    chosen = list(made.uids)
    store: Any = sandbox.world.tracker(TRACKER)
    row = store.row(EVENTS, event(3, 0))
    row["updated_ms"] = at(FIRST_DAY + timedelta(days=40))
    store.changes += 1
    after = unified(sandbox, EVENTS)
    assert made.uids == chosen
    assert after[event(3, 0)]["updatedAt"].startswith("2026-04-11")
