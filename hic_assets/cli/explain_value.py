"""``hic explain``: from an indicator's value to the rows it was made of, and whether the two agree."""

from __future__ import annotations

from typing import Any

import click
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.errors import CommandError
from hic_assets.cli.explain_show import show
from hic_assets.cli.output import as_json, show_json
from hic_assets.explain.model import NoValue
from hic_assets.explain.report import Question, begin, explained
from hic_assets.explain.resolve import Unknown, indicator_of, indicators, unit_of, units
from hic_assets.explain.rights import RAW, Rights, rights_of
from hic_assets.periods import NotAPeriod

NOT_YOURS = (
    "an explanation reads the marts below the reports, and your login may not: an analyst's login may (docs/roles.md)."
)
NOT_BUILT = "the marts are not built here yet: 'hic demo', or the jobs hmis_reference and hmis_monthly, build them."


@click.command(name="explain")
@click.argument("indicator")
@click.option(
    "--facility", required=True, help="A facility, district, province or the country: by uid, FOSA or other code, or name."
)  # fmt: skip
@click.option("--period", required=True, help="202610 or 2026-10; of the catalogue also 2026Q3, 2026 and fy_2026_27.")
@click.option("--rows", default=20, show_default=True, type=click.IntRange(1), help="Rows of each list, largest first.")
@click.option(
    "--confidential",
    is_flag=True,
    help="Also what reports keep back (small cells). For who may read raw; as confidential as raw.",
)
@as_json
def command(indicator: str, facility: str, period: str, rows: int, confidential: bool, json_output: bool) -> None:
    """From one value of INDICATOR to the rows behind it: sides, parts, facts, raw rows, loads and source requests.

    For example: hic explain ANC1_COVERAGE --facility Gasabo --period 2026-10

    INDICATOR is a code of the catalogue or of DHIS2's own indicators, or a uid of these. Everything is read with your own
    rights. Exit code 1 when the rows do not add up to the number, 3 when there is no such value.
    """
    with running_warehouse().connect() as connection:
        begin(connection)
        try:
            found, note = _explain(connection, indicator, facility, period, rows, confidential)
        except UndefinedTable as error:
            raise CommandError(NOT_BUILT) from error
        except InsufficientPrivilege as error:
            raise CommandError(NOT_YOURS) from error
        except NotAPeriod as error:
            raise click.BadParameter(f"{error}.", param_hint="--period") from error
        except NoValue as error:
            raise CommandError(str(error)) from error
    if json_output:
        show_json({**found, "note": note})
    else:
        show(found, note)
    if found["disagreements"]:
        raise CommandError("the number and its rows do not agree; see above.", exit_code=1)


def _explain(
    connection: Connection[Any], indicator: str, facility: str, period: str, limit: int, confidential: bool
) -> tuple[dict[str, Any], str | None]:
    """The answer, and a note on which indicator was meant."""
    try:
        meant, note = indicator_of(indicator, indicators(connection))
    except Unknown as error:
        raise click.BadParameter(str(error), param_hint="INDICATOR") from error
    try:
        unit = unit_of(facility, units(connection))
    except Unknown as error:
        raise click.BadParameter(str(error), param_hint="--facility") from error
    rights = rights_of(connection)
    if confidential:
        _check(rights)
    return explained(connection, rights, Question(meant, unit, period, limit, confidential)), note


def _check(rights: Rights) -> None:
    if not rights.may(RAW):
        raise CommandError(f"--confidential shows what reports keep back, to who may read raw: {rights.lacks(RAW)}.")
