"""Reading tracker records over HTTP: every row of a window once, whatever the version and however it is cut."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from fake_dhis2 import TREE
from fake_tracker import MONDAY, PROGRAM, WEEK, Record, Tracker, enrollment, entity, event, midnight, spread
from stub_http import Asked, Connect, Stub

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2.tracker.fields import Kind, columns
from hic_assets.extract.dhis2.tracker.question import PAGE_ROWS
from hic_assets.extract.dhis2.tracker.read import records
from hic_assets.extract.dhis2.tracker.slices import Expected
from hic_assets.extract.errors import SystemChanged, UnexpectedContent

VERSIONS = ["2.38.7", "2.40.12", "2.41.9.1", "2.42.5.2", "2.43.1"]
SOME = Expected(rows=1)
DAY = timedelta(days=1)


def read(stream: BatchStream) -> pl.DataFrame:
    batches = list(stream)
    assert all(batch.rejects is None for batch in batches)
    assert all(batch.frame.columns == list(stream.columns) for batch in batches)
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(stream.columns, pl.String)), *(b.frame for b in batches)])


def asked_for(stub: Stub, name: str = "events") -> list[Asked]:
    return [one for one in stub.asked if one.path == f"/api/tracker/{name}"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", Kind)
def test_everything_of_the_window_and_nothing_else(stub: Stub, connect: Connect, version: str, kind: Kind) -> None:
    days = [MONDAY - DAY, MONDAY, MONDAY + 6 * DAY, MONDAY + 7 * DAY]
    other = {"program": "OtherPrg001"}
    Tracker(
        version,
        {
            "events": [event(n, "f1", day) for n, day in enumerate(days)] + [event(9, "f1", **other)],
            "enrollments": [enrollment(n, "f1", day) for n, day in enumerate(days)] + [enrollment(9, "f1", **other)],
            "trackedEntities": [entity(n, "f1", day) for n, day in enumerate(days)],
        },
    ).on(stub)
    stream = records(connect(), kind, PROGRAM, *WEEK, expected=SOME)
    frame = read(stream)
    assert stream.columns == columns(kind)
    assert [key[-1] for key in frame[frame.columns[0]]] == ["1", "2"]
    assert sum(one.rows for one in stream.stats) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_names_of_parameters_by_version(stub: Stub, connect: Connect, version: str) -> None:
    minor = int(version.split(".")[1])
    Tracker(version).on(stub)
    client = connect()
    for kind in Kind:
        read(records(client, kind, PROGRAM, *WEEK, expected=SOME))
    asked = {one.path.rsplit("/", 1)[1]: dict(one.params) for one in stub.asked if "/tracker/" in one.path}
    for name, params in asked.items():
        units = "orgUnits" if minor >= 41 and name != "events" else "orgUnit"
        assert params[units] == "rw" and {"orgUnit", "orgUnits"} & params.keys() == {units}
        mode = "orgUnitMode" if minor >= 41 else "ouMode"
        assert params[mode] == "DESCENDANTS" and {"ouMode", "orgUnitMode"} & params.keys() == {mode}
        assert params["program"] == PROGRAM
        assert params["includeDeleted"] == "true"
        assert params["order"] == "createdAt:asc"
        assert ("totalPages" in params) == (minor <= 41)
        assert not {"paging", "skipPaging"} & params.keys()
    assert asked["events"]["occurredAfter"] == "2025-03-03"
    assert asked["events"]["occurredBefore"] == "2025-03-09"
    # 2.40 cuts the end of enrolments to midnight: one day more is asked for, and left out again.
    last = "2025-03-10" if minor <= 40 else "2025-03-09"
    assert asked["enrollments"]["enrolledBefore"] == last
    assert asked["trackedEntities"]["enrollmentEnrolledBefore"] == last
    assert ("followup" in asked["events"]["fields"].split(",")) == (minor <= 40)
    assert "relationships" not in str(asked) and "notes" not in str(asked)


@pytest.mark.parametrize("version", ["2.40.12", "2.42.5.2"])
def test_an_event_as_it_lands(stub: Stub, connect: Connect, version: str) -> None:
    point = {"type": "Point", "coordinates": [30.06, -1.95]}
    values = [
        {"dataElement": "zzzzzzzzzzz", "value": 'a "b"\n\u0000 né \\'},
        {"dataElement": "aaaaaaaaaaa", "value": True},
        {"dataElement": "bbbbbbbbbbb", "value": 1.50},
        {"dataElement": "ccccccccccc", "value": None},
        {"dataElement": "ddddddddddd", "value": ""},
    ]
    more: Record = {"geometry": point, "dataValues": values, "followUp": True, "completedBy": "", "completedAt": None}
    Tracker(version, {"events": [event(1, "f1", **more), event(2, "f1", None, dataValues=[], deleted=True)]}).on(stub)
    frame = read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    first, second = frame.to_dicts()
    assert first == {
        "event": "ev000000001",
        "program": PROGRAM,
        "program_stage": "HivStg00001",
        "enrollment": "en000000001",
        "tracked_entity": "te000000001",
        "org_unit": "f1",
        "status": "COMPLETED",
        "occurred_at": "2025-03-03T00:00:00.000",
        "scheduled_at": "2025-03-03T00:00:00.000",
        "completed_at": None,
        "completed_by": None,
        "attribute_option_combo": "HllvX50cXC0",
        "follow_up": "true",
        "created_at": "2025-03-09T08:00:00.001",
        "updated_at": "2025-03-09T08:15:30.123000+0000",
        "deleted": "false",
        "stored_by": "nurse",
        "geometry": '{"coordinates":[30.06,-1.95],"type":"Point"}',
        "data_values": '{"aaaaaaaaaaa":"true","bbbbbbbbbbb":"1.5","ddddddddddd":"","zzzzzzzzzzz":"a \\"b\\"\\n\\u0000 né \\\\"}',
    }
    assert json.loads(first["data_values"])["zzzzzzzzzzz"] == 'a "b"\n\u0000 né \\'
    # Only scheduled: its day is when it was due. A tombstone, without values.
    assert (second["occurred_at"], second["deleted"], second["data_values"]) == (None, "true", None)


def test_an_entity_as_it_lands_in_each_window_it_is_enrolled_in(stub: Stub, connect: Connect) -> None:
    attributes = [{"attribute": "b0000000000", "value": "x"}, {"attribute": "a0000000000", "value": "07"}]
    Tracker(records={"trackedEntities": [entity(1, "f1", MONDAY, MONDAY + 30 * DAY, attributes=attributes)]}).on(stub)
    client = connect()
    for monday in (MONDAY, MONDAY + 28 * DAY):
        frame = read(records(client, Kind.TRACKED_ENTITIES, PROGRAM, monday, monday + 7 * DAY, expected=SOME))
        assert frame["attributes"].to_list() == ['{"a0000000000":"07","b0000000000":"x"}']
    assert read(records(client, Kind.TRACKED_ENTITIES, PROGRAM, MONDAY + 7 * DAY, MONDAY + 14 * DAY)).is_empty()


def test_a_deleted_enrolment_places_its_entity_too(stub: Stub, connect: Connect) -> None:
    """The server finds it by that enrolment, and the old endpoints, which do not say why, give it too."""
    gone = [{"program": PROGRAM, "enrolledAt": midnight(MONDAY), "deleted": True}]
    elsewhere = {"program": PROGRAM, "enrolledAt": midnight(MONDAY + 40 * DAY), "deleted": False}
    people = [
        entity(1, "f1", enrollments=gone),
        entity(2, "f1", enrollments=gone, deleted=True),
        entity(3, "f1", enrollments=[*gone, elsewhere]),
        entity(4, "f1", MONDAY),
    ]
    Tracker(records={"trackedEntities": people}).on(stub)
    frame = read(records(connect(), Kind.TRACKED_ENTITIES, PROGRAM, *WEEK, expected=SOME))
    assert [key[-1] for key in frame["tracked_entity"]] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("version", "cut"), [("2.38.7", 8), ("2.40.12", 8), ("2.42.5.2", 7)])
def test_the_day_asked_in_excess_is_left_out(stub: Stub, connect: Connect, version: str, cut: int) -> None:
    days = [MONDAY + n * DAY for n in range(14)]
    Tracker(version, {"enrollments": [enrollment(n, "f1", day) for n, day in enumerate(days)]}).on(stub)
    stream = records(connect(), Kind.ENROLLMENTS, PROGRAM, *WEEK, expected=SOME)
    assert read(stream)["enrolled_at"].to_list() == [midnight(day) for day in days[:7]]
    (asked,) = asked_for(stub, "enrollments")
    assert date.fromisoformat(asked.one("enrolledBefore") or "") == MONDAY + (cut - 1) * DAY


def test_read_at_is_the_servers_clock(stub: Stub, connect: Connect) -> None:
    Tracker(server_date="2025-03-10T06:00:00.500", zone="Africa/Kigali").on(stub)
    client = connect()
    stream = records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=SOME)
    assert stream.read_at is None
    read(stream)
    assert stream.read_at == datetime(2025, 3, 10, 4, 0, 0, 500_000, tzinfo=UTC) == client.server_time()


def test_a_server_that_does_not_tell_the_time(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(server_date="soon").on(stub)
    client = connect(expected_system_id="sys-1")
    with pytest.raises(UnexpectedContent, match="serverDate"):
        read(records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    tracker.server_date, tracker.system_id = "2025-03-10T06:00:00.000", "sys-2"
    with pytest.raises(SystemChanged, match="sys-2, it was sys-1"):
        client.server_time()


def test_rows_of_odd_types_are_read_as_text_and_what_is_no_record_is_refused(stub: Stub, connect: Connect) -> None:
    odd: list[Any] = [
        event(1, "f1", status=7, deleted="false"),
        "not a record",
        event(2, "f1", dataValues="none"),
        event(3, "f1", dataValues=[{"value": "x"}]),
        event(4, "f1"),
        event(5, "f1", deleted="maybe"),
    ]
    Tracker(spoil=lambda _, body: body | {"events": odd}).on(stub)
    (batch,) = list(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert batch.frame["event"].to_list() == ["ev000000001", "ev000000004"]
    assert batch.frame["status"].to_list() == ["7", "COMPLETED"]
    assert batch.frame["deleted"].to_list() == ["false", "false"]
    assert batch.rejects is not None and batch.rows == 6
    assert set(batch.rejects["rule"]) == {"not_an_object", "shape"}
    refused = {json.loads(line)["event"] for line in batch.rejects["line"] if line.startswith("{")}
    assert refused == {"ev000000002", "ev000000003", "ev000000005"}


def test_an_unreadable_change_time_is_handed_on(stub: Stub, connect: Connect) -> None:
    Tracker(
        records={"events": [event(1, "f1", updatedAt="yesterday"), event(2, "f1"), event(3, "f1", updatedAt=None)]}
    ).on(stub)
    frame = read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert frame["updated_at"].to_list() == ["yesterday", "2025-03-09T08:15:30.123000+0000", None]


def test_new_fields_and_stages_change_nothing_but_values(stub: Stub, connect: Connect) -> None:
    new = event(
        1, "f1", programStage="NewStage001", dataValues=[{"dataElement": "NewElement1", "value": "1", "more": 1}]
    )
    Tracker(records={"events": [new]}, spoil=lambda _, body: body | {"surprise": [1, {}]}).on(stub)
    (row,) = read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME)).to_dicts()
    assert (row["program_stage"], row["data_values"]) == ("NewStage001", '{"NewElement1":"1"}')


def test_a_batch_says_whether_a_cell_may_hold_nul(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": [event(1, "f1")]}).on(stub)
    client = connect()
    (batch,) = list(records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert batch.without_nul
    tracker.records["events"][0]["storedBy"] = "nur\u0000se"
    (batch,) = list(records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert not batch.without_nul
    assert batch.frame["stored_by"].to_list() == ["nur\u0000se"]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_of_every_unit_come_once_at_any_depth(stub: Stub, connect: Connect, version: str) -> None:
    Tracker(version, {"events": spread(55)}).on(stub)
    client = connect()
    everywhere = read(records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert sorted(everywhere["event"]) == [f"ev{n:09d}" for n in range(55)]
    for rows in (3 * PAGE_ROWS, 100 * PAGE_ROWS):
        cut = read(records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(rows)))
        assert sorted(cut["event"]) == sorted(everywhere["event"])
    assert len(asked_for(stub)) > 3 + len(TREE)


def test_a_window_must_have_days(connect: Connect) -> None:
    with pytest.raises(ValueError, match="end after"):
        records(connect(), Kind.EVENTS, PROGRAM, MONDAY, MONDAY)
