"""The sandbox as a child process: the national systems in miniature, for ``hic demo`` and ``hic dev``.

It is started as any other server would be, by its command line: no production path imports it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from hic_assets.cli.errors import CommandError
from hic_assets.settings import source_settings, variable_prefix
from hic_assets.systems import SYSTEMS, System

POPULATION = "HIC_POPULATION"


@contextmanager
def sandbox_process(options: Sequence[str], log: Path) -> Iterator[Mapping[str, Any]]:
    """Run ``python -m hic_assets.sandbox`` until the block ends; yields what it says of itself when ready.

    Raises:
        CommandError: it did not start; with the last lines it wrote.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        call = [sys.executable, "-m", "hic_assets.sandbox", "--with-parent", *options]
        process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - ours
    try:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        line = process.stdout.readline()
        if not line.startswith("{"):
            tail = "\n".join(log.read_text().splitlines()[-5:])
            raise CommandError(f"the sandbox did not start (see {log}):\n{tail}")
        yield json.loads(line)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()


def sandbox_options(scale: float) -> list[str]:
    """Options of a sandbox whose clock stands at today, and whose exports are dirty in two months, as real ones are."""
    today = date.today()
    options = ["--port", "0", "--scale", str(scale), "--today", today.isoformat()]
    for fault, months_ago in (("bad_values", 3), ("unknown_facility", 5)):
        year, month = divmod(today.year * 12 + today.month - 1 - months_ago, 12)
        options += ["--fault", f"{fault}:rows=1,query=period={year}{month + 1:02d}"]
    return options


@contextmanager
def sources(options: Sequence[str], log: Path) -> Iterator[tuple[str, list[System]]]:
    """The systems of the environment, or the sandbox in place of all where it names none.

    Yields a sentence saying what is read, and the systems that can be.

    Raises:
        SettingsError: the environment names a server but not how to log in.
    """
    named = [system for system in SYSTEMS if os.environ.get(f"{variable_prefix(system.name)}URL")]
    if named:
        yield ", ".join(f"{s.title} at {source_settings(s.name).url}" for s in named), named
        return
    with sandbox_process(options, log) as ready:
        variables = sandbox_variables(ready)
        if POPULATION in os.environ:
            variables.pop(POPULATION)
        os.environ.update(variables)
        try:
            yield f"the sandbox, DHIS2 {ready['version']}, at {ready['urls']['hmis']}", list(SYSTEMS)
        finally:
            for name in variables:
                os.environ.pop(name, None)


def left_out(systems: Sequence[System]) -> str | None:
    """The systems that are not read since others are named and they are not; None when all are."""
    others = [f"{s.title} ({variable_prefix(s.name)}URL)" for s in SYSTEMS if s not in systems]
    if not others:
        return None
    return f"Not set, so not read, and the sandbox does not stand in for some only: {', '.join(others)}"


def sandbox_variables(ready: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables by which every system of a sandbox that says this of itself is found, and its country's size."""
    found = {POPULATION: str(ready["population"])}
    common = {"username": ready["username"], "password": ready["password"]}
    for system, url in ready["urls"].items():
        given = {"url": url, **ready["credentials"].get(system, common)}
        found |= {f"{variable_prefix(system)}{name.upper()}": value for name, value in given.items()}
    return found
