"""Runs of ``hic demo`` whose process was killed: closed in Dagster's books, so that their place in a pool is free.

The daemon does this for the runs it launched. Those of a demo are known to nobody else, and the next demo would wait
for their place for ever. Alive is who holds the run's lock in the warehouse: the server gives it back when we die.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hic_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance

TAGS = {"hic/command": "demo"}
_TRY = "select pg_try_advisory_lock(hashtext('hic run'), hashtext(%s))"


@contextmanager
def alive(warehouse: Warehouse, run_id: str) -> Iterator[None]:
    """Hold the run's lock while it is executed."""
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(_TRY, (run_id,))
        yield


def close_dead_runs(instance: DagsterInstance, warehouse: Warehouse) -> list[str]:
    """End the runs of killed demos as failed and free their places; returns their ids."""
    from dagster import DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    closed = []
    with warehouse.connect(autocommit=True) as connection:
        for run in instance.get_runs(RunsFilter(tags=TAGS, statuses=unfinished)):
            if connection.execute(_TRY, (run.run_id,)).fetchone() == (True,):
                instance.report_run_failed(run, "The process that executed this run was killed.")
                instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
                closed.append(run.run_id)
    return closed
