"""Runs of a `hic dev` that was killed, and a second `hic dev` beside the first."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG
from hic_command import Hic, environment

from hic_assets.cli import dagster_dev
from hic_assets.cli.dead_runs import SERVER, cancel_launched_runs, close_launched_runs, server_is_gone
from hic_assets.cli.dev_lock import dev_is_up, only_dev
from hic_assets.cli.errors import CommandError
from hic_assets.warehouse import Warehouse

Status = dg.DagsterRunStatus


@dg.op(pool="hmis")
def load() -> None:
    """Takes the place of a system's pool."""


@dg.job
def monthly() -> None:
    load()


@pytest.fixture
def instance(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of the project's dagster.yaml."""
    monkeypatch.setenv("HIC_DAGSTER_URL", warehouse.dagster_url.replace("/dagster", f"/{warehouse.database}"))
    monkeypatch.setenv("HIC_DAGSTER_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("DAGSTER_HOME", str(Path(__file__).parents[2]))
    with dg.DagsterInstance.get() as made:
        yield made


def launched(instance: dg.DagsterInstance, status: Status = Status.STARTED, **server: str | int) -> str:
    """A run as the default run launcher leaves it: with the address of its code server, and a place in a pool."""
    tags = {SERVER: json.dumps(server)} if server else {}
    return instance.create_run_for_job(monthly, status=status, tags=tags).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> Status:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_a_run_is_closed_when_nobody_listens_where_it_was_launched(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    assert SERVER == GRPC_INFO_TAG
    gone, here = str(tmp_path / "gone"), str(tmp_path / "here")
    dead = launched(instance, host="localhost", socket=gone)
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default("hmis")
    assert storage.claim_concurrency_slot("hmis", dead, "load").is_claimed
    waiting = launched(instance, Status.NOT_STARTED)
    assert not storage.claim_concurrency_slot("hmis", waiting, "load").is_claimed
    other_port = launched(instance, host="localhost", port=free_port())
    asked_to_end = launched(instance, Status.CANCELING, host="localhost", socket=gone)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(here)
        server.listen()
        left_alone = [
            launched(instance, host="localhost", socket=here),
            launched(instance, host="code_location", port=4000),
            launched(instance),
        ]
        closed = {run.run_id for run in close_launched_runs(instance)}
        assert closed == {dead, other_port, asked_to_end}
        assert close_launched_runs(instance) == []
    assert [status_of(instance, run) for run in (dead, other_port)] == [Status.FAILURE] * 2
    assert status_of(instance, asked_to_end) is Status.CANCELED
    assert status_of(instance, waiting) is Status.NOT_STARTED
    assert not any(run.is_finished for run in map(instance.get_run_by_id, left_alone) if run)
    words = [event.message for event in instance.all_logs(dead, of_type=dg.DagsterEventType.RUN_FAILURE)]
    assert words == ["The process that executed this run was killed."]
    assert storage.claim_concurrency_slot("hmis", waiting, "load").is_claimed
    # The socket's file is still there, as after kill -9.
    assert Path(here).exists() and server_is_gone(json.dumps({"host": "localhost", "socket": here}))


def test_runs_of_a_dev_that_is_stopped_are_canceled_and_not_tried_again(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    ours = launched(instance, host="localhost", socket=str(tmp_path / "gone"))
    of_another = launched(instance, host="code_location", port=4000)
    cancel_launched_runs(instance, "stopped")
    assert [status_of(instance, run) for run in (ours, of_another)] == [Status.CANCELING, Status.STARTED]
    assert [run.run_id for run in close_launched_runs(instance, "stopped", canceled=True)] == [ours]
    found = instance.get_run_by_id(ours)
    assert found is not None and found.status is Status.CANCELED
    assert "dagster/will_retry" not in found.tags


def test_a_second_dev_is_refused_and_told_where_the_first_is(hic: Hic, own_server: dict[str, str]) -> None:
    held = Warehouse({}, own_server["HIC_DAGSTER_URL"])
    assert not dev_is_up(held)
    with only_dev(held, "http://127.0.0.1:3999"):
        assert dev_is_up(held)
        done = hic("dev", "--port", str(free_port()), **own_server)
        with pytest.raises(CommandError):
            only_dev(held, "elsewhere").__enter__()
    assert done.returncode == 3, done.stderr
    assert "another 'hic dev' runs on postgresql://" in done.stderr
    assert f"hic dev at http://127.0.0.1:3999, process {os.getpid()}" in done.stderr
    assert "stop it first" in done.stderr and "Traceback" not in done.stderr
    assert not dev_is_up(held)


HOLDS = """
import subprocess, sys, time
from hic_assets.cli.dev_lock import only_dev
from hic_assets.warehouse import Warehouse
with only_dev(Warehouse({}, sys.argv[1]), "x") as lock:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[lock])
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_the_lock_is_free_when_the_last_that_was_killed_is_gone(warehouse: Warehouse, tmp_path: Path) -> None:
    held = Warehouse({}, warehouse.url)
    call = [sys.executable, "-c", HOLDS, warehouse.url]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=environment(tmp_path)) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
        process.wait()
        time.sleep(0.3)
        assert dev_is_up(held)  # Dagster still lives
        os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while dev_is_up(held):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_group_is_ended_by_force_when_it_does_not_end_by_itself() -> None:
    stubborn = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    call = [
        sys.executable,
        "-c",
        f"{stubborn}; subprocess.Popen(['sleep', '60']); print(1, flush=True); time.sleep(60)",
    ]
    with subprocess.Popen(call, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        dagster_dev.end(process, patience=0.5)
        assert process.returncode == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
