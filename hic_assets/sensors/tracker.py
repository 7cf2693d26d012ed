"""Sensors of the trackers: late, edited and deleted records have exactly the partitions loaded again that they touch.

Belongs here: which runs to request. Does not: finding what is stale (``tracker_stale``), reading it (``assets``).
A cursor is a watermark a table, by the server's own clock; it stays where it is while a partition is still stale.
"""

import json
from collections.abc import Iterable
from datetime import date

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.raw import asset_key
from hic_assets.assets.readers import open_client
from hic_assets.extract.dhis2.tracker.keep import forget_old
from hic_assets.extract.errors import SourceError
from hic_assets.partitions import contiguous_ranges, partitions_of, range_tags, today
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sensors.tracker_stale import changed, left_behind, unified_feeds
from hic_assets.sensors.watermarks import Watermarks, ask_each
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Programme, System
from hic_assets.warehouse import Warehouse

# Beside the tables' own: the newest change that made anything stale, which tells one occasion to load from another.
NEWEST = "*"


def tick(
    system: System, marks: Watermarks, warehouse: Warehouse, sources: SourcesResource
) -> tuple[Watermarks, dict[Programme, set[date]]]:
    """Ask a tracker once; return the new watermarks and the stale partitions by programme."""
    stale = {programme: noted(warehouse, system, programme) for programme in system.programmes}
    feeds = [feed for programme in system.programmes for feed in unified_feeds(system, programme)]
    with open_client(system, warehouse, sources) as client:
        client.info  # noqa: B018  (a server that is not to be asked ends this; trouble with one list does not)
        marks, found, errors = ask_each(warehouse, feeds, marks, lambda f, since: changed(warehouse, client, f, since))
    for one in found:
        assert one.feed.programme  # noqa: S101 - of every tracker feed
        stale[one.feed.programme] |= one.days
        if one.watermark:
            marks[NEWEST] = max(marks.get(NEWEST, ""), one.watermark.isoformat())
    if errors and not any(stale.values()):
        raise errors[0]
    return marks, {programme: days for programme, days in stale.items() if days}


def noted(warehouse: Warehouse, system: System, programme: Programme) -> set[date]:
    """Partitions that the reconciliation of keys has found stale and that were not loaded since."""
    names = [feed.table.name for feed in unified_feeds(system, programme)]
    with warehouse.connect() as connection:
        found = connection.execute(
            """select s.window_start from ops.stale_partition s
               where s.system = %s and s.table_name = any(%s) and not exists (
                 select from ops.load l where (l.system, l.table_name, l.window_start) = (s.system, s.table_name, s.window_start)
                   and l.is_current and l.started_at > s.found_at)""",
            (system.name, names),
        ).fetchall()
    return {row[0] for row in found}


def requests(system: System, stale: dict[Programme, set[date]], why: str) -> list[dg.RunRequest]:
    """Runs of exactly these partitions of these programmes, both pipelines, so that they stay comparable."""
    made = []
    for programme, days in stale.items():
        definition = partitions_of(programme.cadence)
        assert definition is not None  # noqa: S101 - programmes have partitions
        selection = [asset_key(system, feed) for feed in system.feeds if feed.programme == programme]
        for first, last in contiguous_ranges((day.isoformat() for day in days), definition):
            made.append(
                dg.RunRequest(
                    job_name=f"{system.name}_{programme.cadence.value}",
                    # Once a day what stays stale (its run failed) is asked for again.
                    run_key=f"{programme.name}:{first}:{last}:{why}:{today()}",
                    tags={**range_tags(first, last), "programme": programme.name},
                    asset_selection=selection,
                )
            )
    return made


def tracker_sensor(system: System, jobs: "Iterable[dg.UnresolvedAssetJobDefinition]") -> dg.SensorDefinition:
    """The change sensor of one tracker, which asks for runs of those of ``jobs`` that load its programmes."""
    names = {f"{system.name}_{programme.cadence.value}" for programme in system.programmes}

    @dg.sensor(
        name=f"{system.name}_changes",
        jobs=[job for job in jobs if job.name in names],
        minimum_interval_seconds=system.change_minutes * 60,
        description=f"Late, edited and deleted records of {system.title}: loads again the partitions they touch, no others.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            # Patients' records, which go whether or not anything is read again.
            forget_old(sources.kept())
            opened = warehouse.open()
            marks, stale = tick(system, json.loads(context.cursor or "{}"), opened, sources)
            behind = left_behind(opened, system)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        behind = {programme: days - stale.get(programme, set()) for programme, days in behind.items()}
        asked = requests(system, stale, max(marks.values(), default="")) + requests(system, behind, "left behind")
        return dg.SensorResult(
            run_requests=asked,
            cursor=json.dumps(marks),
            skip_reason=None
            if asked
            else "Nothing has changed in a partition that is loaded, and no pipeline is behind.",
        )

    return sensor
