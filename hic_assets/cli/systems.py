"""``hic systems``: every system of the country, how fresh what is held of it is, and whether something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from hic_assets.checks.questions import due_month, due_week
from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.cli.status import loaded
from hic_assets.extract.rest.moments import KIGALI
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence, Feed
from hic_assets.systems.national import National, national_systems

COLUMNS = ("system", "read_from", "cadence", "tables", "last_load", "lag_days", "rows", "quarantined", "state")
Loaded = Mapping[tuple[str, str], Mapping[str, Any]]


def lag_days(feed: Feed, held: Mapping[str, Any], at: datetime) -> int:
    """Days of what is due by now that are not loaded; 0 when nothing is owed. ``held``: the table's line of `loaded`."""
    if feed.cadence is Cadence.SNAPSHOT:
        age: timedelta = at - held["loaded_at"]
        return max(0, age.days - feed.due_days)
    due = (due_week if feed.cadence is Cadence.WEEKLY else due_month)(at.date(), feed.due_days)
    return max(0, (due - date.fromisoformat(held["last"])).days)


def line_of(national: National, tables: Loaded, at: datetime) -> dict[str, Any]:
    """One system: sums over its tables, the worst lag of any, and the worst state.

    States: FAILED (the latest load of a partition failed); never loaded; partly loaded (a table never was); behind (what
    is due is not there); ok.
    """
    held = {feed.table.name: tables.get((feed.table.system, feed.table.name)) for feed in national.feeds}
    current = [(f, t) for f in national.feeds if (t := held[f.table.name]) and t["loaded_at"]]
    lag = max((lag_days(feed, table, at) for feed, table in current), default=None)
    return {
        "system": national.name,
        "title": national.title,
        "read_from": ", ".join(server.name for server in national.servers),
        "cadence": ", ".join(c for c in Cadence if any(f.cadence is c for f in national.feeds)),
        "tables": len(national.feeds),
        "loaded_tables": len(current),
        "last_load": max((t["loaded_at"] for _, t in current), default=None),
        "lag_days": lag,
        "rows": sum(t["rows"] or 0 for _, t in current),
        "quarantined": sum(t["quarantined"] or 0 for _, t in current),
        "state": _state(len(national.feeds), len(current), lag, [t for t in held.values() if t]),
        "failures": {n: t["last_failure"] for n, t in held.items() if t and t["last_failure"]},
    }


def _state(tables: int, current: int, lag: int | None, held: Sequence[Mapping[str, Any]]) -> str:
    if any(table["last_failure"] for table in held):
        return "FAILED"
    if not current:
        return "never loaded"
    if current < tables:
        return "partly loaded"
    return "behind" if lag else "ok"


@click.command(name="systems")
@as_json
def command(json_output: bool) -> None:
    """List every system of the country: cadence, tables, last load, lag, rows and state.

    The lag is in days: of what is due by now and not loaded, in the table that is furthest behind. Exit code 1 when the
    latest load of any failed, 3 when PostgreSQL is not running: whether anything was loaded cannot be said then.
    """
    tables = loaded(running_warehouse())
    at = datetime.now(ZoneInfo(KIGALI))
    by_table = {(t["system"], t["table"]): t for t in tables}
    lines = [line_of(national, by_table, at) for national in national_systems(SYSTEMS)]
    if json_output:
        show_json(lines)
    else:
        shown = [{**line, "last_load": line["last_load"] and f"{line['last_load']:%Y-%m-%d %H:%M}"} for line in lines]
        show_table("The systems of the country", COLUMNS, shown)
        for line in lines:
            for table, why in line["failures"].items():
                click.echo(f"{line['system']} {table}: the latest load failed: {why}")
    if any(line["failures"] for line in lines):
        raise SystemExit(1)
