"""The change sensors: ask a system what it changed, and have exactly the months or weeks loaded again that this touches.

Belongs here: which partitions to request, and remembering what is still owed. Does not: reading the partitions.
A sensor a cadence, since a run has one partition axis. The cursor holds the server's own watermark and the partitions
still owed; one is owed until the ledger shows it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.readers import data_sets_of, open_client
from hic_assets.extract.dhis2.changes import changes_since
from hic_assets.extract.errors import SourceError
from hic_assets.landing.errors import MetadataMissing
from hic_assets.partitions import contiguous_ranges, key_of_period, partitions_of, range_tags, today
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

# How long before it shows a change may have its timestamp.
LONGEST_IMPORT = timedelta(hours=1)


@dataclass(frozen=True)
class Cursor:
    """What the sensor remembers: the newest change seen, and by partition the change that is still to be loaded."""

    watermark: datetime | None = None
    owed: Mapping[str, datetime] = field(default_factory=dict)

    def text(self) -> str:
        """As Dagster keeps it."""
        owed = {key: at.isoformat() for key, at in sorted(self.owed.items())}
        return json.dumps({"watermark": self.watermark.isoformat() if self.watermark else None, "owed": owed})

    @staticmethod
    def of(text: str | None) -> "Cursor":
        """From what Dagster kept; the first time, nothing."""
        kept = json.loads(text) if text else {}
        watermark = kept.get("watermark")
        return Cursor(
            datetime.fromisoformat(watermark) if watermark else None,
            {key: datetime.fromisoformat(at) for key, at in kept.get("owed", {}).items()},
        )


def still_owed(
    owed: Mapping[str, datetime], changed: Mapping[str, datetime], loaded: Mapping[str, datetime | None]
) -> dict[str, datetime]:
    """Partitions whose newest change is newer than what the ledger holds of them.

    Those that were never loaded are left alone: a first load is a person's decision (a backfill).
    """
    merged = dict(owed)
    for key, at in changed.items():
        merged[key] = max(at, merged.get(key, at))
    result = {}
    for key, at in merged.items():
        if key in loaded:
            held = loaded[key]
            if held is None or held < at:
                result[key] = at
    return result


def values_feeds(system: System) -> dict[Cadence, Feed]:
    """The feeds that hold a system's reported values by month and by week; none of a system that is no aggregate DHIS2."""
    partitioned = (Cadence.MONTHLY, Cadence.WEEKLY)
    return {f.cadence: f for f in system.feeds if f.reader == "data_values" and f.cadence in partitioned}


def loaded_partitions(warehouse: Warehouse, feed: Feed) -> dict[str, datetime | None]:
    """By partition loaded, the time up to which it surely holds what was changed at the source.

    That is the newest timestamp in it, but none of the last hour before it was read: a long import shows what it
    wrote only when it ends, under timestamps from before. Such a partition is read once more.
    """
    with warehouse.connect() as connection:
        found = connection.execute(
            """select partition_key, least(source_watermark, started_at - %s) from ops.load
               where system = %s and table_name = %s and is_current""",
            (LONGEST_IMPORT, feed.table.system, feed.table.name),
        ).fetchall()
    return dict(found)


def oldest_reading(warehouse: Warehouse, feed: Feed) -> datetime:
    """When the partition that was read longest ago was read: whatever changed before, every one loaded holds."""
    with warehouse.connect() as connection:
        found = connection.execute(
            "select min(started_at) from ops.load where system = %s and table_name = %s and is_current",
            (feed.table.system, feed.table.name),
        ).fetchone()
    assert found is not None and found[0] is not None  # noqa: S101 - asked only once something is loaded
    at: datetime = found[0]
    return at


