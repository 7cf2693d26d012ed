"""From a feed's declaration and a partition to the batches of its protocol.

Belongs here: what of the warehouse a request needs to be planned (data sets, the server's identity). Does not: HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hic_assets.extract.batches import BatchSource, BatchStream
from hic_assets.extract.dhis2 import metadata
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.completeness import completeness
from hic_assets.extract.dhis2.data_values import data_values
from hic_assets.extract.dhis2.legacy_tracker.read import records as legacy_records
from hic_assets.extract.dhis2.tracker.read import Expected
from hic_assets.extract.dhis2.tracker.read import records as tracker_records
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.read import records as rest_records
from hic_assets.landing.errors import MetadataMissing
from hic_assets.landing.ledger import Partition
from hic_assets.partitions import FIRST_MONTH, dhis2_period, today
from hic_assets.resources import SourcesResource
from hic_assets.systems.declare import Cadence, Feed, Pipeline, System
from hic_assets.warehouse import Warehouse

Session = Dhis2Client | RestSource
"""A session with a system, whichever protocol it speaks."""


@dataclass(frozen=True)
class OpenedSource:
    """Batches of one partition, the periods they may hold (empty: any), and the address without secrets."""

    batches: BatchSource
    periods: frozenset[str]
    url: str


@contextmanager
def open_session(system: System, warehouse: Warehouse, sources: SourcesResource) -> Iterator[Session]:
    """A session with a system; with a DHIS2, as `open_client`.

    Raises:
        SystemChanged, AuthError: as `open_client`; a REST API has no identity to tell, so only its credentials are known.
    """
    if system.api is None:
        with open_client(system, warehouse, sources) as client:
            yield client
        return
    _refuse_the_refused(system, sources)
    with sources.rest(system) as source, warehouse.connect(autocommit=True) as connection:
        connection.execute(
            """insert into ops.source_system (system, system_id, url, version) values (%s, '', %s, '')
               on conflict (system) do update set url = excluded.url, seen_at = now()""",
            (system.name, source.http.base_url),
        )
        yield source


def _refuse_the_refused(system: System, sources: SourcesResource) -> None:
    if system.name in sources.refused:
        raise sources.refused[system.name]


@contextmanager
def open_client(system: System, warehouse: Warehouse, sources: SourcesResource) -> Iterator[Dhis2Client]:
    """A client that is sure to speak to the server this system was landed from before.

    Raises:
        SystemChanged: another server answers; nothing of it is landed.
        AuthError: the credentials are refused, or were before in this run (then nothing is asked).
    """
    _refuse_the_refused(system, sources)
    with warehouse.connect(autocommit=True) as connection:
        found = connection.execute(
            "select system_id from ops.source_system where system = %s", (system.name,)
        ).fetchone()
        with sources.dhis2(system, found[0] if found else None) as client:
            connection.execute(
                """insert into ops.source_system (system, system_id, url, version) values (%s, %s, %s, %s)
                   on conflict (system) do update set url = excluded.url, version = excluded.version, seen_at = now()""",
                (system.name, client.info.system_id, client.http.base_url, client.info.version),
            )
            yield client


def open_source(
    system: System,
    feed: Feed,
    partition: Partition,
    client: Session,
    warehouse: Warehouse,
    sources: SourcesResource,
    expected: Expected | None = None,
) -> OpenedSource:
    """The source of one partition of one feed; ``expected``: what a tracker's is planned by."""
    url = client.http.base_url
    if isinstance(client, RestSource):
        assert feed.resource  # noqa: S101 - of every feed of a REST API
        # A list that is read whole has no days, as a snapshot has none.
        return OpenedSource(rest_records(client, feed.resource, partition.start, partition.end), frozenset(), url)
    if feed.programme and feed.kind:
        return OpenedSource(_records(system, feed, partition, client, sources, expected), frozenset(), url)
    if not feed.period_types:
        reader = getattr(metadata, feed.reader)
        return OpenedSource(reader(client), frozenset(), url)
    data_sets = data_sets_of(warehouse, system, feed)
    if not data_sets:
        # Nothing is held, so nothing is asked; rows that were held before are kept by the landing's judgement.
        nothing = BatchStream(f"{system.name} {feed.table.name}", feed.table.column_names, lambda _: iter(()))
        return OpenedSource(nothing, frozenset(), url)
    periods = years() if feed.cadence is Cadence.SNAPSHOT else [dhis2_period(feed.cadence, partition)]
    read = completeness if feed.reader == "completeness" else data_values
    batches = read(client, data_sets, periods, split_level=system.slice_level, concurrency=sources.concurrency(system))
    return OpenedSource(batches, frozenset(periods), url)


def _records(
    system: System,
    feed: Feed,
    partition: Partition,
    client: Dhis2Client,
    sources: SourcesResource,
    expected: Expected | None,
) -> BatchSource:
    """Records of a tracker programme in one partition."""
    assert feed.programme and feed.kind and partition.start and partition.end  # noqa: S101 - of every tracker feed
    what = (client, feed.kind, feed.programme.uid, partition.start, partition.end)
    if feed.pipeline is Pipeline.LEGACY:
        return legacy_records(*what, programme=feed.programme.name)
    return tracker_records(
        *what,
        split_level=system.slice_level,
        concurrency=sources.concurrency(system),
        expected=expected,
        keep=sources.kept(),
    )


def expected_of(warehouse: Warehouse, feed: Feed) -> Expected | None:
    """How much a partition is likely to hold and how fast the server gives it, from the table's latest load with rows."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select rows, seconds from (
                 select l.load_id, sum(s.rows)::bigint as rows, sum(s.seconds) as seconds
                 from ops.load l join ops.load_slice s using (load_id)
                 where l.system = %s and l.table_name = %s and l.is_current group by 1
               ) loads where rows > 0 and seconds > 0 order by load_id desc limit 1""",
            (feed.table.system, feed.table.name),
        ).fetchone()
    return None if found is None else Expected(rows=found[0], rows_per_second=found[0] / found[1])


def data_sets_of(warehouse: Warehouse, system: System, feed: Feed) -> list[str]:
    """UIDs of the data sets whose reports a feed holds, from the registry as it was last landed.

    None for an optional feed that the server has no data set for.

    Raises:
        MetadataMissing: there is none, or no registry to tell.
    """
    with warehouse.connect() as connection:
        found = connection.execute(
            f"select id from raw.{system.name}_data_sets where period_type = any(%s) order by id".encode(),
            (list(feed.period_types),),
        ).fetchall()
        known = connection.execute(f"select exists (select from raw.{system.name}_data_sets)".encode()).fetchone()
    if not found and not (feed.optional and known == (True,)):
        raise MetadataMissing(
            f"raw.{system.name}_data_sets names no {' or '.join(feed.period_types)} data set, so there is nothing to ask "
            f"for. Materialise the registries of '{system.name}' first, and check what the account may read."
        )
    return [row[0] for row in found]


def years() -> list[str]:
    """Every year from the first month there is to the running one."""
    return [str(y) for y in range(FIRST_MONTH.year, today().year + 1)]
