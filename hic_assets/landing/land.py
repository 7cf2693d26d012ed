"""Land one partition: check, COPY into place, settle duplicates, replace atomically, account for every row.

Belongs here: the one transaction in which a partition changes. Does not: planning requests, retrying the source.
"""

from __future__ import annotations

import errno
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from psycopg import Connection, Cursor, OperationalError, sql
from psycopg.errors import UndefinedTable

from hic_assets.extract.batches import Batch, BatchSource, SliceStats
from hic_assets.landing import ledger
from hic_assets.landing.contract import CheckContext, check
from hic_assets.landing.copy import copy_into, rewrite_frozen
from hic_assets.landing.ddl import columns_of, create_raw_table, exists
from hic_assets.landing.duplicates import ContentHash, KeyHashes, settle
from hic_assets.landing.errors import MetadataMissing, PartitionShrank, SpillFull, TooManyQuarantined
from hic_assets.landing.ledger import Counts, Partition
from hic_assets.landing.quarantine import RefusedRows
from hic_assets.landing.swap import swap_in
from hic_assets.landing.table import Layout, Table

# A load of a handful of rows says nothing about a broken feed or a lying server.
SMALLEST_JUDGED = 50
# How many refused rows of a load that failed as a whole are kept to be looked at.
KEPT_OF_A_FAILED_LOAD = 10_000


class Connects(Protocol):
    """Whatever opens connections to the warehouse."""

    def connect(self, *, autocommit: bool = False) -> Connection[Any]: ...  # noqa: D102


@dataclass(frozen=True)
class LoadResult:
    """What one load did. ``unchanged``: the rows equal, as a set, what the partition held before.

    ``notes``: what the reader found that people should know of.
    """

    load_id: int
    table: Table
    partition: Partition
    counts: Counts
    seconds: float
    unchanged: bool
    notes: tuple[str, ...] = ()


def land(
    warehouse: Connects,
    table: Table,
    partition: Partition,
    batches: BatchSource,
    *,
    periods: frozenset[str] = frozenset(),
    source: str = "",
    run_id: str | None = None,
    accept_shrink: bool = False,
    spill_dir: Path | None = None,
) -> LoadResult:
    """Replace one partition of ``table`` with what ``batches`` hold, or leave it as it is and raise.

    Readers see the old partition or the new one. Two loads of the same partition queue behind its lock. When a load's
    turn has come its ledger row is written, in a transaction of its own, so a killed load is seen; it commits with
    the rows.

    Raises:
        LandingError: the load was judged broken (and what to do about it).
        SourceError: the source could not be read.
    """
    started = time.monotonic()
    counts = Counts()
    with (
        warehouse.connect(autocommit=True) as book,
        tempfile.TemporaryDirectory(dir=spill_dir) as spill,
    ):
        create_raw_table(book, table)
        with warehouse.connect() as connection:
            _await_turn(connection, table, partition)
            load_id = ledger.begin(book, table, partition, source, run_id)
            refused = RefusedRows(Path(spill), load_id)
            load = _Load(connection, table, partition, load_id, counts, refused)
            try:
                load.copy(batches, load.context(periods), Path(spill))
                load.judge(accept_shrink, batches.stats)
                unchanged = load.commit(batches)
            except BaseException as caught:
                error = _explained(caught, table, partition, Path(spill))
                # Where the server itself has gone, what it was that failed says more than that this fails too.
                with suppress(OperationalError):
                    connection.rollback()  # or its lock on our ledger row would keep us from writing to it
                    ledger.fail(book, load_id, counts, f"{type(error).__name__}: {error}")
                    if isinstance(error, TooManyQuarantined):
                        ledger.forget_refused(book, table, partition)
                        refused.copy_into(book, limit=KEPT_OF_A_FAILED_LOAD)
                raise error from (caught if error is not caught else caught.__cause__)
        load.analyze(book)
    return LoadResult(load_id, table, partition, counts, time.monotonic() - started, unchanged, tuple(batches.notes))


def result_of_run(warehouse: Connects, table: Table, partition: Partition, run_id: str) -> LoadResult | None:
    """What this run has already landed of a partition, from the ledger: a retried run need not read it again."""
    with warehouse.connect() as connection:
        found = ledger.of_run(connection, table, partition, run_id)
    if found is None:
        return None
    load_id, counts, seconds = found
    return LoadResult(load_id, table, partition, counts, seconds, unchanged=False)


