"""The project as dbt parses it: documented, tagged, layered, contracted; and its unit tests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dbt_runner import DBT, PROJECT, Dbt

from hic_assets.staging.files import is_written

LAYERS = ["staging", "identity", "intermediate", "dwh", "reporting"]
BUILT = ("model", "seed", "snapshot")
CALLS = {"reference", "weekly", "monthly", "identity"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Parsed with no variable of the environment set and no server: a build machine has neither."""
    target = tmp_path_factory.mktemp("parse")
    settings = {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target), "DBT_PROFILES_DIR": str(PROJECT)}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DBT_", "HIC_"))}
    command = [DBT, "parse", "--show-all-deprecations"]
    done = subprocess.run(
        command, cwd=PROJECT, env={**inherited, **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "deprecat" not in done.stdout.lower() and "warn" not in done.stdout.lower(), done.stdout
    parsed: dict[str, Any] = json.loads((target / "manifest.json").read_text())
    return parsed


def built(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] in BUILT]


def test_everything_is_described(manifest: dict[str, Any]) -> None:
    missing = []
    for node in [*built(manifest), *manifest["sources"].values()]:
        missing += [node["name"]] if not node["description"].strip() else []
        missing += [f"{node['name']}.{c}" for c, d in node["columns"].items() if not d["description"].strip()]
        missing += [node["name"]] if not node["columns"] else []
    missing += [test["name"] for test in manifest["unit_tests"].values() if not (test["description"] or "").strip()]
    assert missing == []


def test_every_column_that_exists_is_described(country: Dbt, manifest: dict[str, Any]) -> None:
    # Alerts are a table of dwh that Python writes, and so a source; so is whom each record is about.
    made = [*built(manifest), *manifest["sources"].values()]
    documented = {(n["schema"], n["name"], column) for n in made if n["schema"] in LAYERS for column in n["columns"]}
    real = country.query(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('staging', 'intermediate', 'dwh', 'reporting')"
        " or (table_schema, table_name) in (('identity', 'person_record'), ('identity', 'assignment'))"
    )
    assert set(real) == documented


def test_what_was_chosen_here_says_that_it_is_no_official_value(manifest: dict[str, Any]) -> None:
    """Thresholds, preferences and mappings that nobody outside has confirmed."""
    chosen = (
        "idsr_alert_rule",
        "idsr_disease",
        "xwalk_diagnosis",
        "xwalk_lab_test",
        "xwalk_product",
        "national_product",
    )
    words = {node["name"]: " ".join(node["description"].split()) for node in built(manifest)}
    assert [name for name in chosen if "to be confirmed" not in words[name]] == []
    assert (
        "choices of this warehouse, to be confirmed" in (PROJECT / "dbt_project.yml").read_text().partition("vars:")[2]
    )


def test_everything_has_one_of_the_four_tags(manifest: dict[str, Any]) -> None:
    untagged = [n["name"] for n in built(manifest) if len(CALLS & set(n["tags"])) != 1]
    assert untagged == []


def test_no_call_needs_another_but_that_of_reference(manifest: dict[str, Any]) -> None:
    """Weeks may be built before any month was, and months before any week."""
    calls = {node["unique_id"]: CALLS & set(node["tags"]) for node in built(manifest)}
    wrong = [
        (node["name"], parent)
        for node in built(manifest)
        for parent in node["depends_on"].get("nodes", [])
        if parent in calls and calls[parent] - {"reference"} - calls[node["unique_id"]]
    ]
    assert wrong == []


def test_weekly_models_replace_their_weeks(manifest: dict[str, Any]) -> None:
    """dbt filters by window for microbatch only: such a model has a column of weeks, and names its window itself."""
    weekly = [n for n in built(manifest) if "weekly" in n["tags"] and n["config"]["materialized"] != "view"]
    assert weekly
    for node in weekly:
        said = (node["config"]["incremental_strategy"], node["config"]["event_time"])
        assert said == ("replace_weeks", "week_start"), node["name"]
        assert "weeks_of_run(" in node["raw_code"], node["name"]


def test_monthly_models_of_one_statement_name_their_window_wherever_months_are_read(manifest: dict[str, Any]) -> None:
    found = [n for n in built(manifest) if n["config"].get("incremental_strategy") == "replace_months"]
    assert len(found) >= 5
    of_months = {n["name"] for n in built(manifest) if n["config"].get("event_time")}
    for node in found:
        assert "monthly" in node["tags"] and node["config"]["event_time"] == "period_start", node["name"]
        read = [manifest["nodes"][p]["name"] for p in node["depends_on"]["nodes"] if p in manifest["nodes"]]
        assert node["raw_code"].count("months_of_run(") >= len(of_months & set(read)), node["name"]


def test_everything_has_a_group_and_an_owner(manifest: dict[str, Any]) -> None:
    metas = [(n["name"], n["config"]["meta"].get("dagster", {})) for n in [*built(manifest)]]
    metas += [(s["name"], s["config"]["meta"].get("dagster", {})) for s in manifest["sources"].values()]
    assert [name for name, meta in metas if not (meta.get("group") and meta.get("owners"))] == []


def test_layers_have_their_schema_prefix_and_contract(manifest: dict[str, Any]) -> None:
    prefixes = {
        "staging": ("stg_",),
        "identity": ("person_",),
        "intermediate": ("int_",),
        "dwh": ("dim_", "fct_"),
        "reporting": ("rpt_", "tracker_"),
    }
    for node in built(manifest):
        if node["resource_type"] != "model":
            continue
        layer = Path(node["original_file_path"]).parts[1]
        assert node["schema"] == layer and layer in LAYERS
        assert node["name"].startswith(prefixes[layer]), node["name"]
        assert node["config"]["contract"]["enforced"] == (layer in ("dwh", "reporting")), node["name"]


def test_only_staging_reads_sources(manifest: dict[str, Any]) -> None:
    wrong = [
        node["name"]
        for node in built(manifest)
        if any(parent.startswith("source.") for parent in node["depends_on"].get("nodes", []))
        and not node["original_file_path"].startswith("models/staging/")
    ]
    assert wrong == []


def test_every_mart_with_a_grain_tests_its_key(manifest: dict[str, Any]) -> None:
    tested = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and (test.get("test_metadata") or {}).get("name") == "is_key"
    }
    marts = [n["unique_id"] for n in built(manifest) if n["name"].startswith(("dim_", "fct_"))]
    assert sorted(set(marts) - tested) == []


