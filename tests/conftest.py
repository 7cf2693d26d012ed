"""Fixtures that every test folder uses: a warehouse database. The more special live beside their tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from long_tests import is_long
from pg_servers import SYSTEM_URL, fresh_database, shared_server, system_server

from hic_assets.warehouse import Warehouse

# No test is about seconds: on a busy machine an example may take any number of them.
settings.register_profile("hic", deadline=None)
settings.load_profile("hic")

# `make test` gives files to its workers in this order, so none of half a minute and more is left to run alone at
# the end. The first two go to different workers, with the third and the fourth behind them.
LONG_FIRST = (
    "cli/test_demo.py",
    "fault/test_kill_dbt.py",
    "dbt/test_changes.py",
    "fault/test_kill.py",
    "tracker/test_tracker_parity.py",
    "tracker/test_tracker_drift.py",
    "dbt/test_programme_mart.py",
    "cli/test_dev.py",
    "dagster/test_runs.py",
    "systems/test_faults.py",
    "systems/test_kill.py",
)
SHORT_LAST = ("contract", "indicators", "unit")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long first, folders of milliseconds last, everything else between in its own order."""
    here = Path(__file__).parent
    for item in items:
        if is_long(item.path.relative_to(here), item.name):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: _place(item.path.relative_to(here)))


def _place(file: Path) -> int:
    if file.as_posix() in LONG_FIRST:
        return LONG_FIRST.index(file.as_posix())
    return len(LONG_FIRST) + (file.parts[0] in SHORT_LAST)


@pytest.fixture(scope="session")
def run_name() -> str:
    """What this test run is called; all xdist workers agree on it."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex


@pytest.fixture(scope="session")
def postgres_server(run_name: str) -> Iterator[Warehouse]:
    """The embedded PostgreSQL of this test run, shared by all xdist workers (maintenance database)."""
    with shared_server(run_name) as server:
        yield server


@pytest.fixture
def warehouse(postgres_server: Warehouse) -> Iterator[Warehouse]:
    """A fresh database with the warehouse's schemas."""
    with fresh_database(postgres_server) as database:
        yield database


@pytest.fixture(params=["embedded", "system"])
def warehouse_on_both(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """`warehouse` on the embedded server and on that of HIC_TEST_PG_URL (skipped if absent)."""
    if request.param == "embedded":
        yield request.getfixturevalue("warehouse")
        return
    url = os.environ.get("HIC_TEST_PG_URL", SYSTEM_URL)
    server = system_server(url)
    if server is None:
        pytest.skip("no server at HIC_TEST_PG_URL")
    with fresh_database(server, template=False) as database:
        yield database
