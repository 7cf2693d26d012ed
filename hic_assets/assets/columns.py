"""Columns of relations, where dagster-dbt looks them up.

By itself it makes an adapter of dbt's in this process: imports, the project, every macro, some seconds a call and before dbt has
started. Belongs here: what it asks that adapter. Does not: anything that dbt does.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from psycopg import Connection

COLUMNS = """
    select attname, format_type(atttypid, atttypmod)
    from pg_attribute
    where attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text)) and attnum > 0 and not attisdropped
    order by attnum
"""


class Column(NamedTuple):
    """A column, its type as PostgreSQL writes it."""

    name: str
    data_type: str


class Named(NamedTuple):
    """A table or view; as text its quoted name, as it is in dbt's manifest."""

    database: str
    schema: str
    identifier: str

    def __str__(self) -> str:
        return f'"{self.database}"."{self.schema}"."{self.identifier}"'

    @classmethod
    def create(cls, database: str, schema: str, identifier: str) -> Named:
        """As the adapter's."""
        return cls(database, schema, identifier)


class Catalog:
    """The part of a dbt adapter that dagster-dbt needs, over one connection, which its threads share."""

    Relation = Named

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connection_named(self, name: str) -> AbstractContextManager[None]:
        """There is one, and it is open."""
        return nullcontext()

    def get_columns_in_relation(self, relation: Named) -> list[Column]:
        """In their order; none where there is no such relation."""
        return [Column(*row) for row in self._connection.execute(COLUMNS, (relation.schema, relation.identifier))]
