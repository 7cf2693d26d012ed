"""CSV bodies on disk into batches: fast over clean chunks, row by row only where a chunk holds a broken row.

Here belongs what is true of any CSV source. Which columns a table has, and what a value must look like,
does not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from hic_assets.extract.batches import Batch, rejects_of
from hic_assets.extract.errors import WrongColumns

CHUNK_BYTES = 8 * 1024 * 1024
# A quote left open is looked for its end over this many bytes; beyond, the line itself is taken to be broken.
OPEN_QUOTE_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class CsvLayout:
    """How the columns of a CSV map to a raw table's.

    `columns`: header name (lower case) to raw name, in the raw table's order. `required`: header names that
    must be there; others are NULL when absent. `nulls`: raw name to the text that stands for NULL.
    """

    columns: Mapping[str, str]
    required: frozenset[str]
    nulls: Mapping[str, str] = field(default_factory=dict)


class CsvBody:
    """One spooled CSV body. Reads the header at once; raises `WrongColumns` when it is not the layout's."""

    def __init__(self, path: Path, layout: CsvLayout, system: str, url: str) -> None:
        self._path, self._layout = path, layout
        with path.open("rb") as file:
            line = file.readline().decode("utf-8-sig", "replace")
            self._start = file.tell()
        names = [name.strip().lower() for name in next(csv.reader([line]), [])]
        missing = sorted(layout.required - set(names))
        twice = sorted({name for name in names if names.count(name) > 1})
        if missing or twice:
            raise WrongColumns(system, url, missing=missing, repeated=twice, found=names)
        self.unknown_columns = tuple(name for name in names if name not in layout.columns)
        # An unknown column keeps a name no raw column has, so that it can be read over and dropped.
        self._names = [layout.columns.get(name, f"?{name}") for name in names]
        self._nulls = {name: text for name, text in layout.nulls.items() if name in self._names}

    def batches(self, slice_label: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Batch]:
        """Batches of about `chunk_bytes` of text each, in the order of the file."""
        with self._path.open("rb") as file:
            file.seek(self._start)
            while chunk := _read_whole_rows(file, chunk_bytes):
                yield self._batch(chunk, slice_label)

    def _batch(self, chunk: bytes, slice_label: str) -> Batch:
        frame = self._parse(chunk)
        if frame is None:
            good, rejects = self._sort_out(chunk)
            return Batch(self._arrange(good), slice_label, rejects_of(rejects), without_nul=True)
        return Batch(self._arrange(frame), slice_label, without_nul=True)

    def _parse(self, chunk: bytes) -> pl.DataFrame | None:
        """The chunk as a frame, or None when it holds a row that is not one (of another width, not UTF-8...).

        Polars refuses long rows but fills short ones, so separators are counted against the frame's cells.
        """
        if b"\0" in chunk:
            return None
        try:
            frame = pl.read_csv(
                chunk,
                has_header=False,
                schema=dict.fromkeys(self._names, pl.String),
                null_values=self._nulls,
                infer_schema=False,
            )
        except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError):
            # OSError: text that begins as compressed data does ("x^"), which Polars then tries to inflate.
            return None
        quoted = b""
        if b'"' in chunk:
            quoted = _inside_quotes(chunk)
            # In a column with a null text of its own Polars keeps a quoted empty cell as empty text.
            frame = frame.with_columns(pl.col(*self._nulls).replace("", None)) if self._nulls else frame
        commas = frame.height * (len(self._names) - 1) + _count(quoted, b",")
        newlines = frame.height - (not chunk.endswith(b"\n")) + _count(quoted, b"\n")
        return frame if (_count(chunk, b","), _count(chunk, b"\n")) == (commas, newlines) else None

    def _sort_out(self, chunk: bytes) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
        """The good rows of a chunk as a frame, and (line, rule, reason) of the others."""
        good: list[bytes] = []
        rejects: list[tuple[str, str, str]] = []
        for record in _records(chunk):
            fault = self._fault(record)
            if fault is None:
                good.append(record if record.endswith(b"\n") else record + b"\n")
            else:
                line = record.rstrip(b"\r\n").decode("utf-8", "replace").replace("\0", "\ufffd")
                rejects.append((line, *fault))
        if not good:
            return pl.DataFrame(schema=dict.fromkeys(self._names, pl.String)), rejects
        frame = self._parse(b"".join(good))
        return (self._parse_slowly(good) if frame is None else frame), rejects

    def _fault(self, record: bytes) -> tuple[str, str] | None:
        """(rule, reason) why a record cannot be read as a row, or None."""
        if b"\0" in record:
            return "nul_byte", "holds a NUL byte, which no text column can store"
        if record.count(b'"') % 2:
            return "open_quote", "a quote is opened and never closed"
        try:
            text = record.decode("utf-8")
        except UnicodeDecodeError as exc:
            return "invalid_utf8", f"byte {exc.start + 1} is not UTF-8 (0x{record[exc.start]:02x})"
        fields = len(next(csv.reader(text.splitlines(keepends=True)), []))
        if fields != len(self._names):
            return "ragged", f"{fields} fields where the header has {len(self._names)}"
        return None

    def _parse_slowly(self, records: list[bytes]) -> pl.DataFrame:
        """Rows as the csv module reads them; for rows polars refuses though they have the right width."""
        rows = csv.reader(b"".join(records).decode("utf-8").splitlines(keepends=True))
        frame = pl.DataFrame(list(rows), schema=dict.fromkeys(self._names, pl.String), orient="row")
        nulls = [pl.col(name).replace(text, None) for name, text in self._nulls.items()]
        return frame.with_columns(pl.all().replace("", None)).with_columns(nulls)

    def _arrange(self, frame: pl.DataFrame) -> pl.DataFrame:
        raw = self._layout.columns.values()
        absent = [pl.lit(None, pl.String).alias(name) for name in raw if name not in self._names]
        return frame.with_columns(absent).select(*raw)


