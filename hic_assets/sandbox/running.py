"""Running the sandbox: in a thread of this process, for tests and the demo.

Belongs here: starting, stopping and the handle. Does not belong here: what is served.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hic_assets.sandbox.server.app import CONTEXT, HMIS, Dhis2, LoggedRequest
from hic_assets.sandbox.server.auth import Credentials, personal_access_token
from hic_assets.sandbox.server.clinical.base import ClinicalServer
from hic_assets.sandbox.server.during import Interruption, Interruptions
from hic_assets.sandbox.server.faults import Faults
from hic_assets.sandbox.server.replies import login_page
from hic_assets.sandbox.server.tracker.differences import Differences
from hic_assets.sandbox.server.tracker.instance import TrackerInstance
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.country import DEFAULT_TODAY
from hic_assets.sandbox.world.trackers.bench import synthetic_store
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES

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
    """A running sandbox. ``url`` is the base of the HMIS (with its context path); append ``/api/...``.

    ``urls`` holds the base of every system by name. ``username``, ``password`` and ``token`` are those of the DHIS2
    servers; ``credentials`` holds those of every other system by name, under the names of its settings (username,
    password, token). ``trackers`` and ``clinical`` are the servers of the trackers and of the clinical systems: their
    ``store`` holds the records and the changes that can be made to them. ``versions`` may be changed while it runs.
    """

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
    urls: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)
    trackers: dict[str, TrackerInstance] = field(default_factory=dict)
    clinical: dict[str, ClinicalServer] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    differences: Differences = field(default_factory=Differences)
    interruptions: Interruptions = field(default_factory=Interruptions)

    def during(self, path_pattern: str, *, after_requests: int, do: Callable[[], object]) -> Interruption:
        """Call ``do`` once, between two requests whose path and query match (see ``Interruptions.during``)."""
        return self.interruptions.during(path_pattern, after_requests=after_requests, do=do)


class Listener:
    """One uvicorn server on a loopback port, in a thread."""

    def __init__(self, app: object, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="critical",
            lifespan="off",
            timeout_keep_alive=30,
            date_header=False,  # the world has a clock of its own
        )
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
    versions: Mapping[str, str] | None = None,
    tracker_events: int | None = None,
) -> Iterator[Sandbox]:
    """A sandbox over HTTP on 127.0.0.1 for the length of the block; ``world`` replaces the other settings.

    ``versions`` are those of systems that do not speak ``version``. ``tracker_events`` gives the HIV tracker so many
    events in place of its own (for benchmarks).
    """
    versions = dict(versions or {})
    if HMIS in versions:
        # the world's version is that of the HMIS; every other system keeps the common one
        versions = dict.fromkeys((i.name for i in INSTANCES), version) | versions
    version = versions.pop(HMIS, version)
    world = world or World(seed=seed, scale=scale, today=today, version=version, timezone=timezone)
    if tracker_events is not None:
        synthetic_store(world, tracker_events)
    credentials = Credentials(USERNAME, PASSWORD, personal_access_token(world.seed))
    elsewhere = Elsewhere()
    other = Listener(elsewhere)
    server = Dhis2(world, credentials, elsewhere=other.base, cache=cache_dir, versions=versions)
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
            urls={HMIS: listener.base + CONTEXT}
            | {name: listener.base + tracker.spec.context for name, tracker in server.trackers.items()}
            | {name: listener.base + one.context for name, one in server.clinical.items()},
            credentials={name: one.gate.account.variables() for name, one in server.clinical.items()},
            trackers=server.trackers,
            clinical=server.clinical,
            versions=server.versions,
            differences=server.differences,
            interruptions=server.interruptions,
        )
    finally:
        listener.stop()
        other.stop()
