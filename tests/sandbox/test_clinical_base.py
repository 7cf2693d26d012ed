"""Records of the clinical systems: what changed, what the clock shows, faults, and what is never told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
import requests
from clinical_help import control, efiche_pages, efiche_records, get, hpemr_records

from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.sandbox.world import memo
from hic_assets.sandbox.world.clinical import story
from hic_assets.sandbox.world.clinical.base import STATE, newest, standing
from hic_assets.sandbox.world.roster import NEVER, local_midnight
from hic_assets.sandbox.world.trackers import people

JULY, AUGUST, END = date(2026, 7, 1), date(2026, 8, 1), date(2026, 8, 31)
ALL = {"efiche": ("visits", "lab-orders", "stock-movements", "stock-balances"), "hpemr": ("encounters", "referrals")}


DAY = 86_400_000


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A sandbox of this test alone, whose clock and records may be changed."""
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


# ---- what changed


def changed_ids(sandbox: Sandbox, since: str, resource: str = "visits") -> set[str]:
    return {r["id"] for page in efiche_pages(sandbox, resource, updated_since=since) for r in page.json()["data"]}


def test_changed_since_is_every_record_stamped_at_or_after_it(sandbox: Sandbox) -> None:
    store = sandbox.clinical["efiche"].store
    everything = store.records("visits")
    since = local_midnight(date(2026, 9, 12))
    stamped = everything.filter(pl.col("_updated") >= since)
    assert 20 < stamped.height < everything.height / 4
    assert changed_ids(sandbox, "12/09/2026 00:00:00") == set(stamped["id"])
    # of days long before, too
    assert (stamped["_happened"] < since - 5 * DAY).any()
    exact = everything.sort("_updated")["_updated"][-40]
    assert set(store.records("visits", since=exact)["id"]) == set(everything.filter(pl.col("_updated") >= exact)["id"])


def test_edits_deletions_and_late_records_are_stamped_now_and_found(own: Sandbox) -> None:
    store, now = own.clinical["efiche"].store, "15/09/2026 12:00:00"
    begin, end = local_midnight(AUGUST), local_midnight(END)
    quiet = store.records("visits", begin, end).filter(~pl.col("_deleted"))["id"].to_list()
    count = store.records("visits", begin, end).height
    done = control(
        own,
        mutate=[
            {"op": "clinical_edit", "system": "efiche", "resource": "visits", "id": quiet[0], "values": {"outcome": "LEFT"}},
            {"op": "clinical_delete", "system": "efiche", "resource": "visits", "id": quiet[1]},
            {
                "op": "clinical_add_late", "system": "efiche", "resource": "visits", "n": 3,
                "start": "2026-08-01", "end": "2026-08-31",
            },
        ],
    )  # fmt: skip
    late = done["results"][2]
    assert changed_ids(own, now) == {quiet[0], quiet[1], *late}
    rows = {r["id"]: r for r in efiche_records(own, "visits", AUGUST, END)}
    assert (rows[quiet[0]]["outcome"], rows[quiet[0]]["updated_at"], rows[quiet[0]]["deleted"]) == ("LEFT", now, False)
    assert (rows[quiet[1]]["deleted"], rows[quiet[1]]["patient"]) == (True, None)
    assert all(rows[i]["created_at"] == now and rows[i]["patient"] for i in late)
    assert store.records("visits", begin, end).height == count + 3
    # a late record is about the person of the record it was drawn like: somebody real
    assert set(store.truth("visits").filter(pl.col("id").is_in(late))["person"]) <= set(store.truth("visits")["person"])
    # as of before, nothing of it happened
    own.world.advance(hours=-1)
    assert store.records("visits", begin, end).height == count
    for mistake in ({"id": "nobody"}, {"id": quiet[0], "values": {"colour": 1}}):
        step = {"op": "clinical_edit", "system": "efiche", "resource": "visits", "values": {}} | mistake
        assert requests.post(own.control_url, json={"mutate": [step]}, timeout=20).status_code == 400


