"""``hic stop``: stop the embedded PostgreSQL."""

from __future__ import annotations

import click

from hic_assets.cli.output import as_json, show_json
from hic_assets.settings import Settings
from hic_assets.warehouse import embedded


@click.command(name="stop")
@as_json
def command(json_output: bool) -> None:
    """Stop the embedded PostgreSQL; its data stays. A server of HIC_WAREHOUSE_URL is left alone."""
    stopped = embedded.stop(Settings().home)
    if json_output:
        show_json({"stopped": bool(stopped)})
    else:
        click.echo("Stopped." if stopped else "It was not running.")
