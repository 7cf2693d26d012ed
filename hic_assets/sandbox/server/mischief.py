"""Faults of the transport and of the bytes: what proxies, networks and dying servers do to a reply.

Belongs here: replies given instead of the real one, and changes to its finished body. Rows are spoiled in ``spoil``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from hic_assets.sandbox.server.faults import Fault
from hic_assets.sandbox.server.replies import login_page, not_found_page, proxy_page

BODY_FAULTS = (
    "cut_body",
    "truncated_body",
    "truncated_json",
    "empty_body",
    "wrong_columns",
    "ragged_rows",
    "invalid_utf8",
)


def instead(request: Request, struck: dict[str, Fault], elsewhere: str) -> Response | None:
    """The reply given instead of the real one, if such a fault struck."""
    for name, status in (("unavailable", 503), ("rate_limited", 429)):
        if name in struck:
            wait = struck[name].options.get("retry_after")
            answer = int(struck[name].options.get("status", status))
            return proxy_page(answer, {"Retry-After": str(wait)} if wait is not None else None)
    if "html_login" in struck:
        return login_page()
    if "html_404" in struck:
        return not_found_page()
    if "redirect" in struck:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{elsewhere}{request.url.path}{query}", struck["redirect"].options.get("status", 302))
    return None


def reset(send: Send) -> bool:
    """Reset the TCP connection under uvicorn's ``send``; False when there is no transport to be found."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        return False
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return True


class Spoiler:
    """An ASGI ``send`` that holds a reply back until it is whole, then sends it spoiled."""

    def __init__(self, send: Send, struck: dict[str, Fault]) -> None:
        self._send, self._struck = send, struck
        self._start: Message = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Collect; on the last message pass the spoiled reply on."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        body = bytes(self._body)
        if self._start["status"] == 200:
            body = _spoil_bytes(body, self._struck)
        cut = "cut_body" in self._struck and self._start["status"] == 200
        headers = [(k, v) for k, v in self._start["headers"] if k.lower() != b"content-length"]
        if not cut:
            headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**self._start, "headers": headers})
        if cut:
            # the application returns without finishing the reply; uvicorn then closes the connection
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            return
        await self._pour(body)

    async def _pour(self, body: bytes) -> None:
        slow = self._struck.get("slow")
        pieces = int(slow.options.get("trickle", 0)) if slow else 0
        if slow and pieces > 1:
            size = len(body) // pieces + 1
            for begin in range(0, len(body), size):
                piece = body[begin : begin + size]
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(float(slow.options.get("seconds", 0.2)) / pieces)
            body = b""
        await self._send({"type": "http.response.body", "body": body})


def _spoil_bytes(body: bytes, struck: dict[str, Fault]) -> bytes:
    if "empty_body" in struck:
        return b""
    if "wrong_columns" in struck:
        body = _wrong_columns(body, **struck["wrong_columns"].options)
    lines = body.split(b"\n")
    if "ragged_rows" in struck:
        for i in range(1, min(len(lines) - 1, 1 + int(struck["ragged_rows"].options.get("rows", 3)))):
            lines[i] += b",surplus"
        body = b"\n".join(lines)
    if "invalid_utf8" in struck:
        for i in range(1, min(len(lines) - 1, 1 + int(struck["invalid_utf8"].options.get("rows", 1)))):
            lines[i] = _no_utf8(lines[i])
        body = b"\n".join(lines)
    for name in ("cut_body", "truncated_body", "truncated_json"):
        if name in struck:
            body = _cut(body, float(struck[name].options.get("fraction", 0.6)))
    return body


def _no_utf8(line: bytes) -> bytes:
    """Latin-1 bytes in the storedby field (the seventh), as an old import leaves them."""
    fields = line.split(b",")
    if len(fields) > 6:
        fields[6] = b"S\xe9raphine"
    return b",".join(fields)


def _wrong_columns(body: bytes, column: str = "value", to: str | None = None, **_: Any) -> bytes:
    header, _newline, rest = body.partition(b"\n")
    names = header.decode().split(",")
    if column not in names:
        return body
    at = names.index(column)
    if to is not None:
        names[at] = to
        return ",".join(names).encode() + b"\n" + rest
    del names[at]
    kept = [b",".join(f for i, f in enumerate(line.split(b",")) if i != at) for line in rest.split(b"\n")]
    return ",".join(names).encode() + b"\n" + b"\n".join(kept)


def _cut(body: bytes, fraction: float) -> bytes:
    """The beginning of a body, ending inside a row."""
    at = max(1, int(len(body) * fraction))
    while at > 1 and body[at - 1 : at] in (b"\n", b"}", b"]"):
        at -= 1
    return body[:at]


async def swallow(_scope: Scope, receive: Receive) -> None:
    """Read a request to its end."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
