"""One table of each way that systems are read, as the same tests need it: how to ask of it, what it holds, what it should.

Belongs here: where systems differ. Does not: running anything (`country`), what is expected of a fault (`faults`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from pg_servers import rows
from tracker_country import rows_of

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.rest.resource import Resource
from hic_assets.partitions import landing_partition
from hic_assets.sandbox import Sandbox
from hic_assets.systems.declare import Cadence, Feed, Pipeline, System
from hic_assets.warehouse import Warehouse
from systems.declared import QUICK

KIGALI = ZoneInfo("Africa/Kigali")
TODAY, WENT_LIVE = date(2025, 5, 14), date(2025, 3, 31)
LOADED = {Cadence.MONTHLY: ("2025-03-01", "2025-04-01"), Cadence.WEEKLY: ("2025-04-21", "2025-04-28")}
HELD: dict[str, Any] = {
    "id": pl.String,
    "said": pl.String,
    "updated_at": pl.Datetime("us", "UTC"),
    "deleted": pl.Boolean,
}
HMIS_KEY = ["data_element", "period", "org_unit", "category_option_combo", "attribute_option_combo"]


@dataclass(frozen=True)
class Subject:
    """One table of one system. `path`: what the address of every request for its records has in it.

    `stored`, `edited`, `column`: of a clinical system, the resource in the sandbox's store, a column there that people
    correct, and the column it lands in. `day`: the store's column that tells the day.
    """

    system: System
    feed: Feed
    path: str
    stored: str = ""
    edited: str = ""
    column: str = ""
    day: str = ""

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def keys(self) -> tuple[str, str]:
        """The two partitions that are loaded before anything happens."""
        return LOADED[self.feed.cadence]

    @property
    def relation(self) -> str:
        return f"raw.{self.feed.table.relation}"

    def truth(self, sandbox: Sandbox, key: str) -> pl.DataFrame:
        """What the source has of a partition at this moment: id, what is said, change time, tombstone or not."""
        start, end = window(self, key)
        if self.name == "hmis":
            return _of_values(sandbox.world.truth(start))
        if self.feed.programme:
            frame = sandbox.world.tracker(self.name).frame(Kind.EVENTS.value, self.feed.programme.uid)
            found = rows_of(frame, Kind.EVENTS, self.feed.cadence, [key])
            moment = pl.from_epoch("updated_ms", time_unit="ms").dt.replace_time_zone("UTC").cast(HELD["updated_at"])
            return _shaped(found.select(id="uid", said="values", updated_at=moment, deleted="deleted"))
        frame = sandbox.clinical[self.name].store.records(self.stored, milliseconds(start), milliseconds(end))
        moment = pl.from_epoch(pl.col("_updated"), time_unit="ms").dt.replace_time_zone("UTC")
        moment = moment if self.name == "hpemr" else moment.dt.truncate("1s")  # the others write whole seconds
        return _shaped(
            frame.select(
                id="id",
                said=pl.col(self.edited).cast(pl.String),
                updated_at=moment.cast(HELD["updated_at"]),
                deleted="_deleted",
            )
        )

    def held(self, warehouse: Warehouse, key: str) -> pl.DataFrame:
        """The same of what the warehouse holds."""
        if self.name == "hmis":
            identity, said = f"concat_ws('/', {', '.join(HMIS_KEY)})", "value"
        else:
            (identity,) = self.feed.table.keys
            said = "data_values" if self.feed.programme else self.column
        found = rows(
            warehouse,
            f"""select {identity}, {said}, _source_updated_at at time zone 'UTC', coalesce(deleted, 'false') = 'true'
                from {self.relation} where _partition = %s""",
            (key,),
        )
        schema = HELD | {"updated_at": pl.Datetime("us")}
        frame = pl.DataFrame(found, schema=schema, orient="row")
        return _shaped(frame.with_columns(pl.col("updated_at").dt.replace_time_zone("UTC")))

    def edit(self, sandbox: Sandbox, key: str) -> None:
        """Some records of a partition are corrected at the source, a moment after whatever happened before, and before what
        happens next: pages that hold a record of the very moment are read twice.
        """
        sandbox.world.advance(minutes=1)
        start, _ = window(self, key)
        if self.name == "hmis":
            sandbox.world.edit_values(start, 0.02)
            return
        for record in self.truth(sandbox, key).filter(~pl.col("deleted"))["id"].to_list()[:2]:
            self.edit_record(sandbox, record)
        sandbox.world.advance(minutes=1)

    def edit_record(self, sandbox: Sandbox, record: str) -> None:
        """One record is corrected."""
        if self.feed.programme:
            sandbox.trackers[self.name].store.edit_event(
                record, values={_an_element(self, sandbox, record): _new(sandbox)}
            )
            return
        store = sandbox.clinical[self.name].store
        every = store.records(self.stored)
        now = every.filter(pl.col("id") == record)[self.edited].item()
        others = every[self.edited].drop_nulls().unique().sort()
        store.edit(self.stored, record, {self.edited: others.filter(others.ne_missing(now))[0]})

    def records(self, sandbox: Sandbox, key: str) -> list[str]:
        """Ids of the records of a partition that stand, in order."""
        return self.truth(sandbox, key).filter(~pl.col("deleted"))["id"].to_list()

    def resource(self) -> Resource:
        """Of a REST API, the list it is read from."""
        assert self.feed.resource is not None
        return self.feed.resource


def window(subject: Subject, key: str) -> tuple[date, date]:
    """The days of a partition."""
    partition = landing_partition(subject.feed.cadence, key)
    assert partition.start and partition.end
    return partition.start, partition.end


def milliseconds(day: date) -> int:
    """The moment a day begins in Kigali."""
    return int(datetime(day.year, day.month, day.day, tzinfo=KIGALI).timestamp() * 1000)


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Of tombstones some systems still tell what they said, and some do not."""
    said = pl.when(~pl.col("deleted")).then("said")
    return frame.with_columns(said).select(pl.col(name).cast(kind) for name, kind in HELD.items()).sort("id")