def test_drift_changes_about_as_much_as_it_is_told_and_every_resource(own: Sandbox) -> None:
    store = own.clinical["efiche"].store
    before = {r: store.records(r).height for r in ALL["efiche"]}
    store.drift(200, np.random.default_rng(3))
    changed = {r: store.records(r, since=own.world.now_ms) for r in ALL["efiche"]}
    assert 180 <= sum(f.height for f in changed.values()) <= 200
    assert all(f.height > 20 and f["_deleted"].any() for f in changed.values())
    assert all(store.records(r).height > before[r] for r in ALL["efiche"])


def test_the_clock_shows_corrections_and_deletions_when_they_are_made() -> None:
    world = World(scale=0.02)
    told = world.clinical.systems["efiche"].resource("lab-orders").tell(world.clinical.story(), AUGUST)
    follows = told.filter(pl.col("_edited") < int(NEVER), pl.col("_removed") == int(NEVER)).row(0, named=True)
    gone = told.filter(pl.col("_removed") < int(NEVER)).row(0, named=True)

    def at(row: dict[str, Any], ms: int) -> dict[str, Any] | None:
        found = standing(told, ms).filter(pl.col("id") == row["id"])
        return found.row(0, named=True) if found.height else None

    assert at(follows, follows["_entered"] - 1) is None
    early, late = at(follows, follows["_edited"] - 1), at(follows, follows["_edited"])
    assert early and late
    assert (early["status"], early["results"], early["_updated"]) == ("PENDING", [], follows["_entered"])
    assert (late["status"], late["_updated"]) == (follows["status"], follows["_edited"])
    assert late["results"] or late["status"] == "CANCELLED"
    assert [at(gone, gone["_removed"] + n)["_deleted"] for n in (-1, 0)] == [False, True]  # type: ignore[index]
    assert newest(told) == max(v for c in ("_entered", "_edited", "_removed") for v in told[c] if v < int(NEVER))
    assert newest(told.clear()) == -1


@pytest.mark.parametrize(("name", "resource"), [(n, r) for n, many in ALL.items() for r in many])
def test_a_longer_story_tells_a_month_alike(name: str, resource: str) -> None:
    """Whatever the clock stands at when a month is told."""
    tell = World(scale=0.02).clinical.systems[name].resource(resource).tell
    early, late = (World(scale=0.02, today=d).clinical.story() for d in (date(2026, 2, 3), date(2026, 9, 15)))
    assert late.last_day > early.last_day
    month = date(2026, 1, 1)
    told = tell(early, month)
    assert told.height > 10
    assert told.sort("id").equals(tell(late, month).sort("id"))
    assert told["id"].is_unique().all()
    # and a month nobody came in has the same columns
    assert tell(early, date(2024, 1, 1)).clear().schema == told.schema


def test_memory_is_bounded_and_what_was_forgotten_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = World(scale=0.02).clinical.store("efiche").records("visits")
    memo.forget()
    monkeypatch.setattr(story, "KEPT_ROWS", 2_000)
    again = World(scale=0.02).clinical.store("efiche")
    try:
        assert again.records("visits").equals(whole)
        assert again.shelf.story().told.total <= 2_000 + 1_500
    finally:
        memo.forget()  # nobody else's story is to be short of memory


# ---- faults


def struck(sandbox: Sandbox, name: str, **options: Any) -> list[dict[str, Any]]:
    sandbox.faults.set(name, path="/efiche/", **options)
    days = {"date_from": "01/08/2026", "date_to": "31/08/2026"}
    rows = get(sandbox, "efiche", "visits", per_page=200, **days).json()["data"]
    sandbox.faults.clear(name)
    return rows


