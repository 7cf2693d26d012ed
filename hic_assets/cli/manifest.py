"""``hic manifest``: parse the dbt project, which Dagster's definitions are made from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import as_json, show_json
from hic_assets.file_lock import exclusive

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
_MADE = ("target", "logs")
_KEPT = ("partial_parse.msgpack", "manifest.json")
"""What a parse leaves for others; the manifest last, since its age says how old the parse is."""


def manifest_of(project: Path = PROJECT) -> Path:
    """The manifest of a dbt project."""
    return project / "target" / "manifest.json"


def is_stale(project: Path = PROJECT) -> bool:
    """Whether something of the project is newer than the manifest, or there is none.

    Folders count too: theirs is the only trace of a file that was removed. Hidden files do not.
    """
    manifest = manifest_of(project)
    if not manifest.is_file():
        return True
    made = manifest.stat().st_mtime
    paths = (p for p in project.rglob("[!.]*") if p.relative_to(project).parts[0] not in _MADE)
    return any(p.stat().st_mtime > made for p in paths)


def parse(project: Path = PROJECT) -> None:
    """Write the manifest; needs no database. Whoever reads meanwhile sees the old one or the new one, whole.

    Raises:
        CommandError: dbt cannot parse the project; with what it said. The old manifest stays.
    """
    with exclusive(_lock(project)):
        _parse(project)


def ensure(project: Path = PROJECT) -> bool:
    """Parse if something changed; says whether it did. Of several processes one parses, the others wait for it."""
    if not is_stale(project):
        return False
    with exclusive(_lock(project)):
        if not is_stale(project):
            return False
        _parse(project)
    return True


def _parse(project: Path) -> None:
    target = manifest_of(project).parent
    with tempfile.TemporaryDirectory(prefix=".parse-", dir=target) as made:
        for name in _KEPT:
            if (target / name).is_file():
                shutil.copy(target / name, made)
        began = time.time()
        call = [str(Path(sys.executable).with_name("dbt")), "parse", "--quiet", "--project-dir", str(project)]
        call += ["--profiles-dir", str(project), "--target-path", made, "--log-path", made]
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        if done.returncode:
            raise CommandError(f"dbt could not parse {project}:\n{done.stdout}{done.stderr}", exit_code=1)
        # As old as the start of the parse: what changes while it runs is newer.
        os.utime(Path(made) / "manifest.json", (began, began))
        for name in _KEPT:
            (Path(made) / name).replace(target / name)


def _lock(project: Path) -> Path:
    target = manifest_of(project).parent
    target.mkdir(parents=True, exist_ok=True)
    return target / ".lock"


@click.command(name="manifest")
@click.option("--if-stale", is_flag=True, help="Only when a file of the project is newer.")
@as_json
def command(if_stale: bool, json_output: bool) -> None:
    """Parse the dbt project for Dagster (dbt_project/target/manifest.json)."""
    parsed = True
    if if_stale:
        parsed = ensure()
    else:
        parse()
    if json_output:
        show_json({"manifest": str(manifest_of()), "parsed": parsed})
    elif parsed:
        click.echo(f"Wrote {manifest_of()}")
