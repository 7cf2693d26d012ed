"""``python -m hic_assets.sandbox``: the sandbox as a process; prints one JSON line with its url when it is ready."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hic_assets.sandbox.running import running_sandbox
from hic_assets.sandbox.server.dialect import VERSIONS
from hic_assets.sandbox.server.faults import FAULTS
from hic_assets.sandbox.world.country import DEFAULT_TODAY


def parse_fault(text: str) -> tuple[str, dict[str, Any]]:
    """``name`` or ``name:key=value,key=value``; values are JSON where they can be, else text."""
    name, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        try:
            options[key] = json.loads(value)
        except json.JSONDecodeError:
            options[key] = value
    return name, options


@click.command()
@click.option("--port", default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--scale", default=0.05, help="1.0 is national: 1,281 facilities.")
@click.option("--seed", default=1)
@click.option("--version", default="2.40.12", help=f"DHIS2 version, e.g. {', '.join(VERSIONS)}.")
@click.option("--today", default=DEFAULT_TODAY.isoformat(), help="The date of the sandbox's clock.")
@click.option("--timezone", default="Africa/Kigali", help="The server's time zone.")
@click.option(
    "--system-version",
    "versions",
    multiple=True,
    help="SYSTEM=VERSION for one that differs, e.g. hiv_tracker=2.42.5.2.",
)
@click.option(
    "--tracker-events", type=int, help="Give the HIV tracker so many events within a week or so, for benchmarks."
)
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Keep rendered CSV bodies here.")
@click.option("--with-parent", is_flag=True, help="End when the process that started this one does.")
@click.option("--fault", "faults", multiple=True, help=f"name[:key=value,...]; names: {', '.join(FAULTS)}.")
def main(
    port: int,
    scale: float,
    seed: int,
    version: str,
    today: str,
    timezone: str,
    versions: tuple[str, ...],
    tracker_events: int | None,
    cache_dir: Path | None,
    with_parent: bool,
    faults: tuple[str, ...],
) -> None:
    """Serve the sandbox until SIGINT or SIGTERM."""
    parent = os.getppid()  # before it is told that we are ready, and may end
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running_sandbox(
        seed=seed,
        scale=scale,
        today=datetime.fromisoformat(today).date(),
        version=version,
        timezone=timezone,
        port=port,
        cache_dir=cache_dir,
        versions=dict(text.split("=", 1) for text in versions),
        tracker_events=tracker_events,
    ) as sandbox:
        for text in faults:
            name, options = parse_fault(text)
            sandbox.faults.set(name, **options)
        line = {
            "url": sandbox.url,
            "urls": sandbox.urls,
            "username": sandbox.username,
            "password": sandbox.password,
            "token": sandbox.token,
            "credentials": sandbox.credentials,
            "control": sandbox.control_url,
            "version": sandbox.world.version,
            "facilities": len(sandbox.world.facilities),
            "population": sandbox.world.population,
        }
        click.echo(json.dumps(line))
        # Looked at once a second: a parent that is killed tells nobody.
        while not stop.wait(1) and (os.getppid() == parent or not with_parent):
            pass


if __name__ == "__main__":
    main()
