"""Duplicate keys within one load: suspected by hash in bounded memory, settled exactly in SQL.

Belongs here: which rows of one load share a key, which of them stays. Does not: rows that broke the contract.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import polars as pl
from psycopg import Cursor, sql

from hic_assets.landing.table import Table

Hashes = npt.NDArray[np.uint64]
_BUCKETS = 16
_MODULUS = 2**64
# So many hashes (8 bytes each) wait in memory; beyond that all go to disk.
_IN_MEMORY = 1 << 20


class KeyHashes:
    """Remembers 8 bytes a key: in memory while they are few, else on disk, in 16 buckets by the hash's top bits.

    Memory is one bucket at a time (a sixteenth of the load), whatever the load's size. Two different keys collide
    with probability n²/2⁶⁵ (2 in 100,000 at 30 million rows), which costs a needless exact pass, never a row.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[IO[bytes]] = []
        self._waiting: list[Hashes] = []
        self._count = 0

    def add(self, hashes: pl.Series) -> None:
        """Remember the key hashes of one batch."""
        self._waiting.append(hashes.to_numpy())
        self._count += hashes.len()
        if self._count > _IN_MEMORY:
            self._write_out()

    def _write_out(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile(dir=self._folder) for _ in range(_BUCKETS)]  # noqa: SIM115 - close() does
        for values in self._waiting:
            buckets = (values >> np.uint64(60)).astype(np.uint8)
            order = np.argsort(buckets, kind="stable")
            edges = np.searchsorted(buckets[order], np.arange(_BUCKETS + 1))
            ordered = values[order]
            for i, file in enumerate(self._files):
                file.write(ordered[edges[i] : edges[i + 1]].tobytes())
        self._waiting = []

    def any_repeated(self) -> bool:
        """Whether some key was seen at least twice (or, very rarely, two keys share a hash)."""
        if not self._files:
            return bool(self._waiting) and _repeats(np.concatenate(self._waiting))
        self._write_out()
        for file in self._files:
            file.seek(0)
            if _repeats(np.frombuffer(file.read(), dtype=np.uint64)):
                return True
        return False

    def close(self) -> None:
        """Give the temporary files back."""
        for file in self._files:
            file.close()


def _repeats(hashes: Hashes) -> bool:
    ordered = np.sort(hashes)
    return bool((ordered[1:] == ordered[:-1]).any())


class ContentHash:
    """A hash of the landed rows that does not depend on their order: servers answer in any order (contract 1.3).

    Named with the Polars version, since Polars promises a stable hash only within one.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add the rows of one batch."""
        hashes = frame.hash_rows(seed=1)
        self._sum = (self._sum + int(np.add.reduce(hashes.to_numpy(), dtype=np.uint64))) % _MODULUS
        self._rows += frame.height

    def text(self) -> str:
        """The hash as kept in the ledger."""
        return f"polars-{pl.__version__}:{self._rows}:{self._sum:016x}"


# The change time as DHIS2 writes it (contract 1.3).
_UPDATED = sql.SQL("""to_char(_source_updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"')""")


def settle(cursor: Cursor, target: sql.Composable, table: Table, load_id: int) -> tuple[int, int]:
    """Keep one row a key in the rows of this load; return (duplicates, quarantined).

    The newest by the source's own timestamp stays. A repeated or an older copy is a duplicate and is counted. A row
    of the same key and age with *other* content is quarantined as ``duplicate_key``: nobody can say which is true.
    Only repeated keys are ranked: one of them among millions of rows should not have all of these sorted as text.
    """
    keys = sql.SQL(", ").join(map(sql.Identifier, table.keys))
    columns = sql.SQL(", ").join(map(sql.Identifier, table.stored_names))
    row = sql.SQL("row({})::text").format(columns)
    as_json = sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(c), _UPDATED if c == table.updated_column else sql.Identifier(c))
        for c in table.column_names
    )
    key = sql.SQL("t.{}").format(sql.Identifier(table.keys[0])) if len(table.keys) == 1 else sql.SQL("null::text")
    statement = sql.SQL(
        """
        with repeated as (
            select {keys} from {target} where _load_id = {load_id} group by {keys} having count(*) > 1
        ), ranked as (
            select t.ctid as place, _source_updated_at as updated, {row} as content,
                   json_build_object({as_json})::text as original,
                   first_value({row}) over w as kept_content,
                   first_value(_source_updated_at) over w as kept_updated,
                   row_number() over w as place_in_key
            from {target} t join repeated using ({keys}) where _load_id = {load_id}
            window w as (partition by {keys} order by _source_updated_at desc nulls last, {row}, t.ctid)
        ), gone as (
            delete from {target} t using ranked r
            where t.ctid = r.place and r.place_in_key > 1
            returning r.content = r.kept_content or r.updated is distinct from r.kept_updated as harmless, r.original,
                      {key} as key
        ), refused as (
            insert into ops.quarantine (load_id, rule, reason, row_text, row_key)
            select {load_id}, 'duplicate_key', 'another row has the same key and age but other content', original, key
            from gone where not harmless
            returning 1
        )
        select count(*) filter (where harmless), (select count(*) from refused) from gone
        """
    ).format(key=key, row=row, as_json=as_json, target=target, load_id=sql.Literal(load_id), keys=keys)
    found = cursor.execute(statement).fetchone()
    assert found is not None  # noqa: S101 - an aggregate always returns one row
    return int(found[0]), int(found[1])
