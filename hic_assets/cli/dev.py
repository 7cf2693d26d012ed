"""``hic dev``: the Dagster UI and daemon on the warehouse, with the sandbox where no system is set."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import click

from hic_assets.cli import manifest
from hic_assets.cli.environment import ROOT, Environment, open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import Steps
from hic_assets.cli.sandbox_process import sandbox_options, sources


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
    """Bring up the Dagster UI with its daemon: materialise, backfill, look at checks and lineage."""
    check_port(host, port)
    steps = Steps()
    with steps.step("PostgreSQL") as step:
        environment = open_environment()
        step.done(f"PostgreSQL at {environment.warehouse.redacted}")
    with steps.step("dbt project"):
        manifest.ensure()
    with sources(sandbox_options(scale), environment.home / "logs" / "sandbox.log") as (source, _):
        click.echo(f"  Reading {source}\n  UI at http://{host}:{port} (Ctrl-C stops it)", err=True)
        _run_dagster(environment, host, port)


def _run_dagster(environment: Environment, host: str, port: int) -> None:
    """``dagster dev`` in a process group of its own, since its children outlive a signal to it alone."""
    # `dg dev` finds its code location another way; `dagster dev` says at every start that it is the older of the two.
    hush = "ignore:Function `dev_command` is superseded"
    call = [sys.executable, "-W", hush, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml")]
    call += ["-h", host, "-p", str(port)]
    process = subprocess.Popen(call, cwd=ROOT, start_new_session=True)  # noqa: S603 - our own arguments
    try:
        code = process.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        _end_group(process)
    if code:
        raise CommandError(f"dagster dev ended with exit code {code}", exit_code=1)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wanted)
            process.wait(timeout=10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
