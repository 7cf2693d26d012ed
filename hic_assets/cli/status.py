"""``hic status``: what is loaded, from the ledger."""

from __future__ import annotations

from typing import Any

import click
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row

from hic_assets.cli.errors import NOT_RUNNING, CommandError
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.settings import Settings
from hic_assets.systems import SYSTEMS
from hic_assets.warehouse import Warehouse, existing_warehouse

LOADED = """
select l.system, l.table_name as "table", l.relation,
       count(*) filter (where l.partition_key is not null and is_current) as partitions,
       min(l.partition_key) filter (where is_current) as first, max(l.partition_key) filter (where is_current) as last,
       sum(l.landed) filter (where is_current)::bigint as rows,
       sum(l.quarantined) filter (where is_current)::bigint as quarantined,
       max(l.finished_at) filter (where is_current) as loaded_at,
       max(l.source_watermark) filter (where is_current) as source_watermark,
       count(*) filter (where l.status = 'running') as running,
       (select f.error from ops.load f where f.system = l.system and f.table_name = l.table_name and f.status = 'failed'
          and f.load_id > all (select c.load_id from ops.load c where c.system = l.system and c.table_name = l.table_name
                                 and c.partition_key is not distinct from f.partition_key and c.is_current)
        order by f.load_id desc limit 1) as last_failure
from ops.load l group by 1, 2, 3 order by 1, 2
"""


def loaded(warehouse: Warehouse) -> list[dict[str, Any]]:
    """One row a table that was ever loaded."""
    with warehouse.connect() as connection:
        try:
            return connection.cursor(row_factory=dict_row).execute(LOADED).fetchall()
        except UndefinedTable:
            return []


@click.command(name="status")
@as_json
def command(json_output: bool) -> None:
    """Show what is loaded: a row a table, with its partitions, rows, quarantine, age and last failure.

    Exit code 1 when a table's latest load failed, 3 when the embedded PostgreSQL is not running: nothing is started to
    look, and what is loaded cannot be said.
    """
    warehouse = existing_warehouse(Settings())
    tables = [] if warehouse is None else loaded(warehouse)
    if json_output:
        names = [s.name for s in SYSTEMS]
        show_json({"warehouse": warehouse and warehouse.redacted, "systems": names, "tables": tables})
    elif warehouse is not None:
        _show(warehouse, tables)
    if warehouse is None:
        raise CommandError(NOT_RUNNING)
    if any(t["last_failure"] for t in tables):
        raise SystemExit(1)


def _show(warehouse: Warehouse, tables: list[dict[str, Any]]) -> None:
    if not tables:
        click.echo(f"Nothing is loaded in {warehouse.redacted} yet: 'hic demo' loads twelve months from the sandbox.")
        return
    columns = ("system", "table", "partitions", "first", "last", "rows", "quarantined", "loaded_at")
    shown = [{**t, "loaded_at": t["loaded_at"] and f"{t['loaded_at']:%Y-%m-%d %H:%M}"} for t in tables]
    show_table(f"Loaded in {warehouse.redacted}", columns, shown)
    for table in tables:
        if table["last_failure"]:
            click.echo(f"{table['system']} {table['table']}: the latest load failed: {table['last_failure']}")