def _of_values(frame: pl.DataFrame) -> pl.DataFrame:
    moment = pl.col("last_updated").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone="UTC")
    return _shaped(
        frame.select(
            id=pl.concat_str(HMIS_KEY, separator="/"),
            said="value",
            updated_at=moment,
            deleted=pl.col("deleted").fill_null("false") == "true",
        )
    )


def _an_element(subject: Subject, sandbox: Sandbox, event: str) -> str:
    """A data element of an event that may hold any text."""
    assert subject.feed.programme
    frame = sandbox.world.tracker(subject.name).frame(Kind.EVENTS.value, subject.feed.programme.uid)
    values = frame.filter(pl.col("uid") == event)["data_values"].item()
    return str(next(iter(values[0].values())))


def _new(sandbox: Sandbox) -> str:
    return f"corrected {sandbox.world.now.astimezone(UTC):%H:%M}"


# ---- which


_HMIS, _TRACKER = QUICK["hmis"], QUICK["hiv_tracker"]


def _clinical(name: str, table: str, stored: str, edited: str, column: str, day: str) -> Subject:
    system = QUICK[name]
    return Subject(system, system.feed(table), f"/{name}/api/", stored, edited, column, day)


SUBJECTS = (
    Subject(_HMIS, _HMIS.feed("data_values"), "/api/dataValueSets"),
    Subject(
        _TRACKER,
        _TRACKER.programme_feed(_TRACKER.programmes[0], Kind.EVENTS, Pipeline.UNIFIED),
        "/hiv/api/tracker/events",
    ),
    _clinical("efiche", "visits", "visits", "outcome", "outcome", "day"),
    _clinical("hpemr", "encounters", "encounters", "disposition", "disposition", "began"),
    _clinical("ebuzima", "anc_contacts", "anc-contacts", "weight_kg", "weight_kg", "encounter"),
    _clinical("cemr", "community_encounters", "community_encounters", "rdt_result", "malaria_test", "encounter_date"),
    _clinical("idsr", "cases", "cases", "classification", "classification", "day"),
)
REST = tuple(subject for subject in SUBJECTS if subject.system.api)
