"""The properties of the staging models and sources, as YAML text: descriptions, sensitivity, tests.

Belongs here: laying out. Text of a server gets in quoted and without braces, which dbt would evaluate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.landing.table import Table
from hic_assets.staging.columns import KEYS, TYPED, Column, FieldColumn, is_coded
from hic_assets.staging.form import Form
from hic_assets.staging.sql import WRITTEN, model_name
from hic_assets.systems.declare import System

HEADER = f"# {WRITTEN} from the declarations and the landed registries: change those, then run it again.\n"

_GRAIN = {
    Kind.TRACKED_ENTITIES: "tracked entities, one row a tracked entity as it was last changed, attributes in columns",
    Kind.ENROLLMENTS: "enrolments, one row an enrolment",
    Kind.EVENTS: "events, one row an event, data elements in columns whichever stage asks for them",
}
_BOOKKEEPING = (
    ("_partition", "First day of the week or month the row belongs to; NULL in a snapshot."),
    ("_load_id", "Load that landed the row."),
    ("_source_updated_at", "Last change at the source."),
)


def quoted(text: str) -> str:
    """A text as a YAML scalar on one line."""
    plain = " ".join(text.split()).translate({ord("{"): "(", ord("}"): ")"})
    return json.dumps(plain, ensure_ascii=False)


def programme_yml(
    system: System, form: Form, models: Mapping[Kind, tuple[Sequence[Column], Sequence[FieldColumn]]]
) -> str:
    """The properties of a programme's three models."""
    return HEADER + "models:\n" + "".join(_model(system, form, kind, *models[kind]) for kind in models)


def _model(system: System, form: Form, kind: Kind, columns: Sequence[Column], fields: Sequence[FieldColumn]) -> str:
    title = form.programme.title + ("" if form.name == form.programme.title else f" ({form.name})")
    pipelines = " Read from the pipeline that ops.programme_source names." if form.programme.legacy else ""
    said = f"{title}: {_GRAIN[kind]}. Deleted records are left out.{pipelines}"
    lines = [f"  - name: {model_name(form.programme, kind)}", f"    description: {quoted(said)}"]
    lines += ["    data_tests:", _key_test([f"{KEYS[kind]}_uid"])]
    lines += _fields_test(system, model_name(form.programme, kind), fields)
    lines += ["    columns:", *map(_column, columns), *map(_field, fields)]
    return "\n".join(lines) + "\n"


def _key_test(columns: Sequence[str]) -> str:
    return f"      - is_key: {{arguments: {{columns: [{', '.join(columns)}]}}}}"


def _fields_test(system: System, model: str, fields: Sequence[FieldColumn]) -> list[str]:
    """The test that is told by the columns' meta what each is made from; it warns, since the source is at fault."""
    if not any(field.cast in TYPED or is_coded(field.field) for field in fields):
        return []
    options = f"ref('stg_{system.name}__options')"
    said = f"{{name: {model}_fields_hold, arguments: {{options: {options}}}, config: {{severity: warn}}}}"
    return [f"      - fields_hold: {said}"]


def _column(column: Column) -> str:
    meta = f", config: {{meta: {{sensitive: {column.sensitive}}}}}" if column.sensitive else ""
    return f"      - {{name: {column.name}, description: {quoted(column.description)}{meta}}}"


def _field(column: FieldColumn) -> str:
    said = {"dhis2": column.field.uid, "value_type": column.field.value_type, "cast": column.cast}
    if is_coded(column.field):
        said["option_set"] = column.field.option_set or ""
    said["sensitive"] = column.sensitive
    meta = ", ".join(f"{key}: {value if key != 'value_type' else quoted(value)}" for key, value in said.items())
    return f"      - {{name: {column.name}, description: {quoted(column.description)}, config: {{meta: {{{meta}}}}}}}"


def registries_yml(
    system: System, registries: Iterable[tuple[str, str, Sequence[tuple[str, str]], Sequence[str]]]
) -> str:
    """The properties of a system's registries: (model, description, columns with descriptions, key)."""
    text = HEADER + "models:\n"
    for model, description, columns, key in registries:
        text += f"  - name: {model}\n    description: {quoted(description)}\n"
        text += f"    data_tests:\n{_key_test(key)}\n    columns:\n"
        text += "".join(f"      - {{name: {name}, description: {quoted(said)}}}\n" for name, said in columns)
    return text


def sources_yml(system: System, tables: Sequence[Table]) -> str:
    """The raw tables as dbt sources. Tables with the same columns share one list, by YAML's anchors."""
    owners = ", ".join(json.dumps(owner) for owner in system.owners)
    text = (
        f"{HEADER}sources:\n  - name: raw\n    schema: raw\n"
        f"    description: {quoted(f'Tables as landed from {system.title}. Every source column is text, NULL if absent.')}\n"
        f"    config:\n      meta: {{dagster: {{group: {system.name}, owners: [{owners}]}}}}\n    tables:\n"
    )
    anchors: dict[tuple[str, ...], str] = {}
    for table in tables:
        text += f"      - name: {table.relation}\n        description: {quoted(table.description)}\n"
        columns = tuple(_source_columns(table))
        if columns in anchors:
            text += f"        columns: *{anchors[columns]}\n"
        else:
            anchors[columns] = f"columns_{len(anchors) + 1}"
            text += f"        columns: &{anchors[columns]}\n" + "".join(columns)
    return text


def _source_columns(table: Table) -> Iterable[str]:
    said = {column.name: (column.description, column.sensitive) for column in table.columns}
    for name in table.stored_names:
        description, sensitive = said[name]
        meta = f", config: {{meta: {{sensitive: {sensitive}}}}}" if sensitive else ""
        yield f"          - {{name: {name}, description: {quoted(description)}{meta}}}\n"
    for name, description in _BOOKKEEPING:
        yield f"          - {{name: {name}, description: {quoted(description)}}}\n"
