"""kill -9 of a backfill, then the same backfill again: the warehouse equals the one that was never killed.

The moments are spread over the whole of a run, and some are chosen by what the run is doing just then. Readers look on
all the time: they see the old version of a partition or the new one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from pg_servers import rows

from fault.kill_backfill import Backfill
from fault.kill_stage import FIRST, LAST, MONTHS, Stage, shared_stage
from fault.kill_witness import (
    assert_ledger_is_whole,
    assert_nothing_is_left,
    assert_only,
    content,
    readers,
    until,
    version,
)
from hic_assets.warehouse import Warehouse

pytestmark = [pytest.mark.timeout(600)]
MOMENTS = 8


@pytest.fixture(scope="module")
def scene(postgres_server: Warehouse, run_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shared_stage(postgres_server, run_name, tmp_path_factory.mktemp("kill")) as scene:
        yield scene


def killed_and_run_again(
    scene: Stage,
    wait: Callable[[Warehouse, Backfill], None],
    held: Callable[[Warehouse], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> dict[str, int] | None:
    """Kill a backfill after `wait`, run it again, compare.

    Returns what the ledger said of the killed run (status -> loads); None when it had ended before it was killed.
    """
    with scene.warehouse() as (warehouse, backfills):
        newest = rows(warehouse, "select max(load_id) from ops.load")[0][0]
        with readers(warehouse, MONTHS) as threads:
            with held(warehouse):
                run = backfills.months(FIRST, LAST)
                wait(warehouse, run)
                if not run.kill():
                    return None
            assert_nothing_is_left(warehouse)
            left = version(warehouse, MONTHS)
            assert all(left[key] in (scene.before[key], scene.after[key]) for key in left), left
            by_status = "select status, count(*) from ops.load where load_id > %s group by 1"
            of_killed = dict(rows(warehouse, by_status, (newest,)))
            assert of_killed.get("running", 0) <= 1
            backfills.months(FIRST, LAST).wait()
        assert_only(threads, scene.before, scene.after)
        assert content(warehouse) == scene.expected
        assert_ledger_is_whole(warehouse)
        abandoned = rows(warehouse, "select count(*) from ops.load where status = 'abandoned'")
        assert abandoned == [(of_killed.get("running", 0),)]
        assert scene.left_on_disk == []
        return of_killed


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_at_a_random_moment(scene: Stage, moment: int) -> None:
    share = (moment + random.Random(moment).random()) / MOMENTS

    def wait(_: Warehouse, run: Backfill) -> None:
        began = time.monotonic()
        while run.running and time.monotonic() < began + share * scene.seconds:
            time.sleep(0.002)
        if not run.running:  # the machine has become faster: moments are spread over what a run takes now
            scene.seconds = time.monotonic() - began

    for _ in range(10):
        if killed_and_run_again(scene, wait) is not None:
            return
        share *= 0.95
    pytest.fail("ten runs had ended before they were killed")


ACTIVE = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'hic' and state = 'active' and "
RUNNING = "select 1 from ops.load where status = 'running' and table_name = %s and partition_key = %s"


def killed(scene: Stage, *how: Any) -> dict[str, int]:
    """As `killed_and_run_again`, for a moment that must be met."""
    found = killed_and_run_again(scene, *how)
    assert found is not None, "the run had ended before it was killed"
    return found


def waits_for(query: str, *parameters: str) -> Callable[[Warehouse, Backfill], None]:
    def wait(warehouse: Warehouse, run: Backfill) -> None:
        with warehouse.connect(autocommit=True, application_name="test") as connection:
            until(lambda: connection.execute(query.encode(), parameters).fetchone() is not None, query)

    return wait


def test_killed_while_it_replaces_rows_in_place(scene: Stage) -> None:
    assert killed(scene, waits_for(RUNNING, "complete_registrations", MONTHS[2]))["running"] == 1


def test_killed_in_the_middle_of_the_last_copy(scene: Stage) -> None:
    """After two months that are replaced already. In the first month's, and while it asks: `tests/systems/test_kill.py`."""
    name = "hmis_data_values_" + LAST.replace("-", "")
    # A table nobody else can see yet is seen by its lock.
    copying = f"""{ACTIVE} query ~ 'copy "raw_partitions"."{name}.*from stdin'"""
    assert killed(scene, waits_for(copying))["running"] == 1


@contextmanager
def a_long_query(warehouse: Warehouse) -> Iterator[None]:
    with warehouse.connect(application_name="test") as connection:
        connection.execute("select count(*) from raw.hmis_data_values")
        yield


def test_killed_while_it_waits_for_a_reader_to_swap(scene: Stage) -> None:
    waiting = f"{ACTIVE} wait_event_type = 'Lock' and query ~ 'detach partition'"
    assert killed(scene, waits_for(waiting), a_long_query)["running"] == 1


@pytest.mark.parametrize("table", ["data_values", "complete_registrations"])
def test_killed_between_the_swap_and_the_commit(scene: Stage, table: str) -> None:
    @contextmanager
    def ledger_held(warehouse: Warehouse) -> Iterator[None]:
        with warehouse.connect(application_name="test") as connection:
            connection.execute(
                "select 1 from ops.load where is_current and table_name = %s and partition_key = %s for update",
                (table, MONTHS[1]),
            )
            yield

    committing = f"{ACTIVE} wait_event_type = 'Lock' and query ~ 'set is_current = false'"
    assert killed(scene, waits_for(committing), ledger_held)["running"] == 1


def test_killed_between_two_partitions(scene: Stage) -> None:
    committed = "select 1 from ops.load where is_current and table_name = 'data_values' and partition_key = %s"

    def wait(warehouse: Warehouse, run: Backfill) -> None:
        newest = rows(warehouse, "select max(load_id) from ops.load")[0][0]
        waits_for(f"{committed} and load_id > {newest}", MONTHS[0])(warehouse, run)

    assert killed(scene, wait)["committed"] >= 1
