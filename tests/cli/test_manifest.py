"""When the dbt project is parsed, and that nobody ever reads half a manifest."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from hic_assets.cli import manifest
from hic_assets.cli.errors import CommandError

PROFILES = """
tiny:
  target: warehouse
  outputs:
    warehouse: {type: postgres, host: 127.0.0.1, port: 1, user: u, password: p, dbname: d, schema: s, threads: 1}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project of two models."""
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(
        "name: tiny\nversion: '1.0'\nprofile: tiny\nmodel-paths: [models]\nflags: {send_anonymous_usage_stats: false}\n"
    )
    (tmp_path / "profiles.yml").write_text(PROFILES)
    for name in ("one", "two"):
        (tmp_path / "models" / f"{name}.sql").write_text("select 1 as x")
    for path in [*tmp_path.rglob("*")]:
        os.utime(path, (time.time() - 100, time.time() - 100))
    return tmp_path


def models(project: Path) -> set[str]:
    return {n.rsplit(".", 1)[-1] for n in json.loads(manifest.manifest_of(project).read_text())["nodes"]}


def test_it_is_parsed_when_something_changed_and_a_project_that_cannot_be_keeps_its_manifest(project: Path) -> None:
    assert manifest.is_stale(project)
    assert manifest.ensure(project)
    assert models(project) == {"one", "two"}
    assert not manifest.ensure(project)
    (project / "models" / "one.sql").unlink()  # no file is newer, only the folder tells
    assert manifest.is_stale(project)
    assert manifest.ensure(project)
    assert models(project) == {"two"}
    made = manifest.manifest_of(project).stat().st_mtime
    os.utime(project / "models" / "two.sql", (made + 0.01, made + 0.01))  # as if changed while dbt was parsing
    assert manifest.is_stale(project)
    (project / "models" / "two.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(CommandError, match="nowhere") as caught:
        manifest.parse(project)
    assert caught.value.exit_code == 1
    assert models(project) == {"two"}
    left = {p.name for p in manifest.manifest_of(project).parent.iterdir()}
    assert left == {"manifest.json", "partial_parse.msgpack", ".lock"}


def test_of_several_at_once_one_parses(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parses: list[Path] = []
    real = manifest._parse

    def counted(of: Path) -> None:
        parses.append(of)
        real(of)

    monkeypatch.setattr(manifest, "_parse", counted)
    said: list[bool] = []
    threads = [threading.Thread(target=lambda: said.append(manifest.ensure(project))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False, False, True]
    assert len(parses) == 1
    assert models(project) == {"one", "two"}
