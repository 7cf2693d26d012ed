"""That dbt takes what was parsed for another server: by itself it would parse everything anew, without a word in a run's result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dbt_runner import DBT, PROJECT

from hic_assets.cli.manifest import ensure
from hic_assets.dbt_parsed import move_to, read


def test_a_project_moved_to_another_server_is_not_parsed_again(tmp_path: Path) -> None:
    ensure(PROJECT)
    parsed, made = PROJECT / "target/partial_parse.msgpack", tmp_path / "partial_parse.msgpack"
    connection = {"PGHOST": "elsewhere", "PGPORT": "15999", "PGUSER": "somebody", "PGDATABASE": "another"}
    env = {**os.environ, **connection, "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "hic_assets.dbt_parsed", parsed, made, PROJECT], env=env, check=True)
    call = [DBT, "ls", "--select", "dim_facility", "--output", "json", "--output-keys", "name", "relation_name"]
    call += ["--resource-type", "model", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    done = subprocess.run(call, env=env, capture_output=True, text=True, check=True)
    assert "partial pars" not in done.stdout and "full parse" not in done.stdout, done.stdout
    assert '"another"."dwh"."dim_facility"' in done.stdout.replace("\\", "")
    assert "skipping parsing" in (tmp_path / "dbt.log").read_text()


def test_moved_relations_are_of_the_other_database_and_everything_else_stays() -> None:
    ensure(PROJECT)
    parsed = PROJECT / "target/partial_parse.msgpack"
    here, there = read(parsed), read(parsed)
    move_to(here, "hic")
    move_to(there, "another")
    assert here.nodes.keys() == there.nodes.keys()
    named = [(here.nodes[k].relation_name, n.relation_name) for k, n in there.nodes.items() if n.relation_name]
    assert named
    assert all(b == a.replace('"hic".', '"another".', 1) and b.startswith('"another".') for a, b in named)
