"""The ASGI application: faults and authentication before the routes, and a log of every request.

Belongs here: wiring. The HMIS is routed here; each tracker and each clinical system has a context path of its own and
routes itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from hic_assets.sandbox.server import aggregate, control, mischief, system
from hic_assets.sandbox.server.auth import Credentials, refuse
from hic_assets.sandbox.server.clinical import CLINICAL
from hic_assets.sandbox.server.clinical.base import ClinicalServer
from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.during import Interruptions
from hic_assets.sandbox.server.faults import Fault, Faults
from hic_assets.sandbox.server.metadata import Metadata
from hic_assets.sandbox.server.replies import ApiError, error, login_page, not_found_page
from hic_assets.sandbox.server.tracker.differences import Differences
from hic_assets.sandbox.server.tracker.instance import TrackerInstance
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.registry import RESOURCES
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES

log = logging.getLogger(__name__)
HMIS, CONTEXT = "hmis", "/hmis"
FORM_BYTES = 65_536
"""The longest body of a POST that is read: a request for a token is far shorter."""
SECRET_HEADERS = ("authorization", "x-api-key")
_API = re.compile(r"^/\w+/api/(?:\d{2}/)?(.*?)(?:\.(json|csv))?/?$")


@dataclass
class LoggedRequest:
    """One request the server saw; ``status`` is 0 until it is answered, and stays 0 when the connection was reset."""

    method: str
    path: str
    query: str
    status: int
    headers: dict[str, str]


class Dhis2:
    """One country served as an HMIS and four trackers, each a DHIS2 under its own context path, and the clinical systems.

    ``elsewhere`` is the base of another host the redirect fault points to. ``versions`` are those of systems that do
    not speak the world's version.
    """

    def __init__(
        self,
        world: World,
        credentials: Credentials,
        *,
        faults: Faults | None = None,
        elsewhere: str = "http://127.0.0.1:9",
        cache: Path | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.world, self.credentials, self.elsewhere, self.cache = world, credentials, elsewhere, cache
        self.faults = faults or Faults(world.seed)
        self.requests: list[LoggedRequest] = []
        self.metadata = Metadata(world)
        self.interruptions = Interruptions()
        self.differences = Differences()
        self.versions = dict(versions or {})
        self.trackers = {
            spec.name: TrackerInstance(world, spec, partial(self.version, spec.name), self.differences)
            for spec in INSTANCES
        }
        self.clinical = {name: ClinicalServer(world, api, self.faults) for name, api in CLINICAL.items()}
        self._contexts = {tracker.spec.context: tracker for tracker in self.trackers.values()}

    def version(self, system: str) -> str:
        """The version a system speaks; that of the HMIS is the world's."""
        return self.world.version if system == HMIS else self.versions.get(system, self.world.version)

    @property
    def systems(self) -> list[str]:
        """The names of the DHIS2 servers."""
        return [HMIS, *self.trackers]

    def set_version(self, system: str, version: str | None) -> None:
        """Let a system speak another version; a tracker goes back to the world's with None."""
        if system == HMIS and version is not None:
            self.world.version = version
        elif system not in self.trackers:
            raise ValueError(f"no tracker {system!r}; there are {', '.join(self.trackers)}")
        elif version is None:
            self.versions.pop(system, None)
        else:
            self.versions[system] = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if request.url.path.startswith("/sandbox"):
            await (await control.answer(self, request))(scope, receive, send)
            return
        entry = self._log(request)
        for interruption in self.interruptions.due(f"{request.url.path}?{entry.query}"):
            await run_in_threadpool(interruption.do)
        struck = self.faults.strike(request.url.path, entry.query)
        if "slow" in struck and not struck["slow"].options.get("trickle"):
            await asyncio.sleep(float(struck["slow"].options.get("seconds", 0.2)))
        if "reset" in struck:
            await mischief.swallow(scope, receive)
            mischief.reset(send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message = {**message, "headers": [*message["headers"], self._date()]}
            await send(message)

        response = mischief.instead(request, struck, self.elsewhere)
        if response is None:
            form = await _form(request)
            response = await run_in_threadpool(self._answer, request, form, struck)
        spoiled = any(name in struck for name in mischief.BODY_FAULTS) or "slow" in struck
        outgoing = mischief.Spoiler(noting, struck).send if spoiled else noting
        await response(scope, receive, outgoing)

    def _date(self) -> tuple[bytes, bytes]:
        """The ``Date`` header by the clock of the world, whose stamps the records bear."""
        return b"date", format_datetime(self.world.now.astimezone(UTC), usegmt=True).encode()

    def _log(self, request: Request) -> LoggedRequest:
        query = request.scope["query_string"].decode("latin-1")
        headers = {k: v for k, v in request.headers.items() if k not in SECRET_HEADERS}
        headers["has-authorization"] = str(any(name in request.headers for name in SECRET_HEADERS)).lower()
        entry = LoggedRequest(request.method, request.url.path, query, 0, headers)
        self.requests.append(entry)
        return entry

    def _answer(self, request: Request, form: bytes, struck: dict[str, Fault]) -> Response:
        path = request.url.path
        if "/dhis-web-" in path:
            return login_page()
        context = "/" + path.split("/")[1]
        if context[1:] in self.clinical:
            return self.clinical[context[1:]].answer(request, form, struck)
        tracker = self._contexts.get(context)
        if tracker is None and context != CONTEXT:
            return not_found_page()
        version = self.version(tracker.spec.name if tracker else HMIS)
        refused = refuse(request, self.credentials, Dialect(version), context)
        if refused is not None:
            return refused
        match = _API.match(path)
        if match is None:
            return not_found_page()
        if request.method not in ("GET", "HEAD"):
            return error(405, f"Request method '{request.method}' is not supported")
        path, suffix = match.group(1), match.group(2) or ""
        try:
            if path == "me":
                return JSONResponse({"id": "xE7jOejl9FI", "username": self.credentials.username})
            if tracker is not None:
                return tracker.answer(request, path, suffix, struck)
            return self._hmis(request, path, suffix, struck)
        except ApiError as problem:
            accept = request.headers.get("accept", "application/json")
            return error(problem.status, problem.message, problem.code, accept)
        except Exception:
            # a defect of the sandbox itself: who reads the log should see that it is none of the faults
            log.exception("the sandbox failed on %s", request.url.path)
            return error(500, "An unexpected error has occurred. Please contact your system administrator")

    def _hmis(self, request: Request, path: str, suffix: str, struck: dict[str, Fault]) -> Response:
        head, _, rest = path.partition("/")
        if path == "system/info":
            base = str(request.base_url).rstrip("/") + CONTEXT
            return system.info(self.world, base, struck)
        if path == "dataValueSets":
            return aggregate.data_value_sets(request, suffix, self.world, self.faults, struck, self.cache)
        if path == "completeDataSetRegistrations":
            return aggregate.complete_registrations(request, self.world)
        if head in RESOURCES:
            return self.metadata.one(request, head, rest) if rest else self.metadata.listing(request, head)
        return not_found_page()


async def _form(request: Request) -> bytes:
    """The body of a POST, up to ``FORM_BYTES``; the rest is left unread."""
    body = b""
    if request.method == "POST":
        async for piece in request.stream():
            body += piece
            if len(body) > FORM_BYTES:
                break
    return body[:FORM_BYTES]
