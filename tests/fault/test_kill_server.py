"""kill -9 of PostgreSQL itself in the middle of a backfill: each partition is old or new, and the next run heals it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from pg_servers import rows

from fault.kill_stage import FIRST, LAST, MONTHS, Stage, stage
from fault.kill_witness import assert_ledger_is_whole, assert_nothing_is_left, content, until, version
from hic_assets.warehouse import embedded
from hic_assets.warehouse.connect import of_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cluster")
    yield folder
    embedded.stop(folder)


@pytest.fixture(scope="module")
def scene(home: Path) -> Iterator[Stage]:
    """On a cluster of its own with the settings of a real one: fsync, full pages, synchronous commit."""
    server = of_server(embedded.start(home), "postgres")
    assert rows(server, "show fsync") == rows(server, "show synchronous_commit") == [("on",)]
    with stage(server, home) as scene:
        yield scene


def kill_server(home: Path) -> None:
    """The postmaster and its children, all at once, with no chance to write or say anything."""
    server = embedded.status(home)
    assert server is not None
    postmaster = psutil.Process(server.pid)
    for process in [postmaster, *postmaster.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: embedded.status(home) is None, "the end of PostgreSQL")


@pytest.mark.parametrize("loads", [2, 4, 5, 6])
def test_the_server_is_killed_and_comes_back(scene: Stage, home: Path, loads: int) -> None:
    """In the midst of the given load of the run's six: three of registrations, then three of values."""
    with scene.warehouse() as (warehouse, backfills):
        rows(warehouse, "checkpoint")  # or the copy of the database itself would be what recovery is about
        newest = rows(warehouse, "select max(load_id) from ops.load")[0][0]
        run = backfills.months(FIRST, LAST)
        begun = "select count(*) from ops.load where load_id > %s"
        until(lambda: rows(warehouse, begun, (newest,)) >= [(loads,)], f"load {loads} of the run")
        time.sleep(random.Random(loads).random() * scene.seconds / 20)
        kill_server(home)
        try:
            said = run.failed()
        finally:
            restarted = embedded.start(home)
        assert "OperationalError" in said or "WarehouseError" in said or "AdminShutdown" in said, said
        assert restarted.port == int(warehouse.params["port"])
        assert_nothing_is_left(warehouse)
        left = version(warehouse, MONTHS)
        assert all(left[key] in (scene.before[key], scene.after[key]) for key in left), left
        backfills.months(FIRST, LAST).wait()
        assert content(warehouse) == scene.expected
        assert_ledger_is_whole(warehouse)
        assert scene.left_on_disk == []
