"""Runs of the demo as child processes: started, waited for, some at a time, and ended with the demo.

Belongs here: processes. Does not: what is executed in them (``demo_run``), in which order (``demo_plan``).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path

from hic_assets.cli import demo_run
from hic_assets.cli.demo_plan import Planned
from hic_assets.cli.demo_report import Checks, RunOutcome

AT_ONCE = 3
"""A run mostly waits, for servers, for PostgreSQL, for its turn with dbt, which is called once at a time."""

EXECUTE = demo_run.run

ENDS_WITHIN = 10
"""Seconds a run has to end in when it is told to; Dagster notes in them that it was interrupted."""

_LOOKS_EVERY = 0.1


def make_ready() -> None:
    """Import the definitions, in a process that runs are then forked from: once, and while the demo still waits for servers."""
    multiprocessing.set_forkserver_preload(["hic_assets.definitions"])
    forkserver.ensure_running()


@dataclass
class Child:
    """A run under way in a process of its own."""

    planned: Planned
    log: Path
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hic-demo-")
        self._told = Path(self._folder.name) / "outcome.json"
        order = demo_run.Order(
            self.planned.job, self.planned.tags, self.run_id, self.planned.made, self.log, self._told, dict(os.environ)
        )
        self._process = multiprocessing.get_context("forkserver").Process(target=EXECUTE, args=(order,), daemon=True)
        self._process.start()

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return not self._process.is_alive()

    def outcome(self) -> RunOutcome:
        """What it said at its end."""
        with self._folder:
            text = self._told.read_text() if self._told.is_file() else ""
        if self._process.exitcode != 0 or not text:
            words = f"{self.planned.job}: its process ended ({self._process.exitcode}) without a word; see {self.log}"
            return RunOutcome(self.run_id, False, {}, [words], [])
        said = json.loads(text)
        checks = {name: Checks(**checks) for name, checks in said.pop("checks").items()}
        return RunOutcome(**said, checks=checks)

    def end(self) -> None:
        """Politely, then not."""
        self._process.terminate()
        self._process.join(ENDS_WITHIN)
        self._process.kill()
        self._process.join()
        self._folder.cleanup()


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
