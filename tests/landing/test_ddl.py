"""Making the tables that landing owns: harmless to whoever loads meanwhile."""

from __future__ import annotations

import threading

from pg_servers import rows

from hic_assets.landing.ddl import create_ops
from hic_assets.landing.land import land
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
