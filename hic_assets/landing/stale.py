"""Which loaded partitions no longer hold what the source says it has: by key, day, change time and deletion.

Belongs here: the comparison, one SQL statement, whoever asked the source. Does not: asking it, loading anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql

from hic_assets.landing.table import Table

_ASKED = "create temporary table asked (key text, day date, updated_at timestamptz, deleted boolean) on commit drop"

_INSTANT = "%Y-%m-%dT%H:%M:%S%.6f%z"

_STALE = """
with loaded as (
    select window_start, window_end, source_read_at from ops.load
    where system = {system} and table_name = {name} and is_current and window_start is not null
), said as (
    select a.key, l.window_start as partition, max(a.updated_at) as updated_at, bool_or(a.deleted) as deleted,
           max(l.source_read_at) as read_at
    from asked a join loaded l on a.day >= l.window_start and a.day < l.window_end
    group by 1, 2
), refused as (
    -- Rows that were refused before their key was kept beside them have it in their text, if anywhere.
    select coalesce(q.row_key, ops.json_member(q.row_text, array[{key_name}]),
                    ops.json_member(q.row_text, {source_path})) as key,
           l.window_start as partition, l.source_read_at as read_at
    from ops.quarantine q join ops.load l using (load_id)
    where l.system = {system} and l.table_name = {name} and l.is_current
), differing as (
    select s.partition, case when r.{key} is null then 'missing' when r.deleted is distinct from s.deleted::text
                             and (s.deleted or r.deleted = 'true') then 'deleted' else 'changed' end as why, s.updated_at
    from said s left join {relation} r on r._partition = s.partition and r.{key} = s.key
    -- What waits in quarantine is not missing, until it is changed at the source: in that of its own partition, or of any
    -- other that the source lists it under, where its own was read since too and did not bring it.
    where (r.{key} is null and not exists (
              select from refused x where x.key = s.key
                and (x.partition = s.partition or s.updated_at is null or s.read_at is null or s.updated_at < s.read_at)
                and (s.updated_at is null or x.read_at is null or s.updated_at < x.read_at)))
       or r._source_updated_at < s.updated_at
       or (r.{key} is not null and coalesce(r.deleted, 'false') <> coalesce(s.deleted, false)::text)
    union all
    select r._partition, 'gone', (select max(a.updated_at) from asked a where a.key = r.{key})
    from {relation} r join loaded l on l.window_start = r._partition
    where {in_doubt} and not exists (select from said s where s.key = r.{key} and s.partition = r._partition)
)
select partition, why, count(*), max(updated_at) from differing group by 1, 2 order by 1, 2
"""
# Of keys that were asked for, all places where they are held are in doubt.
_KEYS_ASKED = "exists (select from asked a where a.key = r.{key})"
# A whole window was asked for: what is held of it and was not said is gone.
_WINDOW_ASKED = "r._partition >= {start} and r._partition < {end}"


@dataclass(frozen=True)
class Stale:
    """One partition that must be loaded again: how many rows are missing, changed, deleted or gone at the source.

    ``newest``: the newest change time of these, as far as the source told any.
    """

    partition: date
    why: dict[str, int]
    newest: datetime | None = None


def stale_partitions(
    connection: Connection[Any],
    table: Table,
    said: Iterable[pl.DataFrame],
    window: tuple[date, date] | None = None,
    source_path: Sequence[str] = (),
) -> list[Stale]:
    """Loaded partitions that differ from what the source ``said``: frames of key, day, updated_at and deleted.

    ``window``: the frames are all keys the source has from its first day to before its last (whole partitions), so
    what is held there besides is gone. Without it they are some keys, and only these are judged. Partitions that were
    never loaded are left alone: a first load is a person's decision. ``source_path``: where the source has the key, for
    rows that were refused before they were rows of the table; by default its name in camel case.
    """
    (key,) = table.keys
    camel = re.sub(r"_(.)", lambda found: found[1].upper(), key)
    names = {
        "system": sql.Literal(table.system),
        "name": sql.Literal(table.name),
        "relation": sql.Identifier("raw", table.relation),
        "key": sql.Identifier(key),
        "key_name": sql.Literal(key),
        "source_path": sql.Literal(list(source_path) or [camel]),
    }
    doubt = sql.SQL(_WINDOW_ASKED if window else _KEYS_ASKED).format(
        key=names["key"], **({"start": sql.Literal(window[0]), "end": sql.Literal(window[1])} if window else {})
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_ASKED)
        with cursor.copy("copy asked (key, day, updated_at, deleted) from stdin (format csv)") as copy:
            for frame in said:
                columns = frame.select("key", "day", "updated_at", "deleted")
                copy.write(columns.write_csv(include_header=False, datetime_format=_INSTANT).encode())
        cursor.execute("analyze asked")
        found = cursor.execute(sql.SQL(_STALE).format(in_doubt=doubt, **names)).fetchall()
    stale: dict[date, dict[str, int]] = {}
    newest: dict[date, datetime] = {}
    for partition, why, rows, at in found:
        stale.setdefault(partition, {})[why] = rows
        if at is not None:
            newest[partition] = max(at, newest.get(partition, at))
    return [Stale(partition, reasons, newest.get(partition)) for partition, reasons in stale.items()]
