"""Records of tracker programmes as landed, in either pipeline's tables, and the ledger rows of their partitions.

Belongs here: putting rows there. Does not: what staging and marts should make of them (the tests say that).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind
from hic_assets.systems.declare import Cadence, Pipeline, Programme

Row = Mapping[str, Any]
LEGACY, UNIFIED = Pipeline.LEGACY, Pipeline.UNIFIED
_NOON = "12:00+00"


def relation(programme: Programme, kind: Kind, pipeline: Pipeline) -> str:
    """Name of a programme's raw table."""
    return f"{'u_' if pipeline is UNIFIED else ''}{programme.tables}_{kind.value}"


def week_of(day: str) -> str:
    """The Monday of a day's ISO week."""
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()


def put(
    connection: psycopg.Connection[Any],
    programme: Programme,
    kind: Kind,
    rows: Iterable[Row],
    *,
    pipeline: Pipeline = UNIFIED,
    partition: str,
    load_id: int = 1,
) -> None:
    """Append records, given by the unified names; values as a dict. `updated`: the day of the last change."""
    table = relation(programme, kind, pipeline)
    then = {new.column: old.column for new, old in zip(MEMBERS[kind], LEGACY_MEMBERS[kind], strict=True)}
    known = {member.column for member in MEMBERS[kind] if member.form is not Form.INSTANT} | {"updated"}
    for row in rows:
        if unknown := set(row) - known:
            raise ValueError(f"raw.{table} has no column {sorted(unknown)}")
        stored = {then[c] if pipeline is LEGACY else c: _text(v) for c, v in row.items() if c != "updated"}
        stored |= {"_partition": partition, "_load_id": load_id}
        stored["_source_updated_at"] = f"{row.get('updated', partition)} {_NOON}"
        names = sql.SQL(", ").join(map(sql.Identifier, stored))
        places = sql.SQL(", ").join(sql.Placeholder() * len(stored))
        into = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier("raw", table), names, places)
        connection.execute(into, list(stored.values()))


def empty(
    connection: psycopg.Connection[Any], programme: Programme, kind: Kind, partition: str, pipeline: Pipeline = UNIFIED
) -> None:
    """Take a partition's rows away, as landing does before it copies the new ones."""
    table = sql.Identifier("raw", relation(programme, kind, pipeline))
    connection.execute(sql.SQL("delete from {} where _partition = %s").format(table), [partition])


def note_loads(
    connection: psycopg.Connection[Any],
    system: str,
    programme: Programme,
    partitions: Iterable[str],
    pipeline: Pipeline = UNIFIED,
) -> None:
    """Say in the ledger that enrolments and events of these partitions are loaded."""
    length = timedelta(weeks=1) if programme.cadence is Cadence.WEEKLY else timedelta(days=31)
    for partition in partitions:
        for kind in (Kind.ENROLLMENTS, Kind.EVENTS):
            name = relation(programme, kind, pipeline)
            start = date.fromisoformat(partition)
            unified = pipeline is UNIFIED
            table = ("u_" if unified else "") + name.removeprefix("u_").removeprefix(f"{system}_")
            connection.execute(
                "insert into ops.load (load_id, system, table_name, partition_key, window_start, window_end, status,"
                " is_current, finished_at) overriding system value"
                " select coalesce(max(load_id), 0) + 1, %s, %s, %s, %s, %s, 'committed', true, '2026-08-01 06:00+00'"
                " from ops.load",
                [system, table, partition, start, start + length],
            )


def switch(connection: psycopg.Connection[Any], programme: Programme, pipeline: Pipeline) -> None:
    """Cut a programme over, or back, as `hic cutover` does."""
    connection.execute(
        "insert into ops.cutover (programme, by_whom, action) values (%s, 'a test', %s)",
        [programme.name, pipeline.value],
    )


def _text(value: Any) -> Any:
    return (
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if isinstance(value, dict)
        else value
    )
