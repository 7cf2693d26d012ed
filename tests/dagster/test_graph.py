"""What Dagster is given, as one readable file: assets, checks, jobs, schedules, sensors.

`HIC_UPDATE_SNAPSHOT=1 .venv/bin/pytest tests/dagster/test_graph.py` writes `graph_snapshot.json` anew after a change
that was meant; the difference is then reviewed with the change.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse

SNAPSHOT = Path(__file__).with_name("graph_snapshot.json")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def code_location(parsed_project: None) -> dg.Definitions:
    from hic_assets.definitions import build_defs

    return build_defs()


def described(defs: dg.Definitions) -> dict[str, Any]:
    """Everything a change of which should be seen in review."""
    graph = defs.resolve_asset_graph()
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "owners": list(node.owners),
            "kinds": sorted(node.kinds),
            "described": bool(node.description),
            "partitions": str(node.partitions_def) if node.partitions_def else None,
            "freshness": str(node.freshness_policy) if node.freshness_policy else None,
            "pools": sorted(node.pools or ()),
            "upstream": sorted(k.to_user_string() for k in node.parent_keys),
        }
    checks: dict[str, list[str]] = {}
    for check in sorted(graph.asset_check_keys):
        spec = graph.get_check_spec(check)
        checks.setdefault(check.asset_key.to_user_string(), []).append(
            check.name + (" (blocks)" if spec.blocking else "")
        )
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    return {
        "assets": assets,
        "checks": checks,
        "jobs": {
            job.name: sorted(k.to_user_string() for k in job.asset_layer.executable_asset_keys)
            for job in sorted(jobs, key=lambda j: j.name)
        },
        "schedules": {
            s.name: {"cron": s.cron_schedule, "timezone": s.execution_timezone, "job": s.job_name}
            for s in sorted(repository.schedule_defs, key=lambda s: s.name)
        },
        "sensors": {
            s.name: {"every_seconds": s.minimum_interval_seconds, "jobs": sorted(t.job_name for t in s.targets)}
            for s in sorted(repository.sensor_defs, key=lambda s: s.name)
        },
    }


def test_the_graph_is_the_one_reviewed(code_location: dg.Definitions) -> None:
    now = json.dumps(described(code_location), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("HIC_UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(now)
    assert json.loads(now) == json.loads(SNAPSHOT.read_text()), "meant? HIC_UPDATE_SNAPSHOT=1 writes it anew"


def test_every_asset_has_an_owner_a_group_a_kind_and_a_description(code_location: dg.Definitions) -> None:
    graph = code_location.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name not in (None, "default"), key


def test_every_table_of_a_system_has_an_asset_with_its_columns_and_blocking_accounting(
    code_location: dg.Definitions,
) -> None:
    graph = code_location.resolve_asset_graph()
    for system in SYSTEMS:
        for feed in system.feeds:
            key = dg.AssetKey(["raw", feed.table.relation])
            columns = graph.get(key).metadata["dagster/column_schema"].columns
            held = ["_source_updated_at" if n == feed.table.updated_column else n for n in feed.table.column_names]
            assert [c.name for c in columns] == held
            assert all(c.description for c in columns)
            assert graph.get_check_spec(dg.AssetCheckKey(key, "accounting")).blocking


def test_every_dbt_source_is_an_asset(code_location: dg.Definitions) -> None:
    """A source of another key would show as a node of its own, and lineage would end there."""
    graph = code_location.resolve_asset_graph()
    sources = json.loads((ROOT / "dbt_project/target/manifest.json").read_text())["sources"].values()
    assert len(sources) >= len(SYSTEMS[0].feeds)
    for source in sources:
        node = graph.get(dg.AssetKey([source["schema"], source["identifier"]]))
        # What the warehouse keeps of its own work nobody materialises.
        assert node.is_materializable or node.key.path[0] == "ops", node.key
        assert node.child_keys, node.key


def test_from_a_mart_lineage_leads_to_the_values_and_to_the_registry(code_location: dg.Definitions) -> None:
    graph = code_location.resolve_asset_graph()
    upstream = dg.AssetSelection.assets(["reporting", "rpt_indicator_monthly"]).upstream().resolve(graph)
    found = {k.to_user_string() for k in upstream}
    assert {"raw/hmis_data_values", "raw/hmis_organisation_units", "ops/indicator_sql", "raw/hmis_indicators"} <= found


def test_every_check_of_dbt_and_ours_is_on_an_asset_of_a_job(code_location: dg.Definitions) -> None:
    graph = code_location.resolve_asset_graph()
    names = ("all_reference", "all_weekly", "hmis_monthly", "records_monthly", "identity", "disruption")
    jobs = [code_location.resolve_job_def(name) for name in names]
    in_jobs = set().union(*(job.asset_layer.asset_graph.asset_check_keys for job in jobs))
    assert graph.asset_check_keys <= in_jobs


def test_a_system_needs_no_run_of_another(code_location: dg.Definitions) -> None:
    """A country is brought up system by system: what models read is built by one of the system's own jobs, or made by them, empty."""
    nodes = json.loads((ROOT / "dbt_project/target/manifest.json").read_text())["nodes"]
    models = {node["name"]: node for node in nodes.values() if node["resource_type"] == "model"}
    jobs = {
        job.name: {key.path[-1] for key in job.asset_layer.selected_asset_keys}
        for job in code_location.resolve_all_job_defs()
    }
    across: dict[str, set[str]] = {}
    for system in SYSTEMS:
        reference = jobs[f"{system.name}_reference"]
        assert reference & models.keys()
        for cadence in ("reference", "weekly", "monthly"):
            own = jobs.get(f"{system.name}_{cadence}", set())
            for name in own & models.keys():
                parents = {nodes[p]["name"] for p in models[name]["depends_on"]["nodes"] if p in nodes}
                missing = parents - own - reference
                if missing:
                    across.setdefault(name, set()).update(missing)
    assert across.keys() == {"fct_event_count", "rpt_maternal_perinatal"}
    assert {n for n in across if "ensure_parents()" not in str(models[n]["config"]["pre-hook"])} == set()
    columns = [(p, c, of) for parents in across.values() for p in parents for c, of in models[p]["columns"].items()]
    assert [(p, c) for p, c, of in columns if not of["data_type"]] == []


