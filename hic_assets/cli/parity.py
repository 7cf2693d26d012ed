"""``hic parity``: does the unified framework hold what the legacy pipelines do, programme by programme?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import click
from psycopg.errors import UndefinedTable

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.output import Steps, as_json, show_json, show_table
from hic_assets.parity.compare import compare_all
from hic_assets.parity.cutover import last_sign_off
from hic_assets.parity.ddl import create_parity
from hic_assets.parity.differences import Difference, counted_words
from hic_assets.parity.readiness import differences, readiness, states
from hic_assets.systems import PROGRAMMES, SYSTEMS, Programme
from hic_assets.warehouse import Warehouse

COLUMNS = ("programme", "reads", "ready", "clean_in_a_row", "needed", "latest", "match_rate", "open_differences")
OF_PARTITIONS = (
    "partition",
    "table",
    "state",
    "legacy_rows",
    "unified_rows",
    "matched",
    "differences",
    "late",
    "classes",
)
SHOWN, SAMPLES = 60, 20
"""Partitions and differences that are printed."""


@click.command(name="parity")
@click.argument("programme", required=False)
@click.option(
    "--compare", "compare_now", is_flag=True, help="First compare what is loaded on both sides and not compared."
)
@click.option("--again", is_flag=True, help="With --compare: also what has a result already.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only partitions that begin on this day or later.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only partitions that begin on this day or earlier.")
@as_json
def command(
    programme: str | None,
    compare_now: bool,
    again: bool,
    since: datetime | None,
    until: datetime | None,
    json_output: bool,
) -> None:
    """Show which programmes are ready to be read from the unified tables; of PROGRAMME, every partition and why.

    Exit code 1 when a table of a programme asked about differs beyond its tolerance.
    """
    if again and not compare_now:
        raise click.UsageError("--again needs --compare.")
    asked = chosen(programme)
    warehouse = running_warehouse()
    first, last = (moment.date() if moment else None for moment in (since, until))
    if compare_now:
        _compare(warehouse, asked, first, last, again)
    found = _look(warehouse, asked, first, last)
    if json_output:
        show_json(found if programme is None else found[0] if found else None)
    elif not found:
        click.echo("Nothing is compared yet: 'hic parity --compare' compares what both pipelines have loaded.")
    else:
        _show(found, detailed=programme is not None)
    if any(row["state"] == "differs" for one in found for row in one["partitions"]):
        raise SystemExit(1)


def chosen(name: str | None) -> list[Programme]:
    """The programme of a name, or all of them."""
    found = [programme for programme in PROGRAMMES if name is None or name.lower() == programme.name]
    if name is not None and not found:
        names = ", ".join(programme.name for programme in PROGRAMMES)
        raise click.BadParameter(f"there is no programme {name!r}; there are: {names}.", param_hint="PROGRAMME")
    return found


def _compare(
    warehouse: Warehouse, programmes: Sequence[Programme], since: date | None, until: date | None, again: bool
) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_parity(connection, SYSTEMS)
    with Steps().step("comparing") as step:
        number = 0
        for programme in programmes:
            if programme.legacy:
                made = compare_all(warehouse, programme, since=since, until=until, again=again, say=step.now)
                number += len(made)
        step.done(f"{number} tables and partitions compared")


def _look(
    warehouse: Warehouse, programmes: Sequence[Programme], since: date | None, until: date | None
) -> list[dict[str, Any]]:
    """How each programme stands, with its partitions, newest first, and the first differences."""
    names = [programme.name for programme in programmes]
    with warehouse.connect() as connection:
        try:
            stands = [one for one in readiness(connection) if one.programme in names]
        except UndefinedTable:
            return []
        found = []
        for one in stands:
            rows = [
                row
                for row in states(connection, one.programme)
                if (since is None or row["partition_start"] >= since)
                and (until is None or row["partition_start"] <= until)
            ]
            unequal = [row["parity_id"] for row in rows if row["state"] == "differs"]
            samples = differences(connection, unequal, SAMPLES)
            signed = last_sign_off(connection, one.programme)
            of_partitions = [_row(row) for row in rows]
            found.append(
                {**asdict(one), "sign_off": asdict(signed), "partitions": of_partitions, "first_differences": samples}
            )
    return found


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A table and partition, with its counts by class as one member."""
    classes = {d.value: row[d] for d in Difference if row[d]}
    kept = ("state", "legacy_rows", "unified_rows", "matched", "differences", "late", "match_rate")
    more = ("by_field", "rules", "patterns", "compared_at", "legacy_load_id", "unified_load_id")
    return {
        "partition": row["partition_start"],
        "table": row["kind"],
        **{name: row[name] for name in kept},
        "classes": classes,
        **{name: row[name] for name in more},
    }


def _show(found: Sequence[dict[str, Any]], detailed: bool) -> None:
    show_table("Legacy against unified", COLUMNS, [_summary(one) for one in found])
    for one in found:
        for reason in one["reasons"] if one["pipeline"] != "unified" else ():
            click.echo(f"{one['programme']} is not ready: {reason}.")
        if one["pipeline"] == "unified":
            click.echo(signed_words(one["programme"], one["sign_off"]))
        if detailed:
            _show_partitions(one)


def signed_words(programme: str, signed: dict[str, Any]) -> str:
    """Who signed a programme off, and what that means for its states."""
    who = f" by {signed['by_whom']} on {signed['at']:%Y-%m-%d}" if signed["at"] else ""
    forced = f", forced: {signed['reason']}" if signed["forced"] else ""
    return f"{programme} was signed off{who}{forced}: what is loaded since is not compared."


def _summary(one: dict[str, Any]) -> dict[str, Any]:
    rate = one["match_rate"]
    return {
        **one,
        "reads": one["pipeline"],
        "latest": one["latest_partition"],
        "match_rate": None if rate is None else f"{rate:.4%}",
    }


def _show_partitions(one: dict[str, Any]) -> None:
    rows = one["partitions"]
    words = [{**row, "classes": _words(row)} for row in rows[:SHOWN]]
    show_table(f"Partitions of {one['programme']}, newest first", OF_PARTITIONS, words)
    if len(rows) > SHOWN:
        click.echo(f"... and {len(rows) - SHOWN} more: --since and --until choose, --json shows all.")
    for row in rows[:SHOWN]:
        if row["state"] == "differs" and row["patterns"]:
            click.echo(f"{row['partition']} {row['table']}: {row['patterns']}")
    if one["first_differences"]:
        columns = ("partition", "table", "class", "record", "field", "legacy", "unified")
        show_table("First differences (ops.parity_difference)", columns, one["first_differences"])


def _words(row: dict[str, Any]) -> str:
    counts = {Difference(name): count for name, count in row["classes"].items()}
    return counted_words(counts, row["by_field"] or {}) if counts else ""
