"""Frames into PostgreSQL by binary COPY: Arrow to the wire format in Rust (pgpq), sent by a thread.

Belongs here: moving columns. Does not: deciding which rows, or into which table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import Connection, sql
from psycopg.copy import Copy

# Encoded batches that may wait for the server; with psycopg's own queued writer it would be 128 MB of them.
_WAITING = 2
_PIECE_BYTES = 1024 * 1024
# Signature, flags, no header extension, end-of-data marker: a binary COPY of zero rows.
_EMPTY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


class FrameCopy:
    """Copies frames of one schema into a table.

    Into a table of our own (``fresh``), a column that holds one value throughout a frame does not travel: it becomes
    the column's default for the time of the COPY. Of a data value's twelve columns that is mostly five (period,
    attribution, marks), and the server's work is a matter of fields, not bytes.
    """

    def __init__(
        self, connection: Connection[Any], target: sql.Composable, columns: tuple[str, ...], fresh: bool
    ) -> None:
        self._connection, self._target, self._columns, self._fresh = connection, target, columns, fresh
        self._open = ExitStack()
        self._constants: Mapping[str, Any] | None = None
        self._stream: _Stream | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Send one frame; it has the table's columns."""
        constants = _constants(frame.select(self._columns)) if self._fresh else {}
        if self._stream is None or constants != self._constants:
            self.finish()
            self._begin(constants)
        assert self._stream is not None  # noqa: S101 - begun above
        self._stream.write(frame.select([c for c in self._columns if c not in constants]))

    def finish(self) -> None:
        """End the COPY that is open and wait until the server has it."""
        if self._stream is not None:
            self._stream.finish()
            self._stream = None
            self._open.close()

    def abort(self, error: BaseException) -> None:
        """Leave the COPY that is open unfinished; the transaction is lost."""
        self._open.__exit__(type(error), error, error.__traceback__)

    def _begin(self, constants: Mapping[str, Any]) -> None:
        self._constants = constants
        for name, value in constants.items():
            self._connection.execute(
                sql.SQL("alter table {} alter {} set default {}").format(
                    self._target, sql.Identifier(name), sql.Literal(value)
                )
            )
        columns = [sql.Identifier(c) for c in self._columns if c not in constants]
        # Frozen rows are visible to readers whose snapshot is older than the replacement: they see the new
        # partition, never an empty one. It needs a table that was created in this transaction.
        statement = sql.SQL("copy {} ({}) from stdin (format binary{})").format(
            self._target, sql.SQL(", ").join(columns), sql.SQL(", freeze" if self._fresh else "")
        )
        cursor = self._open.enter_context(self._connection.cursor())
        copy = self._open.enter_context(cursor.copy(statement))
        sender = self._open.enter_context(ThreadPoolExecutor(1, thread_name_prefix="copy"))
        self._stream = _Stream(copy, sender)


class _Stream:
    """One open COPY. A thread sends, so that the next frame is made meanwhile."""

    def __init__(self, copy: Copy, sender: ThreadPoolExecutor) -> None:
        self._copy, self._sender = copy, sender
        self._waiting: deque[Future[None]] = deque()
        self._encoder: Any = None

    def write(self, frame: pl.DataFrame) -> None:
        # The newest layout keeps strings where Polars has them; the oldest would copy every one.
        arrow = frame.to_arrow(compat_level=pl.CompatLevel.newest())
        if self._encoder is None:
            self._encoder = ArrowToPostgresBinaryEncoder(arrow.schema)
            self._send(self._encoder.write_header())
        for batch in arrow.to_batches():
            self._send(self._encoder.write_batch(batch))

    def finish(self) -> None:
        self._send(self._encoder.finish() if self._encoder is not None else _EMPTY)
        while self._waiting:
            self._waiting.popleft().result()

    def _send(self, data: bytes) -> None:
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft().result()
        # A view, since psycopg cuts what it sends into pieces, and pieces of bytes are copies.
        self._waiting.append(self._sender.submit(self._copy.write, memoryview(data)))


def _constants(frame: pl.DataFrame) -> dict[str, Any]:
    """Columns that hold one value in every row, with it; at least one column is left to travel."""
    found: dict[str, Any] = {}
    for column in frame.get_columns():
        first = column[0]
        if first is None:
            constant = column.null_count() == column.len()
        else:
            constant = bool(column[-1] == first and column.null_count() == 0 and (column == first).all())
        if constant:
            found[column.name] = first
    if len(found) == frame.width:
        found.popitem()
    return found


@contextmanager
def copy_into(
    connection: Connection[Any], target: sql.Composable, columns: tuple[str, ...], fresh: bool = False
) -> Iterator[FrameCopy]:
    """COPY frames into ``target``; ``fresh``: a table that this transaction has created and nobody else sees."""
    frames = FrameCopy(connection, target, columns, fresh)
    try:
        yield frames
        frames.finish()
    except BaseException as error:
        frames.abort(error)
        raise


def rewrite_frozen(connection: Connection[Any], target: sql.Composable, folder: Path) -> None:
    """Write a table that this transaction has created anew, by way of a file, without the rows deleted from it.

    Frozen rows are visible to snapshots older than this transaction, but that they were deleted is not: such a reader
    would see in the new partition what had been taken out of it.
    """
    path = folder / "settled.copy"
    with connection.cursor() as cursor:
        with path.open("wb") as file, cursor.copy(sql.SQL("copy {} to stdout (format binary)").format(target)) as rows:
            for data in rows:
                file.write(data)
        cursor.execute(sql.SQL("truncate {}").format(target))
        into = sql.SQL("copy {} from stdin (format binary, freeze)").format(target)
        with path.open("rb") as file, cursor.copy(into) as copy:
            while piece := file.read(_PIECE_BYTES):
                copy.write(piece)
    path.unlink()
