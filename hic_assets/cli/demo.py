"""``hic demo``: the main job, end to end, on embedded defaults."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from psycopg.rows import dict_row

from hic_assets.cli import manifest
from hic_assets.cli.dead_runs import TAGS, alive, close_dead_runs
from hic_assets.cli.environment import Environment, open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import Step, Steps, as_json, show_json, show_table
from hic_assets.cli.sandbox_process import sandbox_options, sources
from hic_assets.systems import SYSTEMS, System
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse

LOADS = """
select l.system, 'raw.' || l.relation as "table", count(*) as partitions, sum(l.landed)::bigint as rows,
       sum(l.quarantined)::bigint as quarantined,
       extract(epoch from sum(l.finished_at - l.started_at))::double precision as seconds
from ops.load l where l.run_id = any(%s) and l.status = 'committed' group by 1, 2 order by 2
"""
MART_ROWS = """
select distinct on (indicator_code)
       indicator_code, indicator_name, org_unit_name, month, numerator, denominator, factor, annualization_factor as per_year,
       value, reporting_completeness
from reporting.rpt_indicator_monthly
where level = 'district' and value is not null and numerator > 0
order by indicator_code, month desc, org_unit_name limit 3
"""

STORAGE_TIMEOUT_MS = 600_000
SHOWN = 3
"""Failures of a run that are told in the terminal: one cause mostly fails many tables."""


@dataclass
class RunOutcome:
    """One Dagster run: its checks by table as (passed, failed, errors), what failed, and checks that gave no answer."""

    run_id: str
    success: bool
    checks: dict[str, tuple[int, int, int]]
    failures: list[str]
    unanswered: list[str]


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
        outcomes = _run_jobs(environment, steps, systems, Span(months, weeks), log)
    report = _report(environment.warehouse, outcomes, time.monotonic() - started)
    _show(report, json_output)
    if not report["success"]:
        raise CommandError(f"the demo did not succeed: see {log} and 'hic status'", exit_code=1)


@dataclass(frozen=True)
class Span:
    """How many completed months and weeks are loaded."""

    months: int
    weeks: int


def planned_jobs(systems: list[System], span: Span) -> list[tuple[str, str, dict[str, str]]]:
    """(job, words, tags) in order: registries and dimensions, weeks of the trackers, months of the HMIS and of these."""
    from hic_assets.jobs import MONTHLY, REFERENCE, WEEKLY, has
    from hic_assets.partitions import monthly, range_tags, weekly

    months, weeks = monthly().get_partition_keys()[-span.months :], weekly().get_partition_keys()[-span.weeks :]
    recent = months[-max(1, span.weeks // 4) :]
    reports, trackers = [s for s in systems if not s.programmes], [s for s in systems if s.programmes]
    whole = len(systems) == len(SYSTEMS)
    everything, every_tracker = (
        ([("all", systems)], [("trackers", trackers)]) if whole else (_each(systems), _each(trackers))
    )
    stages: tuple[tuple[list[tuple[str, list[System]]], str, Cadence, str, dict[str, str]], ...] = (
        (everything, REFERENCE, Cadence.SNAPSHOT, "Registries, dimensions, staging views", {}),
        (every_tracker, WEEKLY, Cadence.WEEKLY, f"{len(weeks)} weeks, both pipelines", range_tags(weeks[0], weeks[-1])),
        (
            _each(reports),
            MONTHLY,
            Cadence.MONTHLY,
            f"{len(months)} months, facts, reports",
            range_tags(months[0], months[-1]),
        ),
        (
            every_tracker,
            MONTHLY,
            Cadence.MONTHLY,
            f"{len(recent)} months, both pipelines",
            range_tags(recent[0], recent[-1]),
        ),
    )
    return [
        (f"{name}_{job}", f"{words} ({name})", tags)
        for scopes, job, cadence, words, tags in stages
        for name, of_scope in scopes
        if has(of_scope, cadence)
    ]


def _each(systems: list[System]) -> list[tuple[str, list[System]]]:
    return [(system.name, [system]) for system in systems]


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
    from hic_assets.resources import SourcesResource

    with steps.step("Systems asked who they are") as step:
        versions = {}
        for system in systems:
            try:
                with SourcesResource().dhis2(system) as client:
                    versions[system.title] = client.info.version
            except SourceError as error:
                raise CommandError(str(error)) from None
        step.done("; ".join(f"{title} is DHIS2 {version}" for title, version in versions.items()))


def _run(job: Any, tags: Mapping[str, str], log: Path, warehouse: Warehouse) -> RunOutcome:
    """One run in this process, on the instance that ``hic dev`` shows; what it prints goes to the log."""
    import dagster as dg

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance, log.open("a") as file, contextlib.redirect_stdout(file):
        # Dagster's storage opens a connection a statement, unless told that it serves many: of a run's time that was half.
        for storage in (instance.run_storage, instance.event_log_storage):
            storage.optimize_for_webserver(statement_timeout=STORAGE_TIMEOUT_MS, pool_recycle=3600, max_overflow=20)
        close_dead_runs(instance, warehouse)
        run_id = str(uuid.uuid4())
        with alive(warehouse, run_id):
            result = job.execute_in_process(
                instance=instance, run_id=run_id, tags={**tags, **TAGS}, run_config=quiet, raise_on_error=False
            )
        for event in result.all_events:
            if event.is_failure:
                file.write(f"{event.message}\n{event.event_specific_data}\n")
        failures = [failure_words(e) for e in result.all_events if e.is_step_failure]
    checks: dict[str, tuple[int, int, int]] = {}
    planned = {
        f"{'.'.join(e.event_specific_data.asset_key.path)}: {e.event_specific_data.check_name}"
        for e in result.all_events
        if e.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    }
    for evaluation in result.get_asset_check_evaluations():
        planned.discard(f"{'.'.join(evaluation.asset_key.path)}: {evaluation.check_name}")
        table = ".".join(evaluation.asset_key.path)
        passed, failed, errors = checks.get(table, (0, 0, 0))
        is_error = not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR
        checks[table] = (passed + evaluation.passed, failed + (not evaluation.passed), errors + is_error)
    return RunOutcome(result.run_id, result.success, checks, failures, sorted(planned))


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


def _report(warehouse: Warehouse, outcomes: list[RunOutcome], seconds: float) -> dict[str, Any]:
    """What was done: a row a raw table, one for the models, the sums, and three rows of a mart."""
    checks: dict[str, tuple[int, int, int]] = {}
    for outcome in outcomes:
        checks |= outcome.checks
    with warehouse.connect() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        tables = cursor.execute(LOADS, ([o.run_id for o in outcomes],)).fetchall()
        success = bool(outcomes) and all(o.success for o in outcomes)
        mart = cursor.execute(MART_ROWS).fetchall() if success else []
    for table in tables:
        table["checks"] = _words(*checks.pop(table["table"], (0, 0, 0)))
    models = [sum(c[i] for c in checks.values()) for i in range(3)]
    errors = models[2] + sum(o.checks[t][2] for o in outcomes for t in o.checks if t not in checks)
    return {
        "success": success and not errors,
        "seconds": round(seconds, 1),
        "runs": [o.run_id for o in outcomes],
        "failures": [words for o in outcomes for words in o.failures],
        "checks_without_answer": [check for o in outcomes for check in o.unanswered],
        "tables": tables,
        "models": {"tested": len(checks), "checks": _words(*models)},
        "mart": mart,
    }


def _words(passed: int, failed: int, errors: int) -> str:
    warned = failed - errors
    return f"{passed} passed" + (f", {warned} warned" if warned else "") + (f", {errors} FAILED" if errors else "")


def _show(report: dict[str, Any], json_output: bool) -> None:
    if json_output:
        show_json(report)
        return
    show_table(
        "Loaded", ("system", "table", "partitions", "rows", "quarantined", "seconds", "checks"), report["tables"]
    )
    click.echo(f"dbt: {report['models']['tested']} models tested, {report['models']['checks']}\n")
    if report["mart"]:
        show_table("Three rows of reporting.rpt_indicator_monthly", tuple(report["mart"][0]), report["mart"])
    for check in report["checks_without_answer"]:
        click.echo(f"Not answered: {check}")
    words = "Done" if report["success"] else "FAILED"
    click.echo(f"{words} in {report['seconds']} s. Next: 'make dev' for the Dagster UI, 'hic psql' for SQL.")
