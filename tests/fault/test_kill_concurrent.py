"""Loads and readers at once: what the landing tests do one at a time, here under each other's feet."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from landing.builders import FEBRUARY, JANUARY, PERIODS, Given, batch, prepare, value, values
from pg_servers import rows

from hic_assets.extract.batches import Batch
from hic_assets.landing.ddl import create_raw_table
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.ledger import Partition
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

DATA_VALUES = HMIS.feed("data_values").table


@pytest.fixture
def hmis(warehouse: Warehouse) -> Warehouse:
    prepare(warehouse)
    return warehouse


def put(warehouse: Warehouse, *batches: Batch, partition: Partition = JANUARY) -> LoadResult:
    return land(warehouse, DATA_VALUES, partition, Given(*batches), periods=PERIODS[partition])


def test_an_older_snapshot_sees_no_duplicate_that_was_taken_out(hmis: Warehouse) -> None:
    """Its rows were copied frozen, so visible to it; that some were deleted again must be no less so."""
    put(hmis, batch(values(60)))
    with hmis.connect() as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 1")  # takes the snapshot, but no lock that would hold the replacement back
        result = put(hmis, batch(values(60)), batch([value(3), value(4, value="1000")]))
        assert (result.counts.duplicates, result.counts.quarantined) == (1, 1)
        assert reader.execute(
            "select count(*), count(distinct data_element || org_unit) from raw.hmis_data_values"
        ).fetchone() == (60, 60)
    assert rows(hmis, "select count(*), count(distinct _load_id) from raw.hmis_data_values") == [(60, 1)]


class Together(Given):
    """A source that waits, once it has been read, until its companion has been."""

    def __init__(self, barrier: threading.Barrier, *batches: Batch) -> None:
        super().__init__(*batches)
        self._barrier = barrier

    def __iter__(self) -> Iterator[Batch]:
        yield from super().__iter__()
        self._barrier.wait(timeout=20)


def test_loads_of_two_partitions_do_not_hold_each_other_back(hmis: Warehouse) -> None:
    """Both have copied, neither has committed, and both want the table for the swap."""
    both = threading.Barrier(2)
    found: dict[str, object] = {}

    def load(partition: Partition, period: str) -> None:
        try:
            source = Together(both, batch(values(60, period=period)))
            found[period] = land(hmis, DATA_VALUES, partition, source, periods=PERIODS[partition])
        except Exception as error:
            found[period] = error

    for partition, period in ((JANUARY, "202601"), (FEBRUARY, "202602")):
        put(hmis, batch(values(60, period=period)), partition=partition)
    threads = [threading.Thread(target=load, args=(p, s)) for p, s in ((JANUARY, "202601"), (FEBRUARY, "202602"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [getattr(r, "unchanged", r) for r in found.values()] == [True, True]


def test_a_load_waits_for_its_turn_before_it_enters_the_ledger(hmis: Warehouse) -> None:
    """A waiting load is not taken for dead by the one before it, and ids tell the order of the turns."""
    entered = threading.Event()

    class Held(Given):
        def __iter__(self) -> Iterator[Batch]:
            yield from super().__iter__()
            entered.set()
            for _ in range(400):
                if rows(
                    hmis,
                    "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
                ):
                    break

    first = threading.Thread(
        target=land, args=(hmis, DATA_VALUES, JANUARY, Held(batch(values(60)))), kwargs={"periods": PERIODS[JANUARY]}
    )
    first.start()
    entered.wait(timeout=20)
    second = threading.Thread(target=put, args=(hmis, batch([*values(60), value(70, value="x")])))
    second.start()
    first.join()
    second.join()
    assert rows(hmis, "select status, quarantined, error from ops.load order by load_id") == [
        ("committed", 0, None),
        ("committed", 1, None),
    ]
    assert rows(hmis, "select count(*) from ops.quarantine") == [(1,)]


def test_a_load_begins_while_another_of_the_same_table_is_under_way(hmis: Warehouse) -> None:
    """Preparing the table waits for no load of it, or a backfill would hold back every other run."""
    with hmis.connect() as loading, hmis.connect(autocommit=True, lock_timeout=5) as other:
        for feed in HMIS.feeds:
            loading.execute(f"delete from raw.{feed.table.relation}".encode())
        for feed in HMIS.feeds:
            create_raw_table(other, feed.table)
        loading.rollback()
