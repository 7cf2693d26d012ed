"""The registries of a tracker as they are landed in the warehouse."""

from __future__ import annotations

from psycopg import Connection, sql
from psycopg.errors import UndefinedTable
from psycopg.rows import DictRow, dict_row

from hic_assets.staging.form import Registries
from hic_assets.staging.registries import registry_tables
from hic_assets.systems.declare import System
from hic_assets.warehouse import Warehouse


class RegistriesMissing(ValueError):
    """The registries of a system were never landed."""


def landed_registries(warehouse: Warehouse, system: System) -> Registries:
    """Rows of a tracker's registries by the table's name.

    Raises:
        RegistriesMissing: there are no programs; says which job loads them.
    """
    with warehouse.connect(row_factory=dict_row) as connection:
        try:
            found = {
                table.name: _rows(connection, table.relation, table.column_names) for table in registry_tables(system)
            }
        except UndefinedTable:
            found = {}
    if not found.get("programs"):
        raise RegistriesMissing(
            f"raw.{system.name}_programs holds nothing: load the registries of {system.title} first "
            f"(job {system.name}_reference)"
        )
    return found


def _rows(connection: Connection[DictRow], relation: str, columns: tuple[str, ...]) -> list[DictRow]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("select {} from {}").format(names, sql.Identifier("raw", relation))
    return connection.execute(query).fetchall()
