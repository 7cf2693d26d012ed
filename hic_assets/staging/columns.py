"""Columns of the staging models: those every record has, and one a field, with cast, description and sensitivity.

Belongs here: what a column is. Does not: how it is written into a file (``sql``, ``yml``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Kind
from hic_assets.staging.form import Field, Form
from hic_assets.staging.names import RESERVED, column_names

KEYS = {Kind.TRACKED_ENTITIES: "tracked_entity", Kind.ENROLLMENTS: "enrollment", Kind.EVENTS: "event"}
DOCUMENTS = {Kind.TRACKED_ENTITIES: "attributes", Kind.EVENTS: "data_values"}
"""Raw column that holds the values of a record's fields as one JSON object."""

PERSON, HEALTH, FREE_TEXT = "identifies a person", "health data of a person", "free text about a person"
CONFIDENTIAL = "confidential at the source"
FEW = 20
"""Answers to choose from that single nobody out; a village of a list does."""

# Value type (contract 1.12) to the name of a cast (macro cast_field). What is not here stays text.
_CASTS = {
    **dict.fromkeys(("NUMBER", "UNIT_INTERVAL", "PERCENTAGE"), "number"),
    **dict.fromkeys(
        ("INTEGER", "INTEGER_POSITIVE", "INTEGER_NEGATIVE", "INTEGER_ZERO_OR_POSITIVE"),
        "integer",
    ),
    **dict.fromkeys(("BOOLEAN", "TRUE_ONLY"), "boolean"),
    # An AGE is kept as the date of birth.
    **dict.fromkeys(("DATE", "AGE"), "date"),
    "DATETIME": "timestamp",
    "TIME": "time",
    **dict.fromkeys(("TEXT", "PHONE_NUMBER", "EMAIL", "LETTER"), "text"),
}
TYPED = frozenset({"number", "integer", "boolean", "date", "timestamp", "time"})


@dataclass(frozen=True)
class Column:
    """A column of a staging model: the SQL it is made by, what it is, and why few may read it."""

    name: str
    sql: str
    description: str
    sensitive: str | None = None


@dataclass(frozen=True)
class FieldColumn:
    """A column made from a field: its uid in the JSON object and the cast of its value."""

    name: str
    field: Field
    cast: str
    description: str
    sensitive: str


def cast_of(field: Field) -> str:
    """How a value becomes a column. A code stays text, whatever its value type: zeros lead in some code lists."""
    if field.option_set:
        return "key"
    return _CASTS.get(field.value_type, "key")


def is_coded(field: Field) -> bool:
    """Whether a value is one code of the option set; several, joined by commas, are not."""
    return field.option_set is not None and field.value_type != "MULTI_TEXT"


def field_columns(form: Form, kind: Kind, kept: Mapping[str, str] | None = None) -> list[FieldColumn]:
    """The columns of a kind's fields; ``kept`` as in ``column_names``."""
    fields = {Kind.TRACKED_ENTITIES: form.attributes, Kind.EVENTS: form.data_elements}.get(kind, ())
    taken = RESERVED.union(column.name for column in record_columns(form, kind))
    names = column_names(fields, kept, taken)
    by_uid = {field.uid: field for field in fields}
    return [_field_column(name, by_uid[uid], kind) for uid, name in names.items()]


def _field_column(name: str, field: Field, kind: Kind) -> FieldColumn:
    return FieldColumn(name, field, cast_of(field), _words(field), _sensitive(field, kind))


def _words(field: Field) -> str:
    """What a field is: its name, who asks for it, and the first of the answers to choose from."""
    said = [field.form_name or field.name or field.code or field.uid]
    said += [f"Asked in: {', '.join(dict.fromkeys(field.stages))}"] if field.stages else []
    said += ["Unique"] if field.unique else []
    if field.options:
        shown = ", ".join(f"{code} {name}" if code != name else code for code, name in field.options[:6])
        more = len(field.options) - 6
        said.append(f"Codes: {shown}" + (f" and {more} more" if more > 0 else ""))
    return ". ".join(said) + "."


def _sensitive(field: Field, kind: Kind) -> str:
    """An attribute identifies unless it is plainly one answer of few; a data element is health data of somebody."""
    if field.confidential:
        return CONFIDENTIAL
    if kind is Kind.TRACKED_ENTITIES:
        few = 0 < len(field.options) <= FEW or cast_of(field) == "boolean"
        return HEALTH if few else PERSON
    return HEALTH if field.option_set or cast_of(field) in TYPED else FREE_TEXT


def raw_columns(kind: Kind) -> list[str]:
    """Raw columns that the model of a kind reads. User names stay in raw: nothing downstream needs them."""
    left_out = {"updated_at", "deleted", "stored_by", "completed_by"}
    return [member.column for member in MEMBERS[kind] if member.column not in left_out]


