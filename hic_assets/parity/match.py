"""First phase: one pass over both sides' rows, keys and hashes only. What is equal is counted, what is not is kept.

Belongs here: the SQL that finds the keys that differ. Does not: in what they differ (``detail``), nor what that means
(``classify``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from hic_assets.parity.loads import Compared
from hic_assets.parity.rules import BOTH_DELETED, RENAMED, VALUE_RULES, normal, traces
from hic_assets.systems.declare import Pipeline

# For this transaction only. The hashes are what costs, so workers compute them whatever the planner believes it costs
# to hand rows on; the join itself, of keys and hashes, is the leader's: a parallel one would need shared memory by
# the hundred megabytes, which containers do not have. What exceeds work_mem goes to disk.
SETTINGS = """
set local work_mem = '64MB';
set local jit = off;
set local enable_parallel_hash = off;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
"""

# Rows that are equal fall into a handful of groups by the rules they needed; each other row is a group of its own. The
# planner cannot know how few that makes, and would sort them all. A row's place in its table leads back to it, in this
# snapshot, without another pass. "offset 0" keeps PostgreSQL from moving the hashes above the join, where they would be
# computed many times.
_MATCH = """
set local enable_sort = off;
create temporary table parity_match on commit drop as
with legacy as ({legacy}), unified as ({unified}),
joined as (
    select coalesce(l.key, u.key) as key, l.key is not null as in_legacy, u.key is not null as in_unified,
           l.deleted as legacy_deleted, u.deleted as unified_deleted,
           l.updated as legacy_updated, u.updated as unified_updated, l.place as legacy_place, u.place as unified_place,
           coalesce(l.hash = u.hash or (l.deleted and u.deleted), false) as same,
           case when l.hash <> u.hash then {deleted_bit} else {traces} end as rules
    from legacy l full join unified u on l.key = u.key
    offset 0
)
select case when not same then key end as key, in_legacy, in_unified, case when same then rules end as rules,
       case when not same then legacy_deleted end as legacy_deleted,
       case when not same then unified_deleted end as unified_deleted,
       case when not same then legacy_updated end as legacy_updated,
       case when not same then unified_updated end as unified_updated,
       case when not same then legacy_place end as legacy_place,
       case when not same then unified_place end as unified_place,
       count(*) as records
from joined group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
set local enable_sort to default;
analyze parity_match
"""
_SIDE = """
    select t.{key} collate "C" as key, t.ctid as place, {deleted} as deleted, t._source_updated_at as updated,
           hash_record_extended(row({values}), 0) as hash, {traces}
    from raw.{relation} t where t._partition = '{day}' offset 0
"""
_DELETED_BIT = 1 << len(VALUE_RULES)


@dataclass(frozen=True)
class Matched:
    """What the first phase counted: rows of each side, records that are equal and not, by which rules some of them are."""

    legacy_rows: int
    unified_rows: int
    matched: int
    unequal: int
    rules: dict[str, int]


def match(connection: Connection[Any], compared: Compared) -> Matched:
    """Fill the temporary table ``parity_match`` and say what is equal."""
    connection.execute(SETTINGS.encode())
    terms = [f"((l.trace_{i} <> u.trace_{i})::int << {i})" for i in range(len(VALUE_RULES))]
    statement = _MATCH.format(
        legacy=_side(compared, Pipeline.LEGACY),
        unified=_side(compared, Pipeline.UNIFIED),
        deleted_bit=_DELETED_BIT,
        traces=" + ".join(terms),
    )
    connection.execute(statement.encode())
    return _counted(connection)


def _side(compared: Compared, side: Pipeline) -> str:
    """One side's keys, hashes of the normalised rows, and traces of how they were spelled."""
    values = compared.values
    deleted = next(f for f in values if f.name == "deleted")
    return _SIDE.format(
        key=compared.key.column(side),
        deleted=normal(deleted, side, "t"),
        values=", ".join(normal(f, side, "t") for f in values),
        traces=", ".join(f"{traces(rule, values, side, 't')} as trace_{i}" for i, rule in enumerate(VALUE_RULES)),
        relation=compared.relation(side),
        day=compared.partition.isoformat(),
    )


def _counted(connection: Connection[Any]) -> Matched:
    bits = {rule.name: 1 << i for i, rule in enumerate(VALUE_RULES)} | {BOTH_DELETED.name: _DELETED_BIT}
    by_rule = ", ".join(f"coalesce(sum(records) filter (where rules & {bit} > 0), 0)" for bit in bits.values())
    found = connection.execute(
        f"""select coalesce(sum(records) filter (where in_legacy), 0), coalesce(sum(records) filter (where in_unified), 0),
                   coalesce(sum(records) filter (where key is null), 0),
                   coalesce(sum(records) filter (where key is not null), 0), {by_rule} from parity_match""".encode()
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate always returns one row
    legacy, unified, matched, unequal, *counts = map(int, found)
    rules = {name: count for name, count in zip(bits, counts, strict=True) if count}
    return Matched(legacy, unified, matched, unequal, ({RENAMED.name: matched} if matched else {}) | rules)
