"""One Dagster run of the demo, in a process of its own: much of a load is waiting, and another run can use the time.

Belongs here: executing the run, and what the demo is told of it. Does not: starting and ending the process (``demo_children``).
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hic_assets.cli.demo_report import Checks, RunOutcome

STORAGE_TIMEOUT_MS = 600_000


@dataclass(frozen=True)
class Order:
    """What a process is to execute: a job with its tags, but for what is ``made``; and where it writes.

    ``environment`` is the demo's: the process was forked from one that is older than the address of the warehouse.
    """

    job: str
    tags: Mapping[str, str]
    run_id: str
    made: Sequence[str]
    log: Path
    told: Path
    environment: Mapping[str, str]


def run(order: Order) -> None:
    """Execute an order; the outcome goes to its file, as JSON, and whatever else is said to its log."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=_end_with_the_demo, daemon=True).start()
    os.environ.clear()
    os.environ.update(order.environment)
    with order.log.open("a", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        with contextlib.redirect_stdout(file):
            outcome = execute(order.job, order.tags, order.run_id, file, order.made)
    order.told.write_text(json.dumps(asdict(outcome)))


def _end_with_the_demo() -> None:
    """Die when the demo has died: it was killed, and so would its runs have been."""
    demo = multiprocessing.parent_process()
    if demo is not None:
        demo.join()
        os._exit(137)


def execute(name: str, tags: Mapping[str, str], run_id: str, file: Any, made: Sequence[str] = ()) -> RunOutcome:
    """One run in this process, on the instance that ``hic dev`` shows, but for assets that are made; failures go to the file."""
    import dagster as dg

    from hic_assets.cli.dead_runs import TAGS, alive, close_dead_runs, close_launched_runs
    from hic_assets.cli.dev_lock import dev_is_up
    from hic_assets.cli.environment import open_environment
    from hic_assets.definitions import defs

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    warehouse = open_environment().warehouse
    with dg.DagsterInstance.get() as instance:
        # Dagster's storage of runs opens a connection a statement, unless told that it serves many.
        instance.run_storage.optimize_for_webserver(STORAGE_TIMEOUT_MS, pool_recycle=3600, max_overflow=20)
        close_dead_runs(instance, warehouse)
        if not dev_is_up(warehouse):
            close_launched_runs(instance)
        with alive(warehouse, run_id):
            job = defs.resolve_job_def(name)
            wanted = [key for key in job.asset_layer.selected_asset_keys if key.to_user_string() not in made]
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={**tags, **TAGS},
                run_config=quiet,
                raise_on_error=False,
                asset_selection=wanted if made else None,
            )
        for event in result.all_events:
            if event.is_failure:
                file.write(f"{event.message}\n{event.event_specific_data}\n")
        failures = [failure_words(e) for e in result.all_events if e.is_step_failure]
    checks, unanswered = _checks(result)
    return RunOutcome(result.run_id, result.success, checks, failures, unanswered)


def _checks(result: Any) -> tuple[dict[str, Checks], list[str]]:
    """What the checks of a run said, by table; and those that were planned and said nothing."""
    import dagster as dg

    checks: dict[str, Checks] = {}
    planned = {
        (".".join(e.event_specific_data.asset_key.path), e.event_specific_data.check_name)
        for e in result.all_events
        if e.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    }
    for evaluation in result.get_asset_check_evaluations():
        table = ".".join(evaluation.asset_key.path)
        planned.discard((table, evaluation.check_name))
        said = checks.setdefault(table, Checks())
        if evaluation.passed:
            said.passed += 1
        elif evaluation.severity is dg.AssetCheckSeverity.ERROR:
            said.failed.append(evaluation.check_name)
        else:
            said.warned.append(evaluation.check_name)
    return checks, sorted(f"{table}: {check}" for table, check in planned)


def failure_words(event: Any) -> str:
    """The step, and why it failed in the words of the innermost error, on one line."""
    data = event.step_failure_data
    described = data.user_failure_data and data.user_failure_data.description
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    words = described or (error.message if error else "") or event.message or "failed"
    return f"{event.step_key}: {' '.join(words.split())[:500]}"
