"""The services of the Compose file, started outside containers with its own commands and health checks.

Only addresses differ: ports and hosts are those of this machine, PostgreSQL is the embedded one. What this cannot
show is the containers: images, users, networks, limits, mounts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker_files import DOCKER, ROOT, image_environment, interpolate, services
from pg_servers import rows, shared_server

from hic_assets.sandbox.running import running_sandbox
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.binaries import client_directory

pytestmark = pytest.mark.slow
SECRETS = {
    "HIC_PG_PASSWORD": "warehouse5e1f",
    "HIC_DAGSTER_PG_PASSWORD": "dagster0c2a",
    "HIC_PSEUDONYM_KEY": "a key of pseudonyms that is for tests",
    "HIC_PG_ADMIN_PASSWORD": "admin77",
}
LAUNCH = """
mutation ($path: [String!]!) { launchRun(executionParams: {mode: "default", runConfigData: {}, selector: {
  repositoryLocationName: "hic", repositoryName: "__repository__", jobName: "__ASSET_JOB",
  assetSelection: [{path: $path}], assetCheckSelection: []}}) { __typename ... on LaunchRunSuccess { run { runId } } } }
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@dataclass
class Stack:
    """The services as processes: where their files are, their ports, and the environment each is given."""

    root: Path
    ports: dict[str, int]
    values: dict[str, str]
    server: Warehouse
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def local(self, name: str, words: list[str]) -> list[str]:
        """A command of a service with this machine's ports; its program is the one installed here."""
        port = self.ports.get(name)
        own = [w.replace("0.0.0.0", "127.0.0.1") for w in words]
        if name == "code_location":
            own = [w.replace("4000", str(port)) for w in own]
        if name == "webserver":
            own = [w.replace("3000", str(port)) for w in own]
        return [str(Path(sys.executable).with_name(own[0])), *own[1:]]

    def environment(self, name: str) -> dict[str, str]:
        """What the container would be given, and nothing of ours."""
        image = {k: v.replace("/srv/hic", str(self.root)) for k, v in image_environment().items() if k != "PATH"}
        given = {k: interpolate(str(v), self.values) for k, v in services()[name]["environment"].items()}
        where = f"@127.0.0.1:{self.server.params['port']}/"
        given = {k: v.replace("@postgres:5432/", where) for k, v in given.items()}
        return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/nonexistent", **image, **given}

    def start(self, name: str) -> None:
        command = self.local(name, services()[name]["command"])
        with (self.root / "var" / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.root, env=self.environment(name), stdout=log, stderr=log, start_new_session=True
            )

    def check(self, name: str) -> int:
        """Exit code of the service's health check."""
        command = self.local(name, services()[name]["healthcheck"]["test"][1:])
        done = subprocess.run(command, cwd=self.root, env=self.environment(name), capture_output=True, check=False)
        return done.returncode

    def wait_healthy(self, name: str) -> None:
        deadline = time.monotonic() + 120
        while self.check(name) != 0:
            log = (self.root / "var" / f"{name}.log").read_text()
            assert self.processes[name].poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.5)

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes.values():
                try:
                    os.killpg(process.pid, number)
                    process.wait(timeout=15)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue

    def ask(self, query: str, **parameters: Any) -> Any:
        """Ask the webserver's GraphQL."""
        body = json.dumps({"query": query, "variables": parameters}).encode()
        url = f"http://127.0.0.1:{self.ports['webserver']}/graphql"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert not found.get("errors"), found
        return found["data"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL set up by the init script, and the three services in the order Compose starts them."""
    root = tmp_path_factory.mktemp("image")
    (root / "var" / "dagster").mkdir(parents=True)
    (root / "docker").mkdir()
    shutil.copy(ROOT / "dagster.yaml", root)
    ports = {"code_location": free_port(), "webserver": free_port()}
    workspace = (DOCKER / "workspace.yaml").read_text()
    workspace = workspace.replace("code_location", "127.0.0.1").replace("4000", str(ports["code_location"]))
    (root / "docker" / "workspace.yaml").write_text(workspace)
    with running_sandbox(scale=0.02) as hmis, shared_server(uuid.uuid4().hex) as server:
        source = {"HIC_HMIS_URL": hmis.url, "HIC_HMIS_USERNAME": hmis.username, "HIC_HMIS_PASSWORD": hmis.password}
        _init(server)
        made = Stack(root, ports, {**SECRETS, **source}, server)
        try:
            for name in ("code_location", "webserver", "daemon"):
                assert name == "daemon" or made.check(name) != 0, "healthy before it was started"
                made.start(name)
                made.wait_healthy(name)
            yield made
        finally:
            made.stop()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _init(server: Warehouse) -> None:
    environment = {**os.environ, **server.env(), **SECRETS, "POSTGRES_USER": server.params["user"]}
    environment["PATH"] = f"{client_directory()}:{environment['PATH']}"
    done = subprocess.run([DOCKER / "postgres-init.sh"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_databases_have_owners_that_are_no_superusers(stack: Stack) -> None:
    owners = "select datname, pg_get_userbyid(datdba) from pg_database where datname in ('hic', 'dagster') order by 1"
    assert rows(stack.server, owners) == [("dagster", "dagster"), ("hic", "warehouse")]
    assert rows(
        stack.server, "select count(*) from pg_roles where rolsuper and rolname in ('warehouse', 'dagster')"
    ) == [(0,)]
    closed = "select has_database_privilege('dagster', 'hic', 'connect'), has_database_privilege('warehouse', 'dagster', 'connect')"
    assert rows(stack.server, closed) == [(False, False)]


def test_postgres_is_ready_by_its_own_check(stack: Stack) -> None:
    _, *words = services()["postgres"]["healthcheck"]["test"]
    ready = [str(client_directory() / words[0]), *words[1:]]
    for port, code in ((stack.server.params["port"], 0), (str(free_port()), 2)):
        done = subprocess.run(ready, env={**os.environ, "PGPORT": port}, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout


@pytest.mark.parametrize("name", ["code_location", "webserver", "daemon"])
def test_every_service_is_healthy(stack: Stack, name: str) -> None:
    assert stack.check(name) == 0
    assert stack.processes[name].poll() is None


def test_the_webserver_has_the_code_location(stack: Stack) -> None:
    found = stack.ask("{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }")
    assert found["workspaceOrError"]["locationEntries"] == [{"name": "hic", "loadStatus": "LOADED"}]


def test_a_run_goes_through_all_services(stack: Stack) -> None:
    """Launched at the webserver, taken from the queue by the daemon, run by the code location, landed in `hic`."""
    launched = stack.ask(LAUNCH, path=["raw", "hmis_constants"])["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run, status, deadline = launched["run"]["runId"], "", time.monotonic() + 120
    while status not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < deadline, status
        time.sleep(0.5)
        status = stack.ask(STATUS, id=run)["runOrError"]["status"]
    logs = "\n".join(p.read_text() for p in (stack.root / "var").glob("*.log"))
    assert status == "SUCCESS", logs
    landed = rows(stack.server.with_database("hic"), "select landed, run_id from ops.load where is_current")
    assert len(landed) == 1 and landed[0][0] > 0 and landed[0][1] == run


def test_nothing_is_written_outside_the_volume(stack: Stack) -> None:
    """What makes a read-only root file system possible."""
    found = sorted(str(p.relative_to(stack.root)) for p in stack.root.rglob("*") if p.is_file())
    assert [p for p in found if not p.startswith("var/")] == ["dagster.yaml", "docker/workspace.yaml"]


def test_a_dead_code_location_is_noticed(stack: Stack) -> None:
    """Last, since it stops the service."""
    process = stack.processes["code_location"]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert stack.check("code_location") != 0
