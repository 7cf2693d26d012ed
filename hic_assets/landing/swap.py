"""Put a new partition table in the old one's place, without making readers queue behind a long query.

Belongs here: the moment of replacement. Does not: filling the new table, or the ledger that commits with it.
"""

from __future__ import annotations

import time
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable

from hic_assets.landing.ledger import Partition

# The swap waits this long for readers, then lets those behind it through and tries again.
LOCK_TIMEOUT = "2s"
ATTEMPTS = 60


def swap_in(connection: Connection[Any], relation: str, place: sql.Identifier, partition: Partition) -> None:
    """Make ``place`` the partition of ``raw.<relation>``; takes effect when the transaction commits.

    Raises:
        LockNotAvailable: readers held the table throughout; nothing has changed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                _replace(connection, relation, place, partition)
        except LockNotAvailable:
            if attempt == ATTEMPTS:
                raise
            time.sleep(min(attempt, 5))
        else:
            return


def _replace(connection: Connection[Any], relation: str, place: sql.Identifier, partition: Partition) -> None:
    """Detach and drop the old partition, attach the new one; the parent is locked until the commit."""
    parent = sql.Identifier("raw", relation)
    found = connection.execute(
        """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = %s::regclass
             and pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%%L)', %s::date)""",
        (f"raw.{relation}", partition.start),
    ).fetchall()
    for (name,) in found:
        old = sql.Identifier("raw_partitions", name)
        connection.execute(sql.SQL("alter table {} detach partition {}").format(parent, old))
        connection.execute(sql.SQL("drop table {}").format(old))
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values in ({})").format(
            parent, place, sql.Literal(partition.start)
        )
    )
