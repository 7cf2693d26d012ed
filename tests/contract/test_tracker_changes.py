"""What changed since a watermark, and all keys of a window: narrow, complete, and typed for the warehouse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from fake_tracker import MONDAY, PROGRAM, WEEK, Tracker, enrollment, entity, event, midnight, spread
from stub_http import Connect, Stub
from test_tracker_planning import too_many, where
from test_tracker_read import DAY, SOME, VERSIONS, asked_for, read

from hic_assets.extract.dhis2.tracker.changes import changes_since
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import KEY_SCHEMA
from hic_assets.extract.dhis2.tracker.keys import keys
from hic_assets.extract.dhis2.tracker.read import records

SINCE = datetime(2025, 3, 9, 12, tzinfo=UTC)
"""14:00 in Kigali; asked for a day earlier."""
NAMES = {Kind.TRACKED_ENTITIES: "trackedEntities", Kind.ENROLLMENTS: "enrollments", Kind.EVENTS: "events"}


def at(text: str) -> datetime:
    """Kigali time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=2)


@pytest.mark.parametrize("version", VERSIONS)
def test_changed_events_with_their_days(stub: Stub, connect: Connect, version: str) -> None:
    rows = [
        event(1, "f1", updatedAt="2025-03-08T13:59:59.999"),
        event(2, "f1", updatedAt="2025-03-08T14:00:00.000"),
        event(3, "f5", None, scheduledAt=midnight(date(2024, 1, 2)), updatedAt="2025-03-09T18:00:00.000"),
        event(4, "rw", date(2023, 5, 6), updatedAt="2025-03-09T15:00:00.000", deleted=True),
        event(5, "f1", program="OtherPrg001", updatedAt="2025-03-09T18:00:00.000"),
    ]
    Tracker(version, {"events": rows}).on(stub)
    changes = changes_since(connect(), Kind.EVENTS, PROGRAM, SINCE)
    assert changes.frame.schema == pl.Schema(KEY_SCHEMA)
    assert changes.frame.rows() == [
        ("ev000000002", MONDAY, at("2025-03-08T14:00:00"), False),
        ("ev000000003", date(2024, 1, 2), at("2025-03-09T18:00:00"), False),
        ("ev000000004", date(2023, 5, 6), at("2025-03-09T15:00:00"), True),
    ]
    assert changes.watermark == at("2025-03-09T18:00:00")
    (asked,) = asked_for(stub)
    assert asked.one("updatedAfter") == "2025-03-08T14:00:00"
    assert (asked.one("program"), asked.one("includeDeleted")) == (PROGRAM, "true")
    assert not {"occurredAfter", "occurredBefore", "updatedBefore", "updatedWithin"} & dict(asked.params).keys()
    assert "dataValues" not in (asked.one("fields") or "")


def test_an_entity_changes_each_day_it_is_enrolled_on(stub: Stub, connect: Connect) -> None:
    other = {"program": "OtherPrg001", "enrolledAt": midnight(date(2020, 1, 1)), "deleted": False}
    gone = {"program": PROGRAM, "enrolledAt": midnight(date(2021, 1, 1)), "deleted": True}
    twice = entity(1, "f1", MONDAY, MONDAY, MONDAY + 90 * DAY)
    twice["enrollments"] += [other, gone]
    nowhere = entity(2, "f1", enrollments=[other])
    dead = entity(3, "f1", enrollments=[gone], deleted=True)
    tracker = Tracker(records={"trackedEntities": [twice, nowhere, dead]}).on(stub)
    tracker._then = lambda *_: True  # type: ignore[method-assign]
    changes = changes_since(connect(), Kind.TRACKED_ENTITIES, PROGRAM, SINCE)
    assert [(key[-1], day, deleted) for key, day, _, deleted in changes.frame.rows()] == [
        ("1", date(2021, 1, 1), False),
        ("1", MONDAY, False),
        ("1", MONDAY + 90 * DAY, False),
        # On no day any more: all that is held of it is in doubt.
        ("2", None, False),
        ("3", date(2021, 1, 1), True),
    ]