def record_columns(form: Form, kind: Kind) -> list[Column]:
    """The columns that every record of a kind has, in order; the JSON object of its values last."""
    made = {
        Kind.TRACKED_ENTITIES: _tracked_entity_columns,
        Kind.ENROLLMENTS: _enrollment_columns,
        Kind.EVENTS: _event_columns,
    }[kind](form)
    return [*made, *_common_columns(), *_document(kind)]


def _tracked_entity_columns(form: Form) -> list[Column]:
    return [
        Column("tracked_entity_uid", "records.tracked_entity", "DHIS2 uid of the person (or other entity)."),
        Column("tracked_entity_type_uid", "records.tracked_entity_type", "DHIS2 uid of the type, mostly Person."),
        Column("org_unit_uid", "records.org_unit", "DHIS2 uid of the unit that registered it."),
        Column("is_inactive", _flag("inactive"), "Marked inactive at the source."),
    ]


def _enrollment_columns(form: Form) -> list[Column]:
    return [
        Column("enrollment_uid", "records.enrollment", "DHIS2 uid of the enrolment."),
        Column("tracked_entity_uid", "records.tracked_entity", "DHIS2 uid of who is enrolled."),
        Column("program_uid", "records.program", "DHIS2 uid of the programme."),
        Column("org_unit_uid", "records.org_unit", "DHIS2 uid of the unit that enrolled."),
        Column("status", "records.status", "ACTIVE, COMPLETED or CANCELLED."),
        Column("partition_start", "records._partition", "First day of the week or month of the raw row."),
        Column("enrolled_date", _date("enrolled_at"), "Day of enrolment (local)."),
        Column("occurred_date", _date("occurred_at"), "Day of the incident (local)."),
        Column("completed_at", _timestamp("completed_at"), "When it was completed, by the server's local clock."),
        Column("follow_up", _flag("follow_up"), "Marked for follow-up."),
    ]


def _event_columns(form: Form) -> list[Column]:
    day = "{{ event_day('records.occurred_at', 'records.scheduled_at') }}"
    return [
        Column("event_uid", "records.event", "DHIS2 uid of the event."),
        Column("enrollment_uid", "records.enrollment", "DHIS2 uid of the enrolment it belongs to."),
        Column("tracked_entity_uid", "records.tracked_entity", "DHIS2 uid of whom it is about."),
        Column("program_uid", "records.program", "DHIS2 uid of the programme."),
        Column("program_stage_uid", "records.program_stage", "DHIS2 uid of the stage."),
        Column("program_stage", _stage_names(form), "The stage in snake case; NULL for one that is new."),
        Column("org_unit_uid", "records.org_unit", "DHIS2 uid of the unit where it happened."),
        Column("status", "records.status", "ACTIVE, COMPLETED, VISITED, SCHEDULE, OVERDUE or SKIPPED."),
        Column("partition_start", "records._partition", "First day of the week or month of the raw row."),
        Column("event_day", day, "Day it happened or, while it has not, is due (local)."),
        Column("occurred_date", _date("occurred_at"), "Day it happened (local); NULL while only scheduled."),
        Column("scheduled_date", _date("scheduled_at"), "Day it was due (local)."),
        Column("completed_at", _timestamp("completed_at"), "When it was completed, by the server's local clock."),
        Column("attribute_option_combo_uid", "records.attribute_option_combo", "DHIS2 uid of the attribution."),
        Column("follow_up", _flag("follow_up"), "Marked for follow-up."),
    ]


def _stage_names(form: Form) -> str:
    """A CASE over the stages. Of the registry only uids and words of [a-z0-9_] get into SQL."""
    stages = [Field(uid=stage.uid, code=None, name=stage.name, value_type="TEXT") for stage in form.stages]
    whens = [f"when '{uid}' then '{name}'" for uid, name in column_names(stages, taken=()).items()]
    return "\n        ".join(["case records.program_stage", *whens]) + "\n    end" if whens else "null::text"


def _common_columns() -> list[Column]:
    return [
        Column("geometry", "{{ as_jsonb('records.geometry') }}", "GeoJSON of where.", "place of a person"),
        Column("created_at", _timestamp("created_at"), "When the record was made, by the server's local clock."),
        Column("load_id", "records._load_id", "Load that landed the row (key of ops.load)."),
        Column("source_updated_at", "records._source_updated_at", "Last change of the record at the source."),
    ]


def _document(kind: Kind) -> list[Column]:
    words = "Every value by DHIS2 uid, as text, those of fields that have no column yet too."
    sensitive = PERSON if kind is Kind.TRACKED_ENTITIES else HEALTH
    return [Column(DOCUMENTS[kind], "fields.document", words, sensitive)] if kind in DOCUMENTS else []


def _date(column: str) -> str:
    return f"{{{{ clean_date('records.{column}') }}}}"


def _timestamp(column: str) -> str:
    return f"{{{{ clean_timestamp('records.{column}') }}}}"


def _flag(column: str) -> str:
    return f"coalesce({{{{ clean_boolean('records.{column}') }}}}, false)"
