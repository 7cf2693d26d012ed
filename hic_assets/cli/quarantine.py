"""``hic quarantine``: which rows did not land, and why."""

from __future__ import annotations

import click
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row

from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.settings import Settings
from hic_assets.warehouse import existing_warehouse

QUERY = """
select l.system, l.table_name as "table", l.partition_key as partition, q.rule, count(*) as rows, min(q.reason) as for_example
from ops.quarantine q join ops.load l using (load_id)
where l.is_current and (%(table)s::text is null or l.table_name = %(table)s)
group by 1, 2, 3, 4 order by 1, 2, 3, 5 desc
"""


@click.command(name="quarantine")
@click.option("--table", help="Only this table, e.g. data_values.")
@as_json
def command(table: str | None, json_output: bool) -> None:
    """Count the rows in quarantine by table, partition and rule; the rows themselves are in ops.quarantine."""
    warehouse = existing_warehouse(Settings())
    if warehouse is None:
        raise CommandError("the embedded PostgreSQL is not running: 'hic demo' or 'hic dev' starts it.")
    with warehouse.connect() as connection:
        try:
            found = connection.cursor(row_factory=dict_row).execute(QUERY, {"table": table}).fetchall()
        except UndefinedTable:
            found = []
    if json_output:
        show_json(found)
    elif found:
        show_table("In quarantine", ("table", "partition", "rule", "rows", "for_example"), found)
    else:
        click.echo("Nothing is in quarantine.")
