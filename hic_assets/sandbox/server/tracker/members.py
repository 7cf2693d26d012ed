"""What the members of a record are called in each family and version, and which column each is made of.

Belongs here: names in the order the servers write them. Does not belong here: choosing by ``fields`` (see ``shape``).
Source: contract 1.6 and 1.7, and recorded replies of both families.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import polars as pl

from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

STAMP = "%Y-%m-%dT%H:%M:%S%.3f"
EMPTY = pl.lit([], dtype=pl.List(pl.Int8))


@dataclass(frozen=True)
class Member:
    """A member made of an expression of the zone, or (``list_of``) of a list: values, attributes or records."""

    name: str
    make: Callable[[str], pl.Expr] | None = None
    list_of: str = ""


def stamp(column: str) -> Callable[[str], pl.Expr]:
    """A moment as server-local time without an offset."""

    def make(zone: str) -> pl.Expr:
        moment = pl.from_epoch(pl.col(column), time_unit="ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        return moment.dt.strftime(STAMP)

    return make


def _day(column: str) -> Callable[[str], pl.Expr]:
    return lambda _: pl.col(column).cast(pl.Datetime("ms")).dt.strftime(STAMP)


def _column(column: str) -> Callable[[str], pl.Expr]:
    return lambda _: pl.col(column)


def _constant(value: pl.Expr) -> Callable[[str], pl.Expr]:
    return lambda _: value


def _point(_: str) -> pl.Expr:
    point = pl.struct(type=pl.lit("Point"), coordinates=pl.concat_list("longitude", "latitude"))
    return pl.when(pl.col("longitude").is_not_null()).then(point)


def _coordinate(_: str) -> pl.Expr:
    return pl.when(pl.col("longitude").is_not_null()).then(pl.struct("latitude", "longitude"))


def _plain(**names: str) -> list[Member]:
    return [Member(name, _column(column)) for name, column in names.items()]


def _stamps(**names: str) -> list[Member]:
    return [Member(name, stamp(column)) for name, column in names.items()]


def _days(**names: str) -> list[Member]:
    return [Member(name, _day(column)) for name, column in names.items()]


_NONE = [Member(name, _constant(EMPTY)) for name in ("relationships", "notes")]
_NO_RELATIONSHIPS = _NONE[:1]
_UNIT_NAME = [Member("orgUnitName", _column("org_unit_name"))]
_POINT = [Member("geometry", _point)]


def _false(name: str) -> Member:
    return Member(name, _constant(pl.lit(False)))


@cache
def unified(kind: str, dialect: TrackerDialect) -> tuple[Member, ...]:
    """The members of a record under `/api/tracker`."""
    return tuple({TRACKED_ENTITIES: _tracked_entity, ENROLLMENTS: _enrollment, EVENTS: _event}[kind](dialect))


def _tracked_entity(_: TrackerDialect) -> list[Member]:
    return [
        *_plain(trackedEntity="uid", trackedEntityType="tracked_entity_type"),
        *_stamps(createdAt="created_ms", updatedAt="updated_ms"),
        *_plain(orgUnit="org_unit", inactive="inactive", deleted="deleted"),
        _false("potentialDuplicate"),
        *_plain(storedBy="stored_by"),
        *_NO_RELATIONSHIPS,
        Member("attributes", list_of="attributes"),
        Member("enrollments", list_of=ENROLLMENTS),
        Member("programOwners", _constant(EMPTY)),
    ]


def _enrollment(dialect: TrackerDialect) -> list[Member]:
    return [
        *_plain(enrollment="uid"),
        *_stamps(createdAt="created_ms", updatedAt="updated_ms"),
        *_plain(trackedEntity="tracked_entity", program="program", status="status", orgUnit="org_unit"),
        *(_UNIT_NAME if dialect.names_org_units else []),
        *_days(enrolledAt="enrolled_at", occurredAt="occurred_at"),
        *_plain(followUp="follow_up"),
        *_stamps(completedAt="completed_ms"),
        *_plain(deleted="deleted", storedBy="stored_by"),
        *([Member("attributeOptionCombo", _column("default_combo"))] if dialect.enrollments_have_combo else []),
        Member("events", list_of=EVENTS),
        *_NO_RELATIONSHIPS,
        Member("attributes", list_of="own_attributes"),
        *_NONE[1:],
    ]


def _event(dialect: TrackerDialect) -> list[Member]:
    return [
        *_plain(event="uid", status="status", program="program", programStage="program_stage"),
        *_plain(enrollment="enrollment", trackedEntity="tracked_entity", orgUnit="org_unit"),
        *(_UNIT_NAME if dialect.names_org_units else []),
        *_NO_RELATIONSHIPS,
        *_days(occurredAt="occurred_at", scheduledAt="scheduled_at"),
        *_plain(storedBy="stored_by"),
        *(Member(name, _column("follow_up")) for name in dialect.follow_up_names),
        *_plain(deleted="deleted"),
        *_stamps(createdAt="created_ms", updatedAt="updated_ms"),
        *_plain(attributeOptionCombo="attribute_option_combo", completedBy="completed_by"),
        *_stamps(completedAt="completed_ms"),
        *_POINT,
        Member("dataValues", list_of="data_values"),
        *_NONE[1:],
    ]


@cache
def legacy(kind: str, dialect: TrackerDialect) -> tuple[Member, ...]:
    """The members of a record under the old endpoints."""
    del dialect
    return {TRACKED_ENTITIES: _INSTANCE, ENROLLMENTS: _OLD_ENROLLMENT, EVENTS: _OLD_EVENT}[kind]


_INSTANCE = (
    *_stamps(created="created_ms"),
    *_plain(orgUnit="org_unit", trackedEntityInstance="uid"),
    *_stamps(lastUpdated="updated_ms"),
    *_plain(trackedEntityType="tracked_entity_type"),
    _false("potentialDuplicate"),
    *_plain(deleted="deleted", inactive="inactive"),
    Member("featureType", _constant(pl.lit("NONE"))),
    *_plain(storedBy="stored_by"),
    Member("programOwners", _constant(EMPTY)),
    Member("enrollments", list_of=ENROLLMENTS),
    *_NO_RELATIONSHIPS,
    Member("attributes", list_of="attributes"),
)
_OLD_ENROLLMENT = (
    *_plain(storedBy="stored_by"),
    *_stamps(created="created_ms"),
    *_plain(orgUnit="org_unit", program="program", enrollment="uid", trackedEntityInstance="tracked_entity"),
    *_stamps(lastUpdated="updated_ms"),
    *_plain(trackedEntityType="tracked_entity_type"),
    *_UNIT_NAME,
    *_days(enrollmentDate="enrolled_at", incidentDate="occurred_at"),
    *_plain(followup="follow_up", deleted="deleted", status="status"),
    *_stamps(completedDate="completed_ms"),
    *_NONE,
    Member("events", list_of=EVENTS),
    Member("attributes", list_of="own_attributes"),
)
_OLD_EVENT = (
    *_plain(storedBy="stored_by"),
    *_days(dueDate="scheduled_at"),
    *_plain(program="program", event="uid", programStage="program_stage", orgUnit="org_unit"),
    *_plain(enrollment="enrollment", trackedEntityInstance="tracked_entity", status="status"),
    *_UNIT_NAME,
    *_days(eventDate="occurred_at"),
    Member("programType", _constant(pl.lit("WITH_REGISTRATION"))),
    *_plain(attributeOptionCombo="attribute_option_combo", completedBy="completed_by"),
    *_stamps(lastUpdated="updated_ms", created="created_ms", completedDate="completed_ms"),
    *_plain(followup="follow_up", deleted="deleted"),
    *_POINT,
    Member("coordinate", _coordinate),
    Member("dataValues", list_of="data_values"),
    *_NONE,
)
