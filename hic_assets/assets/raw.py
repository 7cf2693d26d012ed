"""Raw assets of a system: one asset a declared table, partitioned as declared, writing itself.

Belongs here: how a run's partitions become loads, and how loads are reported. Does not: reading (``readers``) or
landing. The ledger, not Dagster's event log, is the truth about what is loaded.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from hic_assets.assets.metadata import definition_metadata, load_metadata
from hic_assets.assets.readers import Session, expected_of, open_session, open_source
from hic_assets.extract.errors import (
    AuthError,
    SourceError,
    SpoolFull,
    SystemChanged,
    TransientSourceError,
    UnsupportedSystem,
)
from hic_assets.landing import ledger
from hic_assets.landing.errors import LandingError, MetadataMissing, SpillFull
from hic_assets.landing.land import LoadResult, land, result_of_run
from hic_assets.landing.ledger import Partition
from hic_assets.partitions import landing_partition, partitions_of
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.settings import SettingsError
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

# Transient trouble is retried request by request inside the client; this is for a server that is down for a while.
RETRY = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


# What will be no better on the next partition: these end a run at once, other failures only their partition.
_HOPELESS = (AuthError, SystemChanged, UnsupportedSystem, SpoolFull, SpillFull, SettingsError, MetadataMissing)
_Failures = dict[Partition, Exception]


class LoadConfig(dg.Config):
    """What a person may decide when launching a load by hand."""

    accept_shrink: bool = False
    """Land a partition although the source gave far fewer rows than it holds."""


def asset_key(system: System, feed: Feed) -> dg.AssetKey:
    """``raw/<system>_<table>``: the same key dbt gives its source, so lineage joins by itself."""
    return dg.AssetKey(["raw", feed.table.relation])


def raw_assets(system: System) -> list[dg.AssetsDefinition]:
    """Every raw asset of a system."""
    return [_raw_asset(system, feed) for feed in system.feeds]


def registry_keys(system: System) -> list[dg.AssetKey]:
    """The snapshots that reported values are checked against and planned by."""
    return [asset_key(system, f) for f in system.by_cadence(Cadence.SNAPSHOT) if not f.period_types]


def _raw_asset(system: System, feed: Feed) -> dg.AssetsDefinition:
    definition = partitions_of(feed.cadence)
    partitioned = definition is not None
    tags = {"layer": "raw", "system": system.name, "cadence": feed.cadence.value}
    if feed.programme and feed.pipeline:
        tags |= {"programme": feed.programme.name, "pipeline": feed.pipeline.value}

    @dg.asset(
        key=asset_key(system, feed),
        description=f"{feed.table.description} Source: {system.title}.",
        group_name=system.name,
        owners=list(system.owners),
        kinds={"dhis2" if system.api is None else "rest", "postgres"},
        tags=tags,
        metadata=definition_metadata(feed.table),
        deps=registry_keys(system) if feed.period_types else [],
        partitions_def=definition,
        backfill_policy=dg.BackfillPolicy.single_run() if partitioned else None,
        retry_policy=RETRY,
        # By asset, not by partition: so only for snapshots. Months and weeks have the freshness check.
        freshness_policy=None
        if partitioned
        else dg.FreshnessPolicy.time_window(fail_window=timedelta(days=feed.due_days)),
        pool=system.name,
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        warehouse: WarehouseResource,
        sources: SourcesResource,
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None]]:
        keys = context.partition_keys if partitioned else []
        partitions = [landing_partition(feed.cadence, key) for key in keys] or [Partition()]
        opened = warehouse.open()
        results, failures = _load_all(context, system, feed, partitions, opened, sources, config)
        if failures:
            yield from _landed_all_the_same(feed, opened, results)
            raise _failure(feed, partitions, results, failures)
        if partitioned:
            for result in results:
                context.add_asset_metadata(load_metadata(opened, result), partition_key=result.partition.key)
            # No sums over the run: Dagster would show them as each partition's.
            yield dg.MaterializeResult()
            return
        shown = load_metadata(opened, results[0])
        shown["dagster/row_count"] = shown.pop("dagster/partition_row_count")
        yield dg.MaterializeResult(metadata=shown)

    return asset


def _load_all(
    context: dg.AssetExecutionContext,
    system: System,
    feed: Feed,
    partitions: Sequence[Partition],
    warehouse: Warehouse,
    sources: SourcesResource,
    config: LoadConfig,
) -> tuple[list[LoadResult], _Failures]:
    """Load each partition; one that fails does not keep the others from landing."""
    try:
        with open_session(system, warehouse, sources) as client:
            results, failures = _load_each(context, system, feed, partitions, client, warehouse, sources, config)
    except (SourceError, SettingsError) as error:
        results, failures = [], dict[Partition, Exception].fromkeys(partitions, error)
        _refuse_all(context, feed, partitions, warehouse, error)
    for failure in failures.values():
        if isinstance(failure, AuthError) and failure.status == 401:
            sources.refused[system.name] = failure
    return results, failures


def _load_each(
    context: dg.AssetExecutionContext,
    system: System,
    feed: Feed,
    partitions: Sequence[Partition],
    client: Session,
    warehouse: Warehouse,
    sources: SourcesResource,
    config: LoadConfig,
) -> tuple[list[LoadResult], _Failures]:
    results: list[LoadResult] = []
    failures: _Failures = {}
    expected = expected_of(warehouse, feed) if feed.programme else None
    for number, partition in enumerate(partitions, 1):
        if context.retry_number and (landed := result_of_run(warehouse, feed.table, partition, context.run.run_id)):
            results.append(landed)
            continue
        try:
            source = open_source(system, feed, partition, client, warehouse, sources, expected)
        except MetadataMissing as error:
            failures[partition] = error
            _refuse_all(context, feed, partitions[number - 1 :], warehouse, error)
            break
        try:
            result = land(
                warehouse,
                feed.table,
                partition,
                source.batches,
                periods=source.periods,
                source=source.url,
                run_id=context.run.run_id,
                accept_shrink=config.accept_shrink,
                spill_dir=sources.spool(),
            )
        except (SourceError, LandingError) as error:
            context.log.warning(f"{feed.table.relation} {partition}: {error}")
            failures[partition] = error
            if isinstance(error, _HOPELESS):
                # The server is not asked again for the others: another try of a refused password locks the account.
                _refuse_all(context, feed, partitions[number:], warehouse, error)
                break
            continue
        results.append(result)
        context.log.info(f"{feed.table.relation} {number}/{len(partitions)}: {describe(result)}")
    return results, failures


def _refuse_all(
    context: dg.AssetExecutionContext,
    feed: Feed,
    partitions: Sequence[Partition],
    warehouse: Warehouse,
    error: Exception,
) -> None:
    """Note in the ledger, a line a partition, loads that failed before landing could begin; but for what this run has landed."""
    url = error.url if isinstance(error, SourceError) else ""
    run = context.run.run_id
    waiting = [p for p in partitions if not (context.retry_number and result_of_run(warehouse, feed.table, p, run))]
    with warehouse.connect(autocommit=True) as book:
        for partition in waiting:
            ledger.refuse(book, feed.table, partition, url, run, f"{type(error).__name__}: {error}")


def describe(result: LoadResult) -> str:
    """One line for the log."""
    counts = result.counts
    return (
        f"{result.partition}: {counts.read:,} read, {counts.landed:,} landed, {counts.quarantined:,} quarantined, "
        f"{counts.duplicates:,} duplicates in {result.seconds:.1f} s" + (" (unchanged)" if result.unchanged else "")
    )


def _landed_all_the_same(
    feed: Feed, warehouse: Warehouse, results: Sequence[LoadResult]
) -> Iterator[dg.AssetMaterialization]:
    """The partitions that landed in a run that fails. Yielded, since what is only logged is lost with the failure."""
    for result in results:
        if result.partition.key:
            key = dg.AssetKey(["raw", feed.table.relation])
            metadata = load_metadata(warehouse, result)
            yield dg.AssetMaterialization(key, partition=result.partition.key, metadata=metadata)


def _failure(
    feed: Feed, partitions: Sequence[Partition], results: Sequence[LoadResult], failures: _Failures
) -> dg.Failure:
    """What the run fails with: each partition that is not loaded, and why."""
    words: dict[str, Any] = {str(partition): str(error) for partition, error in failures.items()}
    tried = {result.partition for result in results} | failures.keys()
    words |= {str(p): "not tried, since it would have failed the same way" for p in partitions if p not in tried}
    first = next(iter(failures.values()))
    return dg.Failure(
        description=f"{feed.table.relation}: {len(words)} partition(s) not loaded ({', '.join(words)}): {first}",
        metadata=words,
        allow_retries=all(isinstance(error, TransientSourceError) for error in failures.values()),
    )
