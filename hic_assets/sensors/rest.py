"""The change sensor of a REST API: asks which records were changed, and has the partitions loaded again that they touch.

Belongs here: which partitions to request. Does not: comparing records with what is held (``landing.stale``), reading them.
The cursor holds a watermark a table, by the server's own clock, and which occasions were answered today: a change is
seen again until it is loaded, and what it makes stale is loaded once for it, and once a day while it stays so.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.readers import open_session
from hic_assets.extract.errors import SourceError
from hic_assets.extract.rest.changes import changes_since
from hic_assets.extract.rest.client import RestSource
from hic_assets.landing.stale import stale_partitions
from hic_assets.partitions import partitions_of
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sensors import occasions
from hic_assets.sensors.watermarks import Found, Watermarks, ask_each
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

log = logging.getLogger(__name__)


def changed(warehouse: Warehouse, source: RestSource, feed: Feed, since: datetime) -> Found:
    """What records changed since ``since`` make stale: where they are now, and where they are still held."""
    assert feed.resource is not None  # noqa: S101 - of every feed of a REST API
    changes = changes_since(source, feed.resource, since)
    for words in changes.notes:
        log.info("Asked for changes: %s", words)
    (key,) = feed.table.keys
    frame = changes.frame.rename({key: "key"})
    path = feed.resource.member(key).parts
    with warehouse.connect() as connection:
        stale = stale_partitions(connection, feed.table, [frame], source_path=path)
    return Found(feed, stale, changes.watermark, changes.unreadable)


def tick(
    system: System, marks: Watermarks, warehouse: Warehouse, sources: SourcesResource
) -> tuple[Watermarks, dict[Feed, Found]]:
    """Ask a system once; return the new watermarks and what is stale by table."""
    feeds = [feed for feed in system.feeds if feed.resource and feed.resource.changes]
    with open_session(system, warehouse, sources) as source:
        assert isinstance(source, RestSource)  # noqa: S101 - asked of such systems only
        kept, stale, errors = ask_each(warehouse, feeds, marks, lambda f, since: changed(warehouse, source, f, since))
    if errors and not stale:
        raise errors[0]
    return kept, {found.feed: found for found in stale}


def requests(
    system: System, stale: Mapping[Feed, Found], asked: occasions.Asked, instance: dg.DagsterInstance
) -> Iterator[dg.RunRequest]:
    """Runs of exactly these partitions, by the jobs that also build what stands on them."""
    for cadence in dict.fromkeys(feed.cadence for feed in stale):
        definition = partitions_of(cadence)
        assert definition is not None  # noqa: S101 - a REST API is read by partition
        why: occasions.Occasions = {}
        for feed, found in stale.items():
            why = occasions.add(why, found) if feed.cadence is cadence else why
        job = f"{system.name}_{cadence.value}"
        yield from occasions.requests(instance, job, cadence.value, why, asked, definition)


def rest_sensor(system: System, jobs: "Iterable[dg.UnresolvedAssetJobDefinition]") -> dg.SensorDefinition:
    """The change sensor of one system with a REST API."""
    names = {f"{system.name}_{cadence.value}" for cadence in Cadence}

    @dg.sensor(
        name=f"{system.name}_changes",
        jobs=[job for job in jobs if job.name in names],
        minimum_interval_seconds=system.change_minutes * 60,
        description=f"Late, edited and deleted records of {system.title}: loads again the partitions they touch, no others.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
    ) -> dg.SensorResult | dg.SkipReason:
        marks, asked = occasions.read_cursor(context.cursor)
        try:
            marks, stale = tick(system, marks, warehouse.open(), sources)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        runs = list(requests(system, stale, asked, context.instance))
        nothing = "Nothing has changed in a partition that is loaded."
        return dg.SensorResult(
            run_requests=runs,
            cursor=occasions.written(marks, asked),
            skip_reason=None if runs else occasions.WAITS if stale else nothing,
        )

    return sensor
