"""The change sensor of a REST API: asks which records were changed, and has the partitions loaded again that they touch.

Belongs here: which partitions to request. Does not: comparing records with what is held (``landing.stale``), reading them.
The cursor holds a watermark a table, by the server's own clock; a change is asked for again until it is loaded.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.readers import open_session
from hic_assets.extract.errors import SourceError
from hic_assets.extract.rest.changes import changes_since
from hic_assets.extract.rest.client import RestSource
from hic_assets.landing.stale import stale_partitions
from hic_assets.partitions import contiguous_ranges, partitions_of, range_tags, today
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sensors.watermarks import Found, Watermarks, ask_each
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse


def changed(warehouse: Warehouse, source: RestSource, feed: Feed, since: datetime) -> Found:
    """What records changed since ``since`` make stale: where they are now, and where they are still held."""
    assert feed.resource is not None  # noqa: S101 - of every feed of a REST API
    changes = changes_since(source, feed.resource, since)
    (key,) = feed.table.keys
    frame = changes.frame.rename({key: "key"})
    path = feed.resource.member(key).parts
    with warehouse.connect() as connection:
        stale = stale_partitions(connection, feed.table, [frame], source_path=path)
    return Found(feed, stale, changes.watermark)


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


def requests(system: System, stale: Mapping[Feed, Found]) -> Iterator[dg.RunRequest]:
    """Runs of exactly these partitions, by the jobs that also build what stands on them."""
    for cadence in dict.fromkeys(feed.cadence for feed in stale):
        definition = partitions_of(cadence)
        assert definition is not None  # noqa: S101 - a REST API is read by partition
        found = [one for feed, one in stale.items() if feed.cadence is cadence]
        newest = max(one.watermark for one in found if one.watermark)
        days = {day.isoformat() for one in found for day in one.days}
        for first, last in contiguous_ranges(days, definition):
            yield dg.RunRequest(
                job_name=f"{system.name}_{cadence.value}",
                # Once a day what stays stale (its run failed) is asked for again.
                run_key=f"{cadence.value}:{first}:{last}:{newest}:{today()}",
                tags=range_tags(first, last),
            )


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
        try:
            marks, stale = tick(system, json.loads(context.cursor or "{}"), warehouse.open(), sources)
        except UndefinedTable:
            return dg.SkipReason(f"Nothing of {system.title} was loaded yet.")
        except (SettingsError, SourceError) as error:
            return dg.SkipReason(f"Could not ask {system.title}: {error}")
        asked = list(requests(system, stale))
        return dg.SensorResult(
            run_requests=asked,
            cursor=json.dumps(marks),
            skip_reason=None if asked else "Nothing has changed in a partition that is loaded.",
        )

    return sensor
