"""Questions about what landed, each one SQL statement and a verdict; nothing of Dagster here.

Every question is asked of *scope*: the partitions that a run has just loaded, or all current ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from hic_assets.landing.table import Table
from hic_assets.systems.declare import Cadence, Feed
from hic_assets.warehouse import Warehouse

SAMPLE = 20


@dataclass(frozen=True)
class Verdict:
    """An answer: whether it is good, in one sentence, with the numbers and the first offending rows."""

    passed: bool
    words: str
    numbers: dict[str, int | float | str] = field(default_factory=dict)
    rows: Sequence[dict[str, Any]] = ()
    grave: bool = False
    """A 'no' that is an error, where the question itself does not say how bad one is."""


def scope(warehouse: Warehouse, table: Table, run_id: str | None) -> list[int]:
    """Current loads that this run made; all current loads when it made none (a check launched by itself)."""
    with warehouse.connect() as connection:
        found = connection.execute(
            "select load_id, run_id from ops.load where system = %s and table_name = %s and is_current order by 1",
            (table.system, table.name),
        ).fetchall()
    mine = [load for load, run in found if run_id and run == run_id]
    return mine or [load for load, _ in found]


def accounting(warehouse: Warehouse, table: Table, loads: Sequence[int]) -> Verdict:
    """Is every row that was read landed, quarantined or a duplicate, and is what landed still there?"""
    rows = _ask(
        warehouse,
        """with held as (
             select _load_id as load_id, count(*) as held from {table}
             where _load_id = any(%(loads)s) {of_partitions} group by 1
           ), kept as (
             select load_id, count(*) as kept from ops.quarantine where load_id = any(%(loads)s) group by 1
           ), asked as (
             select load_id, sum(rows) as asked from ops.load_slice where load_id = any(%(loads)s) group by 1
           )
           select coalesce(l.partition_key, 'snapshot') as partition, l.rows_read as read, l.landed, l.quarantined,
                  l.duplicates, coalesce(h.held, 0) as in_table, coalesce(k.kept, 0) as in_quarantine,
                  coalesce(a.asked, 0)::bigint as received
           from ops.load l left join held h using (load_id) left join kept k using (load_id) left join asked a using (load_id)
           where l.load_id = any(%(loads)s)
             and (l.rows_read <> l.landed + l.quarantined + l.duplicates or l.landed <> coalesce(h.held, 0)
                  or l.quarantined <> coalesce(k.kept, 0) or l.rows_read <> coalesce(a.asked, 0))
           order by 1""",
        table,
        loads,
    )
    words = "Every row read is landed, quarantined or a duplicate, and stands where the ledger says."
    if rows:
        words = f"{len(rows)} of {len(loads)} loads do not add up."
    return Verdict(not rows, words, {"loads": len(loads)}, rows)


def volume(warehouse: Warehouse, table: Table, loads: Sequence[int]) -> Verdict:
    """Is a partition's volume within half and double the median of the other partitions around it?

    Not asked where they hold a handful of rows, whose number says nothing.
    """
    rows = _ask(
        warehouse,
        """select l.partition_key as partition, l.landed, o.median
           from ops.load l cross join lateral (
             select percentile_cont(0.5) within group (order by p.landed) as median, count(*) as partitions
             from ops.load p where p.system = l.system and p.table_name = l.table_name and p.is_current
               and p.partition_key <> l.partition_key
               and p.window_start between l.window_start - interval '12 months' and l.window_start + interval '12 months'
           ) o
           where l.load_id = any(%(loads)s) and o.partitions >= 3 and greatest(o.median, l.landed) >= 50
             and (l.landed < 0.5 * o.median or l.landed > 2 * o.median)
           order by 1""",
        table,
        loads,
    )
    words = (
        f"{len(rows)} of {len(loads)} partitions hold less than half or more than double of what their neighbours do."
    )
    return Verdict(
        not rows, words if rows else "Volumes agree with the partitions around.", {"partitions": len(loads)}, rows
    )


def due_month(today: date, due_days: int) -> date:
    """First day of the latest month that is due: ``due_days`` days have passed since it ended."""
    ended_by = today - timedelta(days=due_days)
    return (ended_by.replace(day=1) - timedelta(days=1)).replace(day=1)


def due_week(today: date, due_days: int) -> date:
    """Monday of the latest week that is due: ``due_days`` days have passed since it ended."""
    ended_by = today - timedelta(days=due_days)
    return ended_by - timedelta(days=ended_by.weekday() + 7)


def freshness(warehouse: Warehouse, feed: Feed, now: datetime) -> Verdict:
    """Is the latest partition that is due loaded (monthly, weekly), or the snapshot recent (registries)?

    ``now`` is in the calendar's time zone: its date says which month or week has ended.
    """
    table = feed.table
    weekly = feed.cadence is Cadence.WEEKLY
    due = (due_week if weekly else due_month)(now.date(), feed.due_days)
    with warehouse.connect() as connection:
        found = connection.execute(
            """select max(window_start), max(finished_at), coalesce(bool_or(window_start = %s), false) from ops.load
               where system = %s and table_name = %s and is_current""",
            (due, table.system, table.name),
        ).fetchone()
    latest, finished, due_is_there = found or (None, None, False)
    if feed.cadence is not Cadence.SNAPSHOT:
        words = f"Latest {'week' if weekly else 'month'} loaded: {latest or 'none'}; due by now: {due}" + (
            "." if due_is_there else ", missing."
        )
        return Verdict(due_is_there, words, {"latest": str(latest), "due": str(due)})
    age = None if finished is None else now - finished
    passed = age is not None and age <= timedelta(days=feed.due_days)
    words = (
        "Never loaded."
        if age is None
        else f"Loaded {age.total_seconds() / 3600:.1f} hours ago; due every {feed.due_days} days."
    )
    return Verdict(passed, words, {"finished_at": str(finished)})


def unknown(warehouse: Warehouse, table: Table, loads: Sequence[int], rule: str, column: str) -> Verdict:
    """Do reported values speak of facilities (data elements ...) that the registry does not have?"""
    rows = _ask(
        warehouse,
        """select q.row_text::json ->> %(column)s as id, count(*) as rows, count(distinct l.partition_key) as partitions
           from ops.quarantine q join ops.load l using (load_id)
           where q.load_id = any(%(loads)s) and q.rule = %(rule)s group by 1 order by 2 desc, 1 limit %(sample)s""",
        table,
        loads,
        rule=rule,
        column=column,
    )
    what = rule.removeprefix("unknown_").replace("_", " ")
    words = f"Every {what} is in the registry."
    if rows:
        words = f"Rows of at least {len(rows)} unknown {what}(s) wait in quarantine; they land once the registry knows them."
    return Verdict(not rows, words, {"ids": len(rows), "rows": sum(r["rows"] for r in rows)}, rows)


def registrations_against_values(
    warehouse: Warehouse, values: Table, registrations: Table, loads: Sequence[int], tolerance: float = 0.1
) -> Verdict:
    """Do reports marked complete hold values, and are reports with values marked complete? (contract 1.4, 1.12)"""
    rows = _ask(
        warehouse,
        """with held as (
             select distinct _partition, data_element, org_unit from {table}
             where _load_id = any(%(loads)s) {of_partitions} and deleted is distinct from 'true'
           ), reported as (
             select distinct v._partition, e.data_set, v.org_unit
             from held v
             join {elements} e using (data_element)
             join {units} u on u.data_set = e.data_set and u.org_unit = v.org_unit
           ), complete as (
             select distinct _partition, data_set, org_unit from {registrations}
             where completed is distinct from 'false' and _partition in (select _partition from reported)
           ), both_sides as (
             select coalesce(r._partition, c._partition) as partition, coalesce(r.data_set, c.data_set) as data_set,
                    r.org_unit is not null as has_values, c.org_unit is not null as is_complete
             from reported r full join complete c
               on r._partition = c._partition and r.data_set = c.data_set and r.org_unit = c.org_unit
           )
           select b.partition::text, coalesce(max(d.name), b.data_set) as data_set, count(*) as reports,
                  count(*) filter (where has_values and not is_complete) as values_not_complete,
                  count(*) filter (where is_complete and not has_values) as complete_without_values
           from both_sides b left join {data_sets} d on d.id = b.data_set
           group by b.partition, b.data_set
           having count(*) filter (where has_values <> is_complete) > %(tolerance)s * count(*)
           order by 1, 2 limit %(sample)s""",
        values,
        loads,
        names={
            "registrations": registrations.relation,
            "elements": f"{values.system}_data_set_elements",
            "units": f"{values.system}_data_set_org_units",
            "data_sets": f"{values.system}_data_sets",
        },
        tolerance=tolerance,
    )
    words = f"Registrations and values agree within {tolerance:.0%} in every data set and month."
    if rows:
        words = f"In {len(rows)} data sets and months more than {tolerance:.0%} of reports have values or a registration, not both."
    return Verdict(not rows, words, {"data_set_months": len(rows)}, rows)


def _ask(
    warehouse: Warehouse,
    question: str,
    table: Table,
    loads: Sequence[int],
    names: Mapping[str, str] | None = None,
    **parameters: Any,
) -> list[dict[str, Any]]:
    with warehouse.connect() as connection:
        days = _partitions(connection, loads)
        # Named, so that PostgreSQL reads the partitions in question and no others.
        limits = sql.SQL("and _partition in ({})").format(sql.SQL(", ").join(map(sql.Literal, days)))
        statement = sql.SQL(question).format(  # type: ignore[arg-type]
            table=sql.Identifier("raw", table.relation),
            of_partitions=limits if days else sql.SQL(""),
            **{name: sql.Identifier("raw", relation) for name, relation in (names or {}).items()},
        )
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(statement, {"loads": list(loads), "sample": SAMPLE, **parameters}).fetchall()


def partitions_of(warehouse: Warehouse, loads: Sequence[int]) -> list[date]:
    """First days of the partitions that loads are of, in order."""
    with warehouse.connect() as connection:
        return sorted(_partitions(connection, loads))


def _partitions(connection: Connection[Any], loads: Sequence[int]) -> list[date]:
    found = connection.execute(
        "select distinct window_start from ops.load where load_id = any(%s) and window_start is not null",
        (list(loads),),
    ).fetchall()
    return [row[0] for row in found]