def released_partitions(warehouse: Warehouse, system: System, cadence: Cadence) -> list[str]:
    """Partitions of a cadence with rows in quarantine whose facility, data element ... the registries have learnt since."""
    feeds = system.by_cadence(cadence)
    with warehouse.connect() as connection:
        found = connection.execute(
            f"""select distinct l.partition_key from ops.quarantine q join ops.load l using (load_id)
                where l.system = %s and l.table_name = any(%s) and l.is_current and l.partition_key is not null
                  and ({_now_known(feeds)})""".encode(),
            (system.name, [feed.table.name for feed in feeds]),
        ).fetchall()
    return [row[0] for row in found]


def _now_known(feeds: Iterable[Feed]) -> str:
    """SQL: a quarantined row q broke a rule about registries, and all columns of that rule are in them by now."""
    known: dict[str, dict[str, str]] = {}
    for feed in feeds:
        for column in feed.table.columns:
            if column.reference:
                known.setdefault(column.reference.rule, {})[column.name] = (
                    f"exists (select from raw.{column.reference.table} r where r.{column.reference.column} = "
                    f"q.row_text::json ->> '{column.name}' and r._load_id > q.load_id)"
                )
    return " or ".join(f"(q.rule = '{rule}' and {' and '.join(parts.values())})" for rule, parts in known.items())


def tick(
    system: System,
    cursor: Cursor,
    warehouse: Warehouse,
    sources: SourcesResource,
    cadence: Cadence = Cadence.MONTHLY,
) -> tuple[Cursor, list[str]]:
    """Ask the system once; return the new cursor and the partitions of the cadence to load."""
    feed = values_feeds(system)[cadence]
    loaded = loaded_partitions(warehouse, feed)
    newest = max((w for w in loaded.values() if w), default=None)
    if newest is None:
        return cursor, []
    data_sets = data_sets_of(warehouse, system, feed)
    if not data_sets:
        return cursor, []
    since = cursor.watermark or min(newest, oldest_reading(warehouse, feed))
    with open_client(system, warehouse, sources) as client:
        changes = changes_since(client, data_sets, since)
    changed: dict[str, datetime] = {}
    for period, at in changes.frame.select("period", "last_updated").iter_rows():
        if (key := key_of_period(cadence, period)) and at is not None:
            changed[key] = max(at, changed.get(key, at))
    owed = still_owed(cursor.owed, changed, loaded)
    released = [key for key in released_partitions(warehouse, system, cadence) if key in loaded]
    return Cursor(changes.watermark, owed), sorted({*owed, *released})


def change_sensors(system: System) -> list[dg.SensorDefinition]:
    """The change sensors of one system: one a cadence in which it has reported values."""
    return [change_sensor(system, cadence) for cadence in values_feeds(system)]


def change_sensor(system: System, cadence: Cadence) -> dg.SensorDefinition:
    """The change sensor of the months or the weeks of one system."""
    definition = partitions_of(cadence)
    assert definition is not None  # noqa: S101 - snapshots have no changes to look for
    partition = "week" if cadence is Cadence.WEEKLY else "month"
    # That of months came first, and its cursor is kept under its name.
    name = f"{system.name}_weekly_changes" if cadence is Cadence.WEEKLY else f"{system.name}_changes"

    @dg.sensor(
        name=name,
        job_name=f"{system.name}_{cadence.value}",
        minimum_interval_seconds=system.change_minutes * 60,
        description=f"Late, edited and deleted reports of {system.title}: loads again the {partition}s they touch, and no "
        "others.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            cursor, keys = tick(system, Cursor.of(context.cursor), warehouse.open(), sources, cadence)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError, MetadataMissing) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        # Once a day a partition that stays owed (its run failed) is asked for again.
        requests = []
        for first, last in contiguous_ranges(keys, definition):
            newest = max((at for key, at in cursor.owed.items() if first <= key <= last), default=None)
            run_key = f"{first}:{last}:{newest}:{today()}"
            requests.append(dg.RunRequest(run_key=run_key, tags=range_tags(first, last)))
        return dg.SensorResult(
            run_requests=requests,
            cursor=cursor.text(),
            skip_reason=None if requests else f"Nothing has changed in a {partition} that is loaded.",
        )

    return sensor
