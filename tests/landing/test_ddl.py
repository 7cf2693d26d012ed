"""Making the tables that landing owns: harmless to whoever loads meanwhile."""

from __future__ import annotations

import threading
from dataclasses import replace

from pg_servers import rows

from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.landing.land import land
from hic_assets.systems import SYSTEMS
from hic_assets.systems.hpemr import HPEMR
from hic_assets.warehouse import Warehouse
from landing.builders import DATA_VALUES, JANUARY, PERIODS, Given, batch, prepare, value, values


def test_what_is_missing_is_made_and_only_then(warehouse: Warehouse) -> None:
    names = "select relname from pg_class where relnamespace = 'ops'::regnamespace and relkind in ('r', 'i') order by 1"
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        made = rows(warehouse, names)
        rows(warehouse, "drop index ops.load_slice_load")
        create_ops(connection)
    assert rows(warehouse, names) == made
    assert ("quarantine_load",) in made


def test_a_ledger_of_an_earlier_release_gains_its_columns_and_keeps_its_rows(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        rows(warehouse, "alter table ops.load drop column relation, drop column source_read_at")
        rows(
            warehouse, "insert into ops.load (system, table_name, status) values ('hiv_tracker', 'u_events', 'failed')"
        )
        create_ops(connection)
    held = rows(warehouse, "select relation, source_read_at, status from ops.load")
    assert held == [("u_hiv_tracker_events", None, "failed")]


def test_a_quarantine_of_an_earlier_release_gains_its_column_and_keeps_its_rows(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        rows(warehouse, "alter table ops.quarantine drop column row_key")
        rows(warehouse, "insert into ops.load (system, table_name, status) values ('idsr', 'cases', 'failed')")
        rows(
            warehouse,
            "insert into ops.quarantine (load_id, rule, reason, row_text) select load_id, 'a', 'b', 'c' from ops.load",
        )
        create_ops(connection)
    assert rows(warehouse, "select rule, reason, row_text, row_key from ops.quarantine") == [("a", "b", "c", None)]


def test_the_ledger_names_every_declared_table_as_it_is_stored(warehouse: Warehouse) -> None:
    tables = [feed.table for system in SYSTEMS for feed in system.feeds]
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for table in tables:
            connection.execute(
                "insert into ops.load (system, table_name, status) values (%s, %s, 'failed')",
                (table.system, table.name),
            )
    held = rows(warehouse, "select relation from ops.load order by load_id")
    assert [name for (name,) in held] == [table.relation for table in tables]


def test_the_warehouse_can_be_opened_while_a_load_that_has_refused_rows_waits_for_its_swap(
    warehouse: Warehouse,
) -> None:
    prepare(warehouse)
    first = Given(batch(values(60)))
    land(warehouse, DATA_VALUES, JANUARY, first, periods=PERIODS[JANUARY])
    second = Given(batch([*values(60, value="5"), value(70, value="x")]))
    waiting = "select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock' and query like '%detach%'"
    with warehouse.connect() as reader:
        reader.execute("select count(*) from raw.hmis_data_values")
        options = {"periods": PERIODS[JANUARY]}
        load = threading.Thread(target=land, args=(warehouse, DATA_VALUES, JANUARY, second), kwargs=options)
        load.start()
        while rows(warehouse, waiting) == [(False,)]:
            assert load.is_alive()
        with warehouse.connect(autocommit=True, lock_timeout=1) as opening:
            create_ops(opening)
        reader.rollback()
        load.join()
    assert rows(warehouse, "select status, quarantined from ops.load where is_current") == [("committed", 1)]


def test_records_of_rest_systems_are_found_by_their_key_in_tables_that_were_there_before_too(
    warehouse: Warehouse,
) -> None:
    encounters = HPEMR.feed("encounters").table
    found = """select am.amname, pg_get_indexdef(i.indexrelid, 1, true) from pg_index i
               join pg_class c on c.oid = i.indexrelid join pg_am am on am.oid = c.relam
               where i.indrelid = 'raw.hpemr_encounters'::regclass order by 2"""
    with warehouse.connect(autocommit=True) as connection:
        create_raw_table(connection, replace(encounters, sought_by_key=False))
        assert rows(warehouse, found) == [("btree", "_partition")]
        for _ in range(2):
            create_raw_table(connection, encounters)
            assert rows(warehouse, found) == [("btree", "_partition"), ("hash", "encounter_id")]
    sought = {feed.reader for system in SYSTEMS for feed in system.feeds if feed.table.sought_by_key}
    assert sought == {"rest"}, "of trackers the landing is what must be quick"


def test_the_words_of_a_declaration_are_written_once_and_again_when_they_change(warehouse: Warehouse) -> None:
    words = """select objsubid, description, xmin::text from pg_description
               where objoid = 'raw.hmis_data_values'::regclass and classoid = 'pg_class'::regclass order by 1"""
    prepare(warehouse)
    first = rows(warehouse, words)
    assert first[0][1] == DATA_VALUES.description
    assert len(first) == 1 + len(DATA_VALUES.stored_names)
    with warehouse.connect() as connection:
        create_raw_table(connection, DATA_VALUES)
    assert rows(warehouse, words) == first
    with warehouse.connect() as connection:
        create_raw_table(connection, replace(DATA_VALUES, description="Other words."))
    changed = rows(warehouse, words)
    assert changed[0][1] == "Other words."
    assert changed[1:] == first[1:]
