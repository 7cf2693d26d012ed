"""dbt on one database, for tests of the dbt project."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from dbt_warm import VARIABLE
from pg_servers import rows

from hic_assets.cli.manifest import ensure
from hic_assets.identity.pseudonym import session_options
from hic_assets.identity.resolve import resolve
from hic_assets.warehouse import Warehouse

PROJECT = Path(__file__).parents[2] / "dbt_project"
DBT = str(Path(sys.executable).with_name("dbt"))
DBT_SECONDS = 800
# The small country built: copied by tests that change it. Nobody connects to it, which PostgreSQL asks of what is copied.
BUILT = "hic_test_country_built"
PSEUDONYM_KEY = b"a key of pseudonyms that is for tests"
JANUARY, BOTH = ("2024-01-01", "2024-02-01"), ("2024-01-01", "2024-03-01")


@dataclass
class Dbt:
    """The dbt project (or a copy of it) on one database, with a target folder of its own."""

    warehouse: Warehouse
    target: Path
    project: Path = PROJECT
    first_reference: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> dict[str, str]:
        """Run a dbt command; node name -> status. An error or a deprecation fails the test with dbt's output."""
        said = self.target / f"{uuid.uuid4().hex}.txt"
        self.target.mkdir(parents=True, exist_ok=True)
        as_it_stands = self.project == PROJECT and "--vars" not in arguments
        given = (arguments, self.project, self._env(), said, _parsed() if as_it_stands else None)
        process = _fork_server().Process(target=_call, args=given, daemon=True)
        process.start()
        process.join(DBT_SECONDS)
        process.kill()
        process.join()
        text = said.read_text()
        assert process.exitcode == 0, text
        assert "deprecat" not in text.lower(), text
        results = json.loads((self.target / "run_results.json").read_text())["results"]
        return {result["unique_id"].split(".")[2]: result["status"] for result in results}

    def reference(self, *, tests: bool = False) -> dict[str, str]:
        """Build what does not depend on the month, with the data tests; or without, and without programmes and REST systems."""
        return self.run("build", "--select", "tag:reference", *_without(tests))

    def monthly(self, start: str, end: str, *, tests: bool = False) -> dict[str, str]:
        """Build the months in [start, end), with the data tests; or without, and without programmes and REST systems."""
        window = ["--event-time-start", start, "--event-time-end", end]
        return self.run("build", "--select", "tag:monthly", *_without(tests), *window)

    def weekly(self, start: str, end: str, *, tests: bool = False) -> dict[str, str]:
        """Build the weeks whose Mondays are in [start, end), with the data tests; or without."""
        window = ["--event-time-start", start, "--event-time-end", end]
        without = ["unit_test"] if tests else ["unit_test", "test"]
        kinds = [word for kind in without for word in ("--exclude-resource-type", kind)]
        return self.run("build", "--select", "tag:weekly", *kinds, *window)

    def identity(self, *, tests: bool = False) -> dict[str, str]:
        """Put records of persons together, and build the dimensions of patients, with the data tests; or without."""
        resolve(self.warehouse, PSEUDONYM_KEY)
        kinds = ["unit_test"] if tests else ["unit_test", "test"]
        without = [word for kind in kinds for word in ("--exclude-resource-type", kind)]
        return self.run("build", "--select", "tag:identity", *without)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        found: list[tuple[Any, ...]] = rows(self.warehouse, text)
        return found

    def _env(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.warehouse.env(),
            "PGOPTIONS": session_options(PSEUDONYM_KEY),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target / "logs"),
            # Nobody reads its log; writing it down to the last detail takes as long as a third of the work.
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_PROFILES_DIR": str(self.project),
        }


@cache
def _parsed() -> Path:
    """The project as `hic manifest` has parsed it, for whatever server; anew if something has changed since."""
    ensure(PROJECT)
    return PROJECT / "target" / "partial_parse.msgpack"


def _call(
    arguments: Sequence[str], project: Path, environment: Mapping[str, str], said: Path, parsed: Path | None
) -> None:
    """One dbt command, as the executable runs it, in a process that has imported dbt, and read the project, already."""
    from dbt.cli.main import cli, dbtRunner
    from dbt.task import runnable
    from dbt_warm import project_in

    with said.open("wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(project)
    os.environ.update(environment)
    if parsed is None:
        cli(list(arguments))  # ends the process with dbt's exit code
    runnable.write_manifest = lambda *_: None  # nobody reads it, and it takes as long as twenty models
    done = dbtRunner(project_in(environment["PGDATABASE"], parsed)).invoke(list(arguments))
    sys.exit(0 if done.success else str(done.exception or "dbt failed"))


def _fork_server() -> Any:
    multiprocessing.set_forkserver_preload(["dbt_warm"])
    with pytest.MonkeyPatch.context() as patch:
        # It is not told our sys.path (before Python 3.13), and then imports nothing, silently.
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv(VARIABLE, f"{_parsed()}")
        forkserver.ensure_running()
    return multiprocessing.get_context("forkserver")


def _without(tests: bool) -> list[str]:
    if tests:
        return ["--exclude-resource-type", "unit_test"]
    return [
        "--exclude-resource-type",
        "unit_test",
        "--exclude-resource-type",
        "test",
        "--exclude",
        "tag:tracker",
        "tag:clinical",
    ]
