"""``hic cutover``: sign a programme off for the unified tables, or go back to the legacy ones."""

from __future__ import annotations

from dataclasses import asdict

import click

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import as_json, show_json
from hic_assets.cli.parity import chosen
from hic_assets.parity.cutover import CutoverRefused, SignOff, cut_over, undo
from hic_assets.parity.ddl import create_parity
from hic_assets.systems import SYSTEMS

REBUILT = "Its months are built again by the sensor programme_months, if it is switched on in Dagster, or by the job of that name."


@click.command(name="cutover")
@click.argument("programme")
@click.option("--by", "who", required=True, help="Who signs off: a name that can be asked.")
@click.option("--force", is_flag=True, help="Although it is not ready; needs --reason.")
@click.option("--reason", help="Why; kept with the sign-off.")
@click.option("--undo", "backwards", is_flag=True, help="Go back to the legacy tables.")
@as_json
def command(programme: str, who: str, force: bool, reason: str | None, backwards: bool, json_output: bool) -> None:
    """Sign PROGRAMME off: from now on its staging models read the unified tables.

    Months that were built before are built again by the sensor programme_months, within ten minutes where it is switched
    on in Dagster, or by its job. Refused, with exit code 1, while 'hic parity' does not say that it is ready.
    """
    if not who.strip():
        raise click.BadParameter("may not be empty.", param_hint="--by")
    if force and not (reason or "").strip():
        raise click.UsageError("--force needs --reason.")
    if force and backwards:
        raise click.UsageError("--undo needs no --force.")
    programme = chosen(programme)[0].name
    warehouse = running_warehouse()
    with warehouse.connect(autocommit=True) as connection:
        create_parity(connection, SYSTEMS)
    try:
        if backwards:
            signed = undo(warehouse, programme, who, reason=reason)
        else:
            signed = cut_over(warehouse, programme, who, force=force, reason=reason)
    except CutoverRefused as refusal:
        advice = "" if backwards else " See 'hic parity', or use --force --reason."
        raise CommandError(f"refused: {refusal}{advice}", exit_code=1) from None
    show_json(asdict(signed)) if json_output else click.echo(_words(signed))


def _words(signed: SignOff) -> str:
    since = f" since {signed.at:%Y-%m-%d %H:%M} UTC, by {signed.by_whom}" if signed.at and not signed.changed else ""
    forced = " (forced)" if signed.forced and signed.changed else ""
    now = "now reads" if signed.changed else "already reads"
    build = f" {REBUILT}" if signed.changed else ""
    return f"{signed.programme} {now} the {signed.pipeline.value} tables{since}{forced}.{build}"
