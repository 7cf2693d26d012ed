"""PostgreSQL servers and databases for tests: one embedded cluster shared by all workers of a test run."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from psycopg import conninfo, sql

from hic_assets.file_lock import exclusive
from hic_assets.warehouse import Warehouse, WarehouseError, create_schemas, embedded
from hic_assets.warehouse.connect import of_server

SYSTEM_URL = "postgresql://postgres@127.0.0.1:5432/postgres"
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    # A database of a test lives for seconds: nothing grows old in it, and each one made and dropped is a checkpoint.
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}
_TEMPLATE = "hic_template"
_PREFIX = "hic-tests-"


@contextmanager
def shared_server(run: str) -> Iterator[Warehouse]:
    """The cluster of test run `run` (its maintenance database); the last process to leave removes it."""
    # Not pytest's own folder: the account that runs PostgreSQL for root cannot enter it.
    home = _home(run)
    user = home / f"{os.getpid()}.user"
    with _alone():
        _sweep()
        home.mkdir(exist_ok=True)
        user.touch()
        server = of_server(embedded.start(home, FAST), "postgres")
    try:
        yield server
    finally:
        with _alone():
            user.unlink(missing_ok=True)
            _remove_if_unused(home)


@contextmanager
def fresh_database(server: Warehouse, *, template: bool = True) -> Iterator[Warehouse]:
    """A new database with the schemas, dropped at the end. `template`: copied, which is faster."""
    name = f"hic_test_{uuid.uuid4().hex[:12]}"
    warehouse = server.with_database(name)
    if template:
        _ensure_template(server)
        copy_database(server, _TEMPLATE, name)
    else:
        _execute(server, "create database {} template template0 encoding 'UTF8'", name)
    try:
        if not template:
            with warehouse.connect() as connection:
                create_schemas(connection)
        yield warehouse
    finally:
        _execute(server, "drop database if exists {} with (force)", name)


@contextmanager
def copied_database(server: Warehouse, source: str, name: str | None = None) -> Iterator[Warehouse]:
    """A copy of the database `source`, to which nobody may be connected; dropped at the end."""
    name = name or f"hic_test_{uuid.uuid4().hex[:12]}"
    copy_database(server, source, name)
    try:
        yield server.with_database(name)
    finally:
        _execute(server, "drop database if exists {} with (force)", name)


def copy_database(server: Warehouse, source: str, name: str) -> None:
    """Make a copy of a database, to which nobody may be connected."""
    # File copies: the write-ahead log would otherwise carry the whole database, which takes ten times as long.
    _execute(server, "create database {} template {} strategy file_copy", name, source)


def replace_database(server: Warehouse, source: str, name: str) -> None:
    """Make a database a copy of another; nobody may be connected to either."""
    _execute(server, "drop database {}", name)
    copy_database(server, source, name)


def shared_database(
    server: Warehouse, run: str, name: str, build: Callable[[Warehouse, Path], None]
) -> tuple[Warehouse, Path]:
    """A database that one worker of test run `run` makes for all, and a folder for what belongs to it; gone with the server.

    A worker that comes while it is being made waits; one that comes after a failure makes it anew.
    """
    folder = _home(run) / name
    made = server.with_database(f"hic_test_{name}")
    with exclusive(_home(run) / f"{name}.lock"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _ensure_template(server)
            _execute(server, "drop database if exists {} with (force)", made.database)
            copy_database(server, _TEMPLATE, made.database)
            build(made, partial)
            partial.rename(folder)
    return made, folder


def system_server(url: str) -> Warehouse | None:
    """The server at `url`, or None if it does not answer."""
    server = Warehouse({k: str(v) for k, v in conninfo.conninfo_to_dict(url).items() if v is not None})
    try:
        server.connect(connect_timeout=2).close()
    except WarehouseError:
        return None
    return server


def rows(warehouse: Warehouse, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """All rows of a query, committed; an empty list for a command without a result."""
    with warehouse.connect() as connection:
        cursor = connection.execute(query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def _ensure_template(server: Warehouse) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(1)")  # released with the connection
        if connection.execute("select 1 from pg_database where datname = %s", [_TEMPLATE]).fetchone():
            return
        _execute(server, "create database {} template template0", "hic_template_new")
        with server.with_database("hic_template_new").connect() as made:
            create_schemas(made)
        _execute(server, "alter database {} rename to {}", "hic_template_new", _TEMPLATE)


def _execute(server: Warehouse, command: str, *names: str) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def _home(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{run}"


def _alone() -> AbstractContextManager[None]:
    """One process at a time enters or leaves, over all test runs of this user."""
    return exclusive(Path(tempfile.gettempdir()) / f"hic-tests.{os.geteuid()}.lock")


def _remove_if_unused(home: Path) -> None:
    if not any(home.glob("*.user")):
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _sweep() -> None:
    """Stop and remove clusters whose test runs were killed."""
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            users = list(home.glob("*.user"))
            if home.stat().st_uid != os.geteuid() or not users:
                continue
            for user in users:
                if not psutil.pid_exists(int(user.stem)):
                    user.unlink(missing_ok=True)
            _remove_if_unused(home)
        except (OSError, WarehouseError):
            continue
