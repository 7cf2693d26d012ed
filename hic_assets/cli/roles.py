"""``hic roles``: who may read and write what in the warehouse, as PostgreSQL roles; and the logins in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from psycopg import Connection

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import as_json, show_json, show_table
from hic_assets.prepare import prepare
from hic_assets.warehouse.grants import catalogue, roles_in_use
from hic_assets.warehouse.reading import MARTS, REPORTS
from hic_assets.warehouse.roles import READERS, WORKERS, add_login, apply_roles, logins, remove_login
from hic_assets.warehouse.schema import create_schemas


@click.group(name="roles")
def command() -> None:
    """Roles of the warehouse: loader, transformer, analyst, officer, district. See docs/roles.md."""


@command.command()
@click.option(
    "--prefix", help="What the roles' names begin with, the first time: hic, unless another warehouse has these."
)
@as_json
def apply(prefix: str | None, json_output: bool) -> None:
    """Create and grant what is missing, and take away what should not be there. Safe to repeat.

    Where you may not create roles, the SQL for an administrator is printed, with exit code 3.
    """
    with running_warehouse().connect(autocommit=True) as connection:
        create_schemas(connection)
        prepare(connection)
        changed = apply_roles(connection, prefix)
        roles = roles_in_use(connection)
    assert roles is not None  # noqa: S101 - just applied
    if json_output:
        show_json({"roles": roles.names, "changed": changed})
        return
    click.echo(f"Roles {', '.join(roles.names)} are in place; {len(changed)} statements on relations.")


@command.command()
@as_json
def show(json_output: bool) -> None:
    """Who is in which role, and which mart who may read; why not, where not."""
    with running_warehouse().connect(autocommit=True) as connection:
        people = [asdict(login) for login in logins(connection)]
        readable = _readable(connection)
    if json_output:
        show_json({"logins": people, "relations": readable})
        return
    show_table("Logins", ("name", "role", "districts"), [{**p, "districts": ", ".join(p["districts"])} for p in people])
    show_table("Relations", ("relation", "analyst", "officer", "district", "note"), readable)


@command.command(name="add-user")
@click.argument("name")
@click.option("--role", type=click.Choice([*READERS, *WORKERS]), required=True, help="What it is from now on.")
@click.option("--district", "districts", multiple=True, metavar="CODE", help="A district of its own; repeat for more.")
@as_json
def add_user(name: str, role: str, districts: Sequence[str], json_output: bool) -> None:
    """Put the login NAME into one role, and out of the others; create it, without a password, if there is none.

    What districts it had are replaced. Its password is set elsewhere, by psql's command for that.
    """
    with running_warehouse().connect(autocommit=True) as connection:
        created = add_login(connection, name, role, districts)
    if json_output:
        show_json({"name": name, "role": role, "districts": sorted(set(districts)), "created": created})
        return
    of = f" of {', '.join(sorted(set(districts)))}" if districts else ""
    click.echo(f"{name} is {role}{of}." + (f" It has no password yet: in psql, \\password {name}" if created else ""))


@command.command(name="remove-user")
@click.argument("name")
@as_json
def remove_user(name: str, json_output: bool) -> None:
    """Take the login NAME out of all roles. The login itself stays: an administrator drops it."""
    with running_warehouse().connect(autocommit=True) as connection:
        remove_login(connection, name)
    show_json({"name": name}) if json_output else click.echo(f"{name} is in no role any more.")


def _readable(connection: Connection[Any]) -> list[dict[str, Any]]:
    """What the readers may read, and marts that they may not; a line a relation."""
    roles = roles_in_use(connection)
    if roles is None:
        raise CommandError("this warehouse has no roles yet: 'hic roles apply' makes them.")
    lines = []
    for held in catalogue(connection):
        analyst, officer, district = may = tuple(f"{role} select" in held.grants for role in roles.readers)
        verdict = held.verdict
        if not (any(may) or held.relation.schema in MARTS):
            continue
        pending = may != verdict.readers
        words = verdict.why or (f"districts: own rows, by {verdict.place}" if verdict.place else "")
        note = f"{words} (not applied yet: 'hic roles apply')".strip() if pending else words
        # What an officer reads through reports alone is none that it can name.
        named = officer and held.relation.schema == REPORTS
        lines.append(
            {"relation": str(held.relation), "analyst": analyst, "officer": named, "district": district, "note": note}
        )
    return lines
