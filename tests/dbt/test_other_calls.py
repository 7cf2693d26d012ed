"""A view on tables of another call, which has not run yet, while another model makes the same tables."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from dbt_runner import Dbt

LOCK = "select pg_advisory_xact_lock(hashtext('hic empty tables'))"
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'"
PATIENCE = 120


def test_a_view_waits_for_who_makes_an_empty_table(own_country: Dbt) -> None:
    """Two models of one call both make it; a table that is not committed is no table yet."""
    columns = own_country.query(
        "select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)"
        " from pg_attribute where attrelid = 'dwh.fct_measure_month'::regclass and attnum > 0 and not attisdropped"
    )[0][0]
    with own_country.warehouse.connect(autocommit=True) as connection:
        connection.execute("drop table dwh.fct_measure_month cascade")
    with ThreadPoolExecutor(1) as beside, own_country.warehouse.connect() as other:
        other.execute(LOCK)
        other.execute(f"create table dwh.fct_measure_month ({columns})".encode())
        call = beside.submit(own_country.run, "run", "--select", "rpt_immunization")
        until = time.monotonic() + PATIENCE
        while own_country.query(WAITING) != [(1,)] and not call.done() and time.monotonic() < until:
            time.sleep(0.2)
        assert own_country.query(WAITING) == [(1,)] and not call.done()
        other.commit()
        assert call.result() == {"rpt_immunization": "success"}
