"""The models that put all programmes together, as text: their list, their stages, enrolments and events, also as tables.

Belongs here: the unions over the declared programmes. Does not: the mart that is computed from them (``dbt_project``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging.sql import HEADER, config, model_name
from hic_assets.systems.declare import Cadence, Programme, System

GROUP = "programmes"

_ENROLLMENT = """    enrollment_uid,
    tracked_entity_uid,
    org_unit_uid,
    status,
    partition_start,
    enrolled_date as day,
    load_id,
    source_updated_at"""
_EVENT = """    event_uid,
    enrollment_uid,
    tracked_entity_uid,
    program_stage_uid,
    org_unit_uid,
    status,
    partition_start,
    event_day as day,
    load_id,
    source_updated_at"""
_COLUMNS = {Kind.ENROLLMENTS: _ENROLLMENT, Kind.EVENTS: _EVENT}

# How the records of a cadence's partitions are kept as a table: dbt's config (with the key's place), what picks the call's
# partitions (dbt does it by itself for months), the name that the partition's first day has in the table.
_KEPT = {
    Cadence.WEEKLY: (
        """    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='{key}',
    indexes=[{{'columns': ['{key}'], 'unique': true}}, {{'columns': ['week_start']}}],
""",
        "\nwhere {{ weeks_of_run('partition_start') }}",
        "week_start",
    ),
    Cadence.MONTHLY: (
        """    incremental_strategy='microbatch',
    event_time='partition_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    unique_key='{key}',
    indexes=[{{'columns': ['{key}'], 'unique': true}}, {{'columns': ['partition_start']}}],
""",
        "",
        "partition_start",
    ),
}
_FACTS = {Kind.ENROLLMENTS: ("programme_enrolments", "enrolment_key"), Kind.EVENTS: ("programme_events", "event_key")}


def mart_files(systems: Sequence[System]) -> dict[str, str]:
    """File name to SQL of the models over all programmes."""
    declared = [(system, programme) for system in systems for programme in system.programmes]
    owner = systems[0]
    return {
        "int_programme.sql": _list(owner, declared),
        "int_programme_stage.sql": _stages(owner, systems),
        "int_programme_enrollment.sql": _union(owner, declared, Kind.ENROLLMENTS, _ENROLLMENT),
        "int_programme_event.sql": _union(owner, declared, Kind.EVENTS, _EVENT),
        **{
            f"int_programme_{record}_{cadence.value}.sql": _kept(owner, declared, kind, cadence)
            for record, kind in (("enrolment", Kind.ENROLLMENTS), ("event", Kind.EVENTS))
            for cadence in _KEPT
        },
    }


def _list(owner: System, declared: Iterable[tuple[System, Programme]]) -> str:
    rows = ",\n".join(
        f"        ({_literal(p.name)}, {_literal(p.title)}, {_literal(s.name)}, {_literal(p.uid)}, "
        f"{_literal(p.cadence.value)}, {_literal(p.tables)})"
        for s, p in declared
    )
    columns = "programme, title, system, program_uid, cadence, tables"
    return (
        f"{config(owner, GROUP)}\n{HEADER}\nselect {columns}\nfrom (\n    values\n{rows}\n) as declared ({columns})\n"
    )


def _stages(owner: System, systems: Sequence[System]) -> str:
    branches = [
        "select program_stage_uid, program_uid, name, is_repeatable, sort_order\n"
        f"    from {{{{ ref('stg_{system.name}__program_stages') }}}}"
        for system in systems
    ]
    union = "\n    union all\n    ".join(branches)
    return (
        f"{config(owner, GROUP)}\n{HEADER}\nselect\n    programmes.programme,\n    stages.program_stage_uid,\n"
        "    stages.name,\n    stages.is_repeatable,\n    stages.sort_order\n"
        f"from (\n    {union}\n) as stages\n"
        "inner join {{ ref('int_programme') }} as programmes on stages.program_uid = programmes.program_uid\n"
    )


def _union(owner: System, declared: Iterable[tuple[System, Programme]], kind: Kind, columns: str) -> str:
    branches = [
        f"select\n    {_literal(p.name)}::text as programme,\n{columns}\nfrom {{{{ ref('{model_name(p, kind)}') }}}}"
        for _, p in declared
    ]
    head = config(owner, GROUP, tag="monthly", more="    event_time='day',\n")
    return f"{head}\n{HEADER}\n" + "\nunion all\n".join(branches) + "\n"


def _kept(owner: System, declared: Iterable[tuple[System, Programme]], kind: Kind, cadence: Cadence) -> str:
    """The records of the programmes of one cadence as a table that is built by its partitions."""
    more, window, start = _KEPT[cadence]
    macro, key = _FACTS[kind]
    head = config(owner, GROUP, "incremental", cadence.value, more.format(key=key))
    branches = [_branch(p, kind, window) for _, p in declared if p.cadence is cadence]
    union = "\n    union all\n".join(branches) or _nobody(declared, kind)
    settings = "{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}\n"
    return f"{head}\n{HEADER}\n{settings}\nwith records as (\n{union}\n)\n\n{{{{ {macro}('records', '{start}') }}}}\n"


def _branch(programme: Programme, kind: Kind, window: str) -> str:
    text = (
        f"select\n    {_literal(programme.name)}::text as programme,\n{_COLUMNS[kind]}\n"
        f"from {{{{ ref('{model_name(programme, kind)}') }}}}{window}"
    )
    return textwrap.indent(text, "    ")


def _nobody(declared: Iterable[tuple[System, Programme]], kind: Kind) -> str:
    """The columns without a row, where no programme has that cadence: those of any other."""
    _, anybody = next(iter(declared))
    return _branch(anybody, kind, "\nwhere false")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
