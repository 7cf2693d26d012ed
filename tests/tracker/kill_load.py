"""A process that loads one week of one table by the unified pipeline, to be killed: started by `test_tracker_kill`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tracker_country import SandboxSources

from hic_assets.assets.readers import open_client, open_source
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.landing.land import land
from hic_assets.partitions import landing_partition
from hic_assets.systems.declare import Pipeline
from hic_assets.systems.immunization_tracker import IMMUNIZATION_TRACKER as SYSTEM
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

FEED = SYSTEM.programme_feed(SYSTEM.programmes[0], Kind.EVENTS, Pipeline.UNIFIED)


def main() -> None:
    """Read and land the week; all it needs is in one argument, as JSON."""
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    sources = SandboxSources(
        urls=given["urls"], username=given["username"], password=given["password"], folder=str(folder)
    )
    warehouse = Warehouse(parse_url(given["warehouse"]))
    partition = landing_partition(SYSTEM.programmes[0].cadence, given["week"])
    with open_client(SYSTEM, warehouse, sources) as client:
        source = open_source(SYSTEM, FEED, partition, client, warehouse, sources)
        land(warehouse, FEED.table, partition, source.batches, source=source.url, spill_dir=folder)


if __name__ == "__main__":
    main()
