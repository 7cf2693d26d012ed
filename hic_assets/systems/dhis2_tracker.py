"""What every DHIS2 tracker holds: a programme's tracked entities, enrolments and events, and what its fields mean.

Belongs here: the tables that all trackers share. Does not: any one programme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind, Member
from hic_assets.landing.table import Column, Layout, Table
from hic_assets.systems.declare import DUE_DAYS, Feed, Pipeline, Programme
from hic_assets.systems.dhis2_aggregate import TRUE_OR_FALSE, snapshot

_GRAIN = {
    Kind.TRACKED_ENTITIES: "one row a tracked entity and partition in which it was enrolled",
    Kind.ENROLLMENTS: "one row an enrolment, by its day",
    Kind.EVENTS: "one row an event, by the day it happened or, while it has not, was due",
}
_MEMBERS = {Pipeline.UNIFIED: MEMBERS, Pipeline.LEGACY: LEGACY_MEMBERS}
_HOW = {Pipeline.UNIFIED: "read from /api/tracker", Pipeline.LEGACY: "read from the old endpoints, which 2.42 removed"}


def dhis2_tracker(system: str, programmes: Iterable[Programme]) -> tuple[Feed, ...]:
    """The feeds of one tracker: what the programmes' fields mean, then three tables a programme and pipeline."""
    registries = (replace(feed, table=replace(feed.table, system=system)) for feed in _REGISTRIES)
    return (*registries, *(feed for programme in programmes for feed in _programme(system, programme)))


def _programme(system: str, programme: Programme) -> list[Feed]:
    pipelines = [Pipeline.LEGACY, Pipeline.UNIFIED] if programme.legacy else [Pipeline.UNIFIED]
    return [
        Feed(
            _table(system, programme, kind, pipeline),
            reader="tracker" if pipeline is Pipeline.UNIFIED else "legacy_tracker",
            cadence=programme.cadence,
            due_days=DUE_DAYS[programme.cadence],
            programme=programme,
            kind=kind,
            pipeline=pipeline,
        )
        for pipeline in pipelines
        for kind in Kind
    ]


def _table(system: str, programme: Programme, kind: Kind, pipeline: Pipeline) -> Table:
    members = _MEMBERS[pipeline][kind]
    relation = f"{programme.tables}_{kind.value}"
    name = relation.removeprefix(f"{system}_")
    return Table(
        system=system,
        name=f"u_{name}" if pipeline is Pipeline.UNIFIED else name,
        stored_as=f"u_{relation}" if pipeline is Pipeline.UNIFIED else relation,
        description=f"{programme.title}: {_GRAIN[kind]}; {_HOW[pipeline]}.",
        columns=tuple(_column(member) for member in members),
        layout=Layout.INDEXED,
        updated_column=next(m.column for m in members if m.form is Form.INSTANT),
        deleted_column="deleted",
        may_empty=True,
    )


def _column(member: Member) -> Column:
    allowed = TRUE_OR_FALSE if member.form is Form.FLAG else frozenset[str]()
    is_json = member.form in (Form.VALUES, Form.JSON)
    return Column(
        member.column,
        member.description,
        key=member.key,
        allowed=allowed,
        json=is_json,
        sensitive=member.identifying,
    )


_REGISTRIES = (
    snapshot(
        "programs",
        "Programmes: one row a program.",
        "id: UID.",
        """code: Code.
        name: Name.
        short_name: Short name.
        program_type: WITH_REGISTRATION or WITHOUT_REGISTRATION.
        tracked_entity_type: UID of the type that is enrolled.
        last_updated: Change time, server local.""",
    ),
    snapshot(
        "program_stages",
        "Stages of programmes: one row a program stage.",
        "id: UID.",
        """program: UID of the program.
        name: Name.
        repeatable: Whether an enrolment may have several events of it.
        sort_order: Place among the stages.
        last_updated: Change time, server local.""",
    ),
    snapshot(
        "program_stage_data_elements",
        "What a stage asks for: one row a stage and data element.",
        """program_stage: UID of the stage.
        data_element: UID of the data element.""",
        """program: UID of the program.
        code: Code of the data element.
        name: Name of the data element.
        form_name: Name on the form.
        value_type: TEXT, NUMBER, DATE ...
        option_set: UID of the option set; NULL for a free value.
        compulsory: Whether the stage asks for it always.
        sort_order: Place on the form.""",
    ),
    snapshot(
        "program_attributes",
        "What a programme asks of who is enrolled: one row a program and attribute.",
        """program: UID of the program.
        attribute: UID of the tracked entity attribute.""",
        """code: Code of the attribute.
        name: Name of the attribute.
        value_type: TEXT, NUMBER, DATE ...
        option_set: UID of the option set; NULL for a free value.
        unique: Whether no two tracked entities may share a value.
        mandatory: Whether it must be given.
        confidential: Whether DHIS2 holds it encrypted.
        sort_order: Place on the form.""",
    ),
    snapshot(
        "options",
        "Answers that may be chosen: one row an option set and code.",
        """option_set: UID of the option set.
        code: Code, which is what a value holds.""",
        """option_set_name: Name of the option set.
        name: Name of the option.
        sort_order: Place in the set.""",
    ),
)  # fmt: skip

REGISTRY_COLUMNS: Mapping[str, tuple[str, ...]] = {f.table.name: f.table.column_names for f in _REGISTRIES}
