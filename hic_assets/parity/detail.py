"""Second phase: of the records that differ, which fields, and where else a record is that one side lacks.

Belongs here: SQL that looks at single keys, field by field and value by value. Does not: finding the keys (``match``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from hic_assets.parity.loads import Compared, Loads, instant
from hic_assets.parity.rules import EMPTY_VALUE, Field, Spelling, normal
from hic_assets.systems.declare import Pipeline

_FIELDS = """
create temporary table parity_field
    (key text collate "C", late boolean, field text collate "C", legacy text, unified text) on commit drop;
insert into parity_field
select m.key, {late}, f.field, f.legacy, f.unified
{pairs}
cross join lateral ({fields}) f (field, legacy, unified);
{objects}
create index on parity_field (field, late, key);
create index on parity_field (key);
analyze parity_field
"""
# In the order of the one table, which is about that of the other: of many records that differ, most lie side by side.
_PAIRS = """from (select * from parity_match where {alive} order by legacy_place offset 0) m
join raw.{legacy} l on l.ctid = m.legacy_place
join raw.{unified} u on u.ctid = m.unified_place"""
_ALIVE = "in_legacy and in_unified and legacy_deleted = unified_deleted"
# Not "values (...), (...)": PostgreSQL would prepare each of its expressions anew for every record.
_FIELD = "select '{field}', {old}, {new} where {normal_old} is distinct from {normal_new}"
# Key by key, and only where the objects differ as text.
_OBJECT = """
insert into parity_field
select m.key, {late}, f.field, f.legacy, f.unified
{pairs}
cross join lateral (
    select '{field}.' || coalesce(o.key, n.key), {old}, {new}
    from jsonb_each_text({old_object}) o full join jsonb_each_text({new_object}) n on o.key = n.key
    where {old} is distinct from {new}
) f (field, legacy, unified)
where l.{legacy} is distinct from u.{unified};
"""
# The readers write valid JSON; the one thing in it that jsonb cannot hold is NUL, which is compared as U+FFFD.
_JSONB = r"""case when strpos({value}, '\u0000') = 0 then {value}::jsonb
             else regexp_replace({value}, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb end"""
# The newest of a record's other places. For a tracked entity, which may stand in several partitions, only one in which
# the side that has it here does not have it too: being enrolled twice explains nothing.
_ELSEWHERE = """
insert into parity_elsewhere
select distinct on (m.key) m.key, t._partition, {deleted}, t._source_updated_at
from parity_match m
join raw.{lacking} t on t.{key} = m.key
where m.{present} and not m.{absent} and coalesce(m.{updated}, '-infinity') < {since} and t._partition {where}
  and not exists (select from parity_elsewhere e where e.key = m.key)
  and not exists (select from raw.{having} h where h._partition = t._partition and h.{having_key} = m.key)
order by m.key, t._source_updated_at desc nulls last, t._load_id desc
"""
_NEAR = 45
"""Days around a partition in which a record is looked for first: by the index, not through the whole table."""


def late(loads: Loads) -> str:
    """SQL: of a record that both sides have, one changed after the other side was read.

    Only where its change time is newer: the same version with other values is a difference, whenever it was read. A
    change time as late as the moment when reading began may have come after it.
    """
    legacy, unified = instant(loads.legacy.read_at), instant(loads.unified.read_at)
    return f"""coalesce(m.unified_updated > m.legacy_updated and m.unified_updated >= {legacy}, false)
            or coalesce(m.legacy_updated > m.unified_updated and m.legacy_updated >= {unified}, false)"""


def find_fields(connection: Connection[Any], compared: Compared, loads: Loads) -> None:
    """Fill ``parity_field``: a row a record that both sides have alive and field in which it differs."""
    pairs = _PAIRS.format(
        legacy=compared.relation(Pipeline.LEGACY), unified=compared.relation(Pipeline.UNIFIED), alive=_ALIVE
    )
    common = {"pairs": pairs, "late": late(loads)}
    plain = [f for f in compared.values if f.spelling is not Spelling.VALUES and f.name != "deleted"]
    objects = [f for f in compared.values if f.spelling is Spelling.VALUES]
    statement = _FIELDS.format(
        fields=" union all ".join(_field(f) for f in plain),
        objects="".join(_object(f, common) for f in objects),
        **common,
    )
    connection.execute(statement.encode())


def _field(field: Field) -> str:
    return _FIELD.format(
        field=field.name,
        old=_text(field, Pipeline.LEGACY),
        new=_text(field, Pipeline.UNIFIED),
        normal_old=normal(field, Pipeline.LEGACY, "l"),
        normal_new=normal(field, Pipeline.UNIFIED, "u"),
    )


def _object(field: Field, common: Mapping[str, str]) -> str:
    return _OBJECT.format(
        field=field.name,
        legacy=field.legacy,
        unified=field.unified,
        old=EMPTY_VALUE.sql(Pipeline.LEGACY, "o.value"),
        new=EMPTY_VALUE.sql(Pipeline.UNIFIED, "n.value"),
        old_object=_JSONB.replace("{value}", f"l.{field.legacy}"),
        new_object=_JSONB.replace("{value}", f"u.{field.unified}"),
        **common,
    )


def _text(field: Field, side: Pipeline) -> str:
    """A value in its one spelling, as text to compare and to show."""
    value = normal(field, side, "l" if side is Pipeline.LEGACY else "u")
    if field.spelling is Spelling.INSTANT:
        return f"""to_char({value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    return f"{value}::text" if field.spelling is Spelling.FLAG else value


def find_elsewhere(connection: Connection[Any], compared: Compared, loads: Loads) -> None:
    """Fill ``parity_elsewhere``: where the side that lacks a record here holds it in another partition.

    Records that changed after that side was read are not looked for: they are late wherever they are.
    """
    connection.execute(
        b"""create temporary table parity_elsewhere
                (key text collate "C" primary key, partition date, deleted boolean, updated timestamptz) on commit drop"""
    )
    lone = connection.execute(
        b"""select coalesce(bool_or(not in_unified), false), coalesce(bool_or(not in_legacy), false)
            from parity_match where key is not null"""
    ).fetchone()
    assert lone is not None  # noqa: S101 - an aggregate always returns one row
    day = f"'{compared.partition.isoformat()}'::date"
    near = f"between {day} - {_NEAR} and {day} + {_NEAR}"
    for lacking, any_lone in zip((Pipeline.UNIFIED, Pipeline.LEGACY), lone, strict=True):
        if any_lone:
            for where in (f"<> {day} and t._partition {near}", f"not {near}"):
                connection.execute(_elsewhere(compared, lacking, where, loads.of(lacking).read_at).encode())


def _elsewhere(compared: Compared, lacking: Pipeline, where: str, since: datetime | None) -> str:
    having = Pipeline.LEGACY if lacking is Pipeline.UNIFIED else Pipeline.UNIFIED
    deleted = next(f for f in compared.fields if f.name == "deleted")
    return _ELSEWHERE.format(
        deleted=normal(deleted, lacking, "t"),
        lacking=compared.relation(lacking),
        key=compared.key.column(lacking),
        present=f"in_{having.value}",
        absent=f"in_{lacking.value}",
        updated=f"{having.value}_updated",
        where=where,
        since=instant(since) if since else "'infinity'",
        having=compared.relation(having),
        having_key=compared.key.column(having),
    )
