"""A sandbox's trackers, the warehouse they are landed in, and the readers between: what tests of the whole way share.

Landing goes by the assets' own functions (`open_client`, `open_source`, `land`), without Dagster where it is not the
matter of a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from hic_assets.assets.readers import open_client, open_source
from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind
from hic_assets.extract.http import HttpOptions
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.ledger import Partition
from hic_assets.partitions import landing_partition
from hic_assets.prepare import prepare
from hic_assets.resources import SourcesResource
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.trackers.catalogue import instance
from hic_assets.systems import SYSTEMS, System
from hic_assets.systems.declare import Cadence, Pipeline, Programme
from hic_assets.warehouse import Warehouse

TODAY, WENT_LIVE = date(2026, 2, 18), date(2026, 1, 5)
WEEKS = [(WENT_LIVE + timedelta(weeks=n)).isoformat() for n in range(6)]
MONTHS = ["2026-01-01"]
TRACKERS = tuple(system for system in SYSTEMS if system.programmes)
PAIRS = tuple((system, programme) for system in TRACKERS for programme in system.programmes)


class SandboxSources(SourcesResource):
    """The trackers of one sandbox, by their declared names."""

    urls: dict[str, str]
    username: str
    password: str
    folder: str

    def dhis2(self, system: System, expected_system_id: str | None = None) -> Dhis2Client:
        return Dhis2Client(
            self.urls[system.name],
            BasicAuth(self.username, self.password),
            spool_dir=self.spool(),
            system=system.name,
            expected_system_id=expected_system_id,
            options=HttpOptions(max_attempts=3, sleep=lambda _: None),
        )

    def spool(self) -> Path:
        return Path(self.folder)

    def kept(self) -> Path:
        return Path(self.folder) / "kept"

    def concurrency(self, system: System) -> int:
        return 2


@dataclass
class Trackers:
    """The way from a sandbox to raw tables."""

    sandbox: Sandbox
    warehouse: Warehouse
    folder: Path
    sources: SandboxSources = field(init=False)

    def __post_init__(self) -> None:
        box = self.sandbox
        self.sources = SandboxSources(
            urls=box.urls, username=box.username, password=box.password, folder=str(self.folder)
        )
        with self.warehouse.connect(autocommit=True) as connection:
            prepare(connection)

    def keys(self, programme: Programme) -> list[str]:
        """Every completed partition of a programme since the trackers went live."""
        return WEEKS if programme.cadence is Cadence.WEEKLY else MONTHS

    def load(
        self,
        system: System,
        programme: Programme,
        pipelines: Iterable[Pipeline] = tuple(Pipeline),
        keys: Iterable[str] | None = None,
        kinds: Iterable[Kind] = tuple(Kind),
        accept_shrink: bool = False,
    ) -> list[LoadResult]:
        """Land partitions of a programme, all by default, by one pipeline after the other."""
        results = []
        with open_client(system, self.warehouse, self.sources) as client:
            for pipeline in pipelines:
                for kind in kinds:
                    feed = system.programme_feed(programme, kind, pipeline)
                    for key in self.keys(programme) if keys is None else keys:
                        partition: Partition = landing_partition(programme.cadence, key)
                        source = open_source(system, feed, partition, client, self.warehouse, self.sources)
                        results.append(
                            land(
                                self.warehouse,
                                feed.table,
                                partition,
                                source.batches,
                                source=source.url,
                                accept_shrink=accept_shrink,
                            )
                        )
        return results

    def held(self, system: System, programme: Programme, kind: Kind) -> pl.DataFrame:
        """What the unified table holds: key, partition, change time, deleted, and the values as canonical JSON."""
        feed = system.programme_feed(programme, kind, Pipeline.UNIFIED)
        (key,) = feed.table.keys
        values = next((m.column for m in MEMBERS[kind] if m.form is Form.VALUES), None)
        with self.warehouse.connect() as connection:
            found = connection.execute(
                f"""select {key}, _partition, (extract(epoch from _source_updated_at) * 1000)::bigint,
                           coalesce(deleted, 'false') = 'true', {values or "null::text"}
                    from raw.{feed.table.relation}""".encode()
            ).fetchall()
        return pl.DataFrame(found, schema=HELD, orient="row").sort("uid", "partition")

    def served(self, system: System, programme: Programme, kind: Kind) -> pl.DataFrame:
        """The same of what the server has, in the partitions that were loaded."""
        frame = self.sandbox.world.tracker(system.name).frame(kind.value, programme.uid)
        return rows_of(frame, kind, programme.cadence, self.keys(programme))


HELD: dict[str, Any] = {
    "uid": pl.String, "partition": pl.Date, "updated_ms": pl.Int64, "deleted": pl.Boolean, "values": pl.String,
}  # fmt: skip


def rows_of(frame: pl.DataFrame, kind: Kind, cadence: Cadence, keys: list[str]) -> pl.DataFrame:
    """Records of the sandbox's store as rows of (uid, partition, change time, deleted, canonical values)."""
    if kind is Kind.EVENTS:
        day = pl.coalesce("occurred_at", "scheduled_at")
    else:
        day = pl.col("enrolled_at" if kind is Kind.ENROLLMENTS else "enrolled")
    rows = frame.with_columns(day.alias("day"))
    if kind is Kind.TRACKED_ENTITIES:
        rows = rows.explode("day")
    start = pl.col("day").dt.truncate("1w" if cadence is Cadence.WEEKLY else "1mo")
    name = {Kind.EVENTS: "data_values", Kind.TRACKED_ENTITIES: "attributes"}.get(kind)
    values = pl.lit(None, dtype=pl.String) if name is None else pl.col(name).map_elements(canonical, pl.String)
    made = rows.select("uid", start.alias("partition"), "updated_ms", "deleted", values.alias("values"))
    wanted = [date.fromisoformat(key) for key in keys]
    return made.filter(pl.col("partition").is_in(wanted)).unique(["uid", "partition"]).sort("uid", "partition")


def canonical(values: Iterable[dict[str, str | None]]) -> str | None:
    """Values as one JSON object of strings, by another way than the readers'."""
    import json

    found = {next(iter(v.values())): v["value"] for v in values if v["value"] is not None}
    if not found:
        return None
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def trackers(warehouse: Warehouse, folder: Path, version: str = "2.40.12", scale: float = 0.01) -> Iterator[Trackers]:
    """A country with ten weeks of trackers at a server version."""
    world = World(scale=scale, today=TODAY, version=version, trackers_from=WENT_LIVE)
    for system, programme in PAIRS:
        # So small a country has months without a single maternal death.
        store = world.tracker(system.name)
        if store.frame("enrollments", programme.uid).filter(pl.col("enrolled_at") < date(2026, 2, 1)).is_empty():
            _, enrolment = store.insert_person(programme.uid, enrolled_at=date(2026, 1, 20))
            stage = next(p for p in instance(system.name).programmes if p.uid == programme.uid).stages[0]
            store.insert_event(programme.uid, enrolment, stage.uid, date(2026, 1, 20))
    with running_sandbox(world=world) as sandbox:
        yield Trackers(sandbox, warehouse, folder)