def test_record_faults_strike_and_are_counted(sandbox: Sandbox) -> None:
    clean = struck(sandbox, "paced")
    doubled = struck(sandbox, "duplicates", rows=2)
    assert doubled == clean + clean[:2]
    conflicting = struck(sandbox, "conflicting_duplicates", rows=2)
    assert [r["id"] for r in conflicting[200:]] == [r["id"] for r in clean[:2]]
    assert conflicting[200:] != clean[:2]
    assert [r["visit_date"] for r in struck(sandbox, "bad_values", rows=2)][:3] == [
        "douze",
        "douze",
        clean[2]["visit_date"],
    ]
    assert [r["fosa"] for r in struck(sandbox, "unknown_facility", rows=1)][:2] == ["9999999", clean[1]["fosa"]]
    assert sandbox.faults.injected == {
        "duplicates": 2, "conflicting_duplicates": 2, "bad_values": 2, "unknown_facility": 1,
    }  # fmt: skip


def test_transport_faults_strike_clinical_systems_as_any_other(sandbox: Sandbox) -> None:
    for fault, status in (("unavailable", 503), ("rate_limited", 429), ("redirect", 302), ("html_404", 404)):
        sandbox.faults.set(fault)
        assert get(sandbox, "efiche", "code-lists/products").status_code == status
        sandbox.faults.clear(fault)
    sandbox.faults.set("no_access", path="/efiche/")
    refused = get(sandbox, "efiche", "code-lists/products")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    sandbox.faults.clear()
    sandbox.faults.set("invalid_utf8", path="/efiche/", rows=2)
    body = get(sandbox, "efiche", "visits", date_from="01/08/2026", date_to="02/08/2026").content
    assert body.count(b"\xe9V") == 2
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    sandbox.faults.clear()
    sandbox.faults.set("truncated_json")
    with pytest.raises(requests.JSONDecodeError):
        get(sandbox, "efiche", "code-lists/products").json()


# ---- the truth


def keys_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys_in(v) for v in value.values()))
    return set().union(*(keys_in(v) for v in value)) if isinstance(value, list) else set()


def test_the_truth_is_known_in_python_and_never_served(sandbox: Sandbox) -> None:
    tracked = set(sandbox.world.tracker("immunization_tracker").persons()["person"])
    for name, resource in (
        ("efiche", "visits"),
        ("efiche", "lab-orders"),
        ("hpemr", "encounters"),
        ("hpemr", "referrals"),
    ):
        store = sandbox.clinical[name].store
        truth = store.truth(resource)
        assert truth.columns == ["id", "person"]
        assert truth["id"].is_unique().all()
        assert set(truth["person"]) & tracked
        records = (
            efiche_records(sandbox, resource, AUGUST, END)
            if name == "efiche"
            else hpemr_records(sandbox, resource, AUGUST, date(2026, 9, 1))
        )
        text = json.dumps(records)
        frame = store.records(resource, local_midnight(AUGUST), local_midnight(date(2026, 9, 1)))
        assert frame.height == len(records)
        assert not [k for k in keys_in(records) if k.startswith("_")]
        for person in people.person_uid(frame["_person"].to_numpy()).head(200):
            assert person not in text
        for key in frame["_person"].head(200):
            assert str(key) not in text
    assert set(STATE) <= set(frame.columns)
    assert sandbox.clinical["efiche"].store.truth("stock-movements").is_empty()


def test_what_nobody_edits_says_from_the_first_what_it_says() -> None:
    """Nearly all records: a typing mistake or a result that is to follow is of those that are edited."""
    world = World(scale=0.02)
    story = world.clinical.story()
    for system, resource, column in (
        ("efiche", "visits", "diagnoses"),
        ("efiche", "lab-orders", "results"),
        ("efiche", "stock-movements", "quantity"),
        ("efiche", "stock-balances", "closing"),
        ("hpemr", "encounters", "treatments"),
    ):
        told = world.clinical.systems[system].resource(resource).tell(story, AUGUST)
        left = told.filter(pl.col("_edited") == int(NEVER))
        assert left.height > 0.6 * told.height > 60
        for moment in (int(left["_entered"].max()), 2**60):  # type: ignore[arg-type]
            found = standing(told, moment).join(left.select("id", column), on="id")
            assert found.height == left.height
            assert found[column].to_list() == found[f"{column}_right"].to_list(), (resource, column)
