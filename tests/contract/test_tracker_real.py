"""The tracker readers on recorded responses of DHIS2, served over HTTP as they were recorded."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from stub_http import Answer, Asked, Connect, Stub, as_json

from hic_assets.extract.dhis2.legacy_tracker import read as legacy
from hic_assets.extract.dhis2.tracker import read as unified
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.read import Expected

pytestmark = pytest.mark.real

ROOT = {"organisationUnits": [{"id": "ImspTQPwCqd", "name": "Sierra Leone", "level": 1}]}
PROGRAM = "lxAQ7Zs9VYR"
# The recordings were put together by hand and span years.
ALL_TIME = (date(2000, 1, 1), date(2100, 1, 1))


def serve(stub: Stub, version: str, path: str, body: bytes, empty: Any) -> None:
    """The recording as the first page, nothing as the next."""
    info = {"version": version, "calendar": "iso8601", "systemId": "s", "serverTimeZoneId": "Europe/Oslo"}

    def give(asked: Asked) -> Answer:
        if asked.path == path:
            return Answer(body, "application/json;charset=UTF-8") if asked.one("page") == "1" else as_json(empty)
        return as_json(info | {"serverDate": "2025-01-01T00:00:00.000"} if asked.path == "/api/system/info" else ROOT)

    stub.answer = give


def read(stream: Any) -> tuple[pl.DataFrame, int]:
    batches = list(stream)
    frame = pl.concat([batch.frame for batch in batches])
    return frame, sum(0 if batch.rejects is None else batch.rejects.height for batch in batches)


def values_of(record: dict[str, Any], name: str, key: str) -> str | None:
    values = {one[key]: one["value"] for one in record.get(name) or [] if one.get("value") is not None}
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if values else None


@pytest.mark.parametrize(("file", "version", "key"), [("lt41", "2.40.12", "instances"), ("ge41", "2.41.9.1", "events")])
def test_tracker_events(stub: Stub, connect: Connect, real: Path, file: str, version: str, key: str) -> None:
    body = (real / f"tracker_events_{file}.json").read_bytes()
    said = json.loads(body)[key]
    serve(stub, version, "/api/tracker/events", body, {key: []})
    frame, rejected = read(unified.records(connect(), Kind.EVENTS, PROGRAM, *ALL_TIME, expected=Expected(1)))
    assert rejected == 0
    for name, column in (
        ("event", "event"),
        ("status", "status"),
        ("occurredAt", "occurred_at"),
        ("orgUnit", "org_unit"),
    ):
        assert frame[column].to_list() == [one[name] for one in said]
    assert frame["data_values"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("file", "version", "key"), [("lt41", "2.40.12", "instances"), ("ge41", "2.41.9.1", "trackedEntities")]
)
def test_tracked_entities(stub: Stub, connect: Connect, real: Path, file: str, version: str, key: str) -> None:
    body = (real / f"tracker_trackedEntities_{file}.json").read_bytes()
    said = json.loads(body)[key]
    program = next((one["program"] for entity in said for one in entity.get("enrollments", ())), PROGRAM)
    serve(stub, version, "/api/tracker/trackedEntities", body, {key: []})
    batches = list(unified.records(connect(), Kind.TRACKED_ENTITIES, program, *ALL_TIME, expected=Expected(1)))
    placed = [one for one in said if any(e["program"] == program for e in one.get("enrollments", ()))]
    frame = batches[0].frame
    assert frame["tracked_entity"].to_list() == [one["trackedEntity"] for one in placed]
    assert frame["attributes"].to_list() == [values_of(one, "attributes", "attribute") for one in placed]
    # Those recorded without enrolments cannot be placed in a window: put aside, not lost.
    assert sum(batch.rows for batch in batches) == len(said)


def test_legacy_events(stub: Stub, connect: Connect, real: Path) -> None:
    body = (real / "legacy_events_100k.json").read_bytes()
    said = json.loads(body)["events"]
    assert json.loads(body)["pager"]["total"] == 0  # DHIS2-12530: not asked for, and wrong
    serve(stub, "2.40.12", "/api/events", body, {"events": []})
    frame, rejected = read(legacy.records(connect(), Kind.EVENTS, PROGRAM, *ALL_TIME))
    assert rejected == 0
    assert frame["event"].to_list() == [one["event"] for one in said]
    assert frame["data_values"].to_list() == [values_of(one, "dataValues", "dataElement") for one in said]
    assert frame["due_date"].to_list() == [one.get("dueDate") for one in said]
    moments = frame["last_updated"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False)
    assert moments.null_count() == sum("lastUpdated" not in one for one in said)


def test_legacy_entities(stub: Stub, connect: Connect, real: Path) -> None:
    body = (real / "legacy_trackedEntityInstances.json").read_bytes()
    said = json.loads(body)["trackedEntityInstances"]
    program = said[0]["enrollments"][0]["program"]
    serve(stub, "2.40.12", "/api/trackedEntityInstances", body, {"trackedEntityInstances": []})
    frame, rejected = read(legacy.records(connect(), Kind.TRACKED_ENTITIES, program, *ALL_TIME))
    assert rejected == 0
    assert frame["tracked_entity_instance"].to_list() == [one["trackedEntityInstance"] for one in said]
    assert frame["attributes"].to_list() == [values_of(one, "attributes", "attribute") for one in said]
