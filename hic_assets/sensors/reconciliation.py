"""The reconciliation of keys: once a week every key a tracker has is compared with what is held (contract 1.13).

It loads nothing: stale partitions are noted in ``ops.stale_partition``, and the tracker's sensor requests them.
"""

import dagster as dg
from psycopg.types.json import Jsonb

from hic_assets.assets.readers import open_client
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sensors.tracker_stale import reconciled, unified_feeds
from hic_assets.sensors.watermarks import Found
from hic_assets.systems.declare import System
from hic_assets.warehouse import Warehouse


def note(warehouse: Warehouse, found: Found) -> None:
    """Keep what one reconciliation of a table found, in place of what the one before it did."""
    table = found.feed.table
    with warehouse.connect() as connection:
        connection.execute(
            "delete from ops.stale_partition where system = %s and table_name = %s", (table.system, table.name)
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.stale_partition (system, table_name, window_start, why) values (%s, %s, %s, %s)",
                [(table.system, table.name, s.partition, Jsonb(s.why)) for s in found.stale],
            )


def reconcile(system: System, warehouse: Warehouse, sources: SourcesResource) -> list[Found]:
    """Compare the keys of every programme of a tracker, and note what is stale."""
    results = []
    with open_client(system, warehouse, sources) as client:
        for programme in system.programmes:
            for feed in unified_feeds(system, programme):
                results.append(reconciled(warehouse, client, feed))
                note(warehouse, results[-1])
    return results


def reconciliation_job(system: System) -> dg.JobDefinition:
    """The job that reconciles the keys of one tracker."""

    @dg.op(
        name=f"{system.name}_keys",
        description=f"Compares every key of {system.title} with what is held, and notes stale partitions.",
        pool=system.name,
    )
    def keys(context: dg.OpExecutionContext, warehouse: WarehouseResource, sources: SourcesResource) -> None:
        for found in reconcile(system, warehouse.open(), sources):
            words = "; ".join(f"{s.partition}: {s.why}" for s in found.stale) or "nothing stale"
            context.log.info(f"{found.feed.table.relation}: {words}")
            context.add_output_metadata(
                {found.feed.table.relation: ", ".join(str(s.partition) for s in found.stale) or "nothing stale"}
            )

    @dg.job(
        name=f"{system.name}_key_reconciliation",
        description=f"Reconciliation of keys of {system.title}; its sensor loads again what is found stale.",
        tags={"system": system.name},
    )
    def job() -> None:
        keys()

    return job
