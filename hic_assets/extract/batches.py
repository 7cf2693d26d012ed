"""What every source hands on: frames of bounded size, and afterwards what each request cost.

Here belong the shapes that extraction and landing share. How a body is fetched or read does not belong here,
nor what a table demands of its rows (that is the contract of the landing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl

REJECT_SCHEMA = {"line": pl.String, "rule": pl.String, "reason": pl.String, "key": pl.String}


@dataclass(frozen=True)
class Batch:
    """Some rows of one table.

    `frame`: every column String, named as the raw table's columns, in their order; NULL where nothing came.
    `slice`: the request it came from, for people. `rejects`: what could not be read as a row at all
    (columns line, rule, reason, and key where the reader knows it; None when there are none). `without_nul`: the reader has made sure that no cell
    holds a NUL character.
    """

    frame: pl.DataFrame
    slice: str
    rejects: pl.DataFrame | None = None
    without_nul: bool = False

    @property
    def rows(self) -> int:
        """Rows read, the rejected included."""
        return self.frame.height + (0 if self.rejects is None else self.rejects.height)


@dataclass(frozen=True)
class SliceStats:
    """What one request gave and cost. `url` holds no secret; `bytes` are those of the decoded body; `seconds`
    is from the first attempt to the complete body, waits between attempts included.
    """

    slice: str
    url: str
    rows: int
    bytes: int
    seconds: float
    attempts: int


@runtime_checkable
class BatchSource(Protocol):
    """One table's rows from a system: iterate it, then read `stats`.

    Each iteration reads the source anew. An iteration that ends without an exception has yielded every row
    the source holds for what was asked: landing may replace the partition with it. `stats`, `notes`,
    `unknown_columns` and `read_at` (what the source's own clock said when reading began, where it tells) speak
    of the latest iteration and are whole once it has ended.
    """

    name: str
    columns: tuple[str, ...]
    read_at: datetime | None

    def __iter__(self) -> Iterator[Batch]: ...

    @property
    def stats(self) -> Sequence[SliceStats]:
        """One entry a request."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What people should know of the reading although it is no error; names no person."""
        ...

    @property
    def unknown_columns(self) -> Sequence[str]:
        """Columns the source sent which the table does not have."""
        ...


class BatchStream:
    """A `BatchSource` made of a generator function, which records stats on the stream it is given."""

    def __init__(self, name: str, columns: Sequence[str], produce: Callable[[BatchStream], Iterator[Batch]]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.read_at: datetime | None = None
        self._produce = produce
        self._stats: list[SliceStats] = []
        self._notes: list[str] = []
        self._unknown: dict[str, None] = {}

    def __iter__(self) -> Iterator[Batch]:
        self._stats = []
        self._notes = []
        self._unknown = {}
        self.read_at = None
        return self._produce(self)

    @property
    def stats(self) -> tuple[SliceStats, ...]:
        """One entry a request that was read to its end, in order of reading."""
        return tuple(self._stats)

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of the reading, in the order found."""
        return tuple(self._notes)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns the source sent which the table does not have, in order of appearance."""
        return tuple(self._unknown)

    def record(self, stats: SliceStats) -> None:
        """Add one request's stats."""
        self._stats.append(stats)

    def note(self, words: str) -> None:
        """Add what people should know of the reading."""
        self._notes.append(words)

    def note_unknown_columns(self, columns: Sequence[str]) -> None:
        """Remember columns that were left out."""
        self._unknown.update(dict.fromkeys(columns))


def frame_of(rows: Sequence[Mapping[str, str | None]], columns: Sequence[str]) -> pl.DataFrame:
    """Rows as a frame of String columns in the given order; keys a row lacks are NULL, others left out."""
    return pl.DataFrame({name: pl.Series([r.get(name) for r in rows], dtype=pl.String) for name in columns})


def rejects_of(rows: Sequence[tuple[str, str, str]], keys: Sequence[str | None] = ()) -> pl.DataFrame | None:
    """(line, rule, reason) tuples as a rejects frame, or None when there are none. `keys`: of the same, where known."""
    found = zip(rows, keys or [None] * len(rows), strict=True)
    return pl.DataFrame([(*row, key) for row, key in found], schema=REJECT_SCHEMA, orient="row") if rows else None
