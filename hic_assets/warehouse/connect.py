"""Opening the warehouse: the server of HIC_WAREHOUSE_URL or the embedded one, checked for what we need."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from hic_assets.settings import Settings
from hic_assets.warehouse import embedded
from hic_assets.warehouse.cluster import SUPERUSER
from hic_assets.warehouse.connection import Warehouse
from hic_assets.warehouse.errors import WarehouseError
from hic_assets.warehouse.ports import HOST
from hic_assets.warehouse.schema import SCHEMAS, create_schemas
from hic_assets.warehouse.url import parse_url, redact

OLDEST = 15
"""Oldest PostgreSQL major version that the warehouse supports."""

DATABASE = "hic"
__all__ = ["Warehouse", "existing_warehouse", "of_server", "open_warehouse"]
_CONNECT_SECONDS = 5


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse, reachable, with its schemas and Dagster's database in place.

    HIC_WAREHOUSE_URL when it is set, else the embedded server below `settings.home`, started if need be.
    Raises WarehouseError: unreachable, too old, read-only, no rights, missing database.
    """
    dagster = settings.dagster_url.get_secret_value() if settings.dagster_url else None
    if settings.warehouse_url is not None:
        params = parse_url(settings.warehouse_url.get_secret_value())
        warehouse = _completed(Warehouse(params, dagster))
    else:
        warehouse = _open_embedded(settings, dagster)
    with warehouse.connect(connect_timeout=_CONNECT_SECONDS, lock_timeout=30) as connection:
        check_server(connection, warehouse.redacted)
        create_schemas(connection)
    ensure_dagster_database(warehouse)
    return warehouse


def existing_warehouse(settings: Settings) -> Warehouse | None:
    """The warehouse, with nothing started, checked or created. None: the embedded server is stopped."""
    dagster = settings.dagster_url.get_secret_value() if settings.dagster_url else None
    if settings.warehouse_url is not None:
        return Warehouse(parse_url(settings.warehouse_url.get_secret_value()), dagster)
    server = embedded.status(settings.home)
    return None if server is None else of_server(server, dagster=dagster)


def of_server(server: embedded.Server, database: str = DATABASE, *, dagster: str | None = None) -> Warehouse:
    """A database of a running embedded server, as a warehouse."""
    params = {
        "host": HOST,
        "port": str(server.port),
        "user": SUPERUSER,
        "password": server.password,
        "dbname": database,
    }
    return Warehouse(params, dagster, embedded=True, notes=server.notes)


def ensure_dagster_database(warehouse: Warehouse) -> None:
    """Create Dagster's database if it is missing. Raises WarehouseError saying what to do if we may not."""
    target = Warehouse(parse_url(warehouse.dagster_url, "HIC_DAGSTER_URL"))
    try:
        target.connect(connect_timeout=_CONNECT_SECONDS).close()
    except WarehouseError as error:
        same_server = warehouse.dagster is None
        if not same_server or f'database "{target.database}" does not exist' not in str(error):
            raise WarehouseError(f"Dagster's storage: {error}") from None
        with warehouse.connect(autocommit=True) as connection:
            _create_database(connection, target.database, warehouse.redacted, "Or set HIC_DAGSTER_URL.")


def check_server(connection: psycopg.Connection[Any], where: str) -> None:
    """Raise WarehouseError unless the server is recent, writable, UTF-8, and lets us create schemas."""
    row = connection.execute(
        """select current_setting('server_version_num')::int, current_setting('transaction_read_only') = 'on',
                  current_setting('server_encoding'), current_user, current_database(),
                  has_database_privilege(current_database(), 'CREATE'),
                  array(select nspname::text from pg_namespace
                        where nspname = any(%s) and not has_schema_privilege(oid, 'USAGE, CREATE')
                        -- A login that only lands or only builds, where there are roles, owns its part of the schemas.
                            and not (to_regnamespace('access') is not null and exists (
                                select from pg_namespace mine where mine.nspname in ('raw', 'dwh')
                                    and pg_has_role(mine.nspowner, 'USAGE'))))""",
        [list(SCHEMAS)],
    ).fetchone()
    if row is None:
        raise WarehouseError(f"The server at {where} did not answer a query.")
    version, read_only, encoding, user, database, may_create, closed = row
    problem = version_problem(version)
    if problem is None and read_only:
        problem = "it is read-only (a standby?): give the address of the primary."
    if problem is None and encoding != "UTF8":
        problem = f'database "{database}" has encoding {encoding}: create it with encoding UTF8.'
    if problem is None and not may_create:
        problem = f'user "{user}" may not create schemas: grant create on database "{database}" to "{user}";'
    if problem is None and closed:
        problem = f'user "{user}" may not write to the schemas {", ".join(closed)}: they belong to another user.'
    if problem is not None:
        raise WarehouseError(f"The server at {where} cannot hold the warehouse: {problem}")


def version_problem(version: int) -> str | None:
    """Why a `server_version_num` (150020 is 15.20) will not do, or None."""
    if version // 10_000 >= OLDEST:
        return None
    minor = f".{version % 10_000}" if version >= 100_000 else ""
    return f"it is PostgreSQL {version // 10_000}{minor}, and the oldest supported is {OLDEST}: upgrade it."


def _open_embedded(settings: Settings, dagster: str | None) -> Warehouse:
    server = embedded.start(settings.home)
    warehouse = of_server(server, dagster=dagster)
    with warehouse.with_database("postgres").connect(autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            _create_database(connection, DATABASE, warehouse.redacted)
    return warehouse


def _create_database(connection: psycopg.Connection[Any], name: str, where: str, advice: str = "") -> None:
    command = sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name))
    try:
        connection.execute(command)
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another process was quicker
    except psycopg.errors.InsufficientPrivilege:
        user = connection.info.user
        raise WarehouseError(
            f'The server at {where} has no database "{name}" and user "{user}" may not create it. '
            f'An administrator can:  create database "{name}" owner "{user}";  {advice}'
        ) from None


def _completed(warehouse: Warehouse) -> Warehouse:
    """The warehouse with what libpq filled in (host, port, user, database): children need no defaults."""
    with warehouse.connect(connect_timeout=_CONNECT_SECONDS) as connection:
        info = connection.info
        found = {"host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
    params = {**found, **{k: v for k, v in warehouse.params.items() if v}}
    if "," in params["host"]:
        params |= found  # several hosts: the one that answered
    return Warehouse(params, warehouse.dagster, notes=(f"Using the server at {redact(params)}.",))
