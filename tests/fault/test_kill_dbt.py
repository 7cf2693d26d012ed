"""kill -9 of runs, dbt and all, while they build the marts; after the next run these equal those never disturbed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pg_servers import copied_database, fresh_database, replace_database, rows

from fault.kill_backfill import Backfill, Backfills
from fault.kill_stage import FIRST, LAST, MONTHS, change, changing_source, environment
from fault.kill_witness import (
    Version,
    assert_ledger_is_whole,
    assert_nothing_is_left,
    assert_only,
    readers,
    until,
    version,
)
from hic_assets.assets.dbt import KEPT_SECONDS
from hic_assets.warehouse import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Tables; the reports are views of them.
MONTH_COLUMN = {
    "dwh.fct_data_value": "period_start",
    "dwh.fct_reporting": "period_start",
    "dwh.fct_indicator_value": "period_start",
}
# The id and the time of a load differ from run to run; everything else must not.
ROW = "(to_jsonb(t) - 'load_id' - 'data_as_of' - 'loaded_at')::text"
MARTS = {
    table: f"select count(*), sum(hashtextextended({ROW}, 0)::numeric) from {table} t where {column} = %s"
    for table, column in MONTH_COLUMN.items()
}
DBT_AT_WORK = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'hic-dbt'"


@dataclass
class Marts:
    """A warehouse with marts of the old version, and what an undisturbed run makes of them."""

    server: Warehouse
    old: Warehouse
    folder: Path
    variables: Callable[[Warehouse], dict[str, str]]
    before: Version
    after: Version
    expected: dict[str, list[str]]
    seconds: float = 0

    @contextmanager
    def warehouse(self) -> Iterator[tuple[Warehouse, Backfills]]:
        # Always of one name, the first too: dbt parses the whole project again when the connection differs.
        with copied_database(self.server, self.old.database, f"{self.old.database}_copy") as database:
            yield database, self.backfills(database)

    def backfills(self, database: Warehouse) -> Backfills:
        return Backfills(self.variables(database), self.folder / f"{database.database}.log")


def months(backfills: Backfills) -> Backfill:
    return backfills.start("job", "hmis_monthly", FIRST, LAST)


def contents(warehouse: Warehouse) -> dict[str, list[str]]:
    """Every row of every table and report of the marts, sorted."""
    tables = rows(
        warehouse,
        """select relnamespace::regnamespace || '.' || relname from pg_class where relkind in ('r', 'v')
           and relnamespace in ('dwh'::regnamespace, 'intermediate'::regnamespace, 'reporting'::regnamespace)""",
    )
    assert {table for (table,) in tables} >= {"dwh.dim_facility", "reporting.rpt_indicator_monthly"}
    return {
        table: [row for (row,) in rows(warehouse, f"select {ROW} from {table} t order by 1")]
        for (table,) in sorted(tables)
    }


@pytest.fixture(scope="module")
def marts(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    folder = tmp_path_factory.mktemp("marts")
    with changing_source(16) as sandbox, fresh_database(postgres_server) as old:
        made = Marts(postgres_server, old, folder, lambda w: environment(sandbox, w, folder), {}, {}, {})
        with made.warehouse() as (first, backfills):
            backfills.start("job", "hmis_reference").wait()
            months(backfills).wait()
            made.before = version(first, MONTHS, MARTS)
            replace_database(postgres_server, first.database, old.database)
        change(sandbox)
        with made.warehouse() as (twin, backfills):
            run = months(backfills)
            until(lambda: rows(twin, DBT_AT_WORK), "dbt", 120)
            began = time.monotonic()
            run.wait()
            made.seconds = time.monotonic() - began
            made.after, made.expected = version(twin, MONTHS, MARTS), contents(twin)
        facts = {key for key in made.before if key[0] == "dwh.fct_data_value"}
        assert all(made.before[key] != made.after[key] for key in facts), "each replacement can be seen"
        yield made


def _age(folder: Path) -> None:
    """As if what the killed call has left were older than it is kept."""
    left = list(folder.glob("*/"))
    assert left, "dbt was killed before it could clear up"
    for path in left:
        os.utime(path, (time.time() - 2 * KEPT_SECONDS,) * 2)


@contextmanager
def row_held(warehouse: Warehouse, table: str) -> Iterator[None]:
    """A row of a mart is held, so that its replacement begins and cannot end."""
    with warehouse.connect(application_name="test") as connection:
        row = f"select from {table} where {MONTH_COLUMN[table]} = %s limit 1 for update"
        connection.execute(row.encode(), (MONTHS[1],))
        yield


def killed_while_replaced(warehouse: Warehouse, backfills: Backfills, table: str) -> None:
    """Kill a run that waits to replace a mart."""
    replacing = f"{DBT_AT_WORK} and wait_event_type = 'Lock' and query ~ '{table.split('.')[1]}'"
    with row_held(warehouse, table):
        run = months(backfills)
        until(lambda: rows(warehouse, replacing), replacing, 180)
        assert run.kill()


def until_dbt_begins(warehouse: Warehouse, run: Backfill) -> None:
    until(lambda: rows(warehouse, DBT_AT_WORK) or not run.running, "dbt", 180)


def killed_at_a_random_moment(warehouse: Warehouse, backfills: Backfills, seconds: float) -> None:
    """Kill a run some time after dbt begins, of which `seconds` are left then; another one if it had ended before."""
    share = random.Random(3).random()
    for _ in range(5):
        run = months(backfills)
        until_dbt_begins(warehouse, run)
        began = time.monotonic()
        while run.running and time.monotonic() < began + share * seconds:
            time.sleep(0.005)
        seconds = min(seconds, time.monotonic() - began)
        if run.kill():
            return
        run.wait()  # a failure would have ended it too
    pytest.fail("five runs had ended before they were killed")


def test_killed_twice_and_then_left_alone(marts: Marts) -> None:
    """While a mart is replaced, and at a random moment of dbt; the second kill meets what the first one left."""

    def look_around() -> None:
        assert_nothing_is_left(warehouse)
        left = version(warehouse, MONTHS, MARTS)
        assert all(left[key] in (marts.before[key], marts.after[key]) for key in left), left

    with marts.warehouse() as (warehouse, backfills):
        with readers(warehouse, MONTHS, MARTS) as threads:
            # Of the marts that are replaced, this one is in the middle, with others before and after it.
            killed_while_replaced(warehouse, backfills, "dwh.fct_data_value")
            look_around()
            killed_at_a_random_moment(warehouse, backfills, marts.seconds)
            look_around()
            _age(marts.folder / "dbt")
            months(backfills).wait()
        assert_only(threads, marts.before, marts.after)
        assert contents(warehouse) == marts.expected
        assert_ledger_is_whole(warehouse)
        assert [p.name for p in (marts.folder / "dbt").glob("*/")] == [], "nothing of the killed calls is kept for ever"
