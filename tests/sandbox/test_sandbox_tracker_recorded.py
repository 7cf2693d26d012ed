"""What the sandbox serves has the members and envelopes that recorded servers have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from recorded import REAL
from sandbox_tracker_help import PROGRAM, ROOT, TRACKER, HandStore

from hic_assets.sandbox import Sandbox, running_sandbox

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL.is_dir(), reason="no recorded responses here (HIC_REAL_DIR)"),
]
Json = dict[str, Any]
# only where an Android device wrote the record, or a shape was drawn; nobody reads them
NEVER = {"createdAtClient", "updatedAtClient", "lastUpdatedAtClient", "coordinates", "href"}
SOMETIMES = {"geometry", "coordinate"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as served:
        served.world.trackers.install(HandStore(served.world))  # type: ignore[arg-type]
        yield served


def ask(sandbox: Sandbox, path: str, version: str, **params: Any) -> Json:
    sandbox.versions[TRACKER] = version
    url, auth = f"{sandbox.urls[TRACKER]}/api/{path}", (sandbox.username, sandbox.password)
    everything = {"program": PROGRAM.uid, "fields": "*", "order": "created:asc"} | params
    reply = requests.get(url, params=everything, auth=auth, timeout=20)
    assert reply.status_code == 200, reply.text
    body: Json = reply.json()
    return body


def recorded(name: str) -> Json:
    body: Json = json.loads((REAL / "dhis2" / f"{name}.json").read_text())
    return body


def members(rows: list[Json]) -> set[str]:
    return set().union(*rows) - NEVER - SOMETIMES


@pytest.mark.parametrize(
    ("name", "path", "version", "mode"),
    [
        ("tracker_events_lt41", "events", "2.40.12", "ouMode"),
        ("tracker_events_ge41", "events", "2.41.9.1", "orgUnitMode"),
        ("tracker_trackedEntities_lt41", "trackedEntities", "2.40.12", "ouMode"),
        ("tracker_trackedEntities_ge41", "trackedEntities", "2.41.9.1", "orgUnitMode"),
    ],
)
def test_lists_under_api_tracker(sandbox: Sandbox, name: str, path: str, version: str, mode: str) -> None:
    real = recorded(name)
    ours = ask(sandbox, f"tracker/{path}", version, orgUnit=ROOT, order="createdAt:asc", **{mode: "DESCENDANTS"})
    assert list(ours) == list(real)
    key = list(real)[-1]
    # the recorded event says trackedEntityInstance, which no server of this family does
    assert members(real[key]) - {"trackedEntityInstance"} <= members(ours[key])


def test_what_is_nested(sandbox: Sandbox) -> None:
    real = recorded("tracker_trackedEntities_lt41")["instances"][0]
    ours = ask(sandbox, "tracker/trackedEntities", "2.40.12", orgUnit=ROOT, ouMode="DESCENDANTS", order="createdAt:asc")
    mine = ours["instances"][0]
    assert members(real["attributes"]) <= members(mine["attributes"])
    assert members(real["enrollments"]) <= members(mine["enrollments"])
    events, my_events = real["enrollments"][0]["events"], mine["enrollments"][0]["events"]
    assert members(events) <= members(my_events)
    assert members(events[0]["dataValues"]) <= members(my_events[0]["dataValues"])


def test_old_events(sandbox: Sandbox) -> None:
    real = recorded("legacy_events_100k")
    ours = ask(sandbox, "events", "2.40.12", orgUnit=ROOT, ouMode="DESCENDANTS")
    assert list(ours) == list(real)
    assert {k: ours["pager"][k] for k in real["pager"]} == real["pager"]
    assert list(ours["pager"]) == list(real["pager"])
    assert members(real["events"]) <= members(ours["events"])
    values = [v for e in real["events"] for v in e["dataValues"]]
    assert members(values) == members(ours["events"][0]["dataValues"])


def test_old_instances(sandbox: Sandbox) -> None:
    real = recorded("legacy_trackedEntityInstances")["trackedEntityInstances"]
    ours = ask(sandbox, "trackedEntityInstances", "2.40.12", ou=ROOT, ouMode="DESCENDANTS")["trackedEntityInstances"]
    assert members(real) <= members(ours)
    assert members(real[0]["attributes"]) <= members(ours[0]["attributes"])
    assert members(real[0]["enrollments"]) <= members(ours[0]["enrollments"])
    events, my_events = real[0]["enrollments"][0]["events"], ours[0]["enrollments"][0]["events"]
    assert members(events) <= members(my_events)
