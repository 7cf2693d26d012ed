"""Runs whose process is gone: closed in Dagster's books, so that their place in a pool and in the queue is free.

Nobody else does it: Dagster's own monitoring asks a run launcher that can tell, which the default one cannot, and the
runs of a demo were not launched at all. A demo's run is alive while its lock in the warehouse is held: the server gives
it back when we die. A launched run is alive while its code server listens, whose address it carries; only addresses of
this machine are judged. Belongs here: who is dead, and closing it. Does not: starting and stopping Dagster.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hic_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

TAGS = {"hic/command": "demo"}
SERVER = ".dagster/grpc_info"
"""Tag of a launched run: host, and socket or port, of the code server whose child it is."""

HERE = ("localhost", "127.0.0.1", "::1")
KILLED = "The process that executed this run was killed."
_TRY = "select pg_try_advisory_lock(hashtext('hic run'), hashtext(%s))"


@contextmanager
def alive(warehouse: Warehouse, run_id: str) -> Iterator[None]:
    """Hold the run's lock while it is executed."""
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(_TRY, (run_id,))
        yield


def close_dead_runs(instance: DagsterInstance, warehouse: Warehouse) -> list[str]:
    """End the runs of killed demos as failed and free their places; returns their ids."""
    closed = []
    with warehouse.connect(autocommit=True) as connection:
        for run in _in_flight(instance, TAGS):
            if connection.execute(_TRY, (run.run_id,)).fetchone() == (True,):
                _close(instance, run, KILLED)
                closed.append(run.run_id)
    return closed


def close_launched_runs(instance: DagsterInstance, words: str = KILLED, *, canceled: bool = False) -> list[DagsterRun]:
    """End the launched runs whose code server no longer listens, and free their places; returns them.

    They end as failed, and Dagster starts them once more (``run_retries``); as canceled, with ``canceled`` or where
    that was asked for already, they do not run again. A run whose server has not been noted yet, or is on another
    machine, is left alone.
    """
    dead = [run for run in _in_flight(instance) if server_is_gone(run.tags.get(SERVER))]
    for run in dead:
        _close(instance, run, words, canceled)
    return dead


def cancel_launched_runs(instance: DagsterInstance, words: str) -> None:
    """Note that this machine's launched runs are to be canceled: so they end when they are interrupted, not as failed."""
    for run in _in_flight(instance):
        if _address(run.tags.get(SERVER)) and run.status.value != "CANCELING":
            instance.report_run_canceling(run, words)


def server_is_gone(info: str | None) -> bool:
    """Whether the tag names a code server of this machine, and nobody listens there.

    Asked by connecting alone: a server that is too busy to answer still listens.
    """
    address = _address(info)
    if address is None:
        return False
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(address)
        else:
            socket.create_connection(address, timeout=2).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return True
    except OSError:
        return False
    return False


def _address(info: str | None) -> str | tuple[str, int] | None:
    """The socket, or (host, port), of a code server of this machine; None for all others."""
    found = json.loads(info) if info else {}
    if found.get("host") not in HERE:
        return None
    return found.get("socket") or (found["host"], found["port"])


def _in_flight(instance: DagsterInstance, tags: dict[str, str] | None = None) -> list[DagsterRun]:
    """Runs that have left the queue and not ended."""
    from dagster import DagsterRunStatus as Status
    from dagster import RunsFilter

    statuses = [Status.NOT_STARTED, Status.STARTING, Status.STARTED, Status.CANCELING]
    return list(instance.get_runs(RunsFilter(tags=tags or {}, statuses=statuses)))


def _close(instance: DagsterInstance, run: DagsterRun, words: str, canceled: bool = False) -> None:
    if canceled or run.status.value == "CANCELING":
        instance.report_run_canceled(run, words)
    else:
        instance.report_run_failed(run, words)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
