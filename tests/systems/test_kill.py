"""kill -9 of a load of every system, three times in three states, then the same load left alone: as if nothing had happened.

One body. The states are met and not guessed at: while the source is asked, in the middle of the COPY, and between the
last row and the commit. `tests/fault/test_kill.py` adds random moments, readers who look on, and the swap of partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault.kill_backfill import Backfill, Backfills
from fault.kill_witness import assert_ledger_is_whole, assert_nothing_is_left, content, until
from pg_servers import copied_database, rows

from hic_assets.landing.table import Layout
from hic_assets.sandbox import Sandbox
from hic_assets.settings import variable_prefix
from hic_assets.warehouse import Warehouse
from systems.country import sandboxes
from systems.subjects import SUBJECTS, Subject

pytestmark = [pytest.mark.timeout(600)]
ACTIVE = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'hic' and state = 'active' and "
LOCK = 4711
# Each row that is copied into the table waits for whoever holds the lock.
STOP_ROWS = """
create function {trigger}() returns trigger language plpgsql as
    $$ begin perform pg_advisory_lock_shared({lock}); perform pg_advisory_unlock_shared({lock}); return new; end $$;
create trigger {trigger} before insert on {relation} for each row execute function {trigger}()
"""


@dataclass
class Scene:
    """A source that has changed since the warehouse was loaded; `twin`: the warehouse that was never killed."""

    sandboxes: dict[str, Sandbox]
    folder: Path
    warehouse: Warehouse
    twin: Warehouse

    def start(self, subject: Subject, database: Warehouse) -> Backfill:
        runs = Backfills(self._environment(database), self.folder / f"{database.database}.log")
        return runs.start("partitions", subject.name, subject.feed.table.name, *subject.keys)

    def _environment(self, database: Warehouse) -> dict[str, str]:
        found = {**database.env(), "HIC_DAGSTER_URL": database.url, "HIC_HOME": str(self.folder)}
        for name, box in self.sandboxes.items():
            mine = box.credentials.get(name) or {"username": box.username, "password": box.password}
            told = {"url": box.urls[name], **mine}
            found |= {variable_prefix(name) + key.upper(): value for key, value in told.items()}
        return found

    def left_on_disk(self) -> list[Path]:
        return [path for name in ("spool", "kept") for path in (self.folder / name).glob("*")]


@pytest.fixture(scope="module")
def scene(
    postgres_server: Warehouse, loaded_systems: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    source = loaded_systems.database
    with (
        sandboxes() as boxes,
        copied_database(postgres_server, source) as one,
        copied_database(postgres_server, source) as other,
    ):
        for subject in SUBJECTS:
            for key in subject.keys:
                subject.edit(boxes[subject.name], key)
        scene = Scene(boxes, tmp_path_factory.mktemp("killed"), one, other)
        runs = [scene.start(subject, other) for subject in SUBJECTS]
        for run in runs:
            run.wait()
        yield scene


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_killed_in_every_state_and_then_left_alone(scene: Scene, subject: Subject) -> None:
    warehouse, table = scene.warehouse, subject.feed.table
    before = content(warehouse, [table])
    assert before != content(scene.twin, [table]), "there is something to be loaded"
    first = ledger(warehouse, subject)
    for number, kill in enumerate((while_it_asks, in_the_middle_of_its_copy, before_it_commits), 1):
        kill(scene, subject)
        assert_nothing_is_left(warehouse)
        assert content(warehouse, [table]) == before
        assert ledger(warehouse, subject) == [*first, *["abandoned"] * (number - 1), "running"], kill.__name__
    scene.start(subject, warehouse).wait()
    assert_nothing_is_left(warehouse)
    assert content(warehouse, [table]) == content(scene.twin, [table])
    assert_ledger_is_whole(warehouse, [table])
    assert ledger(warehouse, subject) == [*first, *["abandoned"] * 3, *["committed"] * 2]
    for key in subject.keys:
        assert subject.held(warehouse, key).equals(subject.truth(scene.sandboxes[subject.name], key))
    assert scene.left_on_disk() == []


def ledger(warehouse: Warehouse, subject: Subject) -> list[str]:
    """What became of each load of a table, in order."""
    query = "select status from ops.load where system = %s and table_name = %s order by load_id"
    return [status for (status,) in rows(warehouse, query, (subject.name, subject.feed.table.name))]


def while_it_asks(scene: Scene, subject: Subject) -> None:
    """Before the first reply, or between two pages where there are several."""
    killed: list[bool] = []
    runs: list[Backfill] = []
    paged = subject.system.api is not None and subject.name != "cemr"
    box = scene.sandboxes[subject.name]
    box.during(subject.path, after_requests=int(paged), do=lambda: killed.append(runs[0].kill()))
    runs.append(scene.start(subject, scene.warehouse))
    until(lambda: killed, "the second request")
    assert killed == [True]


def in_the_middle_of_its_copy(scene: Scene, subject: Subject) -> None:
    if subject.feed.table.layout is Layout.INDEXED:
        with rows_stopped(scene.warehouse, subject):
            _killed_once(scene, subject, f"{ACTIVE} wait_event_type = 'Lock' and query ~ '^copy'")
        return
    # A table of its own that nobody sees yet takes no trigger; while it is copied into, the source is still asked.
    _killed_once(scene, subject, f"{ACTIVE} query ~ '^copy \"raw_partitions\"'")


def before_it_commits(scene: Scene, subject: Subject) -> None:
    """All rows are in place, and its line in the ledger is held by somebody else."""
    with scene.warehouse.connect(application_name="test") as connection:
        connection.execute(
            "select 1 from ops.load where is_current and system = %s and table_name = %s for update",
            (subject.name, subject.feed.table.name),
        )
        _killed_once(scene, subject, f"{ACTIVE} wait_event_type = 'Lock' and query ~ 'set is_current = false'")


def _killed_once(scene: Scene, subject: Subject, query: str) -> None:
    """Kill a run as soon as a query finds something."""
    run = scene.start(subject, scene.warehouse)
    with scene.warehouse.connect(autocommit=True, application_name="test") as connection:
        met: Callable[[], bool] = lambda: connection.execute(query.encode()).fetchone() is not None  # noqa: E731
        until(lambda: met() or not run.running, query)
    assert run.kill(), run.log.read_text()[-2000:]


@contextmanager
def rows_stopped(warehouse: Warehouse, subject: Subject) -> Iterator[None]:
    """No row gets into a table inside the block; after it the table is as before."""
    names = {"trigger": "stop_rows", "lock": LOCK, "relation": subject.relation}
    rows(warehouse, STOP_ROWS.format(**names))
    with warehouse.connect(autocommit=True, application_name="test") as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        try:
            yield
        finally:
            connection.execute("select pg_advisory_unlock(%s)", (LOCK,))
    assert_nothing_is_left(warehouse)
    rows(warehouse, "drop function stop_rows() cascade")
