"""``hic dev``: the Dagster UI and daemon on the warehouse, with the sandbox where no system is set."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hic_assets.cli import dagster_dev, manifest
from hic_assets.cli.dead_runs import cancel_launched_runs, close_dead_runs, close_launched_runs
from hic_assets.cli.dev_lock import only_dev
from hic_assets.cli.environment import open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import Steps
from hic_assets.cli.sandbox_process import left_out, sandbox_options, sources
from hic_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance

STOPPED = "'hic dev' was stopped."
SHOWN = 5
"""Left-over runs that are named."""


def check_port(host: str, port: int) -> None:
    """Raise CommandError if somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"port {port} on {host} is taken ({error.strerror}): another 'hic dev' may be running; "
                f"stop it, or choose another with --port."
            ) from None


@click.command(name="dev")
@click.option("--port", default=3000, show_default=True, help="Port of the UI.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the UI has no login.")
@click.option("--scale", default=0.1, show_default=True, help="Size of the sandbox's country (1 is national).")
def command(port: int, host: str, scale: float) -> None:
    """Bring up the Dagster UI with its daemon: materialise, backfill, look at checks and lineage.

    Ctrl-C stops it and cancels the runs under way; what is queued waits for the next start. Runs left over by one that
    was killed are closed at the next start. Exit code 3 when another one runs on the same warehouse.
    """
    check_port(host, port)
    steps = Steps()
    with steps.step("PostgreSQL") as step:
        environment = open_environment()
        step.done(f"PostgreSQL at {environment.warehouse.redacted}")
    url = f"http://{host}:{port}"
    with only_dev(environment.warehouse, url) as lock:
        with steps.step("dbt project"):
            manifest.ensure()
        with steps.step("Runs left over") as step:
            step.done(_left_over(environment.warehouse))
        with sources(sandbox_options(scale), environment.home / "logs" / "sandbox.log") as (source, systems):
            click.echo(f"  Reading {source}", err=True)
            if words := left_out(systems):
                click.echo(f"  {words}", err=True)
            click.echo(f"  UI at {url} (Ctrl-C stops it and cancels its runs)", err=True)
            _run_dagster(host, port, lock)


def _left_over(warehouse: Warehouse) -> str:
    """Close the runs of those that were killed before us; says what was done."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        demos = close_dead_runs(instance, warehouse)
        dead = close_launched_runs(instance)
    if not demos and not dead:
        return "No runs left over"
    jobs = ", ".join(f"{run.job_name} {run.run_id[:8]}" for run in dead[:SHOWN])
    more = f" and {len(dead) - SHOWN} more" if len(dead) > SHOWN else ""
    said = [f"{len(demos)} of a killed 'hic demo' closed as failed"] if demos else []
    if dead:
        said.append(
            f"{len(dead)} of a killed 'hic dev' closed ({jobs}{more}): Dagster starts once more what was not being canceled"
        )
    return f"Runs left over: {'; '.join(said)}"


def _run_dagster(host: str, port: int, lock: int) -> None:
    """Run Dagster until it ends or we are asked to; its runs end with it, as canceled."""
    process = dagster_dev.started(host, port, keep=[lock])
    try:
        # Not wait(): Polars has the system take up its interrupted calls again, and Ctrl-C would wait for ever.
        while (code := process.poll()) is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        code = 0
    finally:
        # Whatever happens on the way, and however often Ctrl-C is pressed: no process is left behind.
        try:
            _in_books(_cancel)
        finally:
            dagster_dev.end(process)
            _in_books(_close_rest)
    if code:
        raise CommandError(f"dagster dev ended with exit code {code}", exit_code=1)


def _cancel(instance: DagsterInstance) -> None:
    cancel_launched_runs(instance, STOPPED)


def _close_rest(instance: DagsterInstance) -> None:
    for run in close_launched_runs(instance, STOPPED, canceled=True):
        click.echo(f"  Canceled: run {run.run_id[:8]} of {run.job_name}", err=True)


def _in_books(change: Callable[[DagsterInstance], None]) -> None:
    """Change Dagster's books if they can be reached: PostgreSQL may have been stopped before us."""
    import dagster as dg

    try:
        with dg.DagsterInstance.get() as instance:
            change(instance)
    except Exception as error:  # of whatever library: the processes must be ended all the same
        first = next(iter(str(error).splitlines()), type(error).__name__)
        click.echo(f"  Its runs could not be closed ({first}): the next 'hic dev' will.", err=True)
