"""Running the sandbox: in a thread of this process, for tests and the demo.

Belongs here: starting, stopping and the handle. Does not belong here: what is served.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hic_assets.sandbox.server.app import CONTEXT, Dhis2, LoggedRequest
from hic_assets.sandbox.server.auth import Credentials, personal_access_token
from hic_assets.sandbox.server.faults import Faults
from hic_assets.sandbox.server.replies import login_page
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.country import DEFAULT_TODAY

USERNAME, PASSWORD = "hic_reader", "Sandbox-2026"


class Elsewhere:
    """Another host: it logs who comes (and whether with credentials) and shows a login page."""

    def __init__(self) -> None:
        self.requests: list[LoggedRequest] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log and answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        query = scope["query_string"].decode("latin-1")
        self.requests.append(LoggedRequest(request.method, request.url.path, query, 200, dict(request.headers)))
        await login_page()(scope, receive, send)


@dataclass
class Sandbox:
    """A running sandbox. ``url`` is the DHIS2 base (with its context path); append ``/api/...``."""

    url: str
    control_url: str
    username: str
    password: str
    token: str
    world: World
    faults: Faults
    requests: list[LoggedRequest]
    elsewhere_url: str
    elsewhere_requests: list[LoggedRequest] = field(default_factory=list)


class Listener:
    """One uvicorn server on a loopback port, in a thread."""

    def __init__(self, app: object, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_keep_alive=30)  # type: ignore[arg-type]
        self._server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> None:
        """Start and wait until it answers."""
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            if time.monotonic() > deadline or not self.thread.is_alive():
                raise RuntimeError(f"the sandbox did not start on {self.base}")
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop without waiting for open connections."""
        self._server.should_exit = self._server.force_exit = True
        self.thread.join(10)
        self._socket.close()


@contextmanager
def running_sandbox(
    *,
    seed: int = 1,
    scale: float = 0.02,
    today: date = DEFAULT_TODAY,
    version: str = "2.40.12",
    timezone: str = "Africa/Kigali",
    port: int = 0,
    cache_dir: Path | None = None,
    world: World | None = None,
) -> Iterator[Sandbox]:
    """A sandbox over HTTP on 127.0.0.1 for the length of the block; ``world`` replaces the other settings."""
    world = world or World(seed=seed, scale=scale, today=today, version=version, timezone=timezone)
    credentials = Credentials(USERNAME, PASSWORD, personal_access_token(world.seed))
    elsewhere = Elsewhere()
    other = Listener(elsewhere)
    server = Dhis2(world, credentials, elsewhere=other.base, cache=cache_dir)
    listener = Listener(server, port)
    other.start()
    listener.start()
    try:
        yield Sandbox(
            url=listener.base + CONTEXT,
            control_url=listener.base + "/sandbox/control",
            username=USERNAME,
            password=PASSWORD,
            token=credentials.token,
            world=world,
            faults=server.faults,
            requests=server.requests,
            elsewhere_url=other.base,
            elsewhere_requests=elsewhere.requests,
        )
    finally:
        listener.stop()
        other.stop()
