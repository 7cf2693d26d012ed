"""Landing on PostgreSQL 18 and 15: replacement, accounting, duplicates, judgement, and what readers see meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from pg_servers import rows

from hic_assets.extract.batches import Batch, rejects_of
from hic_assets.landing.errors import MetadataMissing, PartitionShrank, TooManyQuarantined
from hic_assets.landing.land import land, result_of_run
from hic_assets.landing.table import Layout
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse
from landing.builders import (
    COMBO,
    DATA_VALUES,
    FACILITY,
    FEBRUARY,
    JANUARY,
    PERIODS,
    Given,
    as_layout,
    batch,
    content,
    prepare,
    value,
    values,
)  # fmt: skip

COMPLETE_REGISTRATIONS = HMIS.feed("complete_registrations").table


@pytest.fixture
def hmis(warehouse: Warehouse) -> Warehouse:
    prepare(warehouse)
    return warehouse


@pytest.fixture(params=list(Layout))
def table(request: pytest.FixtureRequest):
    return as_layout(DATA_VALUES, request.param)


def put(warehouse: Warehouse, *batches: Batch | Exception, table=DATA_VALUES, partition=JANUARY, **options):
    return land(warehouse, table, partition, Given(*batches), periods=PERIODS[partition], **options)


def ledger(warehouse: Warehouse) -> list[tuple]:
    return rows(
        warehouse,
        "select status, rows_read, landed, quarantined, duplicates, is_current from ops.load order by load_id",
    )


def test_lands_on_both_servers(warehouse_on_both: Warehouse) -> None:
    prepare(warehouse_on_both)
    result = put(warehouse_on_both, batch(values(60)), batch([value(70), value(71, org_unit="nowhere0000")]))
    assert (result.counts.read, result.counts.landed, result.counts.quarantined) == (62, 61, 1)
    assert len(content(warehouse_on_both)) == 61
    assert ledger(warehouse_on_both) == [("committed", 62, 61, 1, 0, True)]
    assert rows(warehouse_on_both, "select slice, rows from ops.load_slice") == [("district A", 60), ("district A", 2)]
    assert rows(warehouse_on_both, "select rule, row_text::json->>'org_unit', slice from ops.quarantine") == [
        ("unknown_facility", "nowhere0000", "district A")
    ]


def test_landing_twice_changes_nothing(warehouse: Warehouse, table) -> None:
    prepare(warehouse) if table.layout is Layout.NATIVE else _prepare_as(warehouse, table)
    first = put(warehouse, batch(values(60)), table=table)
    before = content(warehouse)
    second = put(warehouse, batch(list(reversed(values(60)))), table=table)
    assert content(warehouse) == before
    assert not first.unchanged and second.unchanged, "order of rows is no change"
    assert [row[-1] for row in ledger(warehouse)] == [False, True]


def _prepare_as(warehouse: Warehouse, table) -> None:
    """The registries, with the value table laid out otherwise than declared."""
    prepare(warehouse)
    rows(warehouse, "drop table raw.hmis_data_values")


def test_a_partition_is_replaced_and_the_others_stay(hmis: Warehouse, table) -> None:
    if table.layout is Layout.SNAPSHOT:
        pytest.skip("a snapshot has no other partition")
    if table.layout is Layout.INDEXED:
        rows(hmis, "drop table raw.hmis_data_values")
    put(hmis, batch(values(60)), table=table)
    put(hmis, batch(values(60, period="202602")), table=table, partition=FEBRUARY)
    put(hmis, batch([*values(40), value(41, value="999")]), table=table)
    by_month = rows(
        hmis, "select _partition::text, count(*), max(value::int) from raw.hmis_data_values group by 1 order by 1"
    )
    assert by_month == [("2026-01-01", 41, 999), ("2026-02-01", 60, 60)]


def test_old_partition_tables_are_dropped(hmis: Warehouse) -> None:
    for _ in range(3):
        put(hmis, batch(values(60)))
    names = rows(
        hmis, "select count(*) from pg_class where relnamespace = 'raw_partitions'::regnamespace and relkind = 'r'"
    )
    assert names == [(1,)]


def test_repeated_and_older_rows_are_duplicates_and_the_newest_stays(hmis: Warehouse) -> None:
    newer = value(5, value="77", last_updated="2026-02-09T00:00:00.000+0000")
    result = put(hmis, batch(values(60)), batch([value(3), newer]))
    assert (result.counts.read, result.counts.landed, result.counts.duplicates, result.counts.quarantined) == (
        62,
        60,
        2,
        0,
    )
    assert [row[5] for row in content(hmis) if row[0] == "element0005" and row[2] == FACILITY] == ["77"]


def test_the_same_key_with_other_content_and_the_same_age_is_quarantined(hmis: Warehouse) -> None:
    result = put(hmis, batch(values(60)), batch([value(3, value="1000")]))
    assert (result.counts.landed, result.counts.duplicates, result.counts.quarantined) == (60, 0, 1)
    assert rows(hmis, "select rule, row_text::json->>'data_element' from ops.quarantine") == [
        ("duplicate_key", "element0003")
    ]


def test_tombstones_land_and_are_counted(hmis: Warehouse) -> None:
    result = put(hmis, batch([*values(60), value(70, deleted="true"), value(70, deleted="true")]))
    assert (result.counts.landed, result.counts.deleted, result.counts.duplicates) == (61, 1, 1)


def test_rows_that_were_no_rows_are_quarantined(hmis: Warehouse) -> None:
    rejects = rejects_of([("a,b,c,d", "ragged", "4 fields where the header has 11")])
    result = put(hmis, batch(values(60), rejects=rejects))
    assert result.counts.rules == {"ragged": 1}
    assert rows(hmis, "select rule, row_text from ops.quarantine") == [("ragged", "a,b,c,d")]


def test_quarantine_speaks_of_the_current_load_only(hmis: Warehouse) -> None:
    put(hmis, batch([*values(60), value(70, value="x")]))
    put(hmis, batch([*values(60), value(70)]))
    assert rows(hmis, "select count(*) from ops.quarantine") == [(0,)]


def test_a_feed_that_is_mostly_wrong_fails_and_shows_why(hmis: Warehouse) -> None:
    put(hmis, batch(values(60)))
    before = content(hmis)
    with pytest.raises(
        TooManyQuarantined, match=r"60 of 60 rows broke the contract \(unknown_facility 60\).*unchanged"
    ):
        put(hmis, batch(values(60, org_unit="nowhere0000")))
    assert content(hmis) == before
    assert ledger(hmis)[1][0] == "failed"
    assert rows(hmis, "select count(*) from ops.quarantine") == [(60,)]


def test_a_partition_that_shrinks_fails_unless_accepted(hmis: Warehouse) -> None:
    put(hmis, batch(values(100)))
    with pytest.raises(PartitionShrank, match="gave 10 rows where 100 are held"):
        put(hmis, batch(values(10)))
    assert len(content(hmis)) == 100
    put(hmis, batch(values(10)), accept_shrink=True)
    assert len(content(hmis)) == 10


def test_a_partition_that_is_emptied_fails_however_small_it_was(hmis: Warehouse, table) -> None:
    if table.layout is not Layout.NATIVE:
        rows(hmis, "drop table raw.hmis_data_values")
    put(hmis, batch(values(3)), table=table)
    with pytest.raises(PartitionShrank, match="gave 0 rows where 3 are held"):
        put(hmis, table=table)
    assert len(content(hmis)) == 3
    assert put(hmis, table=table, accept_shrink=True).counts.landed == 0


def test_a_source_that_breaks_off_leaves_everything_as_it_was(hmis: Warehouse) -> None:
    put(hmis, batch(values(60)))
    before = content(hmis)
    with pytest.raises(ConnectionError):
        put(hmis, batch(values(55)), ConnectionError("cut"))
    assert content(hmis) == before
    assert rows(hmis, "select status, error from ops.load order by load_id desc limit 1") == [
        ("failed", "ConnectionError: cut")
    ]


def test_registries_come_first(warehouse: Warehouse) -> None:
    prepare(warehouse)
    rows(warehouse, "delete from raw.hmis_organisation_units")
    with pytest.raises(MetadataMissing, match=r"raw.hmis_organisation_units is empty.*Materialise the metadata"):
        put(warehouse, batch(values(60)))


def test_an_empty_partition_is_a_loaded_partition(hmis: Warehouse) -> None:
    put(hmis)
    assert ledger(hmis) == [("committed", 0, 0, 0, 0, True)]


def test_a_load_whose_process_died_is_closed_by_the_next(hmis: Warehouse) -> None:
    rows(
        hmis,
        "insert into ops.load (system, table_name, partition_key, status) values ('hmis', 'data_values', '2026-01-01', 'running')",
    )
    put(hmis, batch(values(60)))
    assert [row[0] for row in ledger(hmis)] == ["abandoned", "committed"]


def test_the_database_itself_refuses_a_sum_that_does_not_add_up(hmis: Warehouse) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="every_row_accounted_for"):
        rows(
            hmis,
            "insert into ops.load (system, table_name, status, rows_read, landed) values ('x', 'y', 'committed', 2, 1)",
        )


def test_a_new_column_in_the_declaration_reaches_the_table(hmis: Warehouse) -> None:
    put(hmis, batch(values(60)))
    rows(hmis, "alter table raw.hmis_data_values drop column follow_up")
    put(hmis, batch(values(60)))
    assert rows(hmis, "select distinct follow_up from raw.hmis_data_values") == [("false",)]


def test_small_table_layout(hmis: Warehouse) -> None:
    row = {
        "data_set": "dataset0000", "period": "202601", "org_unit": FACILITY, "attribute_option_combo": COMBO,
        "date": "2026-02-03", "stored_by": "clerk", "completed": "true",
    }  # fmt: skip
    result = put(hmis, batch([row], COMPLETE_REGISTRATIONS), table=COMPLETE_REGISTRATIONS)
    assert result.counts.landed == 1
    assert rows(hmis, "select _partition::text, _load_id from raw.hmis_complete_registrations") == [
        ("2026-01-01", result.load_id)
    ]


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_readers_see_the_old_partition_or_the_new_one(warehouse: Warehouse, table, isolation: str) -> None:
    """Values of one load are all equal, so a mixture or an empty partition would show at once."""
    _prepare_as(warehouse, table)
    put(warehouse, batch(values(300, value="0")), table=table)
    done, seen = threading.Event(), set()

    def read() -> None:
        with warehouse.connect() as connection:
            while not done.is_set():
                connection.execute(f"begin isolation level {isolation}".encode())
                connection.execute("select 1")  # takes the snapshot before the table is touched
                found = connection.execute("select value, count(*) from raw.hmis_data_values group by 1").fetchall()
                seen.add(tuple(found))
                connection.rollback()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        for number in range(1, 9):
            put(warehouse, batch(values(300, value=str(number))), table=table)
    finally:
        done.set()
        for thread in readers:
            thread.join()
    assert all(len(found) == 1 and found[0][1] == 300 for found in seen), seen
    assert len(seen) > 1, "the reader saw some replacements"


def test_two_loads_of_one_partition_queue_up(hmis: Warehouse) -> None:
    second_may_start, results = threading.Event(), []

    class Slow(Given):
        def __iter__(self) -> Iterator[Batch]:
            yield from super().__iter__()
            second_may_start.set()
            second.join(timeout=0.5)  # it cannot end while this load holds the partition

    def other() -> None:
        second_may_start.wait()
        results.append(put(hmis, batch(values(60, value="2"))))

    second = threading.Thread(target=other)
    second.start()
    first = land(hmis, DATA_VALUES, JANUARY, Slow(batch(values(60, value="1"))), periods=PERIODS[JANUARY])
    second.join()
    assert first.load_id < results[0].load_id
    assert {row[5] for row in content(hmis)} == {"2"}
    assert [row[0] for row in ledger(hmis)] == ["committed", "committed"]


def test_a_long_query_delays_the_swap_but_not_other_readers(hmis: Warehouse) -> None:
    put(hmis, batch(values(60)))
    with hmis.connect() as reader:
        reader.execute("select count(*) from raw.hmis_data_values")  # holds its lock until it commits
        load = threading.Thread(target=put, args=(hmis, batch(values(60, value="5"))))
        load.start()
        with hmis.connect(lock_timeout=10) as other:
            assert other.execute("select count(*) from raw.hmis_data_values").fetchone() == (60,)
        reader.commit()
        load.join()
    assert {row[5] for row in content(hmis)} == {"5"}


def named(rows_: list[dict[str, str | None]], label: str) -> Batch:
    return replace(batch(rows_), slice=label)


def test_a_district_that_falls_silent_is_seen_though_the_country_hardly_shrinks(hmis: Warehouse) -> None:
    everywhere = [values(1000)[i : i + 100] for i in range(0, 1000, 100)]
    put(hmis, *(named(rows_, f"district {i}") for i, rows_ in enumerate(everywhere)))
    silent = [named(rows_[:10] if i == 3 else rows_, f"district {i}") for i, rows_ in enumerate(everywhere)]
    with pytest.raises(PartitionShrank, match="gave 10 rows for district 3, where it gave 100 the last time"):
        put(hmis, *silent)
    assert len(content(hmis)) == 1000
    put(hmis, *silent, accept_shrink=True)
    assert len(content(hmis)) == 910


def test_the_books_hold_the_current_load_only_and_the_newest_failure(hmis: Warehouse) -> None:
    for _ in range(3):
        put(hmis, batch(values(60)))
        with pytest.raises(TooManyQuarantined):
            put(hmis, batch(values(60, org_unit="nowhere0000")))
    assert rows(hmis, "select count(*) from ops.load_slice") == [(1,)]
    assert rows(hmis, "select count(*) from ops.quarantine") == [(60,)]


def test_what_a_run_has_landed_is_known_from_the_ledger(hmis: Warehouse) -> None:
    first = put(hmis, batch([*values(60), value(70, value="x"), value(71, deleted="true")]), run_id="mine")
    known = result_of_run(hmis, DATA_VALUES, JANUARY, "mine")
    assert known is not None
    assert (known.load_id, known.counts) == (first.load_id, replace(first.counts, rules={}))
    assert result_of_run(hmis, DATA_VALUES, JANUARY, "another") is None
    assert result_of_run(hmis, DATA_VALUES, FEBRUARY, "mine") is None
