"""`hic dev` for real: the UI answers, a run it is asked for succeeds, and Ctrl-C leaves no process and no run behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests
from hic_command import HIC, environment

from hic_assets.warehouse import embedded
from hic_assets.warehouse.connect import of_server

REPOSITORY = {"repositoryLocationName": "hic", "repositoryName": "__repository__"}
ASSETS = "query { assetNodes { assetKey { path } } }"
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message } ... on InvalidSubsetError { message } }
}
"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
ERRORS = (
    "query { workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"
)


class Dev:
    """A running `hic dev`, asked through GraphQL."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process, self.url, self.log = process, url, log

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        reply = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60)
        body: dict[str, Any] = reply.json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def until(self, answered: Callable[[], Any], seconds: float = 120) -> Any:
        """What `answered` gives once it gives something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            if found := answered():
                return found
            time.sleep(0.5)
        raise AssertionError(self.log.read_text())

    def launch(self, selector: dict[str, Any]) -> str:
        """Id of a run that was launched."""
        launched = self.ask(LAUNCH, params={"selector": selector, "runConfigData": {}})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run: str = launched["run"]["runId"]
        return run

    def status(self, run: str) -> str:
        status: str = self.ask(RUN, id=run)["runOrError"]["status"]
        return status

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/server_info", timeout=10).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def dev(home: Path) -> Iterator[Dev]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = home / "dev.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [HIC, "dev", "--port", str(port), "--scale", "0.02"],
            env=environment(home),
            stdout=output,
            stderr=subprocess.STDOUT,
            # Tests that run in the background of a shell have inherited that SIGINT is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
    try:
        yield Dev(process, f"http://127.0.0.1:{port}", log)
    finally:
        for child in [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []:
            child.kill()
        process.kill()


def ours(home: Path) -> list[str]:
    """Processes that were given this home and still live, without the embedded PostgreSQL's."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        variables = process.info["environ"] or {}
        command = " ".join(process.info["cmdline"] or [])
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and variables.get("HIC_HOME") == str(home) and "postgres" not in command.split(" ")[0]:
            found.append(command)
    return found


def in_books(home: Path, query: str, *parameters: str) -> list[tuple[Any, ...]]:
    """Rows of a query on Dagster's storage; PostgreSQL outlives `hic dev`."""
    server = embedded.status(home)
    assert server is not None
    with of_server(server, "dagster").connect() as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def slots(home: Path) -> list[tuple[Any, ...]]:
    """Runs that hold a place in a pool."""
    return in_books(home, "select run_id from concurrency_slots where run_id is not null and not deleted")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_from_the_ui_and_one_that_ctrl_c_cuts_short(dev: Dev, home: Path) -> None:
    dev.until(dev.is_up)
    entries = dev.until(lambda: dev.ask(ERRORS)["workspaceOrError"]["locationEntries"])
    assert [(e["name"], e["locationOrLoadError"]["__typename"]) for e in entries] == [("hic", "RepositoryLocation")]
    keys = {"/".join(node["assetKey"]["path"]) for node in dev.ask(ASSETS)["assetNodes"]}
    assert {"raw/hmis_data_values", "raw/hmis_constants", "reporting/rpt_indicator_monthly", "ops/load"} <= keys

    selector = REPOSITORY | {"jobName": "hmis_reference", "assetSelection": [{"path": ["raw", "hmis_constants"]}]}
    selector["assetCheckSelection"] = []
    run = dev.launch(selector)
    assert dev.until(lambda: dev.status(run) in ENDED and dev.status(run)) == "SUCCESS", dev.log.read_text()
    assert len(ours(home)) >= 4  # hic, its sandbox, dagster's webserver, daemon and code server

    cut_short = dev.launch(REPOSITORY | {"jobName": "hmis_reference"})
    dev.until(lambda: dev.status(cut_short) == "STARTED" and slots(home))
    dev.process.send_signal(signal.SIGINT)
    assert dev.process.wait(60) == 0, dev.log.read_text()
    assert ours(home) == []
    assert in_books(home, "select status from runs where run_id = %s", cut_short) == [("CANCELED",)]
    assert slots(home) == []
    said = dev.log.read_text()
    assert "Traceback" not in said, said
    assert "Warning" not in said, said
