"""The SQL of the staging models, as text: one view a programme and kind of record, one a registry.

Belongs here: laying out what ``columns`` says. Does not: casts, which are macros, so that they change without this.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Kind
from hic_assets.staging.columns import DOCUMENTS, KEYS, Column, FieldColumn, raw_columns
from hic_assets.systems.declare import Programme, System

WRITTEN = "Written by 'hic staging'"
HEADER = f"-- {WRITTEN} from the declarations and the landed registries: change those, then run it again.\n"


def model_name(programme: Programme, kind: Kind) -> str:
    """Name of a programme's staging model: ``stg_tb__events``."""
    return f"stg_{programme.name}__{kind.value}"


def config(system: System, group: str, materialized: str = "view", tag: str = "reference", more: str = "") -> str:
    """The config of a written model. Groups come from declarations, so that a new folder needs no other file."""
    owners = ", ".join(f"'{owner}'" for owner in system.owners)
    meta = f"{{'dagster': {{'group': '{group}', 'owners': [{owners}]}}}}"
    return f"{{{{ config(\n    materialized='{materialized}',\n    tags=['{tag}', 'tracker'],\n{more}    meta={meta}\n) }}}}\n"


def staging_sql(
    system: System, programme: Programme, kind: Kind, columns: Sequence[Column], fields: Sequence[FieldColumn]
) -> str:
    """The view of one kind of record. What the fields are follows in a list of (column, uid, cast)."""
    listed = "".join(f"    ['{f.name}', '{f.field.uid}', '{f.cast}'],\n" for f in fields)
    document = DOCUMENTS.get(kind)
    declared = f"\n{{%- set fields = [\n{listed}] %}}\n" if document else ""
    selected = [f"    {column.sql} as {column.name}" for column in columns]
    body = ",\n".join(selected) + ("{{ field_columns(fields) }}" if document else "")
    # A model that dbt builds by months reads no other partition.
    window = "    event_time='partition_start',\n" if any(c.name == "partition_start" for c in columns) else ""
    joined = f"\n{{{{ field_values('records.{document}', fields) }}}}" if document else ""
    return (
        f"{config(system, programme.staging, more=window)}\n{HEADER}{declared}\nselect\n{body}\n"
        f"from (\n{_rows(programme, kind)}\n) as records{joined}\n"
    )


def _rows(programme: Programme, kind: Kind) -> str:
    columns = raw_columns(kind)
    relation = f"{programme.tables}_{kind.value}"
    lines = [f"'{programme.name}'", f"key='{KEYS[kind]}'", f"columns={_wrapped(map(repr, columns), '[]')}"]
    lines.append(f"unified=source('raw', 'u_{relation}')")
    if programme.legacy:
        then = {member.column: old.column for member, old in zip(MEMBERS[kind], LEGACY_MEMBERS[kind], strict=True)}
        renamed = [f"'{now}': '{then[now]}'" for now in columns if then[now] != now]
        lines += [f"legacy=source('raw', '{relation}')", f"renamed={_wrapped(renamed, '{}')}"]
    return "    {{ tracker_rows(\n        " + ",\n        ".join(lines) + "\n    ) }}"


def _wrapped(words: Iterable[str], brackets: str) -> str:
    indent = " " * 12
    text = textwrap.fill(", ".join(words), 110, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return f"{brackets[0]}\n{text}\n{indent[4:]}{brackets[1]}"


def registry_sql(system: System, relation: str, columns: Iterable[tuple[str, str]]) -> str:
    """The view of one registry: (column, SQL) in order."""
    selected = ",\n".join(f"    {sql} as {name}" for name, sql in columns)
    return (
        f"{config(system, system.name)}\n{HEADER}\nselect\n{selected},\n    {{{{ provenance() }}}}\n"
        f"from {{{{ source('raw', '{relation}') }}}}\n"
    )
