"""dbt on one database, for tests of the dbt project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pg_servers import rows

from hic_assets.warehouse import Warehouse

PROJECT = Path(__file__).parents[2] / "dbt_project"
DBT = str(Path(sys.executable).with_name("dbt"))
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
        command = [DBT, *arguments]
        done = subprocess.run(
            command, cwd=self.project, env=self._env(), capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "deprecat" not in done.stdout.lower(), done.stdout
        results = json.loads((self.target / "run_results.json").read_text())["results"]
        return {result["unique_id"].split(".")[2]: result["status"] for result in results}

    def reference(self, *, tests: bool = False) -> dict[str, str]:
        """Build what does not depend on the month, with the data tests; or without, and without tracker programmes."""
        return self.run("build", "--select", "tag:reference", *_without(tests))

    def monthly(self, start: str, end: str, *, tests: bool = False) -> dict[str, str]:
        """Build the months in [start, end), with the data tests; or without, and without tracker programmes."""
        window = ["--event-time-start", start, "--event-time-end", end]
        return self.run("build", "--select", "tag:monthly", *_without(tests), *window)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        found: list[tuple[Any, ...]] = rows(self.warehouse, text)
        return found

    def _env(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.warehouse.env(),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target / "logs"),
            "DBT_PROFILES_DIR": str(self.project),
        }


def _without(tests: bool) -> list[str]:
    if tests:
        return ["--exclude-resource-type", "unit_test"]
    return ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test", "--exclude", "tag:tracker"]
