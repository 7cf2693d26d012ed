"""A backfill in a process group of its own, forked from one that has imported everything: it can be killed cheaply.

Imported by the test and, as preloaded module, by multiprocessing's fork server. Polars starts its threads at first
use, so this module must use none of it at import.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import dagster as dg
import psutil  # type: ignore[import-untyped]
import pytest

from hic_assets.assets import raw
from hic_assets.partitions import range_tags
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence, Feed, System

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# Provinces, not districts: a few larger requests a month, so that most of a run's time is landing.
SYSTEM = replace(HMIS, slice_level=2)
REGISTRIES = "registries"
MONTHS = "months"


def materialise(what: str, first: str = "", last: str = "") -> bool:
    """The registries, or a range of months, by the real assets and resources; failures are not tried again."""
    cadence = Cadence.SNAPSHOT if what == REGISTRIES else Cadence.MONTHLY
    return _materialised(SYSTEM, SYSTEM.by_cadence(cadence), range_tags(first, last) if what == MONTHS else {})


def partitions(system: str, table: str, first: str, last: str) -> bool:
    """A range of partitions of one table of any system, as `systems.declared` has it."""
    from systems.declared import QUICK

    return _materialised(QUICK[system], [QUICK[system].feed(table)], range_tags(first, last))


def _materialised(system: System, feeds: Iterable[Feed], tags: Mapping[str, str]) -> bool:
    raw.RETRY = dg.RetryPolicy(max_retries=0)
    keys = {raw.asset_key(system, feed) for feed in feeds}
    assets = [asset for asset in raw.raw_assets(system) if asset.key in keys]
    resources = {"warehouse": WarehouseResource(), "sources": SourcesResource()}
    result = dg.materialize(assets, resources=resources, run_config=QUIET, tags=tags, raise_on_error=False)
    for event in result.all_events:
        if event.is_step_failure:
            sys.stderr.write(event.step_failure_data.error_display_string)
    return result.success


def job(name: str, first: str = "", last: str = "") -> bool:
    """A job of the code location, models and checks included, but not dbt's data tests, nor a look at the columns of what
    was built: they write nothing."""
    from hic_assets.assets import dbt
    from hic_assets.definitions import defs

    dbt.COMMON = (*dbt.COMMON, "--exclude-resource-type", "test")  # type: ignore[assignment]
    dbt.with_columns = lambda call: call.stream()
    tags = range_tags(first, last) if first else {}
    with dg.DagsterInstance.ephemeral() as instance:
        resolved = defs.resolve_job_def(name)
        result = resolved.execute_in_process(instance=instance, run_config=QUIET, tags=tags, raise_on_error=False)
    for event in result.all_events:
        if event.is_failure:
            sys.stderr.write(f"{event.message}\n{event.event_specific_data}\n")
    return result.success


def _work(call: str, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
    os.setpgid(0, 0)
    os.environ.update(environment)
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    warnings.simplefilter("ignore")
    success = False
    try:
        calls: dict[str, Callable[..., bool]] = {"materialise": materialise, "partitions": partitions, "job": job}
        success = calls[call](*arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        atexit._run_exitfuncs()  # as any process does that ends by itself; multiprocessing's do not
        os._exit(0 if success else 1)


@dataclass
class Backfill:
    """One run under way, or ended."""

    process: Any
    log: Path

    def wait(self) -> None:
        """Wait for its end, which must be a success."""
        self.process.join(200)
        assert self.process.exitcode == 0, self.log.read_text()[-4000:]

    def failed(self) -> str:
        """Wait for its end, which must be a failure; what it said."""
        self.process.join(100)
        assert self.process.exitcode == 1, (self.process.exitcode, self.log.read_text()[-4000:])
        return self.log.read_text()

    @property
    def running(self) -> bool:
        return bool(self.process.is_alive())

    def kill(self) -> bool:
        """kill -9 the whole group; whether it was still running."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join(20)
        for _ in range(1000):
            if not _group(self.process.pid):
                break
            time.sleep(0.005)
        return bool(self.process.exitcode == -signal.SIGKILL)


def _group(number: int) -> list[int]:
    """The processes of a group that live."""
    found = []
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == number and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _start_fork_server() -> None:
    """The one of this process; it is not told our sys.path (before Python 3.13), and then imports nothing, silently."""
    multiprocessing.set_forkserver_preload(["fault.kill_warm"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        forkserver.ensure_running()


class Backfills:
    """Starts runs that read one sandbox into one warehouse."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment, self._log = dict(environment), log
        self._context = multiprocessing.get_context("forkserver")
        _start_fork_server()

    def start(self, call: str, *arguments: str, **environment: str) -> Backfill:
        """Begin a run; returns as soon as it can be killed."""
        given = self._environment | environment
        process = self._context.Process(target=_work, args=(call, arguments, given, self._log), daemon=True)
        process.start()
        while process.is_alive() and os.getpgid(process.pid or 0) != process.pid:
            time.sleep(0.001)
        return Backfill(process, self._log)

    def months(self, first: str, last: str, **environment: str) -> Backfill:
        """A backfill of the raw tables of a range of months."""
        return self.start("materialise", MONTHS, first, last, **environment)
