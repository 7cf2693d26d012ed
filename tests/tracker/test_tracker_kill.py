"""kill -9 of a load of a tracker while it reads: the next one goes on where it stopped, and the table equals the server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest
from kill_load import SYSTEM
from pg_servers import fresh_database, rows
from tracker_country import WEEKS, Trackers, trackers

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.sandbox.server.app import LoggedRequest
from hic_assets.warehouse import Warehouse

(PROGRAMME,) = SYSTEM.programmes
WEEK = WEEKS[0]
LISTS = "/immunization/api/tracker/events"


@pytest.fixture(scope="module")
def country(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trackers]:
    with (
        fresh_database(postgres_server) as database,
        trackers(database, tmp_path_factory.mktemp("killed"), scale=0.05) as made,
    ):
        yield made


@pytest.fixture
def many_slices(country: Trackers) -> Iterator[Trackers]:
    """The proxy gives up on more than so many rows, so that the week is divided into districts and days."""
    country.sandbox.faults.set("timeout_over", rows=30, path=LISTS)
    yield country
    country.sandbox.faults.clear()
    country.sandbox.interruptions.clear()


def start(country: Trackers) -> subprocess.Popen[bytes]:
    box = country.sandbox
    given = {
        "urls": dict(box.urls),
        "username": box.username,
        "password": box.password,
        "folder": str(country.folder),
        "warehouse": country.warehouse.url,
        "week": WEEK,
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    call = [sys.executable, "-m", "kill_load", json.dumps(given)]
    return subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(country: Trackers) -> None:
    run = start(country)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 0, said.decode()[-3000:]


def pages(country: Trackers) -> list[LoggedRequest]:
    """Requests of lists that were answered, but for the one by which rows are counted."""
    lists = [r for r in country.sandbox.requests if r.path.endswith("tracker/events") and r.status == 200]
    return [r for r in lists if "pageSize=1&" not in r.query]


def assert_equal_to_the_server(country: Trackers) -> None:
    held = country.held(SYSTEM, PROGRAMME, Kind.EVENTS)
    served = country.served(SYSTEM, PROGRAMME, Kind.EVENTS)
    assert held.height > 200
    assert held.equals(served.filter(served["partition"] == held["partition"][0]))


def assert_nothing_is_kept(country: Trackers) -> None:
    assert list((country.folder / "kept").iterdir()) == []


@pytest.mark.parametrize("answered", [0, 9, 20])
def test_killed_while_it_reads(many_slices: Trackers, answered: int) -> None:
    """What came before is kept, for the owner only, and not asked for again."""
    country = many_slices
    country.sandbox.requests.clear()
    run = start(country)
    country.sandbox.during(LISTS, after_requests=answered, do=run.kill)
    run.wait(60)
    assert run.returncode == -9
    assert newest_load(country) == "running"
    kept = list((country.folder / "kept").iterdir())
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in kept)
    bodies = len([body for folder in kept for body in folder.glob("*.body")])
    assert bodies > 0 or answered < 9
    country.sandbox.requests.clear()
    finished(country)
    again = pages(country)
    assert_equal_to_the_server(country)
    assert_nothing_is_kept(country)
    ((slices,),) = rows(
        country.warehouse, "select count(*) from ops.load_slice where load_id = (select max(load_id) from ops.load)"
    )
    assert len(again) == slices - bodies > 0


def newest_load(country: Trackers) -> str:
    """Its status in the ledger."""
    ((status,),) = rows(country.warehouse, "select status from ops.load order by load_id desc limit 1")
    return str(status)