def _read_whole_rows(file: BinaryIO, chunk_bytes: int) -> bytes:
    """The next chunk, stretched to the end of a row; a newline inside quotes does not end one."""
    chunk = file.read(chunk_bytes) + file.readline()
    if not chunk.count(b'"') % 2:
        return chunk
    before, tail = file.tell(), bytearray()
    while len(tail) < OPEN_QUOTE_LIMIT and (line := file.readline()):
        tail += line
        if line.count(b'"') % 2:
            return chunk + bytes(tail)
    file.seek(before)
    return chunk


def _records(chunk: bytes) -> Iterator[bytes]:
    """The chunk's rows; a line whose quote finds no end within the limit stands alone. No blank lines."""
    lines = _lines(chunk)
    at = 0
    while at < len(lines):
        end = _record_end(lines, at)
        record = b"".join(lines[at:end])
        if record.strip(b"\r\n"):
            yield record
        at = end


def _lines(chunk: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in chunk.split(b"\n")]
    last = lines.pop()
    return [*lines, last[:-1]] if last != b"\n" else lines


def _record_end(lines: list[bytes], at: int) -> int:
    """Index after the record that begins at line `at`."""
    if not lines[at].count(b'"') % 2:
        return at + 1
    size = len(lines[at])
    for end in range(at + 1, len(lines)):
        size += len(lines[end])
        if size > OPEN_QUOTE_LIMIT:
            break
        if lines[end].count(b'"') % 2:
            return end + 1
    return at + 1


def _inside_quotes(chunk: bytes) -> bytes:
    """What stands between quotes, where commas and newlines are part of values."""
    return b"".join(chunk.split(b'"')[1::2])


def _count(data: bytes, mark: bytes) -> int:
    # Twice as fast as bytes.count for marks as dense as these.
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == mark[0]))
