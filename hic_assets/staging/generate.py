"""Every written file of the dbt project, from declarations and registries: path below ``models/`` to text.

Belongs here: which files there are. Does not: their text (``sql``, ``yml``, ``mart``), reading and writing (``files``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging import mart, yml
from hic_assets.staging.columns import Column, FieldColumn, field_columns, record_columns
from hic_assets.staging.form import Form, Registries, form_of
from hic_assets.staging.registries import registry_files, registry_properties, registry_tables
from hic_assets.staging.sql import model_name, staging_sql
from hic_assets.systems.declare import Programme, System

Kept = Mapping[str, Mapping[str, str]]
"""Of each model, the column by uid that a field already has."""


def declared_files(systems: Sequence[System]) -> dict[str, str]:
    """What follows from the declarations alone: sources, registries, and the models over all programmes."""
    files = {f"intermediate/{name}": text for name, text in mart.mart_files(systems).items()}
    for system in systems:
        folder = f"staging/{system.name}"
        files |= {f"{folder}/{name}": text for name, text in registry_files(system).items()}
        files[f"{folder}/_registries.yml"] = yml.registries_yml(system, registry_properties(system))
        for group in sorted({system.name} | {programme.staging for programme in system.programmes}):
            files[f"staging/{group}/_sources.yml"] = _sources(system, group)
    return files


def programme_files(system: System, programme: Programme, registries: Registries, kept: Kept) -> dict[str, str]:
    """The three views of a programme and their properties.

    Raises:
        ProgrammeMissing: the registries do not know it.
    """
    form = form_of(programme, registries)
    models = {kind: _columns(form, kind, kept) for kind in Kind}
    sql = {kind: staging_sql(system, programme, kind, *columns) for kind, columns in models.items()}
    texts = [*sql.values(), yml.programme_yml(system, form, models)]
    return dict(zip(programme_paths(programme), texts, strict=True))


def programme_paths(programme: Programme) -> list[str]:
    """Where the files of a programme are: the three views, then their properties."""
    names = [f"{model_name(programme, kind)}.sql" for kind in Kind]
    return [f"staging/{programme.staging}/{name}" for name in [*names, f"_{programme.name}.yml"]]


def _columns(form: Form, kind: Kind, kept: Kept) -> tuple[list[Column], list[FieldColumn]]:
    return record_columns(form, kind), field_columns(form, kind, kept.get(model_name(form.programme, kind)))


def _sources(system: System, group: str) -> str:
    """The sources of a folder: its programmes' tables, and the system's registries where the folder is the system's."""
    programmes: Iterable[Programme] = (p for p in system.programmes if p.staging == group)
    wanted = set(programmes)
    tables = [feed.table for feed in system.feeds if feed.programme in wanted]
    return yml.sources_yml(system, [*(registry_tables(system) if group == system.name else ()), *tables])
