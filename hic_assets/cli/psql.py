"""``hic psql``: a psql prompt on the warehouse."""

from __future__ import annotations

import os
import shutil

import click

from hic_assets.cli.environment import open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.settings import Settings
from hic_assets.warehouse import Warehouse, existing_warehouse
from hic_assets.warehouse.binaries import client_directory


@click.command(name="psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse; ARGUMENTS go to psql, e.g. -c 'select …' or --csv -c 'select …'."""
    warehouse = existing_warehouse(Settings()) or _own_server()
    warehouse.connect(connect_timeout=5).close()
    program = shutil.which("psql") or str(client_directory() / "psql")
    if not os.access(program, os.X_OK):
        raise CommandError("no psql found: install PostgreSQL's client programs.")
    os.execve(program, ["psql", *arguments], {**os.environ, **warehouse.env()})  # noqa: S606 - the user's own arguments


def _own_server() -> Warehouse:
    """The embedded server, started if there is one: looking must make nothing, least of all on somebody's server."""
    if not (Settings().home / "postgres").exists():
        raise CommandError("there is no warehouse here yet: 'hic demo' or 'hic dev' makes one.")
    click.echo("Starting PostgreSQL; 'hic stop' stops it.", err=True)
    return open_environment().warehouse
