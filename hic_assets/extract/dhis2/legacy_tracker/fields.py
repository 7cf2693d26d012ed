"""What the old endpoints call the members of a record, and the columns they land in (contract 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Kind, Member

# Member name now -> (member name then, column of the legacy table). What is not named here is called the same.
RENAMED: Mapping[str, tuple[str, str]] = {
    "trackedEntity": ("trackedEntityInstance", "tracked_entity_instance"),
    "createdAt": ("created", "created"),
    "updatedAt": ("lastUpdated", "last_updated"),
    "enrolledAt": ("enrollmentDate", "enrollment_date"),
    "completedAt": ("completedDate", "completed_date"),
    "scheduledAt": ("dueDate", "due_date"),
    "followUp": ("followup", "followup"),
}
# `occurredAt` was two things.
_OCCURRED = {Kind.ENROLLMENTS: ("incidentDate", "incident_date"), Kind.EVENTS: ("eventDate", "event_date")}


def legacy_member(kind: Kind, member: Member) -> Member:
    """The same member as the old endpoint names it."""
    renamed = {**RENAMED, "occurredAt": _OCCURRED.get(kind, ("", ""))}
    name, column = renamed.get(member.name, (member.name, member.column))
    return replace(member, name=name, column=column)


LEGACY_MEMBERS: Mapping[Kind, tuple[Member, ...]] = {
    kind: tuple(legacy_member(kind, member) for member in members) for kind, members in MEMBERS.items()
}


def columns(kind: Kind) -> tuple[str, ...]:
    """Names of the columns of a kind, in order."""
    return tuple(member.column for member in LEGACY_MEMBERS[kind])
