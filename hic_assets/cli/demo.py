"""``hic demo``: the main job, end to end, on embedded defaults."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import click

from hic_assets.cli import manifest
from hic_assets.cli.demo_children import AT_ONCE, make_ready, run_side_by_side
from hic_assets.cli.demo_plan import Span, planned_stages
from hic_assets.cli.demo_report import RunOutcome, report_of, show
from hic_assets.cli.dev_lock import dev_is_up
from hic_assets.cli.environment import Environment, open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import Step, Steps, as_json, show_json
from hic_assets.cli.sandbox_process import left_out, sandbox_options, sources
from hic_assets.systems import System
from hic_assets.warehouse import Warehouse

MANY, SIZE = click.IntRange(min=1), click.FloatRange(min=0, min_open=True, max=1)
SHOWN = 3
"""Failures of a run that are told in the terminal: one cause mostly fails many tables."""


@click.command(name="demo")
@click.option("--months", type=MANY, default=12, show_default=True, help="Completed months to load.")
@click.option("--weeks", type=MANY, default=8, show_default=True, help="Completed weeks of the trackers to load.")
@click.option(
    "--scale", type=SIZE, default=0.1, show_default=True, help="Size of the sandbox's country (1 is national)."
)
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
    if dev_is_up(environment.warehouse):
        click.echo(
            "  'hic dev' is up here: it shows these runs, and its own and these wait for each other's tables", err=True
        )
    with steps.step("dbt project parsed"):
        manifest.ensure()
    make_ready()
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
    """Registries first, then weeks and months side by side; a failure ends the demo."""
    _ask_once(steps, systems)
    outcomes = []
    for runs in planned_stages(systems, span):
        alone = len(runs) == 1
        words = runs[0].words if alone else f"{len(runs)} runs, {AT_ONCE} at a time"
        with steps.step(words) as step, _following(environment.warehouse, step):
            for child, outcome in run_side_by_side(runs, log):
                said = f"{child.planned.words}: run {outcome.run_id[:8]} {'succeeded' if outcome.success else 'FAILED'}"
                if alone:
                    words = said
                else:
                    step.part(said, time.monotonic() - child.started, failed=not outcome.success)
                _tell_failures(outcome)
                outcomes.append(outcome)
            step.done(words, failed=not all(outcome.success for outcome in outcomes))
        if not all(outcome.success for outcome in outcomes):
            break
    return outcomes


def _tell_failures(outcome: RunOutcome) -> None:
    for failure in outcome.failures[:SHOWN]:
        click.echo(f"    {failure}", err=True)
    if len(outcome.failures) > SHOWN:
        click.echo(f"    and {len(outcome.failures) - SHOWN} more", err=True)


def _ask_once(steps: Steps, systems: list[System]) -> None:
    """Reach every system before anything runs: each table would find out for itself, and wrong credentials lock accounts."""
    from hic_assets.extract.errors import SourceError

    with steps.step("Systems asked who they are") as step, ThreadPoolExecutor(len(systems)) as pool:
        try:
            answers = [f"{s.title} is {who}" for s, who in zip(systems, pool.map(_who, systems), strict=True)]
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


@contextlib.contextmanager
def _following(warehouse: Warehouse, step: Step) -> Iterator[None]:
    """Show what a run loads at the moment: the newest load under way of those begun since, else the models."""
    done = threading.Event()
    newest = """select relation, coalesce(partition_key, ''), status from ops.load
        where load_id > %s order by status = 'running' desc, load_id desc limit 1"""

    def follow() -> None:
        with warehouse.connect(autocommit=True) as connection:
            before = connection.execute("select coalesce(max(load_id), 0) from ops.load").fetchone()
            while not done.wait(0.5):
                if found := connection.execute(newest, before).fetchone():
                    step.now("models and tests" if found[2] == "committed" else f"{found[0]} {found[1]}")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
