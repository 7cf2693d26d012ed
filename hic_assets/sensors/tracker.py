"""Sensors of the trackers: late, edited and deleted records have exactly the partitions loaded again that they touch.

Belongs here: which runs to request. Does not: finding what is stale (``tracker_stale``), reading it (``assets``).
A cursor is a watermark a table, by the server's own clock, which stays where it is while a partition is still stale; and
which occasions were answered today.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.raw import asset_key
from hic_assets.assets.readers import open_client
from hic_assets.extract.dhis2.tracker.keep import forget_old
from hic_assets.extract.errors import SourceError
from hic_assets.partitions import partitions_of
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sensors import occasions
from hic_assets.sensors.occasions import Asked, Occasions
from hic_assets.sensors.tracker_stale import changed, left_behind, unified_feeds
from hic_assets.sensors.watermarks import Watermarks, ask_each
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Programme, System
from hic_assets.warehouse import Warehouse


def tick(
    system: System, marks: Watermarks, warehouse: Warehouse, sources: SourcesResource
) -> tuple[Watermarks, dict[Programme, Occasions]]:
    """Ask a tracker once; return the new watermarks and the stale partitions by programme, with what makes them so."""
    stale = {programme: noted(warehouse, system, programme) for programme in system.programmes}
    feeds = [feed for programme in system.programmes for feed in unified_feeds(system, programme)]
    with open_client(system, warehouse, sources) as client:
        client.info  # noqa: B018  (a server that is not to be asked ends this; trouble with one list does not)
        marks, found, errors = ask_each(warehouse, feeds, marks, lambda f, since: changed(warehouse, client, f, since))
    for one in found:
        assert one.feed.programme  # noqa: S101 - of every tracker feed
        occasions.add(stale[one.feed.programme], one)
    if errors and not any(stale.values()):
        raise errors[0]
    return marks, {programme: days for programme, days in stale.items() if days}


def noted(warehouse: Warehouse, system: System, programme: Programme) -> Occasions:
    """Partitions that the reconciliation of keys has found stale and that were not loaded since."""
    names = [feed.table.name for feed in unified_feeds(system, programme)]
    with warehouse.connect() as connection:
        found = connection.execute(
            """select s.window_start, array_agg(s.table_name || s.why::text) from ops.stale_partition s
               where s.system = %s and s.table_name = any(%s) and not exists (
                 select from ops.load l where (l.system, l.table_name, l.window_start) = (s.system, s.table_name, s.window_start)
                   and l.is_current and l.started_at > s.found_at)
               group by 1""",
            (system.name, names),
        ).fetchall()
    return dict(found)


def requests(
    system: System, stale: Mapping[Programme, Occasions], asked: Asked, instance: dg.DagsterInstance
) -> list[dg.RunRequest]:
    """Runs of exactly these partitions of these programmes, both pipelines, so that they stay comparable."""
    made: list[dg.RunRequest] = []
    for programme, why in stale.items():
        definition = partitions_of(programme.cadence)
        assert definition is not None  # noqa: S101 - programmes have partitions
        selection = [asset_key(system, feed) for feed in system.feeds if feed.programme == programme]
        job, tags = f"{system.name}_{programme.cadence.value}", {"programme": programme.name}
        made += occasions.requests(
            instance, job, programme.name, why, asked, definition, tags, asset_selection=selection
        )
    return made


def _also_behind(
    stale: Mapping[Programme, Occasions], behind: Mapping[Programme, set[date]]
) -> dict[Programme, Occasions]:
    """What is stale, and what one pipeline has left behind, where that is no more than this."""
    found = {programme: dict(why) for programme, why in stale.items()}
    for programme, days in behind.items():
        for day in days:
            found.setdefault(programme, {}).setdefault(day, ["left behind"])
    return found


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
            marks, asked = occasions.read_cursor(context.cursor)
            marks, stale = tick(system, marks, opened, sources)
            behind = left_behind(opened, system)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        due = _also_behind(stale, behind)
        runs = requests(system, due, asked, context.instance)
        nothing = "Nothing has changed in a partition that is loaded, and no pipeline is behind."
        return dg.SensorResult(
            run_requests=runs,
            cursor=occasions.written(marks, asked),
            skip_reason=None if runs else occasions.WAITS if due else nothing,
        )

    return sensor
