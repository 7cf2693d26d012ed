"""Bodies on disk to raw records: JSON pages and newline-delimited exports. Knows nothing of what a record holds.

Reading is also the proof that a body is whole. Text that is no Unicode breaks no body: the record that has it is
rejected when it is decoded (`decode.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hic_assets.extract.errors import TruncatedBody, UnexpectedContent
from hic_assets.extract.rest.paging import Export
from hic_assets.extract.spool import Fault

_TOO_DEEP: Fault = (UnexpectedContent, "the JSON body is nested deeper than any data")
RawRecord = bytes | msgspec.Raw
BLOCK_BYTES = 1024**2
LINE_BYTES = 16 * 1024**2
"""Of one line of an export: more is not a record of anything."""
MOST_RECORDS = 100_000
"""Of one page: more is no page."""
NO_CHARACTER = b"\xff"
"""Stands for half a surrogate pair, which msgspec would refuse the whole page for."""

_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.decode
# An escaped backslash and a whole pair are passed over, so that what is left to match is half a pair.
_HALF_PAIR = re.compile(
    rb"\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


@dataclass(frozen=True)
class Page:
    """`records`: JSON each, of whatever type. `values`: by dotted path what the body says besides, as far as it does."""

    records: Sequence[RawRecord]
    values: Mapping[str, Any]
    digest: bytes


def read_page(path: Path, rows: str, facts: Sequence[str]) -> Page | Fault:
    """The records of a JSON body in the list at the dotted path `rows`, and the facts at theirs; or what is wrong."""
    data = without_half_pairs(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    try:
        return _page(data, rows, facts)
    except RecursionError:
        return _TOO_DEEP
    except _TooMany:
        return UnexpectedContent, f"the page holds more than {MOST_RECORDS:,} records"
    except msgspec.ValidationError:
        where = f"list at {rows}" if rows else "list"
        # A body that is cut may look like one of another shape.
        return _fault_of(data) or (UnexpectedContent, f"the JSON body has no {where}")
    except msgspec.DecodeError as exc:
        return _broken(exc)
    except UnicodeDecodeError:
        return UnexpectedContent, "the name of a member, or what tells of the page, is no UTF-8"


def _page(data: bytes, rows: str, facts: Sequence[str]) -> Page:
    if not rows:
        records = _listed(data)
        return Page(records, {}, _digest(records))
    top = _object(data)
    found = {path: _at(top, path) for path in facts}
    records = _listed(_at(top, rows) or b"null")
    told = {path: _any(raw) for path, raw in found.items() if raw is not None}
    return Page(records, told, _digest(records))


class _TooMany(Exception):
    """More records than a page can hold."""


def _listed(data: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    records = _list(data)
    if len(records) > MOST_RECORDS:
        raise _TooMany
    return records


def _at(members: Mapping[str, msgspec.Raw], path: str) -> msgspec.Raw | None:
    """What stands at a dotted path; None where nothing does."""
    first, _, rest = path.partition(".")
    found = members.get(first)
    if found is None or not rest:
        return found
    return _at(_object(found), rest)


def _digest(records: Sequence[RawRecord]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for record in records:
        digest.update(record)
        digest.update(b"\n")
    return digest.digest()


def _fault_of(data: bytes) -> Fault | None:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except msgspec.DecodeError as exc:
        return _broken(exc)
    except RecursionError:
        return _TOO_DEEP
    return None


def _broken(error: msgspec.DecodeError) -> Fault:
    if str(error) == "Input data was truncated":
        return TruncatedBody, "the JSON body stops before its end"
    return UnexpectedContent, f"the JSON body is broken ({error})"


def without_half_pairs(data: bytes) -> bytes:
    """The JSON with NO_CHARACTER for escapes that are half a surrogate pair."""
    if b"\\ud" not in data and b"\\uD" not in data:
        return data
    return _HALF_PAIR.sub(lambda found: NO_CHARACTER if found[1] else found[0], data)


def check_export(path: Path, form: Export) -> Fault | None:
    """What is wrong with an export: it has no closing line, or that counts other lines than there are."""
    lines, last, closed = 0, b"", False
    for block in blocks(path):
        if isinstance(block, str):
            return UnexpectedContent, block
        if closed:
            return UnexpectedContent, "more lines follow the line that says it is the last"
        lines += len(block)
        last = block[-1]
        closed = _closing(last, form) is not None
    said = _closing(last, form) if last else None
    if said is None:
        return TruncatedBody, f"the export stops after {lines:,} lines, without the one that says it is whole"
    if said != lines - 1:
        return UnexpectedContent, f"the export holds {lines - 1:,} records and says that it has {said:,}"
    return None


def export_records(path: Path, form: Export) -> Iterator[list[bytes]]:
    """The lines of an export that was checked, some at a time, without the closing one."""
    for block in blocks(path):
        assert isinstance(block, list)  # noqa: S101  (checked before)
        records = block if _closing(block[-1], form) is None else block[:-1]
        if records:
            yield records


def blocks(path: Path) -> Iterator[list[bytes] | str]:
    """The lines that are not blank, some at a time; words in place of a line that is too long."""
    with path.open("rb") as file:
        rest = b""
        while piece := file.read(BLOCK_BYTES):
            whole, newline, tail = piece.rpartition(b"\n")
            if newline:
                yield from _lines(rest + whole)
            # Without a newline `whole` is empty and `tail` is the piece.
            rest = tail if newline else rest + tail
            if len(rest) > LINE_BYTES:
                yield f"a line is longer than {LINE_BYTES:,} bytes"
                return
        yield from _lines(rest)


def _lines(text: bytes) -> Iterator[list[bytes]]:
    found = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    if found:
        yield found


def _closing(line: bytes, form: Export) -> int | None:
    """The count that a closing line tells; None for other lines."""
    if len(line) > 1024:
        return None
    try:
        found = _any(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(found, dict) or found.get(form.end) is not True:
        return None
    count = found.get(form.count)
    return count if isinstance(count, int) and not isinstance(count, bool) else -1
