"""A tracker small enough to know by heart: persons, enrolments and events made by hand, in the store's columns."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from hic_assets.sandbox.world import World, geography
from hic_assets.sandbox.world.catalogue import DEFAULT_COMBO
from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.roster import KIGALI, millis
from hic_assets.sandbox.world.trackers.catalogue import instance
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, SCHEMAS, TRACKED_ENTITIES

TRACKER = "hiv_tracker"
SPEC = instance(TRACKER)
PROGRAM = SPEC.programmes[0]
STAGE = PROGRAM.stages[0]
OTHER_STAGE = PROGRAM.stages[1]
ROOT = geography.COUNTRY.uid
FIRST_DAY = date(2026, 3, 2)
EVENTS_EACH = 4

Row = dict[str, Any]


def at(day: date, hour: int = 10, minute: int = 0, ms: int = 0) -> int:
    """Milliseconds UTC of a time in Kigali."""
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=KIGALI)
    return millis(moment) + ms


def text(ms: int) -> str:
    """As the server writes it."""
    local = datetime.fromtimestamp(ms / 1000, KIGALI)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}"


class HandStore:
    """Ten persons at five facilities, one enrolment each, four events each; the last person is deleted.

    Person i is enrolled on 2 March + i days, was entered at 10:0i that day, and event j is j days later.
    """

    def __init__(self, world: World, persons: int = 10) -> None:
        self.world, self.instance, self.changes = world, SPEC, 0
        self.units = [f.uid for f in world.facilities[:5]]
        self.rows: dict[str, list[Row]] = {TRACKED_ENTITIES: [], ENROLLMENTS: [], EVENTS: []}
        for i in range(persons):
            self._person(i, deleted=i == persons - 1)

    @property
    def version(self) -> tuple[int, int]:
        return (self.world.now_ms, self.changes)

    def frame(self, kind: str, program: str) -> pl.DataFrame:
        rows = self.rows[kind] if program == PROGRAM.uid else []
        return pl.DataFrame(rows, schema=SCHEMAS[kind], orient="row")

    def row(self, kind: str, own: str) -> Row:
        """A record, to be changed in place; say so with ``changes += 1``."""
        return next(r for r in self.rows[kind] if r["uid"] == own)

    def _person(self, i: int, *, deleted: bool) -> None:
        day = FIRST_DAY + timedelta(days=i)
        made = {"created_ms": at(day, 10, i % 60), "updated_ms": at(day, 11, i % 60), "deleted": deleted}
        made |= {"org_unit": self.units[i % 5], "stored_by": "nurse"}
        own, enrollment = person(i), uid("enrollment", i)
        attributes = [{"attribute": a.uid, "value": f"{a.code}-{i}"} for a in PROGRAM.attributes[:3]]
        self.rows[TRACKED_ENTITIES].append(
            made
            | {
                "uid": own,
                "tracked_entity_type": PROGRAM.tracked_entity_type,
                "inactive": False,
                "attributes": attributes,
                "enrolled": [day],
                "_seq": i,
            }
        )
        done = at(day + timedelta(days=5), 15, 30) if i % 2 else None
        self.rows[ENROLLMENTS].append(
            made
            | {
                "uid": enrollment,
                "tracked_entity": own,
                "program": PROGRAM.uid,
                "status": "COMPLETED" if i % 2 else "ACTIVE",
                "enrolled_at": day,
                "occurred_at": None if i % 3 else day,
                "completed_ms": done,
                "follow_up": False,
                "_seq": i,
            }
        )
        for j in range(EVENTS_EACH):
            self._event(i, j, own, enrollment, day + timedelta(days=j), made)

    def _event(self, i: int, j: int, own: str, enrollment: str, day: date, made: Row) -> None:
        scheduled = j == EVENTS_EACH - 1
        values = [{"data_element": e.uid, "value": f"{e.code} é {i}"} for e in STAGE.data_elements[:3]]
        self.rows[EVENTS].append(
            made
            | {
                "uid": event(i, j),
                "program": PROGRAM.uid,
                "program_stage": (OTHER_STAGE if j % 2 else STAGE).uid,
                "enrollment": enrollment,
                "tracked_entity": own,
                "status": "SCHEDULE" if scheduled else "COMPLETED",
                "occurred_at": None if scheduled else day,
                "scheduled_at": day,
                "completed_ms": None if scheduled else at(day, 16, 5, 123),
                "completed_by": None if scheduled else "nurse",
                "attribute_option_combo": DEFAULT_COMBO,
                "follow_up": i == 0,
                "created_ms": at(day, 9, i % 60, j),
                "updated_ms": at(day, 9, 30 + i % 30, j),
                "longitude": 30.1 if i == 1 else None,
                "latitude": -1.9 if i == 1 else None,
                "data_values": [] if scheduled else values,
                "_seq": i * EVENTS_EACH + j,
            }
        )


def person(i: int) -> str:
    """The uid of a person."""
    return uid("person", i)


def event(i: int, j: int) -> str:
    """The uid of an event."""
    return uid("event", i, j)
