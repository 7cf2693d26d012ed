"""``hic demo``: the main job, end to end, on embedded defaults."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hic_assets.cli import manifest
from hic_assets.cli.dead_runs import TAGS, alive, close_dead_runs, close_launched_runs
from hic_assets.cli.demo_plan import Span, planned_jobs
from hic_assets.cli.demo_report import Checks, RunOutcome, report_of, show
from hic_assets.cli.dev_lock import dev_is_up
from hic_assets.cli.environment import Environment, open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import Step, Steps, as_json, show_json
from hic_assets.cli.sandbox_process import left_out, sandbox_options, sources
from hic_assets.systems import System
from hic_assets.warehouse import Warehouse

STORAGE_TIMEOUT_MS = 600_000
SHOWN = 3
"""Failures of a run that are told in the terminal: one cause mostly fails many tables."""


@click.command(name="demo")
@click.option("--months", default=12, show_default=True, help="Completed months to load.")
@click.option("--weeks", default=8, show_default=True, help="Completed weeks of the trackers to load.")
@click.option("--scale", default=0.1, show_default=True, help="Size of the sandbox's country (1 is national).")
@as_json
def command(months: int, weeks: int, scale: float, json_output: bool) -> None:
    """Load registries, weeks of the trackers and months of the HMIS, build and test the marts, run the checks.

    Reads the sandbox unless a HIC_<SYSTEM>_URL is set, then the systems so named; uses the embedded PostgreSQL unless HIC_WAREHOUSE_URL is. Running it
    again loads the same months anew. Exit code 1 when a run failed or a check found an error.
    """
    started = time.monotonic()
    steps = Steps()
    with steps.step("PostgreSQL") as step:
        environment = open_environment()
        step.done(f"PostgreSQL at {environment.warehouse.redacted}")
    with steps.step("dbt project parsed"):
        manifest.ensure()
    log = environment.home / "logs" / "demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with sources(sandbox_options(scale), environment.home / "logs" / "sandbox.log") as (source, systems):
        click.echo(f"  Reading {source}; log in {log}", err=True)
        if words := left_out(systems):
            click.echo(f"  {words}", err=True)
        outcomes = _run_jobs(environment, steps, systems, Span(months, weeks), log)
    report = report_of(environment.warehouse, outcomes, time.monotonic() - started)
    show_json(report) if json_output else show(report)
    if not report["success"]:
        raise CommandError(f"the demo did not succeed: see {log} and 'hic status'", exit_code=1)


def _run_jobs(environment: Environment, steps: Steps, systems: list[System], span: Span, log: Path) -> list[RunOutcome]:
    """Each job in turn; a failure ends the demo."""
    with steps.step("Dagster definitions loaded"):
        from hic_assets.definitions import defs
    _ask_once(steps, systems)
    outcomes = []
    for name, words, tags in planned_jobs(systems, span):
        with steps.step(words) as step, _following(environment.warehouse, step):
            outcome = _run(defs.resolve_job_def(name), tags, log, environment.warehouse)
            said = f"{words}: run {outcome.run_id[:8]} {'succeeded' if outcome.success else 'FAILED'}"
            step.done(said, failed=not outcome.success)
        outcomes.append(outcome)
        for failure in outcome.failures[:SHOWN]:
            click.echo(f"    {failure}", err=True)
        if len(outcome.failures) > SHOWN:
            click.echo(f"    and {len(outcome.failures) - SHOWN} more", err=True)
        if not outcome.success:
            break
    return outcomes


def _ask_once(steps: Steps, systems: list[System]) -> None:
    """Reach every system before anything runs: each table would find out for itself, and wrong credentials lock accounts."""
    from hic_assets.extract.errors import SourceError

    with steps.step("Systems asked who they are") as step:
        answers = []
        for system in systems:
            try:
                answers.append(f"{system.title} is {_who(system)}")
            except SourceError as error:
                raise CommandError(str(error)) from None
        step.done("; ".join(answers))


def _who(system: System) -> str:
    """What a system says of itself. A REST API says nothing; it is asked for the changes of a day, as its sensor does."""
    from hic_assets.extract.rest.changes import changes_since
    from hic_assets.resources import SourcesResource

    if system.api is None:
        with SourcesResource().dhis2(system) as client:
            return f"DHIS2 {client.info.version}"
    resource = next(feed.resource for feed in system.feeds if feed.resource and feed.resource.changes)
    with SourcesResource().rest(system) as source:
        changes_since(source, resource, datetime.now(UTC))
    return "there"


def _run(job: Any, tags: Mapping[str, str], log: Path, warehouse: Warehouse) -> RunOutcome:
    """One run in this process, on the instance that ``hic dev`` shows; what it prints goes to the log."""
    import dagster as dg

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance, log.open("a") as file, contextlib.redirect_stdout(file):
        # Dagster's storage opens a connection a statement, unless told that it serves many: of a run's time that was half.
        for storage in (instance.run_storage, instance.event_log_storage):
            storage.optimize_for_webserver(statement_timeout=STORAGE_TIMEOUT_MS, pool_recycle=3600, max_overflow=20)
        close_dead_runs(instance, warehouse)
        if not dev_is_up(warehouse):
            close_launched_runs(instance)
        run_id = str(uuid.uuid4())
        with alive(warehouse, run_id):
            result = job.execute_in_process(
                instance=instance, run_id=run_id, tags={**tags, **TAGS}, run_config=quiet, raise_on_error=False
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


@contextlib.contextmanager
def _following(warehouse: Warehouse, step: Step) -> Iterator[None]:
    """Show the ledger's newest line while a run is under way."""
    done = threading.Event()

    def follow() -> None:
        with warehouse.connect(autocommit=True) as connection:
            while not done.wait(0.5):
                found = connection.execute(
                    "select table_name, coalesce(partition_key, ''), status from ops.load order by load_id desc limit 1"
                ).fetchone()
                if found:
                    step.now("models and tests" if found[2] == "committed" else f"{found[0]} {found[1]}")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
