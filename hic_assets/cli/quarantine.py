"""``hic quarantine``: which rows did not land, and why."""

from __future__ import annotations

import click
from psycopg.rows import dict_row

from hic_assets.cli.environment import open_environment
from hic_assets.cli.output import as_json, show_json, show_table

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
    with open_environment().warehouse.connect() as connection:
        found = connection.cursor(row_factory=dict_row).execute(QUERY, {"table": table}).fetchall()
    if json_output:
        show_json(found)
    elif found:
        show_table("In quarantine", ("table", "partition", "rule", "rows", "for_example"), found)
    else:
        click.echo("Nothing is in quarantine.")
