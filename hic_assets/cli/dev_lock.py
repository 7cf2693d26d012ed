"""One ``hic dev`` on a Dagster storage: two daemons would launch the same schedules and the same queue twice.

A session lock in Dagster's database. The server gives it back when the last process that has the connection open is
gone, so one that was killed keeps nobody out.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from hic_assets.cli.errors import CommandError
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

_TRY = "select pg_try_advisory_lock(hashtext('hic dev'), 0)"
_HOLDER = """
select coalesce(a.application_name, '') from pg_locks l left join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objid = 0 and l.objsubid = 2
  and l.classid::bigint = hashtext('hic dev')::bigint & 4294967295
  and l.database = (select oid from pg_database where datname = current_database())
"""


@contextmanager
def only_dev(warehouse: Warehouse, url: str) -> Iterator[int]:
    """Hold the lock until the block ends; ``url`` of the UI tells others who holds it.

    Yields the connection's file descriptor: a child that inherits it holds the lock too, as long as it lives.

    Raises:
        CommandError: another one holds it; says which.
    """
    storage = _storage(warehouse)
    name = f"hic dev at {url}, process {os.getpid()} on {socket.gethostname()}"
    with storage.connect(autocommit=True, application_name=name[:63]) as connection:
        if connection.execute(_TRY).fetchone() != (True,):
            raise CommandError(
                f"another 'hic dev' runs on {storage.redacted} ({_holder(connection)}): use that one, or stop it first. "
                f"A second one beside it needs a database of its own in HIC_DAGSTER_URL."
            )
        yield connection.fileno()


def dev_is_up(warehouse: Warehouse) -> bool:
    """Whether some ``hic dev`` runs on this warehouse's Dagster storage, on whatever machine."""
    with _storage(warehouse).connect(autocommit=True) as connection:
        return _holder(connection) is not None


def _storage(warehouse: Warehouse) -> Warehouse:
    return Warehouse(parse_url(warehouse.dagster_url, "HIC_DAGSTER_URL"))


def _holder(connection: psycopg.Connection[Any]) -> str | None:
    found = connection.execute(_HOLDER).fetchone()
    return None if found is None else found[0] or "it does not say where"
