"""What a tracker changed, and which partitions that makes stale: by asking what is new, or by asking for all keys.

Belongs here: from a programme to its stale partitions. Does not: requesting runs (``tracker_sensor``), SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.changes import changes_since
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.keys import keys
from hic_assets.landing.stale import Stale, stale_partitions
from hic_assets.systems.declare import Feed, Pipeline, Programme, System
from hic_assets.warehouse import Warehouse


@dataclass(frozen=True)
class Found:
    """Stale partitions of one table, and up to when the source was asked."""

    feed: Feed
    stale: list[Stale]
    watermark: datetime | None = None


def unified_feeds(system: System, programme: Programme) -> Iterator[Feed]:
    """The three tables that say what of a programme is held."""
    for kind in Kind:
        yield system.programme_feed(programme, kind, Pipeline.UNIFIED)


def first_reading(warehouse: Warehouse, feed: Feed) -> datetime | None:
    """By the server's clock, when the partition that was read longest ago was read; None when none is loaded."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select min(source_read_at) from ops.load where system = %s and table_name = %s and is_current""",
            (feed.table.system, feed.table.name),
        ).fetchone()
    return found[0] if found else None


def changed(warehouse: Warehouse, client: Dhis2Client, feed: Feed, since: datetime) -> Found:
    """Partitions that records changed since ``since`` make stale: where they are now, and where they are still held."""
    assert feed.programme and feed.kind  # noqa: S101 - of every tracker feed
    changes = changes_since(client, feed.kind, feed.programme.uid, since)
    with warehouse.connect() as connection:
        stale = stale_partitions(connection, feed.table, [changes.frame])
    return Found(feed, stale, changes.watermark)


def loaded_window(warehouse: Warehouse, feed: Feed) -> tuple[date, date] | None:
    """First day and the day after the last of what is loaded of a table."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select min(window_start), max(window_end) from ops.load
               where system = %s and table_name = %s and is_current and window_start is not null""",
            (feed.table.system, feed.table.name),
        ).fetchone()
    return (found[0], found[1]) if found and found[0] else None


def reconciled(warehouse: Warehouse, client: Dhis2Client, feed: Feed) -> Found:
    """Partitions that do not hold exactly the keys the source has: finds what leaves no trace among the changes.

    Tombstones that were erased, records the account lost sight of, deletions on servers that do not date them.
    """
    assert feed.programme and feed.kind  # noqa: S101 - of every tracker feed
    window = loaded_window(warehouse, feed)
    if window is None:
        return Found(feed, [])
    source = keys(client, feed.kind, feed.programme.uid, *window)
    with warehouse.connect() as connection:
        return Found(feed, stale_partitions(connection, feed.table, (batch.frame for batch in source), window))
