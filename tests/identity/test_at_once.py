"""Runs at the same time, and runs that end in the middle: readers see who was whom before, or after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pg_servers import rows
from told import KEY, POPULATION, STRANGER, persons, prepared, run, tell

from hic_assets.identity import resolve as runs
from hic_assets.identity import store
from hic_assets.warehouse import Warehouse

TABLES = ("record", "assignment", "pair", "person_event", "run")
TOLD = ({"record_id": "a"}, {"record_id": "b"}, {"record_id": "s", **STRANGER})
MORE = (*TOLD[:1], {"record_id": "b", **STRANGER}, {"record_id": "c"})

KILLED = """
import os, signal, sys
from hic_assets.identity import store
from hic_assets.identity.resolve import resolve
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

def killed(*given):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(store, sys.argv[2], killed)
resolve(Warehouse(parse_url(sys.argv[1])), sys.argv[3].encode(), population=int(sys.argv[4]))
"""


@pytest.fixture
def people(warehouse: Warehouse) -> Warehouse:
    run(prepared(warehouse), *TOLD)
    tell(warehouse, MORE)
    return warehouse


def state(warehouse: Warehouse) -> dict[str, Any]:
    return {table: sorted(map(str, rows(warehouse, f"select * from identity.{table}"))) for table in TABLES}


@pytest.mark.parametrize("step", ["write", "_write_pairs", "read_decisions"])
def test_a_run_that_fails_leaves_what_was(people: Warehouse, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(people)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(store, step, broken)
        with pytest.raises(RuntimeError, match="broken off"):
            run(people)
    assert state(people) == before
    done = run(people)
    assert (done.run, done.added, done.changed, done.removed) == (2, 1, 1, 1)


@pytest.mark.parametrize("step", ["_write_pairs", "read_decisions"])
def test_a_run_that_is_killed_leaves_what_was_and_holds_nobody_up(people: Warehouse, step: str, tmp_path: Path) -> None:
    before = state(people)
    call = [sys.executable, "-c", KILLED, people.url, step, KEY.decode(), str(POPULATION)]
    done = subprocess.run(
        call, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, check=False, timeout=100
    )
    assert done.returncode == -signal.SIGKILL
    assert state(people) == before
    assert run(people).run == 2


def test_two_runs_wait_for_each_other(people: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    linking, go_on, real = threading.Event(), threading.Event(), runs.link

    def slow(*given: Any, **options: Any) -> Any:
        linking.set()
        assert go_on.wait(60)
        return real(*given, **options)

    monkeypatch.setattr(runs, "link", slow)
    before = persons(people)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, people)
        assert linking.wait(60)
        second = pool.submit(run, people)
        wait_until_one_waits(people)
        # Readers, and dbt that replaces the view the run has read, wait for nobody.
        assert persons(people) == before
        rows(people, "set lock_timeout = '2s'; lock table identity.person_record in access exclusive mode")
        go_on.set()
        done = [first.result(100), second.result(100)]
    assert [(one.run, one.added, one.changed, one.removed) for one in done] == [(2, 1, 1, 1), (3, 0, 0, 0)]


def wait_until_one_waits(warehouse: Warehouse) -> None:
    for _ in range(200):
        if rows(warehouse, "select 1 from pg_locks where locktype = 'advisory' and not granted"):
            return
        time.sleep(0.05)
    pytest.fail("the second run does not wait")
