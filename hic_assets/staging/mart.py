"""The models that put all programmes together, as text: their list, their stages, enrolments and events.

Belongs here: the unions over the declared programmes. Does not: the mart that is computed from them (``dbt_project``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging.sql import HEADER, config, model_name
from hic_assets.systems.declare import Programme, System

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


def mart_files(systems: Sequence[System]) -> dict[str, str]:
    """File name to SQL of the models over all programmes."""
    declared = [(system, programme) for system in systems for programme in system.programmes]
    owner = systems[0]
    return {
        "int_programme.sql": _list(owner, declared),
        "int_programme_stage.sql": _stages(owner, systems),
        "int_programme_enrollment.sql": _union(owner, declared, Kind.ENROLLMENTS, _ENROLLMENT),
        "int_programme_event.sql": _union(owner, declared, Kind.EVENTS, _EVENT),
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


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
