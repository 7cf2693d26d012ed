"""A response body onto disk: decoded, capped in size and proved complete, in bounded memory."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from hic_assets.extract.errors import SpoolFull, TooLarge, TruncatedBody, UnexpectedContent
from hic_assets.extract.json_stream import IncompleteJson, MalformedJson, members

PIECE_BYTES = 1024 * 1024
CSV_TYPES = ("application/csv", "text/csv")
JSON_TYPES = ("application/json",)


@dataclass(frozen=True)
class Spooled:
    """A complete body on disk. Use as a context manager: the file is gone afterwards.

    `bytes` is the decoded size; `url` holds no secret; `seconds` includes waits between attempts. `headers`: of the
    reply, whatever the case of their names.
    """

    path: Path
    url: str
    content_type: str
    bytes: int
    seconds: float
    attempts: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_csv(self) -> bool:
        """Whether the server called it CSV."""
        return self.content_type in CSV_TYPES

    def discard(self) -> None:
        """Delete the file; harmless when it is gone already."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Spooled:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


@dataclass(frozen=True)
class Where:
    """For errors about a body: the system, the clean URL, and the caps and folder that apply."""

    system: str
    url: str
    folder: Path
    max_bytes: int


def write_body(pieces: Iterable[bytes], encoding: str, where: Where) -> tuple[Path, int]:
    """(file, decoded bytes). Raises TooLarge, TruncatedBody (a cut gzip stream) and SpoolFull."""
    handle, name = tempfile.mkstemp(prefix="body-", dir=where.folder)
    path, written, full = Path(name), 0, False
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in _decoded(pieces, encoding, where):
                written += len(piece)
                _refuse_too_large(written, where)
                file.write(piece)
    except OSError as exc:
        path.unlink(missing_ok=True)
        if exc.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        full = True
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if full:
        raise SpoolFull(where.system, where.url, where.folder, written, shutil.disk_usage(where.folder).free)
    return path, written


def _refuse_too_large(written: int, where: Where) -> None:
    if written > where.max_bytes:
        what = f"the body is larger than the cap of {where.max_bytes:,} bytes"
        raise TooLarge(where.system, where.url, what)


Fault = tuple[type[TruncatedBody | UnexpectedContent], str]
"""What is wrong with a body: the error it is, and the words for it."""
Check = Callable[[Path], Fault | None]
"""Proves that a body is whole, or says what is wrong with it."""


def check_complete(
    path: Path, content_type: str, where: Where, empty_ok: bool = False, check: Check | None = None
) -> None:
    """Raises TruncatedBody unless a CSV ends with a newline and a JSON object is closed (contract 1.3).

    An empty body is complete only where the caller says that it may mean "nothing". `check`: the caller's own proof
    in place of this one, for what is read to its end anyway.
    """
    if path.stat().st_size == 0:
        if empty_ok:
            return
        raise TruncatedBody(where.system, where.url, "the body is empty, without even a header")
    check = check or _CHECKS.get(content_type)
    fault = check(path) if check else None
    if fault is not None:
        raise fault[0](where.system, where.url, fault[1])


def _check_csv(path: Path) -> Fault | None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        whole = file.read(1) == b"\n"
    return None if whole else (TruncatedBody, f"the CSV body stops inside a row, after {size:,} bytes")


def check_json(path: Path) -> Fault | None:
    """Walks the whole object."""
    try:
        for _ in members(path):
            pass
    except IncompleteJson as exc:
        return TruncatedBody, f"the JSON body stops before its end ({exc})"
    except MalformedJson as exc:
        return UnexpectedContent, f"the JSON body is broken ({exc})"
    except RecursionError:
        return UnexpectedContent, "the JSON body is nested deeper than any data"
    return None


_CHECKS: dict[str, Check] = {
    **dict.fromkeys(CSV_TYPES, _check_csv),
    **dict.fromkeys(JSON_TYPES, check_json),
}


def _decoded(pieces: Iterable[bytes], encoding: str, where: Where) -> Iterator[bytes]:
    """Pieces decoded from gzip or deflate, never more than PIECE_BYTES at once, however well packed."""
    if encoding in {"", "identity"}:
        yield from pieces
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        what = f"content encoding {encoding}, which was not asked for"
        raise UnexpectedContent(where.system, where.url, what)
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
    fault = ""
    for piece in pieces:
        rest = piece
        while rest:
            try:
                out = decoder.decompress(rest, PIECE_BYTES)
            except zlib.error as exc:
                fault = f"the compressed body is broken ({exc})"
                break
            if out:
                yield out
            rest = decoder.unconsumed_tail
            if decoder.eof and decoder.unused_data:
                rest, decoder = decoder.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 32)
        if fault:
            break
    if fault or not decoder.eof:
        raise TruncatedBody(where.system, where.url, fault or "the compressed body stops before its end")
