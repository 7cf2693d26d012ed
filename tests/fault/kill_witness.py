"""What is asked of a warehouse before, during and after a kill: its rows, its ledger, its locks, a reader's view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pg_servers import rows
from psycopg import Error

from hic_assets.landing.table import Table
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

DATA_VALUES = HMIS.feed("data_values").table
COMPLETE_REGISTRATIONS = HMIS.feed("complete_registrations").table

TABLES = (DATA_VALUES, COMPLETE_REGISTRATIONS)
Version = dict[tuple[str, str], Any]


def content(warehouse: Warehouse, tables: Iterable[Table] = TABLES) -> dict[str, list[bytes]]:
    """Every row of raw tables (the HMIS's monthly ones) and of all quarantine, sorted, without the ids of loads."""
    queries = {
        t.relation: f"select _partition, _source_updated_at, {', '.join(t.stored_names)} from raw.{t.relation}"
        for t in tables
    }
    queries["quarantine"] = (
        "select l.table_name, l.partition_key, q.rule, q.row_text from ops.quarantine q join ops.load l using (load_id)"
    )
    found = {}
    with warehouse.connect() as connection:
        for name, query in queries.items():
            with connection.cursor().copy(f"copy ({query}) to stdout".encode()) as copy:
                found[name] = sorted(b"".join(bytes(data) for data in copy).splitlines())
    return found


def _hash_query(relation: str, columns: tuple[str, ...]) -> str:
    return f"""select count(*), sum(hashtextextended(row({", ".join(columns)})::text, 0)::numeric)
               from raw.{relation} where _partition = %s"""


RAW = {t.relation: _hash_query(t.relation, t.stored_names) for t in TABLES}


def version(warehouse: Warehouse, months: list[str], queries: Mapping[str, str] = RAW) -> Version:
    """Rows and an order-independent hash of them, by table and month."""
    return {(table, m): rows(warehouse, query, (m,))[0] for table, query in queries.items() for m in months}


class Reader(threading.Thread):
    """Looks at every partition in a loop, as an analyst would, and remembers what was seen."""

    def __init__(self, warehouse: Warehouse, months: list[str], queries: Mapping[str, str], isolation: str) -> None:
        super().__init__(daemon=True)
        self._warehouse, self._queries, self._isolation = warehouse, queries, isolation
        self.seen: dict[tuple[str, str], set[Any]] = {(t, m): set() for t in queries for m in months}
        self.error: Error | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Read until told to end."""
        try:
            with self._warehouse.connect(application_name="reader") as connection:
                while not self.done.is_set():
                    for (table, month), seen in self.seen.items():
                        began = time.monotonic()
                        connection.execute(f"begin isolation level {self._isolation}".encode())
                        connection.execute("select 1")  # a snapshot older than the lock on the table
                        seen.add(connection.execute(self._queries[table].encode(), (month,)).fetchone())
                        connection.rollback()
                        time.sleep(6 * (time.monotonic() - began))  # leaves the processors to what is looked at
        except Error as error:
            self.error = error


@contextmanager
def readers(warehouse: Warehouse, months: list[str], queries: Mapping[str, str] = RAW) -> Iterator[list[Reader]]:
    """A reader an isolation level, at work during the block."""
    threads = [Reader(warehouse, months, queries, level) for level in ("read committed", "repeatable read")]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.done.set()
        for thread in threads:
            thread.join()


def assert_only(threads: list[Reader], *versions: Version) -> None:
    """Every observation of a partition is one of its versions, whole."""
    for thread in threads:
        assert thread.error is None, thread.error
        for key, seen in thread.seen.items():
            assert seen, f"{key} was never read"
            assert seen <= {v[key] for v in versions}, (key, seen)


def until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait for a condition, closely."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.002)


def assert_nothing_is_left(warehouse: Warehouse) -> None:
    """The server has noticed the death: no session, no lock, no table that is no partition of anything."""
    sessions = (
        "select pid, query from pg_stat_activity where datname = current_database() and application_name in ('hic', 'hic-dbt')"
        " and pid <> pg_backend_pid()"
    )
    until(lambda: not rows(warehouse, sessions), "sessions of the killed process")
    assert rows(warehouse, "select count(*) from pg_locks where locktype = 'advisory'" + _HERE) == [(0,)]
    orphans = """select c.relname from pg_class c where c.relnamespace = 'raw_partitions'::regnamespace
                 and c.relkind = 'r' and not exists (select from pg_inherits i where i.inhrelid = c.oid)"""
    assert rows(warehouse, orphans) == []


_HERE = " and database = (select oid from pg_database where datname = current_database())"


def assert_ledger_is_whole(warehouse: Warehouse, tables: Iterable[Table] = TABLES) -> None:
    """No load hangs, each partition has one current load, its rows are that load's, and every row read is accounted."""
    assert rows(warehouse, "select load_id from ops.load where status = 'running'") == []
    unexplained = "select load_id from ops.load where status in ('failed', 'abandoned') and error is null"
    assert rows(warehouse, unexplained) == []
    sums = "select load_id from ops.load where status = 'committed' and rows_read <> landed + quarantined + duplicates"
    assert rows(warehouse, sums) == []
    for table in tables:
        counted = f"""
            select l.partition_key, l.load_id, l.landed, l.quarantined,
                   (select count(*) from raw.{table.relation} r
                    where r._partition = l.partition_key::date and r._load_id = l.load_id),
                   (select count(*) from raw.{table.relation} r where r._partition = l.partition_key::date),
                   (select count(*) from ops.quarantine q where q.load_id = l.load_id)
            from ops.load l where l.table_name = %s and l.is_current order by 1"""
        lines = rows(warehouse, counted, (table.name,))
        assert lines
        assert len({line[0] for line in lines}) == len(lines)
        for _, _, landed, quarantined, of_load, held, in_quarantine in lines:
            assert landed == of_load == held
            assert quarantined == in_quarantine