def _await_turn(connection: Connection[Any], table: Table, partition: Partition) -> None:
    """Take the partition's lock, held until the transaction ends: by us, or by the server when we are killed."""
    # The transaction is idle while the source is slow; a limit for forgotten sessions would end it.
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    connection.execute("select pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (table.relation, str(partition)))


def _explained(error: BaseException, table: Table, partition: Partition, spill: Path) -> BaseException:
    """The error, in words that say what to do where it is only a number of the operating system."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SpillFull(
            f"{table.relation} {partition}: no space left for what waits on disk while it is landed, in {spill.parent}. "
            f"The partition is unchanged. Free space there or set HIC_HOME to a folder on another disk, then run again."
        )
    return error


class _Load:
    """One load in progress, inside one transaction."""

    def __init__(
        self,
        connection: Connection[Any],
        table: Table,
        partition: Partition,
        load_id: int,
        counts: Counts,
        refused: RefusedRows,
    ) -> None:
        self.connection = connection
        self.cursor: Cursor[Any] = connection.cursor()
        self.table, self.partition, self.load_id, self.counts = table, partition, load_id, counts
        self.current = ledger.current(self.cursor, table, partition)
        self.refused = refused
        self.content = ContentHash()
        native = table.layout is Layout.NATIVE
        self.relation = (
            sql.Identifier("raw_partitions", f"{table.relation}_{partition}_{load_id}".replace("-", ""))
            if native
            else sql.Identifier("raw", table.relation)
        )

    def context(self, periods: frozenset[str]) -> CheckContext:
        """Registries as they stand now; an empty one would refuse every row, so it is an error."""
        registries, numeric = {}, pl.Series(dtype=pl.String)
        for reference in self.table.references:
            name = sql.Identifier("raw", reference.table)
            registries[reference.table] = self._ids(
                sql.SQL("select {} from {}").format(sql.Identifier(reference.column), name), reference.table
            )
            if self.table.value_column and reference.rule == "unknown_data_element":
                numeric = self._ids(
                    sql.SQL(
                        "select id from {} where value_type ~ '^(NUMBER|INTEGER.*|PERCENTAGE|UNIT_INTERVAL)$'"
                    ).format(name),
                    None,
                )
        return CheckContext(periods, registries, numeric)

    def _ids(self, statement: sql.Composed, registry: str | None) -> pl.Series:
        there = registry is None or exists(self.connection, "raw", registry)
        ids = [row[0] for row in self.cursor.execute(statement)] if there else []
        if registry and not ids:
            raise MetadataMissing(
                f"raw.{registry} is empty, so no row of {self.table.relation} can be checked against it. "
                f"Materialise the metadata of system '{self.table.system}' first."
            )
        return pl.Series(ids, dtype=pl.String)

    def copy(self, batches: BatchSource, context: CheckContext, spill: Path) -> None:
        """Stream the batches through the contract into place, and settle duplicate keys."""
        self._make_room()
        columns = (*self.table.stored_names, "_source_updated_at")
        native = self.table.layout is Layout.NATIVE
        if not native:
            columns = (*columns, "_partition", "_load_id")
        keys = KeyHashes(spill)
        try:
            with copy_into(self.connection, self.relation, columns, fresh=native) as frames:
                for batch in batches:
                    good = self._take(batch, context, keys)
                    if good.height:
                        frames.write(good if native else self._stamped(good))
            self.refused.copy_into(self.connection)
            if self.table.keys and keys.any_repeated():
                self._settle(spill)
        finally:
            keys.close()
            self.counts.bytes = sum(s.bytes for s in batches.stats)

    def _make_room(self) -> None:
        """An empty place for the new rows: a table of its own, or the partition's rows deleted."""
        if self.table.layout is not Layout.NATIVE:
            where = (
                sql.SQL("true")
                if self.partition.start is None
                else sql.SQL("_partition = {}").format(sql.Literal(self.partition.start))
            )
            self.cursor.execute(sql.SQL("delete from {} where {}").format(self.relation, where))
            return
        day = sql.Literal(self.partition.start)
        self.cursor.execute(
            sql.SQL(
                """create table {place} ({columns}, check (_partition = {day}));
                   alter table {place} alter _partition set default {day}, alter _load_id set default {load}"""
            ).format(
                place=self.relation,
                columns=columns_of(self.cursor, self.table),
                day=day,
                load=sql.Literal(self.load_id),
            )
        )

    def _take(self, batch: Batch, context: CheckContext, keys: KeyHashes) -> pl.DataFrame:
        """Count a batch, put its refused rows aside, return the good ones."""
        checked = check(batch.frame, self.table, context, without_nul=batch.without_nul)
        refused = checked.bad
        if batch.rejects is not None and batch.rejects.height:
            unreadable = batch.rejects.select("rule", "reason", pl.col("line").alias("row"), "key")
            refused = pl.concat([refused, unreadable])
        self.refused.add(refused, batch.slice)
        good, counts = checked.good, self.counts
        counts.read += good.height + refused.height
        counts.landed += good.height
        counts.quarantined += refused.height
        # Of refused rows too: the change that brought them has been read, and need not be asked for again.
        counts.watermark = max(filter(None, (counts.watermark, checked.newest)), default=None)
        for rule, number in refused.group_by("rule").len().iter_rows():
            counts.rules[rule] = counts.rules.get(rule, 0) + number
        if good.height:
            if self.table.keys:
                keys.add(good.select(self.table.keys).hash_rows(seed=0))
            self.content.add(good.select(*self.table.stored_names, "_source_updated_at"))
            if self.table.deleted_column:
                counts.deleted += int((good[self.table.deleted_column] == "true").sum() or 0)
        return good

    def _stamped(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.lit(self.partition.start, dtype=pl.Date).alias("_partition"),
            pl.lit(self.load_id, dtype=pl.Int64).alias("_load_id"),
        )

    def _settle(self, spill: Path) -> None:
        duplicates, refused = settle(self.cursor, self.relation, self.table, self.load_id)
        self.counts.landed -= duplicates + refused
        self.counts.duplicates += duplicates
        self.counts.quarantined += refused
        if refused:
            self.counts.rules["duplicate_key"] = refused
        if self.table.layout is Layout.NATIVE and duplicates + refused:
            rewrite_frozen(self.connection, self.relation, spill)
        self._recount_deleted()

    def _recount_deleted(self) -> None:
        """Tombstones among the rows that stayed, where duplicates were taken out again."""
        if self.table.deleted_column is None:
            return
        found = self.cursor.execute(
            sql.SQL("select count(*) from {} where {} = 'true' and _load_id = {}").format(
                self.relation, sql.Identifier(self.table.deleted_column), sql.Literal(self.load_id)
            )
        ).fetchone()
        assert found is not None  # noqa: S101 - an aggregate always returns one row
        self.counts.deleted = int(found[0])

    def judge(self, accept_shrink: bool, slices: Iterable[SliceStats]) -> None:
        """Refuse a load that is broken as a whole: the partition keeps what it has."""
        counts, table = self.counts, self.table
        if counts.read >= SMALLEST_JUDGED and counts.quarantined > table.max_quarantined_share * counts.read:
            rules = ", ".join(f"{rule} {n:,}" for rule, n in sorted(counts.rules.items(), key=lambda r: -r[1]))
            raise TooManyQuarantined(
                f"{table.relation} {self.partition}: {counts.quarantined:,} of {counts.read:,} rows broke the contract "
                f"({rules}), over the limit of {table.max_quarantined_share:.0%}. The partition is unchanged. See "
                f"ops.quarantine where load_id = {self.load_id}; correct the source, or raise max_quarantined_share."
            )
        previous = self.current.landed if self.current else 0
        shrank = previous >= SMALLEST_JUDGED and counts.landed < table.min_kept_share * previous
        # However few they were: an account that lost its rights is told of no data sets at all, in a correct answer.
        emptied = previous > 0 and counts.landed == 0 and not table.may_empty
        if not accept_shrink and (shrank or emptied):
            raise PartitionShrank(
                f"{table.relation} {self.partition}: the source gave {counts.landed:,} rows where {previous:,} are held. "
                f"The partition is unchanged. If the source is right, run again with accept_shrink."
            )
        if not accept_shrink:
            self._judge_slices(slices)

    def _judge_slices(self, slices: Iterable[SliceStats]) -> None:
        """A district that fell silent is not seen in a country's sum (contract 1.13, rows per slice against the last)."""
        now = Counter[str]()
        for one in slices:
            now[one.slice] += one.rows
        for label, held in ledger.current_slices(self.cursor, self.table, self.partition).items():
            # A request of another name (its unit was renamed, or it was divided) has nothing to be compared with.
            if label in now and held >= SMALLEST_JUDGED and now[label] < self.table.min_kept_share * held:
                raise PartitionShrank(
                    f"{self.table.relation} {self.partition}: the source gave {now[label]:,} rows for {label}, where it "
                    f"gave {held:,} the last time. The partition is unchanged. If the source is right, run again with "
                    f"accept_shrink."
                )

    def commit(self, batches: BatchSource) -> bool:
        """Count what is in place, swap it in, write the ledger, commit. Returns whether nothing changed."""
        text = self.content.text()
        if self.table.layout is Layout.NATIVE:
            swap_in(self.connection, self.table.relation, self.relation, self.partition)
        ledger.commit(self.cursor, self.load_id, self.table, self.partition, self.counts, text, batches)
        self.connection.commit()
        return self.current is not None and self.current.content_hash == text

    def analyze(self, book: Connection[Any]) -> None:
        """Statistics now, since dbt reads the partition long before autovacuum would come by."""
        # A third of the usual sample: raw tables are read by whole partitions, and a load need not wait for more.
        book.execute("set default_statistics_target = 30")
        # A later load may already have replaced what this one committed.
        with suppress(UndefinedTable):
            book.execute(sql.SQL("analyze {}").format(self.relation))
