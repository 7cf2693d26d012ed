"""``hic docs``: the data dictionary with lineage, as one page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

from hic_assets.cli.environment import open_environment
from hic_assets.cli.errors import CommandError
from hic_assets.cli.manifest import PROJECT
from hic_assets.cli.output import Steps, as_json, show_json


@click.command(name="docs")
@as_json
def command(json_output: bool) -> None:
    """Write the data dictionary (every model and column, with lineage) as one HTML page."""
    environment = open_environment()
    target = environment.home / "docs"
    dbt = str(Path(sys.executable).with_name("dbt"))
    call = [dbt, "docs", "generate", "--static", "--project-dir", str(PROJECT)]
    call += ["--profiles-dir", str(PROJECT), "--target-path", str(target / "target"), "--quiet"]
    with Steps().step("dbt docs"):
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise CommandError(f"dbt docs failed:\n{done.stdout}{done.stderr}", exit_code=1)
    page = target / "index.html"
    shutil.copyfile(target / "target" / "static_index.html", page)
    if json_output:
        show_json({"page": str(page)})
    else:
        click.echo(f"Wrote {page}")
