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
from hic_assets.landing.ddl import create_once
from hic_assets.landing.errors import MetadataMissing
from hic_assets.landing.ledger import Partition
from hic_assets.partitions import FIRST_MONTH, dhis2_month, today
from hic_assets.resources import SourcesResource
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

SOURCE_SYSTEM = """
create table if not exists ops.source_system (
    system text primary key,
    system_id text not null,
    url text not null,
    version text not null,
    seen_at timestamptz not null default now()
);
comment on table ops.source_system is
    'Which server each system was landed from; another system id at the same address stops every load.';
"""


@dataclass(frozen=True)
class OpenedSource:
    """Batches of one partition, the periods they may hold (empty: any), and the address without secrets."""

    batches: BatchSource
    periods: frozenset[str]
    url: str


@contextmanager
def open_client(system: System, warehouse: Warehouse, sources: SourcesResource) -> Iterator[Dhis2Client]:
    """A client that is sure to speak to the server this system was landed from before.

    Raises:
        SystemChanged: another server answers; nothing of it is landed.
        AuthError: the credentials are refused, or were before in this run (then nothing is asked).
    """
    if system.name in sources.refused:
        raise sources.refused[system.name]
    with warehouse.connect(autocommit=True) as connection:
        create_once(connection, SOURCE_SYSTEM)
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
    system: System, feed: Feed, partition: Partition, client: Dhis2Client, warehouse: Warehouse, concurrency: int
) -> OpenedSource:
    """The source of one partition of one feed."""
    url = client.http.base_url
    if not feed.period_types:
        reader = getattr(metadata, feed.reader)
        return OpenedSource(reader(client), frozenset(), url)
    data_sets = data_sets_of(warehouse, system, feed)
    if not data_sets:
        # Nothing is held, so nothing is asked; rows that were held before are kept by the landing's judgement.
        nothing = BatchStream(f"{system.name} {feed.table.name}", feed.table.column_names, lambda _: iter(()))
        return OpenedSource(nothing, frozenset(), url)
    periods = [dhis2_month(partition)] if feed.cadence is Cadence.MONTHLY else years()
    read = completeness if feed.reader == "completeness" else data_values
    batches = read(client, data_sets, periods, split_level=system.slice_level, concurrency=concurrency)
    return OpenedSource(batches, frozenset(periods), url)


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