def test_nothing_changed(stub: Stub, connect: Connect) -> None:
    Tracker().on(stub)
    changes = changes_since(connect(), Kind.ENROLLMENTS, PROGRAM, SINCE)
    assert changes.frame.schema == pl.Schema(KEY_SCHEMA) and changes.frame.is_empty()
    assert changes.watermark == SINCE


def test_many_changes_are_divided_by_unit(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": spread(55)}).on(stub)
    tracker.refuse = too_many(tracker, 11)
    changes = changes_since(connect(), Kind.EVENTS, PROGRAM, SINCE)
    assert changes.frame["key"].to_list() == [f"ev{n:09d}" for n in range(55)]
    assert "d1*" in {where(one) for one in asked_for(stub)}


def test_a_key_that_comes_twice_counts_once_and_newest(stub: Stub, connect: Connect) -> None:
    rows = [event(1, "f1", updatedAt=f"2025-03-09T1{hour}:00:00.000", deleted=hour == 5) for hour in (4, 5, 3)]
    Tracker(records={"events": rows}).on(stub)
    changes = changes_since(connect(), Kind.EVENTS, PROGRAM, SINCE)
    assert changes.frame.rows() == [("ev000000001", MONDAY, at("2025-03-09T15:00:00"), True)]


def test_what_a_watermark_must_be(connect: Connect) -> None:
    with pytest.raises(ValueError, match="time zone"):
        changes_since(connect(), Kind.EVENTS, PROGRAM, SINCE.replace(tzinfo=None))
    with pytest.raises(ValueError, match="overlap"):
        changes_since(connect(), Kind.EVENTS, PROGRAM, SINCE, overlap=timedelta(hours=23))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", Kind)
def test_keys_are_those_of_the_records(stub: Stub, connect: Connect, version: str, kind: Kind) -> None:
    """Whatever is read of a window has its key there, and nothing else: or partitions would never come to rest."""
    days = [MONDAY - DAY, MONDAY, MONDAY + 3 * DAY, MONDAY + 6 * DAY, MONDAY + 7 * DAY]
    gone = [{"program": PROGRAM, "enrolledAt": midnight(MONDAY), "deleted": True}]
    later = {"program": PROGRAM, "enrolledAt": midnight(MONDAY + 20 * DAY), "deleted": False}
    Tracker(
        version,
        {
            "events": [event(n, "f1", day, deleted=n == 2) for n, day in enumerate(days)],
            "enrollments": [enrollment(n, "f1", day, deleted=n == 2) for n, day in enumerate(days)],
            "trackedEntities": [
                *(entity(n, "f1", day) for n, day in enumerate(days)),
                entity(7, "f1", MONDAY, MONDAY + 2 * DAY, MONDAY + 30 * DAY),
                entity(8, "f1", enrollments=[*gone, later]),
                entity(9, "f1", enrollments=gone, deleted=True),
            ],
        },
    ).on(stub)
    client = connect()
    stream = keys(client, kind, PROGRAM, *WEEK)
    frame = pl.concat([batch.frame for batch in stream])
    assert frame.schema == pl.Schema(KEY_SCHEMA) and stream.columns == tuple(KEY_SCHEMA)
    found = read(records(client, kind, PROGRAM, *WEEK, expected=SOME))
    assert sorted(set(frame["key"])) == sorted(found[found.columns[0]])
    assert frame["day"].is_between(*WEEK, closed="left").all()
    assert dict(frame.group_by("key").agg(pl.col("deleted").first().cast(pl.String)).rows()) == dict(
        found.select(found.columns[0], "deleted").rows()
    )
    assert stream.read_at is not None
    asked = asked_for(stub, NAMES[kind])[1]
    assert not {"dataValues", "attributes", "storedBy"} & set((asked.one("fields") or "").replace("[", ",").split(","))


def test_keys_of_an_empty_window(stub: Stub, connect: Connect) -> None:
    Tracker().on(stub)
    assert list(keys(connect(), Kind.EVENTS, PROGRAM, *WEEK)) == []
    with pytest.raises(ValueError, match="end after"):
        keys(connect(), Kind.EVENTS, PROGRAM, MONDAY, MONDAY)
