"""The registries of a tracker as staging models: what programmes, stages, fields and options are called.

Belongs here: which raw column becomes which. Does not: reading them from a warehouse (``landed``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hic_assets.landing.table import Table
from hic_assets.staging.sql import registry_sql
from hic_assets.systems.declare import System

_CASTS = {"key": "clean_key_text", "text": "clean_text", "flag": "clean_boolean", "number": "clean_key_integer"}
_FLAGS = ("repeatable", "compulsory", "unique", "mandatory", "confidential")
_REFERENCES = ("program", "program_stage", "data_element", "attribute", "option_set", "tracked_entity_type")
_OWN_UID = {"programs": "program_uid", "program_stages": "program_stage_uid"}
REGISTRIES = ("programs", "program_stages", "program_stage_data_elements", "program_attributes", "options")


def registry_model(system: System, table: Table) -> str:
    """Name of the staging model of a registry: ``stg_hiv_tracker__options``."""
    return f"stg_{system.name}__{table.name}"


def registry_tables(system: System) -> Iterator[Table]:
    """The registries of a tracker, in the order declared."""
    yield from (feed.table for feed in system.feeds if feed.table.name in REGISTRIES)


def staged(table: Table) -> list[tuple[str, str, str]]:
    """(column, SQL, description) of a registry's staging model."""
    return [
        (_staged_name(table, column.name), _cast(column.name), column.description)
        for column in table.columns
        if column.name != "last_updated"
    ]


def staged_key(table: Table) -> list[str]:
    """Columns of the staging model that identify a row."""
    return [_staged_name(table, name) for name in table.keys]


def registry_files(system: System) -> dict[str, str]:
    """File name to SQL."""
    return {
        f"{registry_model(system, table)}.sql": registry_sql(
            system, table.relation, [(name, sql) for name, sql, _ in staged(table)]
        )
        for table in registry_tables(system)
    }


def registry_properties(system: System) -> list[tuple[str, str, Sequence[tuple[str, str]], Sequence[str]]]:
    """What ``registries_yml`` wants."""
    extra = [
        ("load_id", "Load that landed the row (key of ops.load)."),
        ("source_updated_at", "Last change at the source."),
    ]
    return [
        (
            registry_model(system, table),
            f"{table.description} Of {system.title}.",
            [*((name, words) for name, _, words in staged(table)), *extra],
            staged_key(table),
        )
        for table in registry_tables(system)
    ]


def _staged_name(table: Table, column: str) -> str:
    if column == "id":
        return _OWN_UID[table.name]
    if column in _FLAGS:
        return f"is_{column}"
    return f"{column}_uid" if column in _REFERENCES else column


def _cast(column: str) -> str:
    if column in _FLAGS:
        return f"coalesce({{{{ {_CASTS['flag']}('{_quoted(column)}') }}}}, false)"
    kind = "number" if column == "sort_order" else "text" if column.endswith("name") else "key"
    suffix = "::integer" if kind == "number" else ""
    return f"{{{{ {_CASTS[kind]}('{column}') }}}}{suffix}"


def _quoted(column: str) -> str:
    return '"unique"' if column == "unique" else column
