"""Kinds of paging: page numbers, cursor, ``Link`` header, offset with total, and one export of newline-delimited JSON.

Belongs here: which rows a page has and the envelope around them. Does not belong here: what a row says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import polars as pl
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hic_assets.sandbox.server.clinical.parameters import Asked

Lines = Callable[[pl.DataFrame], list[bytes]]
"""From records (a standing frame) to JSON objects, one a record, in order."""
CHUNK = 2_000


class Paging(ABC):
    """One kind of paging; frozen."""

    @abstractmethod
    def read(self, asked: Asked) -> Any:
        """Take the paging parameters out of a request."""

    @abstractmethod
    def reply(self, request: Request, at: Any, found: pl.DataFrame, lines: Lines) -> Response:
        """The page of ``found`` (ordered by id) that was asked for."""


def _reply(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, headers=headers, media_type="application/json")


def _array(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


@dataclass(frozen=True)
class PageNumbers(Paging):
    """``page`` from 1 and ``per_page``; ``{"meta": {"page", "per_page", "total_pages", "total"}, "data": [...]}``."""

    default: int = 50
    most: int = 200

    def read(self, asked: Asked) -> tuple[int, int]:
        """Page and size."""
        return asked.number("page", 1, 1, 1_000_000), asked.number("per_page", self.default, 1, self.most)

    def reply(self, request: Request, at: tuple[int, int], found: pl.DataFrame, lines: Lines) -> Response:
        """The page in its envelope."""
        page, size = at
        rows = lines(found.slice((page - 1) * size, size))
        meta = {"page": page, "per_page": size, "total_pages": -(-found.height // size), "total": found.height}
        return _reply(b'{"meta":' + json.dumps(meta).encode() + b',"data":' + _array(rows) + b"}")


@dataclass(frozen=True)
class Cursor(Paging):
    """``limit`` and ``cursor``; ``{"items": [...], "next_cursor": "..." | null}``.

    A cursor belongs to the question it came from: other parameters may be repeated with it, but not changed.
    """

    default: int = 100
    most: int = 500

    def read(self, asked: Asked) -> tuple[str, int]:
        """The id after which to go on, and the size."""
        limit = asked.number("limit", self.default, 1, self.most)
        cursor = asked.text("cursor")
        if cursor is None:
            return "", limit
        try:
            last, question = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            if not isinstance(last, str) or question != _question(asked.params):
                raise ValueError  # noqa: TRY301
        except (ValueError, TypeError, binascii.Error):
            asked.wrong["cursor"] = "was not given out for this question"
            return "", limit
        return last, limit

    def reply(self, request: Request, at: tuple[str, int], found: pl.DataFrame, lines: Lines) -> Response:
        """The page, and the cursor of the next."""
        last, limit = at
        rest = found.filter(pl.col("id") > last) if last else found
        page = rest.head(limit)
        following = None
        if rest.height > limit:
            text = json.dumps([page["id"][-1], _question(request.query_params)])
            following = base64.urlsafe_b64encode(text.encode()).decode()
        return _reply(b'{"items":' + _array(lines(page)) + b',"next_cursor":' + json.dumps(following).encode() + b"}")


def _question(params: QueryParams) -> str:
    asked = sorted((k, v) for k, v in params.multi_items() if k not in ("cursor", "limit"))
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class LinkHeader(Paging):
    """``limit`` and ``startIndex``; ``{"results": [...]}``, and ``Link: <...>; rel="next"`` while there is more. ``X-Total-Count`` tells
    how many there are: the only proof that no proxy took a link away.
    """

    default: int = 50
    most: int = 100

    def read(self, asked: Asked) -> tuple[int, int]:
        """Start and size."""
        return asked.number("startIndex", 0, 0, 100_000_000), asked.number("limit", self.default, 1, self.most)

    def reply(self, request: Request, at: tuple[int, int], found: pl.DataFrame, lines: Lines) -> Response:
        """The page, and the link to the next."""
        start, limit = at
        headers = {"X-Total-Count": str(found.height)}
        if start + limit < found.height:
            others = [(k, v) for k, v in request.query_params.multi_items() if k not in ("startIndex", "limit")]
            query = urlencode([*others, ("limit", limit), ("startIndex", start + limit)])
            headers["Link"] = f'<{str(request.url).partition("?")[0]}?{query}>; rel="next"'
        return _reply(b'{"results":' + _array(lines(found.slice(start, limit))) + b"}", headers)


@dataclass(frozen=True)
class Offset(Paging):
    """``offset`` and ``limit``; a bare array, and ``X-Total-Count``."""

    default: int = 100
    most: int = 1_000

    def read(self, asked: Asked) -> tuple[int, int]:
        """Offset and size."""
        return asked.number("offset", 0, 0, 100_000_000), asked.number("limit", self.default, 1, self.most)

    def reply(self, request: Request, at: tuple[int, int], found: pl.DataFrame, lines: Lines) -> Response:
        """The bare page, and the total."""
        rows = lines(found.slice(*at))
        return _reply(_array(rows), {"X-Total-Count": str(found.height)})


@dataclass(frozen=True)
class Export(Paging):
    """No pages: one body of newline-delimited JSON, gzip where the client takes it; the last line says how many."""

    def read(self, asked: Asked) -> None:
        """Nothing."""

    def reply(self, request: Request, at: None, found: pl.DataFrame, lines: Lines) -> Response:
        """The whole, streamed."""
        body, headers = _export(found, lines), {"Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = _zipped(body), "gzip"
        return StreamingResponse(body, headers=headers, media_type="application/x-ndjson")


def _export(found: pl.DataFrame, lines: Lines) -> Iterator[bytes]:
    count = 0
    for begin in range(0, found.height, CHUNK):
        rows = lines(found.slice(begin, CHUNK))
        count += len(rows)
        yield b"".join(row + b"\n" for row in rows)
    yield json.dumps({"end": True, "count": count}).encode() + b"\n"


def _zipped(body: Iterator[bytes]) -> Iterator[bytes]:
    squeezing = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in body:
        yield squeezing.compress(piece) + squeezing.flush(zlib.Z_SYNC_FLUSH)
    yield squeezing.flush()