def test_nulls_are_looked_for_once_a_relation(manifest: dict[str, Any]) -> None:
    """By one `complete`: a `not_null` a column was half of all tests."""
    named = [(test.get("test_metadata") or {}, test) for test in manifest["nodes"].values()]
    complete = [test["attached_node"] for said, test in named if said.get("name") == "complete"]
    assert len(complete) == len(set(complete)) > 0
    assert [test["name"] for said, test in named if said.get("name") == "not_null"] == []


def test_no_file_is_long(manifest: dict[str, Any]) -> None:
    """Written files are as long as a programme's form."""
    tracked = [p for p in PROJECT.rglob("*") if p.suffix in (".sql", ".yml") and "target" not in p.parts]
    by_hand = {p: p.read_text() for p in tracked if not is_written(p.read_text())}
    assert [str(p) for p, text in by_hand.items() if len(text.splitlines()) > 300] == []


def test_the_unit_tests_pass(country: Dbt, manifest: dict[str, Any]) -> None:
    results = country.run("test", "--select", "test_type:unit")
    assert len(results) == len(manifest["unit_tests"]) > 0
    assert set(results.values()) == {"pass"}


def test_a_reference_build_runs_no_test_of_a_fact(country: Dbt) -> None:
    """On a fresh warehouse the facts do not exist yet when the dimensions are built, but for the one that dbt does not build."""
    ran = country.first_reference
    assert "dim_facility" in ran and "is_key_dim_facility_facility_key" in ran
    ours = "rpt_quality_disruption"
    assert [name for name in ran if "fct_" in name or "rpt_" in name.replace(ours, "")] == []


def test_a_change_of_fastrs_formulas_judges_everything_anew() -> None:
    """A series is judged again when its counts change; by other formulas too only when `method` says that these are others."""
    formulas = [
        "models/dwh/fct_quality_month.sql",
        "models/dwh/fct_quality_adjusted.sql",
        "macros/quality_adjustment.sql",
    ]
    known = hashlib.sha256(b"".join((PROJECT / name).read_bytes() for name in formulas)).hexdigest()[:12]
    (method,) = re.findall(r"set method = (\d+)", (PROJECT / "macros/quality.sql").read_text())
    # Changed the formulas? Raise `method` in macros/quality.sql, and write down both. Changed words alone? The hash.
    assert (int(method), known) == (1, "458b72234af0")
