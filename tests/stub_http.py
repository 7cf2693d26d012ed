"""A small HTTP server that answers what a test tells it to, over real sockets."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpOptions

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
PASSWORD = "s3cret/pa ss"


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    params: list[tuple[str, str]]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.params if key == name]

    def one(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


@dataclass
class Answer:
    """What to send. `fault`: None, cut (Content-Length unmet), cut-chunked, stall (never sent) or reset.

    `raw`: writes the whole reply itself, status line and headers too; it ends when the client leaves.
    """

    body: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str | None = None
    raw: Callable[[BinaryIO], None] | None = None


def as_json(body: Any, **more: Any) -> Answer:
    return Answer(json.dumps(body).encode(), **more)


def as_csv(text: str, **more: Any) -> Answer:
    return Answer(text.encode(), "application/csv", **more)


def packed(answer: Answer) -> Answer:
    answer.headers["Content-Encoding"] = "gzip"
    answer.body = gzip.compress(answer.body)
    return answer


class Stub:
    """The server. `answer` is called once a request; `asked` holds every request in order of arrival."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Answer] = lambda _: as_json({})
        self.release = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                params = parse_qsl(parts.query, keep_blank_values=True)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(parts.path, params, dict(self.headers), self.command, body)
                stub.asked.append(asked)
                stub.send(self, stub.answer(asked))

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that leave are part of the tests."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def in_turn(self, *answers: Answer) -> None:
        """Give these answers one after the other; the last one again and again."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def send(self, to: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.fault == "reset":
            to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            to.connection.close()
            to.close_connection = True
            return
        if answer.fault == "stall":
            self.release.wait(10)
            to.close_connection = True
            return
        if answer.raw:
            to.close_connection = True
            answer.raw(to.wfile)  # type: ignore[arg-type]
            return
        to.send_response_only(answer.status)
        if "Date" not in answer.headers:
            to.send_header("Date", to.date_time_string())
        to.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            to.send_header(name, value)
        if answer.fault == "cut-chunked":
            to.send_header("Transfer-Encoding", "chunked")
            to.end_headers()
            to.wfile.write(b"%x\r\n" % len(answer.body) + answer.body + b"\r\n")
            to.close_connection = True
            return
        extra = 10 if answer.fault == "cut" else 0
        to.send_header("Content-Length", str(len(answer.body) + extra))
        to.end_headers()
        to.wfile.write(answer.body)
        if extra:
            to.close_connection = True

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Waits:
    """Waits that were asked for instead of slept."""

    slept: list[float] = field(default_factory=list)
    drawn: list[tuple[float, float]] = field(default_factory=list)

    def options(self, **more: Any) -> HttpOptions:
        def jitter(low: float, high: float) -> float:
            self.drawn.append((low, high))
            return high

        settings: dict[str, Any] = {"sleep": self.slept.append, "jitter": jitter, "clock": lambda: NOW}
        return HttpOptions(**(settings | {"connect_timeout": 2.0, "read_timeout": 5.0} | more))


Connect = Callable[..., Dhis2Client]
