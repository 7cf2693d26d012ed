"""A small HTTP server that answers given bodies at given paths, and a real client of it. No DHIS2 is imitated here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.batches import BatchSource
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpOptions

JSON = "application/json;charset=UTF-8"


@dataclass
class Recorded:
    """What is served by path; other paths get DHIS2's 404."""

    folder: Path
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    url: str = ""

    def file(self, path: str, name: str, *, status: int = 200, kind: str = JSON) -> None:
        """Serve a recorded file, byte for byte."""
        self.answers[path] = (status, kind, (self.folder / name).read_bytes())

    def body(self, path: str, body: Any) -> None:
        """Serve a body made by the test."""
        self.answers[path] = (200, JSON, json.dumps(body).encode())


@contextmanager
def serving(recorded: Recorded) -> Iterator[Recorded]:
    """Answer over a real socket until the block ends."""
    missing = (404, JSON, b'{"httpStatus":"Not Found","httpStatusCode":404,"status":"ERROR","message":"not recorded"}')

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = recorded.answers.get(urlsplit(self.path).path, missing)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorded.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()


def client_of(recorded: Recorded, spool_dir: Path) -> Dhis2Client:
    """The production client, which does not wait between attempts."""
    options = HttpOptions(sleep=lambda _: None, read_timeout=10.0)
    return Dhis2Client(recorded.url, BasicAuth("reader", "secret"), spool_dir=spool_dir, options=options)


def read(source: BatchSource) -> pl.DataFrame:
    """All rows; a row that could not be read fails the test."""
    batches = list(source)
    assert [batch.rejects for batch in batches if batch.rejects is not None] == []
    return pl.concat([batch.frame for batch in batches])
