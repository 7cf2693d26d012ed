"""What a tracker changed, and which partitions that makes stale: by asking what is new, or by asking for all keys.

Belongs here: from a programme to its stale partitions. Does not: requesting runs (``tracker``), SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.dialect import dialect_of
from hic_assets.extract.dhis2.tracker.changes import changes_since
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.keys import keys
from hic_assets.landing.stale import stale_partitions
from hic_assets.parity.loads import relation
from hic_assets.sensors.watermarks import Found
from hic_assets.systems.declare import Feed, Pipeline, Programme, System
from hic_assets.warehouse import Warehouse

PAUSE = timedelta(days=1)
"""After a try to load a partition, before it is asked for again because one pipeline was left behind."""
AT_ONCE = 8
"""Such partitions of a programme that are asked for at a time: years that one pipeline alone has read may differ."""

# Those whose readings lie so far apart that their comparison says little (``outdated``), unless it found nothing late, and
# those that one pipeline has tried to load and could not. First who has waited longest.
_LEFT_BEHIND = """
select s.partition_start
from ops.parity_state s
join ops.programme_source p on p.programme = s.programme and p.pipeline = 'legacy'
join ops.load l on l.relation = any(%(relations)s) and l.window_start = s.partition_start
where s.programme = %(programme)s and (
    (s.outdated is not null and (s.state in ('stale', 'not compared') or s.late > 0))
    or (s.state in ('legacy not loaded', 'unified not loaded') and exists (
        select from ops.load f where f.window_start = s.partition_start and f.relation =
            case s.state when 'unified not loaded' then 'u_' else '' end || %(tables)s || '_' || s.kind))
)
group by s.partition_start
having max(l.started_at) < now() - %(pause)s
order by max(l.started_at), s.partition_start desc
limit %(at_once)s
"""


def unified_feeds(system: System, programme: Programme) -> Iterator[Feed]:
    """The three tables that say what of a programme is held."""
    for kind in Kind:
        yield system.programme_feed(programme, kind, Pipeline.UNIFIED)


def changed(warehouse: Warehouse, client: Dhis2Client, feed: Feed, since: datetime) -> Found:
    """Partitions that records changed since ``since`` make stale: where they are now, and where they are still held."""
    assert feed.programme and feed.kind  # noqa: S101 - of every tracker feed
    changes = changes_since(client, feed.kind, feed.programme.uid, since)
    with warehouse.connect() as connection:
        stale = stale_partitions(connection, feed.table, [changes.frame])
    return Found(feed, stale, changes.watermark)


def left_behind(warehouse: Warehouse, system: System) -> dict[Programme, set[date]]:
    """Partitions that one pipeline has read more than a day before the other, or could not load at all, by programme.

    Changes are looked for in the unified tables only, so a legacy load that failed would never be made up for. None of
    programmes that are signed off or have no legacy pipeline, nor where the server has no endpoints for it any more.
    """
    with warehouse.connect() as connection:
        seen = connection.execute("select version from ops.source_system where system = %s", (system.name,)).fetchone()
        if seen is None or not dialect_of(seen[0]).has_legacy_tracker:
            return {}
        found = {}
        for programme in system.programmes:
            asked = {
                "programme": programme.name,
                "tables": programme.tables,
                "relations": [relation(programme, kind, side) for kind in Kind for side in Pipeline],
                "pause": PAUSE,
                "at_once": AT_ONCE,
            }
            found[programme] = {day for (day,) in connection.execute(_LEFT_BEHIND, asked)}
    return {programme: days for programme, days in found.items() if days}


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
