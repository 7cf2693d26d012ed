"""What of a tracked entity, an enrolment and an event is read, and under which column it lands (contract 1.7).

Not read: relationships, notes, file contents, the time stamps of single values (never right before 2.40.12 and 2.41.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The three kinds of record of a tracker programme; the value names the table."""

    TRACKED_ENTITIES = "tracked_entities"
    ENROLLMENTS = "enrollments"
    EVENTS = "events"


class Form(StrEnum):
    """How a member of a record is written as text."""

    TEXT = "text"
    """As it came."""
    FLAG = "flag"
    """`true` or `false`; NULL when absent."""
    VALUES = "values"
    """A list of values by data element or attribute, as one JSON object of strings with sorted keys, no spaces."""
    JSON = "json"
    """Any JSON (a geometry), with sorted keys and no spaces."""
    INSTANT = "instant"
    """A change time, server local, made an instant: `2026-03-02T10:15:00.000000+0000`."""


@dataclass(frozen=True)
class Member:
    """A member of the JSON record, the column it lands in, and its form.

    `identifying`: the words for why few may read it; None when harmless. `key`: it identifies the record.
    """

    name: str
    column: str
    form: Form = Form.TEXT
    description: str = ""
    key: bool = False
    identifying: str | None = None


_PERSON = "identifies a person"
_HEALTH = "health data of a person"
_USER = "user name"
_PLACE = "place of a person"

_TIMES = (
    Member("createdAt", "created_at", description="When the record was made, server local as it came."),
    Member("updatedAt", "updated_at", Form.INSTANT, "When the record was last changed."),
    Member("deleted", "deleted", Form.FLAG, "'true' for a tombstone: the record was deleted at the source."),
    Member("storedBy", "stored_by", description="User who entered it.", identifying=_USER),
    Member("geometry", "geometry", Form.JSON, "GeoJSON of where.", identifying=_PLACE),
)

MEMBERS: Mapping[Kind, tuple[Member, ...]] = {
    Kind.TRACKED_ENTITIES: (
        Member("trackedEntity", "tracked_entity", description="UID of the person (or other entity).", key=True),
        Member("trackedEntityType", "tracked_entity_type", description="UID of the type, mostly Person."),
        Member("orgUnit", "org_unit", description="UID of the unit that registered it."),
        Member("inactive", "inactive", Form.FLAG, "Marked inactive."),
        *_TIMES,
        Member("attributes", "attributes", Form.VALUES, "Value by attribute UID, a JSON object.", identifying=_PERSON),
    ),
    Kind.ENROLLMENTS: (
        Member("enrollment", "enrollment", description="UID of the enrolment.", key=True),
        Member("trackedEntity", "tracked_entity", description="UID of who is enrolled."),
        Member("program", "program", description="UID of the programme."),
        Member("orgUnit", "org_unit", description="UID of the unit that enrolled."),
        Member("status", "status", description="ACTIVE, COMPLETED or CANCELLED."),
        Member("enrolledAt", "enrolled_at", description="Day of enrolment, as it came (a local date)."),
        Member("occurredAt", "occurred_at", description="Day of the incident, as it came (a local date)."),
        Member("completedAt", "completed_at", description="When it was completed, server local as it came."),
        Member("followUp", "follow_up", Form.FLAG, "Marked for follow-up."),
        *_TIMES,
    ),
    Kind.EVENTS: (
        Member("event", "event", description="UID of the event.", key=True),
        Member("program", "program", description="UID of the programme."),
        Member("programStage", "program_stage", description="UID of the stage."),
        Member("enrollment", "enrollment", description="UID of the enrolment it belongs to."),
        Member("trackedEntity", "tracked_entity", description="UID of whom it is about."),
        Member("orgUnit", "org_unit", description="UID of the unit where it happened."),
        Member("status", "status", description="ACTIVE, COMPLETED, VISITED, SCHEDULE, OVERDUE or SKIPPED."),
        Member("occurredAt", "occurred_at", description="Day it happened, as it came; NULL while only scheduled."),
        Member("scheduledAt", "scheduled_at", description="Day it was due, as it came (a local date)."),
        Member("completedAt", "completed_at", description="When it was completed, server local as it came."),
        Member("completedBy", "completed_by", description="User who completed it.", identifying=_USER),
        Member("attributeOptionCombo", "attribute_option_combo", description="UID of the attribution."),
        Member("followUp", "follow_up", Form.FLAG, "Marked for follow-up."),
        *_TIMES,
        Member("dataValues", "data_values", Form.VALUES, "Value by data element UID, a JSON object.", identifying=_HEALTH),
    ),
}  # fmt: skip


def columns(kind: Kind) -> tuple[str, ...]:
    """Names of the columns of a kind, in order."""
    return tuple(member.column for member in MEMBERS[kind])
