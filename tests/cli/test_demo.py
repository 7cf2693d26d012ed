"""`hic demo` from nothing, and one that fails. That a second load changes nothing is in tests/dagster and tests/dbt."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from demo_persons import persons_found
from hic_command import HIC, Hic, environment
from queries import NOT_IN_A_SHORT_DEMO, asked_of
from roles_world import roles_on

from hic_assets.bench.queries import measure
from hic_assets.sandbox import running_sandbox
from hic_assets.settings import Settings
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import existing_warehouse

SCALE = 0.02
FEEDS = {f"raw.{feed.table.relation}": feed for system in SYSTEMS for feed in system.feeds}


def partitions(name: str) -> int:
    """How many of a table's the demo of these tests loads."""
    feed = FEEDS[name]
    if feed.cadence is Cadence.SNAPSHOT:
        return 1
    return {Cadence.WEEKLY: 1, Cadence.MONTHLY: 1 if feed.programme or feed.resource else 3}[feed.cadence]


def demo(home: Path, **variables: str) -> tuple[dict[str, Any], str]:
    """The report of a small demo, and what it said on the way."""
    call = [HIC, "demo", "--scale", str(SCALE), "--months", "3", "--weeks", "1", "--json"]
    given = environment(home, **variables)
    done = subprocess.run(call, env=given, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout), done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_nothing_every_table_is_loaded_and_every_mart_built(home: Path) -> None:
    made, said = demo(home)
    assert made["success"]
    assert made["failures"] == []
    assert len(made["runs"]) == 6
    tables = {t["table"]: t for t in made["tables"]}
    assert sorted(tables) == sorted(FEEDS)
    for name, table in tables.items():
        assert set(table) == {"system", "table", "partitions", "rows", "quarantined", "seconds", "checks"}
        # In so small a country nobody may have died in the month.
        assert table["rows"] > 0 or "audit" in name or "cancer" in name, name
        assert table["quarantined"] >= 0
        assert table["partitions"] == partitions(name), name
        assert "FAILED" not in table["checks"]
        assert int(table["checks"].split()[0]) >= 1, name
    assert tables["raw.hmis_data_values"]["quarantined"] > 0
    assert made["models"]["tested"] > 20
    assert len(made["mart"]) == 3
    for row in made["mart"]:
        assert row["indicator_code"]
        assert row["org_unit_name"]
        assert float(row["value"]) > 0
    assert_progress(said)
    assert_status(home, tables)
    persons = persons_found(home, SCALE)
    assert persons.right > 100 and persons.f1 >= 0.97, persons.row()
    assert unanswered(home) == []


def unanswered(home: Path) -> list[tuple[str, int | str]]:
    """Questions of docs/queries.md that the demo's warehouse has no row for, and should; or whose SQL is wrong."""
    warehouse = existing_warehouse(Settings(home=home))
    assert warehouse is not None
    every, slowest, *_ = measure(warehouse, 1, lambda _: None)
    assert every["rows_in_dwh"] > 10_000 and 0 < every["seconds"] <= slowest["seconds"]
    with roles_on(warehouse) as world:
        answers = asked_of(world)
    may_be = {one: (0, 1) if one in NOT_IN_A_SHORT_DEMO else (1,) for one in answers}
    return [(one, said) for one, said in answers.items() if said not in may_be[one]]


def assert_progress(said: str) -> None:
    """Nothing but our own lines, and among them what was being loaded: whichever table was the newest at a glance."""
    lines = said.splitlines()
    assert not [line for line in lines if not line.startswith("  ")], said
    loading = {line.rpartition(": ")[2].split(" ")[0] for line in lines if "…" in line}
    assert loading & {feed.table.relation for feed in FEEDS.values()}, said
    assert sum("✓" in line for line in lines) >= 5


def assert_status(home: Path, tables: dict[str, Any]) -> None:
    """`hic status` agrees with the report."""
    done = subprocess.run(
        [HIC, "status", "--json"], env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    status = {f"raw.{t['relation']}": t["rows"] for t in json.loads(done.stdout)["tables"]}
    assert status == {name: table["rows"] for name, table in tables.items()}


@pytest.mark.slow
def test_a_run_that_fails_says_why_in_the_terminal_and_is_1(
    hic: Hic, own_server: dict[str, str], tmp_path: Path
) -> None:
    with running_sandbox(scale=0.02) as sandbox:
        sandbox.faults.set("html_404", path="/api/data")
        password = sandbox.password
        source = {"HIC_HMIS_URL": sandbox.url, "HIC_HMIS_USERNAME": "hic_reader", "HIC_HMIS_PASSWORD": password}
        done = hic("demo", "--months", "1", "--json", timeout=200, **own_server, **source)
    assert done.returncode == 1
    (reason, *_) = [line for line in done.stderr.splitlines() if line.startswith("    raw__hmis_")]
    assert "404" in reason
    assert "Check the address" in reason
    assert "✗ Registries" in done.stderr
    assert "FAILED" in done.stderr
    report = json.loads(done.stdout)
    assert not report["success"]
    assert reason.strip() in report["failures"]
    assert "    and " in done.stderr
    assert "Traceback" not in done.stderr
    log = (tmp_path / "logs" / "demo.log").read_text()
    assert password not in done.stderr + done.stdout + log
