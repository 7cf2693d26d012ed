"""The ledger of loads: what was read, landed, quarantined and counted as duplicate, by table and partition.

Belongs here: reading and writing ``ops.load``. Does not: what the numbers mean for trust (``checks``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg import Connection, Cursor

from hic_assets.extract.batches import BatchSource
from hic_assets.landing.table import Table


@dataclass(frozen=True)
class Partition:
    """A partition of a table: Dagster's key, and the half-open window of days it covers. None: a snapshot."""

    key: str | None = None
    start: date | None = None
    end: date | None = None

    def __str__(self) -> str:
        return self.key or "snapshot"


@dataclass
class Counts:
    """What happened to the rows of one load. ``read == landed + quarantined + duplicates`` when it commits."""

    read: int = 0
    landed: int = 0
    quarantined: int = 0
    duplicates: int = 0
    deleted: int = 0
    bytes: int = 0
    watermark: datetime | None = None
    rules: dict[str, int] = field(default_factory=dict)


def begin(connection: Connection[Any], table: Table, partition: Partition, source: str, run_id: str | None) -> int:
    """Open a load in the ledger and return its id; visible at once, so that a crash leaves a trace.

    Call it with the partition's lock held, on a connection that commits by itself: then ids grow in the order in
    which a partition's loads had their turn, and whatever is still 'running' belongs to nobody.
    """
    _abandon_dead(connection, table, partition)
    return _open(connection, table, partition, source, run_id)


def _open(connection: Connection[Any], table: Table, partition: Partition, source: str, run_id: str | None) -> int:
    found = connection.execute(
        """insert into ops.load (system, table_name, partition_key, window_start, window_end, source, status, run_id)
           values (%s, %s, %s, %s, %s, %s, 'running', %s) returning load_id""",
        (table.system, table.name, partition.key, partition.start, partition.end, source, run_id),
    ).fetchone()
    assert found is not None  # noqa: S101 - insert … returning always returns one row
    return int(found[0])


def _abandon_dead(connection: Connection[Any], table: Table, partition: Partition) -> None:
    """Close loads of this partition that never ended: their owner is gone, or we would not have its lock."""
    connection.execute(
        """update ops.load set status = 'abandoned', finished_at = clock_timestamp(),
                  error = 'the process that ran this load ended without a word; nothing of it was committed'
           where system = %s and table_name = %s and partition_key is not distinct from %s
             and status = 'running'""",
        (table.system, table.name, partition.key),
    )


@dataclass(frozen=True)
class Current:
    """What a partition holds by its current load."""

    landed: int
    content_hash: str | None


def current(cursor: Cursor, table: Table, partition: Partition) -> Current | None:
    """The current load of a partition; None if it was never loaded."""
    found = cursor.execute(
        """select landed, content_hash from ops.load where system = %s and table_name = %s
             and partition_key is not distinct from %s and is_current""",
        (table.system, table.name, partition.key),
    ).fetchone()
    return None if found is None else Current(*found)


def of_run(
    connection: Connection[Any], table: Table, partition: Partition, run_id: str
) -> tuple[int, Counts, float] | None:
    """Load id, counts (but by rule) and seconds of the current load of a partition, if this run has made it."""
    found = connection.execute(
        """select load_id, rows_read, landed, quarantined, duplicates, deleted, bytes, source_watermark,
                  extract(epoch from finished_at - started_at)::double precision
           from ops.load where system = %s and table_name = %s and partition_key is not distinct from %s
             and run_id = %s and is_current""",
        (table.system, table.name, partition.key, run_id),
    ).fetchone()
    if found is None:
        return None
    load_id, *counts, seconds = found
    return load_id, Counts(*counts), seconds


def current_slices(cursor: Cursor, table: Table, partition: Partition) -> dict[str, int]:
    """Rows that each request gave in the partition's current load, by the request's label."""
    found = cursor.execute(
        """select s.slice, sum(s.rows) from ops.load_slice s join ops.load l using (load_id)
           where l.system = %s and l.table_name = %s and l.partition_key is not distinct from %s and l.is_current
           group by s.slice""",
        (table.system, table.name, partition.key),
    ).fetchall()
    return {label: int(rows) for label, rows in found}


def forget_refused(connection: Connection[Any], table: Table, partition: Partition) -> None:
    """Drop what earlier failed loads of a partition left in quarantine: the newest says all there is to say."""
    connection.execute(
        """delete from ops.quarantine q using ops.load l where q.load_id = l.load_id and l.system = %s
             and l.table_name = %s and l.partition_key is not distinct from %s and not l.is_current""",
        (table.system, table.name, partition.key),
    )


def commit(
    cursor: Cursor,
    load_id: int,
    table: Table,
    partition: Partition,
    counts: Counts,
    content: str,
    batches: BatchSource,
) -> None:
    """Make this load the partition's current one, in the same transaction as the rows themselves."""
    cursor.execute(
        """update ops.load set is_current = false where system = %s and table_name = %s
             and partition_key is not distinct from %s and is_current""",
        (table.system, table.name, partition.key),
    )
    cursor.execute(
        """delete from ops.quarantine q using ops.load l where q.load_id = l.load_id and l.system = %s
             and l.table_name = %s and l.partition_key is not distinct from %s and q.load_id < %s""",
        (table.system, table.name, partition.key, load_id),
    )
    cursor.execute(
        """delete from ops.load_slice s using ops.load l where s.load_id = l.load_id and l.system = %s
             and l.table_name = %s and l.partition_key is not distinct from %s and s.load_id < %s""",
        (table.system, table.name, partition.key, load_id),
    )
    cursor.executemany(
        """insert into ops.load_slice (load_id, slice, url, rows, bytes, seconds, attempts)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        [(load_id, s.slice, s.url, s.rows, s.bytes, s.seconds, s.attempts) for s in batches.stats],
    )
    cursor.execute(
        """update ops.load set status = 'committed', is_current = true, finished_at = clock_timestamp(),
                  rows_read = %s, landed = %s, quarantined = %s, duplicates = %s, deleted = %s, bytes = %s,
                  content_hash = %s, source_watermark = %s, source_read_at = %s, unknown_columns = %s
           where load_id = %s""",
        (counts.read, counts.landed, counts.quarantined, counts.duplicates, counts.deleted, counts.bytes,
         content, counts.watermark, batches.read_at, sorted(set(batches.unknown_columns)) or None, load_id),
    )  # fmt: skip


def refuse(
    connection: Connection[Any], table: Table, partition: Partition, source: str, run_id: str | None, error: str
) -> None:
    """Note a load that ended before its first row: the source or a registry was not there."""
    fail(connection, _open(connection, table, partition, source, run_id), Counts(), error)


def fail(connection: Connection[Any], load_id: int, counts: Counts, error: str) -> None:
    """Close a load that did not commit, with the reason; its counts are what had been seen by then.

    A load that was waiting for our turn to end may already have called this one abandoned.
    """
    connection.execute(
        """update ops.load set status = 'failed', finished_at = clock_timestamp(), error = %s, rows_read = %s,
                  quarantined = %s, bytes = %s
           where load_id = %s and status in ('running', 'abandoned')""",
        (error, counts.read, counts.quarantined, counts.bytes, load_id),
    )
