"""``hic staging``: write the staging models of the tracker programmes from the landed registries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hic_assets.cli.errors import NOT_RUNNING, CommandError
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.settings import Settings
from hic_assets.staging import files
from hic_assets.staging.files import Change
from hic_assets.staging.form import ProgrammeMissing
from hic_assets.staging.generate import declared_files, programme_files, programme_paths
from hic_assets.staging.landed import RegistriesMissing, landed_registries
from hic_assets.systems import SYSTEMS, System
from hic_assets.warehouse import Warehouse, existing_warehouse


@click.command(name="staging")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is not as it should be.")
@click.option("--system", "names", multiple=True, help="Only the programmes of this tracker, e.g. hiv_tracker.")
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=files.MODELS.parent,
    help="Folder of the dbt project; by default that of this checkout.",
)
@as_json
def command(check: bool, names: tuple[str, ...], project: Path, json_output: bool) -> None:
    """Write the staging models of the tracker programmes from what their landed registries ask for.

    A column keeps its name and place when fields are added or renamed at the source. Commit what changed, and run
    'hic manifest' (every 'make' target does).
    """
    trackers = [system for system in SYSTEMS if system.programmes]
    asked = _asked(trackers, names)
    warehouse = existing_warehouse(Settings())
    if warehouse is None:
        raise CommandError(NOT_RUNNING)
    models = project / "models"
    wanted = wanted_files(warehouse, trackers, asked, models)
    left_alone = [
        path for system in trackers if system not in asked for p in system.programmes for path in programme_paths(p)
    ]
    differing = files.changes(wanted, left_alone, models)
    if not check:
        files.write(wanted, differing, models)
    _show(differing, check, json_output)
    if check and differing:
        raise SystemExit(1)


def wanted_files(
    warehouse: Warehouse, trackers: Sequence[System], asked: Sequence[System], models: Path
) -> dict[str, str]:
    """Every file as it should be: what follows from the declarations, and the programmes of the systems asked for.

    Raises:
        CommandError: the registries of one were not loaded, or do not know a declared programme.
    """
    wanted, kept = declared_files(trackers), files.kept_columns(models)
    for system in asked:
        try:
            registries = landed_registries(warehouse, system)
            for programme in system.programmes:
                wanted |= programme_files(system, programme, registries, kept)
        except RegistriesMissing as error:
            raise CommandError(str(error), exit_code=3) from None
        except ProgrammeMissing as error:
            advice = f"load the registries again (job {system.name}_reference), or check the UID in its declaration"
            raise CommandError(f"{system.name}: {error}: {advice}.", exit_code=1) from None
    return wanted


def _asked(trackers: Sequence[System], names: Sequence[str]) -> list[System]:
    unknown = set(names) - {system.name for system in trackers}
    if unknown:
        known = ", ".join(system.name for system in trackers)
        raise click.UsageError(f"no tracker is called {', '.join(sorted(unknown))}; there are {known}")
    return [system for system in trackers if not names or system.name in names]


def _show(differing: Sequence[Change], check: bool, json_output: bool) -> None:
    rows = [
        {"file": c.path, "what": c.what, "columns added": ", ".join(c.added), "columns removed": ", ".join(c.removed)}
        for c in differing
    ]
    if json_output:
        show_json({"changes": rows, "written": not check})
    elif rows:
        show_table("To be written" if check else "Written", tuple(rows[0]), rows)
    else:
        click.echo("The staging models are what the registries and declarations say.")
