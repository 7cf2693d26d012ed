"""`/api/trackedEntityInstances`, `/api/enrollments` and `/api/events`: their parameters made a question.

Belongs here: everything about the old endpoints' names and defaults. Source: contract 1.6.
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.server import fields
from hic_assets.sandbox.server.tracker.question import (
    DEFAULT_PAGE_SIZE,
    EVENT_DAY,
    MODES,
    Asked,
    Paging,
    Question,
    day,
    invalid,
)
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, SCHEMAS, TRACKED_ENTITIES

PATHS = {"trackedEntityInstances": TRACKED_ENTITIES, "enrollments": ENROLLMENTS, "events": EVENTS}
DEFAULT_FIELDS = {
    TRACKED_ENTITIES: "*,!relationships,!enrollments,!programOwners",
    ENROLLMENTS: "*,!relationships,!events,!attributes",
    EVENTS: "*,!relationships",
}
_UIDS = {TRACKED_ENTITIES: "trackedEntityInstance", ENROLLMENTS: "enrollment", EVENTS: "event"}
ORDERABLE = {
    "event": "uid",
    "enrollment": "uid",
    "trackedEntityInstance": "uid",
    "created": "created_ms",
    "lastUpdated": "updated_ms",
    "eventDate": "occurred_at",
    "dueDate": "scheduled_at",
    "enrollmentDate": "enrolled_at",
    "incidentDate": "occurred_at",
    "completedDate": "completed_ms",
    "orgUnit": "org_unit",
    "status": "status",
    "program": "program",
    "programStage": "program_stage",
}


def question(asked: Asked, kind: str) -> Question:
    """The question of a request for a list; ApiError 409 when it is illegal."""
    program = asked.program()
    selected = asked.uids(_UIDS[kind], ";") or None
    if kind == TRACKED_ENTITIES:
        _one_of_program_and_type(asked, program, selected)
    made = Question(
        kind=kind,
        programs=(program,) if program else tuple(p.uid for p in asked.programmes),
        paging=_paging(asked, kind),
        fields=fields.parse(asked.text("fields") or DEFAULT_FIELDS[kind]),
        units=_units(asked, kind, selected),
        selected=selected,
        order=_order(asked, kind),
        include_deleted=asked.flag("includeDeleted") or False,
    )
    {TRACKED_ENTITIES: _of_instances, ENROLLMENTS: _of_enrollments, EVENTS: _of_events}[kind](asked, made)
    return made


def _one_of_program_and_type(asked: Asked, program: str | None, selected: frozenset[str] | None) -> None:
    if program and asked.text("trackedEntityType"):
        raise asked.bad("Program and tracked entity cannot be specified simultaneously")
    if not program and not asked.text("trackedEntityType") and not selected:
        raise asked.bad("Either Program or Tracked entity type should be specified")


def _units(asked: Asked, kind: str, selected: frozenset[str] | None) -> frozenset[str] | None:
    mode = asked.text("ouMode")
    if mode and mode not in MODES:
        raise invalid(mode, "ouMode")
    if kind == EVENTS:
        unit = asked.text("orgUnit")
        uids = frozenset([unit]) if unit else frozenset[str]()
        if not (uids or asked.text("program") or asked.text("trackedEntityInstance") or selected):
            names = "orgUnit, program, trackedEntityInstance or event"
            raise asked.bad(f"At least one of the following query parameters are required: {names}")
    else:
        uids = asked.uids("ou", ";")
        if not uids and not selected and mode not in ("ALL", "ACCESSIBLE", "CAPTURE"):
            raise asked.bad("At least one organisation unit must be specified")
    if mode == "ALL":
        raise asked.bad("Current user is not authorized to query across all organisation units")
    if mode in ("ACCESSIBLE", "CAPTURE") or not uids:
        return None
    return asked.units(uids, mode or "SELECTED")


def _paging(asked: Asked, kind: str) -> Paging:
    skip = asked.flag("skipPaging") is True or (kind == ENROLLMENTS and asked.flag("paging") is False)
    if skip and not (kind == EVENTS and asked.dialect.ignores_legacy_skip_paging):
        return Paging(size=None)
    size = asked.number("pageSize", DEFAULT_PAGE_SIZE)
    return Paging(asked.number("page", 1), size, asked.flag("totalPages") or False)


def _order(asked: Asked, kind: str) -> list[tuple[str, bool]]:
    known = {
        name: column
        for name, column in ORDERABLE.items()
        if column in SCHEMAS[kind] and (column != "uid" or name == _UIDS[kind])
    }
    found = []
    for part in filter(None, ",".join(asked.params.getlist("order")).split(",")):
        name, _, direction = part.partition(":")
        if name in known:
            found.append((known[name], direction.lower() == "desc"))
    return found or [("updated_ms", True)]


def _equal(asked: Asked, made: list[pl.Expr], **columns: str) -> None:
    for column, name in columns.items():
        if asked.text(name):
            made.append(pl.col(column) == asked.text(name))


def _follow_up(asked: Asked, made: list[pl.Expr]) -> None:
    wanted = asked.flag("followUp")
    if wanted is not None:
        made.append(pl.col("follow_up") == wanted)


def _of_instances(asked: Asked, made: Question) -> None:
    made.conditions += asked.changed("lastUpdatedStartDate", "lastUpdatedEndDate", "lastUpdatedDuration")
    _equal(asked, made.conditions, tracked_entity_type="trackedEntityType")
    for begin, end in (
        ("programStartDate", "programEndDate"),
        ("programEnrollmentStartDate", "programEnrollmentEndDate"),
    ):
        made.enrolled += asked.between(day("enrolled_at"), begin, end)
    made.enrolled += asked.between(day("occurred_at"), "programIncidentStartDate", "programIncidentEndDate")
    _equal(asked, made.enrolled, status="programStatus")
    _follow_up(asked, made.enrolled)
    made.happened += asked.between(day("occurred_at"), "eventStartDate", "eventEndDate")
    _equal(asked, made.happened, status="eventStatus", program_stage="programStage")
    if asked.text("program") and not made.include_deleted:
        made.enrolled.append(pl.lit(True))


def _of_enrollments(asked: Asked, made: Question) -> None:
    made.conditions += asked.changed("lastUpdated", None, "lastUpdatedDuration")
    made.conditions += asked.between(day("enrolled_at"), "programStartDate", "programEndDate")
    _equal(asked, made.conditions, status="programStatus", tracked_entity="trackedEntityInstance")
    _follow_up(asked, made.conditions)


def _of_events(asked: Asked, made: Question) -> None:
    after = "lastUpdatedStartDate" if asked.text("lastUpdatedStartDate") else "lastUpdated"
    made.conditions += asked.changed(after, "lastUpdatedEndDate", "lastUpdatedDuration")
    made.conditions += asked.between(EVENT_DAY, "startDate", "endDate")
    made.conditions += asked.between(day("scheduled_at"), "dueDateStart", "dueDateEnd")
    asked.stage()
    _equal(
        asked, made.conditions, program_stage="programStage", status="status", tracked_entity="trackedEntityInstance"
    )
    _follow_up(asked, made.conditions)
    if asked.text("programStatus"):
        _equal(asked, made.enrolled, status="programStatus")
    enrollments = asked.uids("programInstances", ",")
    if enrollments:
        made.conditions.append(pl.col("enrollment").is_in(list(enrollments)))
