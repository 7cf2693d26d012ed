"""Faults that only trackers have, seen over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sandbox_tracker_help import PROGRAM, ROOT, TRACKER, HandStore

from hic_assets.sandbox import Sandbox, running_sandbox

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as sandbox:
        sandbox.world.trackers.install(HandStore(sandbox.world, 21))  # type: ignore[arg-type]
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    yield served
    served.faults.clear()
    served.versions.clear()


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    """GET a list of the whole programme."""

    def get(kind: str, **changes: Any) -> requests.Response:
        base = {"program": PROGRAM.uid, "orgUnit": ROOT, "ouMode": "DESCENDANTS"}
        url, auth = f"{sandbox.urls[TRACKER]}/api/{kind}", (sandbox.username, sandbox.password)
        return requests.get(url, params=base | changes, auth=auth, timeout=20)

    return get


def test_timeout_over(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.set("timeout_over", rows=30)
    assert ask("tracker/events", pageSize=31).status_code == 504
    assert ask("tracker/events", pageSize=30).status_code == 200
    assert ask("tracker/events", skipPaging="true").status_code == 504
    assert ask("tracker/events", pageSize=50, occurredAfter="2026-03-20").status_code == 200
    assert ask("tracker/enrollments", skipPaging="true").status_code == 200
    assert ask("events", pageSize=50).status_code == 200
    # a page may be small where the database has to sort all of it
    sandbox.faults.set("timeout_over", rows=30, matched=True)
    assert ask("tracker/events", pageSize=5).status_code == 504
    sandbox.faults.set("timeout_over", rows=30, path="/api/events")
    assert ask("events", pageSize=31, orgUnit=ROOT).status_code == 504


def test_no_access(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.set("no_access", program=PROGRAM.uid)
    assert ask("tracker/events").status_code == 409
    sandbox.versions[TRACKER] = "2.42.5.2"
    reply = ask("tracker/events")
    assert (reply.status_code, reply.json()["message"]) == (403, f"User has no access to program: {PROGRAM.uid}")
    sandbox.faults.set("no_access", program="another")
    assert ask("tracker/events").status_code == 200


def test_short_pages(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.set("short_pages", every=5)
    sandbox.versions[TRACKER] = "2.42.5.2"
    sizes, page, more = [], 1, True
    while more:
        body = ask("tracker/enrollments", pageSize=5, page=page).json()
        sizes.append(len(body["enrollments"]))
        page, more = page + 1, "nextPage" in body["pager"]
    # each page lacks one, and only nextPage says that there is another
    assert sizes == [4, 4, 4, 4]
    assert len(ask("tracker/events", pageSize=50, orgUnitMode="DESCENDANTS").json()["events"]) == 50


def test_paced_gives_no_more_a_second_however_many_ask(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.set("paced", rows_a_second=100)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(lambda n: len(ask("tracker/events", pageSize=20, page=n).json()["instances"]), (1, 2)))
    assert sizes == [20, 20]
    assert time.monotonic() - started >= 0.4
