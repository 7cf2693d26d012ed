"""``hic quarantine``: which rows did not land, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.systems import SYSTEMS
from hic_assets.warehouse import Warehouse

QUERY = """
select l.system, l.table_name as "table", l.partition_key as partition, q.rule, count(*) as rows, min(q.reason) as for_example
from ops.quarantine q join ops.load l using (load_id)
where l.is_current and (%(relation)s::text is null or l.relation = %(relation)s)
group by 1, 2, 3, 4 order by 1, 2, 3, 5 desc
"""
LEDGER = "select distinct table_name as name, relation from ops.load"


@dataclass(frozen=True)
class Known:
    """A raw table: its name within its system, and in schema raw, where it is unique."""

    name: str
    relation: str


@click.command(name="quarantine")
@click.option(
    "--table", help="Only this table: raw.hmis_data_values, hmis_data_values or, where one has it, data_values."
)
@as_json
def command(table: str | None, json_output: bool) -> None:
    """Count the rows in quarantine by table, partition and rule; the rows themselves are in ops.quarantine."""
    warehouse = running_warehouse()
    relation = None
    if table is not None:
        declared = {Known(feed.table.name, feed.table.relation) for system in SYSTEMS for feed in system.feeds}
        relation = relation_of(table, declared | {Known(**row) for row in _rows(warehouse, LEDGER)})
    found = _rows(warehouse, QUERY, relation=relation)
    if json_output:
        show_json(found)
    elif found:
        show_table("In quarantine", ("system", "table", "partition", "rule", "rows", "for_example"), found)
    else:
        click.echo(f"Nothing is in quarantine{f' of raw.{relation}' if relation else ''}.")


def relation_of(given: str, known: Iterable[Known]) -> str:
    """The relation in schema raw that is meant: by that name, with or without the schema, or by a name that one has.

    Raises:
        click.BadParameter: none is meant, or several; with the names that may have been.
    """
    asked = given.strip().lower().removeprefix("raw.").removeprefix("raw/")
    tables = list(known)
    if asked in (relations := {table.relation for table in tables}):
        return asked
    meant = sorted({table.relation for table in tables if table.name == asked})
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = ", ".join(f"raw.{relation}" for relation in meant)
        raise click.BadParameter(f"{given!r} is the name of {len(meant)} tables: {names}.", param_hint="--table")
    close = difflib.get_close_matches(asked, sorted(relations | {table.name for table in tables}), n=5)
    advice = f"did you mean {', '.join(close)}?" if close else "'hic status' lists what is loaded."
    raise click.BadParameter(f"there is no table {given!r}: {advice}", param_hint="--table")


def _rows(warehouse: Warehouse, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Rows of a query; none where nothing was ever loaded."""
    with warehouse.connect() as connection:
        try:
            return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
        except UndefinedTable:
            return []
