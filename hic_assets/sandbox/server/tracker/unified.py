"""`/api/tracker/trackedEntities | enrollments | events`: the parameters of each version made a question.

A parameter a version does not know is not looked at, which is what the servers do: nothing tells the client.
Belongs here: names, separators, defaults and refusals. Source: contract 1.7.
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.server import fields
from hic_assets.sandbox.server.replies import ApiError
from hic_assets.sandbox.server.tracker.filtering import value_filters
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
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

DEFAULT_FIELDS = {
    TRACKED_ENTITIES: "*,!relationships,!enrollments,!events,!programOwners",
    ENROLLMENTS: "*,!relationships,!events,!attributes",
    EVENTS: "*,!relationships",
}
# kind -> the uid filter before 2.41 and since
_UIDS = {
    TRACKED_ENTITIES: ("trackedEntity", "trackedEntities"),
    ENROLLMENTS: ("enrollment", "enrollments"),
    EVENTS: ("event", "events"),
}
ORDERABLE = {
    TRACKED_ENTITIES: {
        "trackedEntity": "uid",
        "createdAt": "created_ms",
        "createdAtClient": "created_ms",
        "updatedAt": "updated_ms",
        "updatedAtClient": "updated_ms",
        "enrolledAt": "enrolled",
        "inactive": "inactive",
    },
    ENROLLMENTS: {
        "enrolledAt": "enrolled_at",
        "createdAt": "created_ms",
        "createdAtClient": "created_ms",
        "updatedAt": "updated_ms",
        "updatedAtClient": "updated_ms",
        "completedAt": "completed_ms",
    },
    EVENTS: {
        "event": "uid",
        "program": "program",
        "programStage": "program_stage",
        "enrollment": "enrollment",
        "trackedEntity": "tracked_entity",
        "orgUnit": "org_unit",
        "status": "status",
        "occurredAt": "occurred_at",
        "scheduledAt": "scheduled_at",
        "createdAt": "created_ms",
        "createdAtClient": "created_ms",
        "updatedAt": "updated_ms",
        "updatedAtClient": "updated_ms",
        "completedAt": "completed_ms",
        "completedBy": "completed_by",
        "followUp": "follow_up",
        "followup": "follow_up",
        "storedBy": "stored_by",
        "deleted": "deleted",
        "attributeOptionCombo": "attribute_option_combo",
    },
}
# up to 2.40 enrolments could be ordered by these too
_OLD_ENROLLMENT_ORDER = {"enrollment": "uid", "trackedEntity": "tracked_entity", "occurredAt": "occurred_at"}


def question(asked: Asked, kind: str, max_limit: int) -> Question:
    """The question of a request for a list; ApiError when it is refused."""
    program = asked.program()
    _need_program(asked, kind, program)
    units = _units(asked, kind)
    conditions = [] if kind == ENROLLMENTS else asked.changed("updatedAfter", "updatedBefore", "updatedWithin")
    if kind == ENROLLMENTS:
        conditions = asked.changed("updatedAfter", None, "updatedWithin")
    made = Question(
        kind=kind,
        programs=(program,) if program else tuple(p.uid for p in asked.programmes),
        paging=_paging(asked, kind, max_limit),
        fields=fields.parse(asked.text("fields") or DEFAULT_FIELDS[kind]),
        units=units,
        selected=_selected(asked, *_UIDS[kind]),
        conditions=conditions,
        order=_order(asked, kind),
        include_deleted=asked.flag("includeDeleted") or False,
    )
    {TRACKED_ENTITIES: _of_tracked_entities, ENROLLMENTS: _of_enrollments, EVENTS: _of_events}[kind](asked, made)
    return made


def _need_program(asked: Asked, kind: str, program: str | None) -> None:
    if kind == TRACKED_ENTITIES:
        type_uid, some = asked.text("trackedEntityType"), _selected(asked, *_UIDS[kind])
        if program and type_uid:
            raise asked.bad("Program and tracked entity cannot be specified simultaneously")
        if not program and not type_uid and not some:
            raise asked.bad("Either Program or Tracked entity type should be specified")
        if not program:
            for name in ("programStatus", "enrollmentStatus", "followUp", "enrollmentEnrolledAfter"):
                if asked.text(name):
                    raise asked.bad(f"Program must be defined when {name} is specified")
    elif asked.dialect.needs_program and not program:
        raise ApiError(400, None, "Required request parameter 'program' is not present")


def _units(asked: Asked, kind: str) -> frozenset[str] | None:
    uids, mode = _unit_uids(asked, kind), _mode(asked)
    dialect = asked.dialect
    if mode is None:
        if not uids and dialect.needs_org_unit and not _selected(asked, *_UIDS[kind]):
            raise asked.bad("At least one organisation unit must be specified")
        mode = "SELECTED" if uids else "ACCESSIBLE"
    elif mode == "ALL":
        raise asked.bad("Current user is not authorized to query across all organisation units")
    elif mode in ("ACCESSIBLE", "CAPTURE"):
        if uids and dialect.new_names:
            raise ApiError(400, None, f"orgUnitMode {mode} cannot be used with orgUnits.")
    elif not uids:
        raise asked.bad(f"At least one org unit is required for orgUnitMode: {mode}.")
    # the account may see the whole country
    return None if mode in ("ACCESSIBLE", "CAPTURE") else asked.units(uids, mode)


def _unit_uids(asked: Asked, kind: str) -> frozenset[str]:
    if kind != EVENTS:
        return _selected(asked, "orgUnit", "orgUnits") or frozenset()
    unit = asked.text("orgUnit")
    return frozenset([unit]) if unit else frozenset()


def _mode(asked: Asked) -> str | None:
    old = asked.text("ouMode") if asked.dialect.old_names else None
    new = asked.text("orgUnitMode") if asked.dialect.new_names else None
    if old and new:
        raise _both("ouMode", "orgUnitMode")
    mode = new or old
    if mode and mode not in MODES:
        raise invalid(mode, "orgUnitMode" if new else "ouMode")
    return mode


def _both(old: str, new: str) -> ApiError:
    return ApiError(400, None, f"Only one parameter of '{old}' and '{new}' must be specified. Prefer '{new}'.")


def _selected(asked: Asked, old_name: str, new_name: str) -> frozenset[str] | None:
    """The uids of a filter that was parted by semicolons and is by commas; None when it is not used."""
    old = asked.uids(old_name, ";") if asked.dialect.old_names else frozenset()
    new = asked.uids(new_name, ",") if asked.dialect.new_names else frozenset()
    if old and new:
        raise _both(old_name, new_name)
    return (new or old) or None


def _paging(asked: Asked, kind: str, max_limit: int) -> Paging:
    dialect = asked.dialect
    off = (dialect.old_names and asked.flag("skipPaging") is True) or (
        dialect.new_names and asked.flag("paging") is False
    )
    if off:
        given = [n for n in ("page", "pageSize", "totalPages") if asked.text(n)]
        if given and dialect.refuses_contradictions:
            raise ApiError(400, None, f"Paging cannot be skipped with {', '.join(given)}.")
        return Paging(size=None)
    size = asked.number("pageSize", DEFAULT_PAGE_SIZE)
    if kind == TRACKED_ENTITIES and size > max_limit and dialect.refuses_large_pages:
        limit = f"It must not exceed the system limit of KeyTrackedEntityMaxLimit {max_limit}."
        raise ApiError(400, None, f"Invalid page size: {size}. {limit}")
    return Paging(asked.number("page", 1), size, asked.flag("totalPages") or False)


def _order(asked: Asked, kind: str) -> list[tuple[str, bool]]:
    """Columns and whether each falls; unknown fields are refused or, before 2.41, passed over."""
    known = dict(ORDERABLE[kind])
    if kind == ENROLLMENTS and not asked.dialect.checks_order:
        known |= _OLD_ENROLLMENT_ORDER
    if kind == TRACKED_ENTITIES and not asked.dialect.orders_by_creation:
        known["createdAt"] = "_seq"
    found = []
    for part in filter(None, ",".join(asked.params.getlist("order")).split(",")):
        name, _, direction = part.partition(":")
        if name in known:
            found.append((known[name], direction.lower() == "desc"))
        elif asked.dialect.checks_order:
            supported = ", ".join(sorted(known))
            raise ApiError(
                400, None, f"order parameter is invalid. Cannot order by '{name}'. Supported are '{supported}'."
            )
    return found


def _equal(asked: Asked, made: list[pl.Expr], **columns: str) -> None:
    """Conditions that a column equals a parameter, where the parameter is given."""
    for column, name in columns.items():
        if asked.text(name):
            made.append(pl.col(column) == asked.text(name))


def _status_name(asked: Asked, new: str) -> str:
    return new if asked.dialect.minor >= 42 else "programStatus"


def _of_enrollment(asked: Asked, made: Question) -> None:
    """Conditions on the enrolment of a tracked entity or event."""
    conditions = asked.between(day("enrolled_at"), "enrollmentEnrolledAfter", "enrollmentEnrolledBefore")
    conditions += asked.between(day("occurred_at"), "enrollmentOccurredAfter", "enrollmentOccurredBefore")
    _equal(asked, conditions, status=_status_name(asked, "enrollmentStatus"))
    made.enrolled += conditions


def _of_tracked_entities(asked: Asked, made: Question) -> None:
    _of_enrollment(asked, made)
    _equal(asked, made.conditions, tracked_entity_type="trackedEntityType")
    follow_up = asked.flag("followUp")
    if follow_up is not None:
        made.enrolled.append(pl.col("follow_up") == follow_up)
    made.happened += asked.between(day("occurred_at"), "eventOccurredAfter", "eventOccurredBefore")
    if asked.text("eventStatus"):
        if not (asked.text("eventOccurredAfter") and asked.text("eventOccurredBefore")):
            raise asked.bad("Event start and end date must be specified when event status is specified")
        _equal(asked, made.happened, status="eventStatus")
    if asked.stage():
        _equal(asked, made.happened, program_stage="programStage")
    made.conditions += value_filters(asked, "attributes", "attribute")
    # asked by programme, one whose enrolments are all deleted is not found
    if asked.text("program") and not made.include_deleted:
        made.enrolled.append(pl.lit(True))


def _of_enrollments(asked: Asked, made: Question) -> None:
    made.conditions += _enrolled_between(asked)
    _equal(asked, made.conditions, status=_status_name(asked, "status"), tracked_entity="trackedEntity")
    follow_up = asked.flag("followUp")
    if follow_up is not None:
        made.conditions.append(pl.col("follow_up") == follow_up)


def _enrolled_between(asked: Asked) -> list[pl.Expr]:
    found = asked.between(day("enrolled_at"), "enrolledAfter", "enrolledBefore")
    end = asked.local("enrolledBefore")
    if end is not None and asked.dialect.loses_last_day:
        found.append(day("enrolled_at") < pl.lit(end.replace(hour=0, minute=0, second=0, microsecond=0)))
    return found


def _of_events(asked: Asked, made: Question) -> None:
    _of_enrollment(asked, made)
    asked.stage()
    _equal(asked, made.conditions, program_stage="programStage", tracked_entity="trackedEntity", status="status")
    made.conditions += asked.between(EVENT_DAY, "occurredAfter", "occurredBefore")
    made.conditions += asked.between(day("scheduled_at"), "scheduledAfter", "scheduledBefore")
    follow_up = asked.flag("followUp")
    if follow_up is not None:
        made.conditions.append(pl.col("follow_up") == follow_up)
    enrollments = asked.uids("enrollments", ",")
    if enrollments:
        made.conditions.append(pl.col("enrollment").is_in(list(enrollments)))
    made.conditions += value_filters(asked, "data_values", "data_element")
