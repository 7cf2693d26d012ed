"""Copies of a database, which is faster than loading it anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from hic_assets.warehouse import Warehouse


@contextmanager
def copied_database(server: Warehouse, source: str, name: str | None = None) -> Iterator[Warehouse]:
    """A copy of the database `source`, to which nobody may be connected; dropped at the end."""
    name = name or f"hic_test_{uuid.uuid4().hex[:12]}"
    copy = sql.Identifier(name)
    with server.connect(autocommit=True) as connection:
        # File copies: the write-ahead log would otherwise carry the whole database.
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(copy, sql.Identifier(source))
        )
    try:
        yield server.with_database(name)
    finally:
        with server.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(copy))
