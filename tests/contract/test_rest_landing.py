"""What of the REST kit shows only when its records land: guards that compare a load with the last, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pg_servers import rows
from rest_kit import END, KINDS, START, VISITS, Clinic, Opened, resource, visit, visits
from stub_http import Answer, Asked, Stub, Waits, as_json

from hic_assets.extract.rest.paging import PageNumbers
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import Resource
from hic_assets.landing.ddl import create_ops
from hic_assets.landing.errors import PartitionShrank
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.ledger import Partition
from hic_assets.sensors.rest import changed
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence
from hic_assets.systems.rest import rest_feed
from hic_assets.warehouse import Warehouse

FEED = rest_feed("clinic", VISITS, Cadence.MONTHLY)
MARCH = Partition("2026-03-01", START, END)
APRIL = Partition("2026-04-01", END, date(2026, 5, 1))


@dataclass
class Landing:
    """The clinic of the stub, and a warehouse it is landed in."""

    opened: Opened
    warehouse: Warehouse

    def load(self, wanted: Resource = VISITS, partition: Partition = MARCH) -> LoadResult:
        with self.opened.source() as source:
            table = rest_feed("clinic", wanted, Cadence.MONTHLY).table
            return land(self.warehouse, table, partition, records(source, wanted, partition.start, partition.end))


@pytest.fixture
def landing(stub: Stub, waits: Waits, spool_dir: Path, warehouse: Warehouse) -> Iterator[Landing]:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
    yield Landing(Opened(stub, waits, spool_dir), warehouse)


# -- Slices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_last_page_that_holds_less_than_before_is_no_silence(landing: Landing, stub: Stub, kind: str) -> None:
    """Of 160 records the second page of a hundred has 60; of 124 it has 24."""
    paging = KINDS[kind] if kind == "export" else replace(KINDS[kind], page_size=100)  # type: ignore[call-arg]
    wanted = replace(resource(kind), paging=paging)
    clinic = Clinic(kind, visits(160)).on(stub)
    assert landing.load(wanted).counts.landed == 160
    clinic.rows = visits(124)
    assert landing.load(wanted).counts.landed == 124
    clinic.rows = visits(61)
    with pytest.raises(PartitionShrank):
        landing.load(wanted)


def test_the_same_records_on_other_pages_land(landing: Landing, stub: Stub) -> None:
    Clinic("pages", visits(400)).on(stub)
    assert isinstance(VISITS.paging, PageNumbers)
    for size in (200, 75):
        landing.load(replace(VISITS, paging=replace(VISITS.paging, page_size=size)))
    assert rows(landing.warehouse, "select slice, count(*), sum(rows) from ops.load_slice group by 1") == [
        ("2026-03-01 to 2026-03-31", 6, 400)
    ]


# -- Emptied ------------------------------------------------------------------------------------------------------


def test_days_that_held_few_records_are_not_emptied_where_deletions_leave_tombstones(
    landing: Landing, stub: Stub
) -> None:
    clinic = Clinic("offset", visits(49)).on(stub)
    wanted = resource("offset")
    landing.load(wanted)
    clinic.rows = []
    with pytest.raises(PartitionShrank, match="gave 0 rows where 49 are held"):
        landing.load(wanted)
    assert rows(landing.warehouse, "select count(*) from raw.clinic_visits") == [(49,)]
    assert landing.load(replace(wanted, tombstones_end=True)).counts.landed == 0


def test_only_of_efiche_may_a_partition_be_emptied_by_its_contract() -> None:
    tables = [feed.table for system in SYSTEMS if system.api for feed in system.feeds if feed.table.deleted_column]
    may = {name: {table.may_empty for table in tables if table.system == name} for name in {t.system for t in tables}}
    assert may == {"efiche": {True}, "hpemr": {False}, "ebuzima": {False}, "cemr": {False}, "idsr": {False}}


# -- Changes ------------------------------------------------------------------------------------------------------


def test_what_can_never_land_does_not_keep_its_partition_stale(landing: Landing, stub: Stub) -> None:
    """A record that is listed in the month before its day, and one that is too long to be kept whole."""
    clinic = Clinic("pages", [*visits(60), visit(100, END)]).on(stub)
    clinic.rows += [visit(101, patient="x" * 150_000), visit(200, END)]
    listed = clinic.chosen

    def by_its_own_clock(asked: Asked) -> list[dict[str, Any]]:
        found = listed(asked)
        if asked.one("updatedSince"):
            return found
        found = [row for row in found if row["id"] != 100]
        return [*found, clinic.rows[60]] if asked.one("from") == "2026-03-01" else found

    clinic.chosen = by_its_own_clock  # type: ignore[method-assign]
    clinic.before = lambda asked: dated(clinic._answer(asked))
    march, april = landing.load(), landing.load(partition=APRIL)
    assert march.counts.rules == {"outside_window": 1, "shape": 1}
    assert (april.counts.landed, april.counts.quarantined) == (1, 0)
    with landing.opened.source() as source:
        assert changed(landing.warehouse, source, FEED, datetime(2026, 2, 1, tzinfo=UTC)).stale == []
        clinic.rows[60] |= {"updatedAt": "2026-05-02T08:00:00+02:00"}
        found = changed(landing.warehouse, source, FEED, datetime(2026, 2, 1, tzinfo=UTC)).stale
    assert [(str(stale.partition), stale.why) for stale in found] == [("2026-04-01", {"missing": 1})]


def dated(answer: Answer) -> Answer:
    """After every record of the two months."""
    answer.headers["Date"] = "Fri, 01 May 2026 06:00:00 GMT"
    return answer


def test_changes_that_are_no_records_are_counted_by_the_sensor(landing: Landing, stub: Stub) -> None:
    clinic = Clinic("pages", visits(5)).on(stub)
    landing.load()
    meta = {"page": 1, "total_pages": 1, "total": 3}
    clinic.before = lambda _: as_json({"meta": meta, "data": [clinic.rows[0], 5, "odd"]})
    with landing.opened.source() as source:
        found = changed(landing.warehouse, source, FEED, datetime(2026, 3, 20, tzinfo=UTC))
    assert (found.stale, found.unreadable) == ([], 2)
