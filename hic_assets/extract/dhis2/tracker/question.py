"""What is asked of the tracker endpoints, in the words of each version (contract 1.7). Pure.

Unknown parameters are ignored silently by every version, so a wrong name is never an error there but another answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hic_assets.extract.dhis2.dialect import Dialect
from hic_assets.extract.dhis2.tracker.decoding import Shape
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind, Member
from hic_assets.extract.dhis2.tracker.json_values import VALUE_KEYS
from hic_assets.extract.dhis2.tracker.slices import TrackerSlice

Params = list[tuple[str, str]]

COLLECTIONS = {Kind.TRACKED_ENTITIES: "trackedEntities", Kind.ENROLLMENTS: "enrollments", Kind.EVENTS: "events"}
LISTS = {kind: ("instances", name) for kind, name in COLLECTIONS.items()}
"""What the list of records may be called: `instances` before 2.41."""
NESTED_DAY = "enrolledAt"
_WINDOWS = {
    Kind.TRACKED_ENTITIES: ("enrollmentEnrolledAfter", "enrollmentEnrolledBefore"),
    Kind.ENROLLMENTS: ("enrolledAfter", "enrolledBefore"),
    Kind.EVENTS: ("occurredAfter", "occurredBefore"),
}
# What tells of a record no more than which it is, on which day, and whether it changed.
_KEY_MEMBERS = {
    Kind.TRACKED_ENTITIES: ("trackedEntity", "updatedAt", "deleted"),
    Kind.ENROLLMENTS: ("enrollment", "program", "enrolledAt", "updatedAt", "deleted"),
    Kind.EVENTS: ("event", "program", "occurredAt", "scheduledAt", "updatedAt", "deleted"),
}
PAGE_ROWS = 25_000
KEY_PAGE_ROWS = 40_000
"""Below the 50,000 at which servers cut tracked entities silently, or refuse the page size."""


@dataclass(frozen=True)
class Question:
    """Records of one kind of one programme. `members`: what of each; `page_rows`: how many in one reply at most.

    `updated_after`: server local; only what changed since (inclusive).
    """

    kind: Kind
    program: str
    members: tuple[Member, ...]
    page_rows: int = PAGE_ROWS
    updated_after: str | None = None

    @property
    def path(self) -> str:
        """Of the endpoint."""
        return f"api/tracker/{COLLECTIONS[self.kind]}"

    @property
    def key(self) -> str:
        """The column that identifies a record."""
        return next(member.column for member in self.members if member.key)

    @property
    def shape(self) -> Shape:
        """How the records stand in a reply."""
        nested = NESTED_DAY if self.kind is Kind.TRACKED_ENTITIES else None
        return Shape(self.members, LISTS[self.kind], nested)

    def asks_day_more(self, dialect: Dialect) -> bool:
        """Whether the window is asked for with one day more, whose rows are then left out."""
        return dialect.cuts_end_of_enrolment and self.kind is not Kind.EVENTS


def whole_records(kind: Kind, program: str, dialect: Dialect) -> Question:
    """Records with everything that lands."""
    return Question(kind, program, members_of(kind, dialect))


def keys_only(kind: Kind, program: str, dialect: Dialect, updated_after: str | None = None) -> Question:
    """Records with key, day, change time and deletion only."""
    members = tuple(member for member in members_of(kind, dialect) if member.name in _KEY_MEMBERS[kind])
    return Question(kind, program, members, KEY_PAGE_ROWS, updated_after)


def members_of(kind: Kind, dialect: Dialect) -> tuple[Member, ...]:
    """The members as this version names them."""
    if kind is not Kind.EVENTS:
        return MEMBERS[kind]
    renamed = {"followUp": dialect.event_follow_up}
    return tuple(
        Member(renamed.get(m.name, m.name), m.column, m.form, m.description, m.key, m.identifying)
        for m in MEMBERS[kind]
    )


def params(question: Question, slice_: TrackerSlice, dialect: Dialect) -> Params:
    """Query parameters of one request.

    Ordered by creation: what is new while pages are read comes last, and an edit moves nothing.
    """
    kind = question.kind
    asked = [
        ("program", question.program),
        (dialect.org_units(kind), slice_.unit.id),
        (dialect.org_unit_mode, "DESCENDANTS" if slice_.below else "SELECTED"),
        ("includeDeleted", "true"),
        ("fields", fields_of(question)),
        ("order", "createdAt:asc"),
        ("page", str(slice_.page)),
        ("pageSize", str(slice_.page_rows or question.page_rows)),
    ]
    if slice_.window is not None:
        after, before = _WINDOWS[kind]
        last = slice_.window[1] - timedelta(days=0 if question.asks_day_more(dialect) else 1)
        asked += [(after, str(slice_.window[0])), (before, str(last))]
    if question.updated_after is not None:
        asked.append(("updatedAfter", question.updated_after))
    if slice_.page == 1 and not dialect.names_next_page:
        asked.append(("totalPages", "true"))
    return asked


def count_params(question: Question, slice_: TrackerSlice, dialect: Dialect) -> Params:
    """The same, but for the number of rows and next to none of them."""
    replaced = {"fields", "order", "page", "pageSize", "totalPages"}
    kept = [(name, value) for name, value in params(question, slice_, dialect) if name not in replaced]
    return [
        *kept,
        ("fields", next(m.name for m in question.members if m.key)),
        ("page", "1"),
        ("pageSize", "1"),
        ("totalPages", "true"),
    ]


def fields_of(question: Question) -> str:
    """The `fields` parameter: what is read, and for a tracked entity the days on which it was enrolled."""
    names = [_field(member) for member in question.members]
    if question.kind is Kind.TRACKED_ENTITIES:
        names.append(f"enrollments[program,{NESTED_DAY},deleted]")
    return ",".join(names)


def _field(member: Member) -> str:
    if member.form is Form.VALUES:
        return f"{member.name}[{VALUE_KEYS[member.name]},value]"
    return member.name
