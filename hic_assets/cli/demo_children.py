"""Runs of the demo as child processes: started, waited for, two at a time, and ended with the demo.

Belongs here: processes. Does not: what is executed in them (``demo_run``), in which order (``demo_plan``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hic_assets.cli.demo_plan import Planned
from hic_assets.cli.demo_report import Checks, RunOutcome

AT_ONCE = 2
"""More would wait for one another: dbt is called once at a time, and two cores are what a small machine has."""

EXECUTES = "hic_assets.cli.demo_run"

ENDS_WITHIN = 10
"""Seconds a run has to end in when it is told to; Dagster notes in them that it was interrupted."""

_LOOKS_EVERY = 0.1


@dataclass
class Child:
    """A run under way in a process of its own."""

    planned: Planned
    log: Path
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._told: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        with self.log.open("a") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                [sys.executable, "-m", EXECUTES],
                stdin=subprocess.PIPE,
                stdout=self._told,
                stderr=errors,
                text=True,
            )
        order: dict[str, Any] = {
            "job": self.planned.job,
            "tags": self.planned.tags,
            "run_id": self.run_id,
            "made": self.planned.made,
        }
        order |= {"log": str(self.log), "parent": os.getpid()}
        assert self._process.stdin is not None  # noqa: S101 - PIPE was asked for
        with self._process.stdin as stdin:
            stdin.write(json.dumps(order))

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def outcome(self) -> RunOutcome:
        """What it said at its end."""
        with self._told as told:
            told.seek(0)
            text = told.read()
        if self._process.returncode != 0 or not text:
            words = f"{self.planned.job}: its process ended ({self._process.returncode}) without a word; see {self.log}"
            return RunOutcome(self.run_id, False, {}, [words], [])
        said = json.loads(text)
        checks = {name: Checks(**checks) for name, checks in said.pop("checks").items()}
        return RunOutcome(**said, checks=checks)

    def end(self) -> None:
        """Politely, then not."""
        self._process.terminate()
        try:
            self._process.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._told.close()


def run_side_by_side(runs: Sequence[Planned], log: Path) -> Iterator[tuple[Child, RunOutcome]]:
    """Execute runs, ``AT_ONCE`` at a time, and yield each as it ends. After a failure none begins that has not begun."""
    waiting, running, failed = list(runs), list[Child](), False
    try:
        while running or (waiting and not failed):
            while waiting and not failed and len(running) < AT_ONCE:
                running.append(Child(waiting.pop(0), log))
            for child in [child for child in running if child.ended]:
                running.remove(child)
                outcome = child.outcome()
                failed = failed or not outcome.success
                yield child, outcome
            time.sleep(_LOOKS_EVERY)
    finally:
        for child in running:
            child.end()
