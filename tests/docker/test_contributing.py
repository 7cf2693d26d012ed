"""CONTRIBUTING.md keeps its word: its examples are run against the code, its paths and commands exist."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import requests
from docker_files import ROOT

from hic_assets.cli import COMMANDS, manifest
from hic_assets.landing.ddl import create_ops
from hic_assets.sandbox import running_sandbox
from hic_assets.sandbox.server import faults, spoil
from hic_assets.systems import HMIS, System
from hic_assets.warehouse import Warehouse

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, flags=re.S)


def block(language: str, part: str) -> str:
    """The one example of a language that holds `part`."""
    (found,) = [text for kind, text in BLOCKS if kind == language and part in text]
    return str(found)


def pbf() -> System:
    """The system of the example."""
    module = types.ModuleType("pbf")
    exec(block("python", "PBF = System("), module.__dict__)
    system: System = module.PBF
    return system


def test_every_example_is_tested_here() -> None:
    assert [kind for kind, _ in BLOCKS] == ["python", "python", "python", "python", "sql", "yaml", "python"]


def test_paths_exist() -> None:
    new = {"hic_assets/systems/pbf.py", "dbt_project/models/staging/pbf/_sources.yml"}
    quoted = set(re.findall(r"`((?:hic_assets|dbt_project|tests|docker|docs)/[\w./]*)`", TEXT)) - new
    quoted |= set(re.findall(r"\]\(([\w./-]+)\)", TEXT))
    quoted |= set(re.findall(r"pytest ([\w./]+\.py)", TEXT))
    assert len(quoted) > 15
    assert [path for path in sorted(quoted) if not (ROOT / path).exists()] == []


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`make ([\w-]+)", TEXT)) <= targets
    assert set(re.findall(r"bin/hic ([\w-]+)", TEXT)) <= set(COMMANDS)


def test_the_second_system_is_declared_under_its_own_name() -> None:
    system = pbf()
    assert {feed.table.system for feed in system.feeds} == {"pbf"}
    references = {r.table for feed in system.feeds for r in feed.table.references}
    assert references and references <= {feed.table.relation for feed in system.feeds}


def test_the_second_system_gets_its_assets_jobs_schedules_and_sensor() -> None:
    manifest.ensure()
    from hic_assets import definitions

    defs = definitions.build_defs(systems=(HMIS, pbf()))
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    raw = {key.path[1] for key in graph.get_all_asset_keys() if key.path[0] == "raw" and key.path[1].startswith("pbf_")}
    assert raw == {feed.table.relation for feed in pbf().feeds}
    assert {check.asset_key.path[1] for check in graph.asset_check_keys} >= raw
    repository = defs.get_repository_def()
    assert {"pbf_monthly", "pbf_reference"} <= {job.name for job in repository.get_all_jobs()}
    assert {"pbf_monthly", "pbf_reference"} <= {schedule.name for schedule in repository.schedule_defs}
    assert "pbf_changes" in {sensor.name for sensor in repository.sensor_defs}


def test_a_refused_expression_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("python", "compile_expression("), {})
    assert re.search(r"at character \d+, near", capsys.readouterr().out)


def test_the_new_check_answers_yes_and_no(warehouse: Warehouse) -> None:
    from hic_assets.checks import questions

    names = dict(vars(questions))
    exec(block("python", "def tombstones("), names)
    table = HMIS.feed("data_values").table
    with warehouse.connect() as connection:
        create_ops(connection)
        for month, deleted in (("2026-01-01", 20), ("2026-02-01", 21)):
            connection.execute(
                """insert into ops.load (system, table_name, partition_key, window_start, status, landed, rows_read, deleted)
                   values ('hmis', 'data_values', %s, %s, 'committed', 100, 100, %s)""",
                (month, month, deleted),
            )
    good, bad = names["tombstones"](warehouse, table, [1]), names["tombstones"](warehouse, table, [1, 2])
    assert good.passed and not bad.passed
    assert [row["partition"] for row in bad.rows] == ["2026-02-01"]


def test_the_new_check_is_wired_to_tables_with_tombstones() -> None:
    wiring = block("python", 'asked["tombstones"]')
    source = (ROOT / "hic_assets/checks/raw.py").read_text()
    assert "def _questions(" in source and "    return asked\n" in source
    module: dict[str, Any] = {}
    exec(compile(source.replace("    return asked\n", wiring + "    return asked\n", 1), "raw.py", "exec"), module)
    wired: Sequence[str] = [f.table.name for f in HMIS.feeds if "tombstones" in module["_questions"](HMIS, f)]
    assert sorted(wired) == ["data_values", "weekly_values", "yearly_values"]


def test_the_new_fault_is_seen_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FAULTS", known := dict(faults.FAULTS))
    monkeypatch.setattr(spoil, "SPOILERS", spoilers := dict(spoil.SPOILERS))
    names = {**vars(spoil), "VALUES": faults.VALUES, "FAULTS": known, "SPOILERS": spoilers}
    exec(block("python", "SPOILERS["), names)
    with running_sandbox(scale=0.02) as sandbox:
        sandbox.faults.set("unknown_option_combo", rows=4)
        login = (sandbox.username, sandbox.password)
        levels = requests.get(f"{sandbox.url}/api/organisationUnits?level=1&fields=id", auth=login, timeout=30).json()
        forms = requests.get(
            f"{sandbox.url}/api/dataSets?fields=id,periodType&paging=false", auth=login, timeout=30
        ).json()
        form = next(f["id"] for f in forms["dataSets"] if f["periodType"] == "Monthly")
        wanted = {
            "dataSet": form,
            "period": "202605",
            "orgUnit": levels["organisationUnits"][0]["id"],
            "children": "true",
        }
        reply = requests.get(f"{sandbox.url}/api/dataValueSets.csv", wanted, auth=login, timeout=60)
    rows = pl.read_csv(io.BytesIO(reply.content), infer_schema=False)
    foreign = names["uid"]("unknown", "categoryOptionCombo")
    assert rows.filter(pl.col("categoryoptioncombo") == foreign).height == 4


@pytest.mark.slow
def test_the_new_model_is_parsed_as_said(tmp_path: Path) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    for language in ("sql", "yaml"):
        text = block(language, "rpt_late_facilities")
        target = re.findall(r"dbt_project/[\w/]+\.\w+", text.splitlines()[0])[0]
        (tmp_path / target).write_text(text)
    command = [str(Path(sys.executable).with_name("dbt")), "parse", "--quiet", "--profiles-dir", str(project)]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DBT_", "HIC_"))}
    done = subprocess.run(command, cwd=project, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    node = json.loads((project / "target" / "manifest.json").read_text())["nodes"]["model.hic.rpt_late_facilities"]
    assert (node["schema"], node["tags"], node["config"]["materialized"]) == ("reporting", ["monthly"], "view")
    assert node["config"]["contract"]["enforced"] and node["config"]["meta"]["dagster"]["group"] == "reporting"
