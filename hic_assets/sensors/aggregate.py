"""The change sensor: asks a system what it changed, and has exactly the months loaded again that this touches.

Belongs here: which partitions to request, and remembering what is still owed. Does not: reading the partitions.
The cursor holds the server's own watermark and the months still owed; a month is owed until the ledger shows it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.readers import data_sets_of, open_client
from hic_assets.extract.dhis2.changes import changes_since
from hic_assets.extract.errors import SourceError
from hic_assets.landing.errors import MetadataMissing
from hic_assets.partitions import contiguous_ranges, monthly, range_tags, today
from hic_assets.periods import NotAPeriod, partition_of_month
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Cadence, System
from hic_assets.warehouse import Warehouse

# How long before it shows a change may have its timestamp.
LONGEST_IMPORT = timedelta(hours=1)


@dataclass(frozen=True)
class Cursor:
    """What the sensor remembers: the newest change seen, and by month the change that is still to be loaded."""

    watermark: datetime | None = None
    owed: Mapping[str, datetime] = field(default_factory=dict)

    def text(self) -> str:
        """As Dagster keeps it."""
        owed = {month: at.isoformat() for month, at in sorted(self.owed.items())}
        return json.dumps({"watermark": self.watermark.isoformat() if self.watermark else None, "owed": owed})

    @staticmethod
    def of(text: str | None) -> "Cursor":
        """From what Dagster kept; the first time, nothing."""
        kept = json.loads(text) if text else {}
        watermark = kept.get("watermark")
        return Cursor(
            datetime.fromisoformat(watermark) if watermark else None,
            {month: datetime.fromisoformat(at) for month, at in kept.get("owed", {}).items()},
        )


def still_owed(
    owed: Mapping[str, datetime], changed: Mapping[str, datetime], loaded: Mapping[str, datetime | None]
) -> dict[str, datetime]:
    """Months whose newest change is newer than what the ledger holds of them.

    Months that were never loaded are left alone: a first load is a person's decision (a backfill).
    """
    merged = dict(owed)
    for month, at in changed.items():
        merged[month] = max(at, merged.get(month, at))
    result = {}
    for month, at in merged.items():
        if month in loaded:
            held = loaded[month]
            if held is None or held < at:
                result[month] = at
    return result


def month_key(period: str) -> str | None:
    """The partition key of a DHIS2 monthly period; None for periods of other types, or none at all."""
    try:
        return partition_of_month(period)
    except NotAPeriod:
        return None


def loaded_months(warehouse: Warehouse, system: System) -> dict[str, datetime | None]:
    """By month loaded, the time up to which the partition surely holds what was changed at the source.

    That is the newest timestamp in it, but none of the last hour before it was read: a long import shows what it
    wrote only when it ends, under timestamps from before. Such a month is read once more.
    """
    with warehouse.connect() as connection:
        found = connection.execute(
            """select partition_key, least(source_watermark, started_at - %s) from ops.load
               where system = %s and table_name = 'data_values' and is_current""",
            (LONGEST_IMPORT, system.name),
        ).fetchall()
    return dict(found)


def oldest_reading(warehouse: Warehouse, system: System) -> datetime:
    """When the month that was read longest ago was read: whatever changed before, every month loaded holds."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select min(started_at) from ops.load
               where system = %s and table_name = 'data_values' and is_current""",
            (system.name,),
        ).fetchone()
    assert found is not None and found[0] is not None  # noqa: S101 - asked only once something is loaded
    at: datetime = found[0]
    return at


def released_months(warehouse: Warehouse, system: System) -> list[str]:
    """Months with rows in quarantine whose facility, data element ... the registries have learnt since."""
    with warehouse.connect() as connection:
        found = connection.execute(
            f"""select distinct l.partition_key from ops.quarantine q join ops.load l using (load_id)
                where l.system = %s and l.is_current and l.partition_key is not null
                  and ({_now_known(system)})""".encode(),
            (system.name,),
        ).fetchall()
    return [row[0] for row in found]


def _now_known(system: System) -> str:
    """SQL: a quarantined row q broke a rule about registries, and all columns of that rule are in them by now."""
    known: dict[str, dict[str, str]] = {}
    for feed in system.by_cadence(Cadence.MONTHLY):
        for column in feed.table.columns:
            if column.reference:
                known.setdefault(column.reference.rule, {})[column.name] = (
                    f"exists (select from raw.{column.reference.table} r where r.{column.reference.column} = "
                    f"q.row_text::json ->> '{column.name}' and r._load_id > q.load_id)"
                )
    return " or ".join(f"(q.rule = '{rule}' and {' and '.join(parts.values())})" for rule, parts in known.items())


def tick(system: System, cursor: Cursor, warehouse: Warehouse, sources: SourcesResource) -> tuple[Cursor, list[str]]:
    """Ask the system once; return the new cursor and the months to load."""
    loaded = loaded_months(warehouse, system)
    newest = max((w for w in loaded.values() if w), default=None)
    if newest is None:
        return cursor, []
    since = cursor.watermark or min(newest, oldest_reading(warehouse, system))
    feed = system.feed("data_values")
    with open_client(system, warehouse, sources) as client:
        changes = changes_since(client, data_sets_of(warehouse, system, feed), since)
    changed = {}
    for period, at in changes.frame.select("period", "last_updated").iter_rows():
        if (month := month_key(period)) and at is not None:
            changed[month] = at
    owed = still_owed(cursor.owed, changed, loaded)
    released = [m for m in released_months(warehouse, system) if m in loaded]
    return Cursor(changes.watermark, owed), sorted({*owed, *released})


def change_sensor(system: System, job_name: str) -> dg.SensorDefinition:
    """The change sensor of one system."""

    @dg.sensor(
        name=f"{system.name}_changes",
        job_name=job_name,
        minimum_interval_seconds=system.change_minutes * 60,
        description=f"Late, edited and deleted reports of {system.title}: loads again the months they touch, and no others.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            cursor, months = tick(system, Cursor.of(context.cursor), warehouse.open(), sources)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError, MetadataMissing) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        # Once a day a month that stays owed (its run failed) is asked for again.
        requests = []
        for first, last in contiguous_ranges(months, monthly()):
            newest = max((at for month, at in cursor.owed.items() if first <= month <= last), default=None)
            run_key = f"{first}:{last}:{newest}:{today()}"
            requests.append(dg.RunRequest(run_key=run_key, tags=range_tags(first, last)))
        return dg.SensorResult(
            run_requests=requests,
            cursor=cursor.text(),
            skip_reason=None if requests else "Nothing has changed in a month that is loaded.",
        )

    return sensor
