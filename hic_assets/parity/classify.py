"""What each differing record is: missing, other value, deleted on one side, elsewhere, or changed since (late).

Belongs here: the order in which explanations are tried, as one SQL statement. Does not: finding the facts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from psycopg import Connection

from hic_assets.parity.detail import late
from hic_assets.parity.loads import Compared, Loads, instant
from hic_assets.parity.rules import EMPTY_VALUE, PURGED, normal
from hic_assets.systems.declare import Pipeline

# A class, or the name of the rule by which the record is no difference after all.
_CLASSES = """
create temporary table parity_class on commit drop as
select m.key, m.legacy_updated, m.unified_updated, e.partition as other_partition,
    case
        when m.in_legacy and m.in_unified then case
            when m.legacy_deleted = m.unified_deleted and f.key is null then '{empty_value}'
            when {late} then 'late'
            when m.legacy_deleted = m.unified_deleted then 'value_differs'
            when m.unified_deleted then 'deleted_in_unified'
            else 'deleted_in_legacy' end
        when m.in_unified then case
            when m.unified_updated >= {legacy_read} then 'late'
            when e.updated > m.unified_updated and e.updated >= {unified_read} then 'late'
            when m.unified_deleted and not coalesce(e.deleted, false) then case
                when e.key is null and {legacy_purged} then '{purged}' else 'deleted_in_unified' end
            when e.key is null then 'missing_in_legacy'
            when e.deleted and not m.unified_deleted then 'deleted_in_legacy'
            else 'other_partition' end
        else case
            when m.legacy_updated >= {unified_read} then 'late'
            when e.updated > m.legacy_updated and e.updated >= {legacy_read} then 'late'
            when m.legacy_deleted and not coalesce(e.deleted, false) then case
                when e.key is null and {unified_purged} then '{purged}' else 'deleted_in_legacy' end
            when e.key is null then 'missing_in_unified'
            when e.deleted and not m.legacy_deleted then 'deleted_in_unified'
            else 'other_partition' end
    end as class
from parity_match m
left join parity_elsewhere e on e.key = m.key
left join (select distinct key from parity_field) f on f.key = m.key
where m.key is not null;
create index on parity_class (class, key);
create index on parity_class (key);
analyze parity_class
"""
# Whether a load read no earlier than this side's holds a tombstone that the other side's reading is younger than: a purge
# in between would have erased it too.
_OLDER_TOMBSTONE = """
select exists (
    select from ops.load l
    where l.relation = '{relation}' and l.is_current and l.deleted > 0 and l.source_read_at >= {read}
      and exists (select from raw.{relation} t
                  where t._partition = l.window_start and t._source_updated_at < {other_read} and {deleted}))
"""


def classify(connection: Connection[Any], compared: Compared, loads: Loads) -> Counter[str]:
    """Fill ``parity_class`` and count records by class, or by the rule that makes them no difference."""
    statement = _CLASSES.format(
        empty_value=EMPTY_VALUE.name,
        purged=PURGED.name,
        late=late(loads),
        legacy_read=instant(loads.legacy.read_at),
        unified_read=instant(loads.unified.read_at),
        legacy_purged=_may_be_purged(connection, compared, loads, Pipeline.LEGACY),
        unified_purged=_may_be_purged(connection, compared, loads, Pipeline.UNIFIED),
    )
    connection.execute(statement.encode())
    found = connection.execute(b"select class, count(*) from parity_class group by class").fetchall()
    return Counter(dict(found))


def _may_be_purged(connection: Connection[Any], compared: Compared, loads: Loads, side: Pipeline) -> bool:
    """Whether tombstones that only the other side has may have been erased before this side was read."""
    other = Pipeline.UNIFIED if side is Pipeline.LEGACY else Pipeline.LEGACY
    read, other_read = loads.of(side).read_at, loads.of(other).read_at
    if read is None or other_read is None:
        return True
    lone = f"in_{other.value} and not in_{side.value} and {other.value}_deleted"
    if read <= other_read or not _exists(connection, f"select exists (select from parity_match where {lone})"):
        return False
    statement = _OLDER_TOMBSTONE.format(
        relation=compared.relation(side),
        read=instant(read),
        other_read=instant(other_read),
        deleted=normal(next(f for f in compared.fields if f.name == "deleted"), side, "t"),
    )
    return not _exists(connection, statement)


def _exists(connection: Connection[Any], query: str) -> bool:
    return connection.execute(query.encode()).fetchone() == (True,)