def test_no_asset_names_the_database_the_project_was_parsed_for(code_location: dg.Definitions) -> None:
    graph = code_location.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        name = graph.get(key).metadata.get("dagster/table_name")
        assert name is None or name.count(".") == 1, (key, name)


def test_the_definitions_load_without_warnings_of_ours() -> None:
    from hic_assets.definitions import build_defs

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_defs().resolve_all_job_defs()
    noise = {f"{w.category.__name__}: {w.message}" for w in caught if "__fields__" not in str(w.message)}
    assert not noise


@pytest.mark.slow
def test_dagster_validates_the_workspace(warehouse: Warehouse, tmp_path: Path) -> None:
    variables = warehouse.env() | {
        "HIC_HOME": str(tmp_path),
        "DAGSTER_HOME": str(ROOT),
        "HIC_DAGSTER_URL": warehouse.url.replace("postgresql://", "postgresql+psycopg2://"),
        "HIC_DAGSTER_ARTIFACTS": str(tmp_path),
    }
    hush = "ignore:Function `definitions_validate_command` is superseded"
    call = [sys.executable, "-W", hush, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(
        call, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr


def test_months_wait_for_the_tables_behind_the_views_they_read(code_location: dg.Definitions) -> None:
    """The staging views of programmes are no step of such a run, and Dagster orders only what is."""
    job = code_location.resolve_job_def("records_monthly")
    (waits,) = [inputs for step, inputs in job.dependencies.items() if step.name == "dbt_monthly"]
    feeds = [f for s in SYSTEMS for f in s.feeds if f.programme and f.programme.cadence is Cadence.MONTHLY]
    read = {f"raw_{f.table.relation}" for f in feeds if f.kind in (Kind.ENROLLMENTS, Kind.EVENTS)}
    assert read <= set(waits), sorted(read - set(waits))
