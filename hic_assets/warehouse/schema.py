"""The schemas of the warehouse database: names and creation. Tables and grants do not belong here."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

SCHEMAS = ("raw", "raw_partitions", "staging", "intermediate", "dwh", "reporting", "ops", "snapshots", "identity")

_SCHEMA_LOCK = 0x686963  # "hic": one creation at a time; CREATE SCHEMA IF NOT EXISTS alone can still collide


def create_schemas(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing of SCHEMAS, in one transaction. Safe from several processes at once."""
    ddl = files(__package__).joinpath("schema.sql").read_bytes()
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_SCHEMA_LOCK])
        if missing_schemas(connection):
            connection.execute(ddl)


def missing_schemas(connection: psycopg.Connection[Any]) -> list[str]:
    """The names of SCHEMAS that the database does not have."""
    query = "select name from unnest(%s::text[]) as name where to_regnamespace(quote_ident(name)) is null"
    return [name for (name,) in connection.execute(query, [list(SCHEMAS)]).fetchall()]
