"""The ASGI application: faults and authentication before the routes, and a log of every request.

Belongs here: wiring. More endpoints (trackers) are added in ``_route``.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from hic_assets.sandbox.server import aggregate, control, mischief, system
from hic_assets.sandbox.server.auth import Credentials, refuse
from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.faults import Fault, Faults
from hic_assets.sandbox.server.metadata import Metadata
from hic_assets.sandbox.server.replies import ApiError, error, login_page, not_found_page
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.registry import RESOURCES

CONTEXT = "/hmis"
_API = re.compile(rf"^{CONTEXT}/api/(?:\d{{2}}/)?(.*?)(?:\.(json|csv))?/?$")


@dataclass
class LoggedRequest:
    """One request the server saw; ``status`` is 0 until it is answered, and stays 0 when the connection was reset."""

    method: str
    path: str
    query: str
    status: int
    headers: dict[str, str]


class Dhis2:
    """One country served as one DHIS2. ``elsewhere`` is the base of another host the redirect fault points to."""

    def __init__(
        self,
        world: World,
        credentials: Credentials,
        *,
        faults: Faults | None = None,
        elsewhere: str = "http://127.0.0.1:9",
        cache: Path | None = None,
    ) -> None:
        self.world, self.credentials, self.elsewhere, self.cache = world, credentials, elsewhere, cache
        self.faults = faults or Faults(world.seed)
        self.requests: list[LoggedRequest] = []
        self.metadata = Metadata(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if request.url.path.startswith("/sandbox"):
            await (await control.answer(self, request))(scope, receive, send)
            return
        entry = self._log(request)
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
            await send(message)

        response = mischief.instead(request, struck, self.elsewhere)
        if response is None:
            response = await run_in_threadpool(self._answer, request, struck)
        spoiled = any(name in struck for name in mischief.BODY_FAULTS) or "slow" in struck
        outgoing = mischief.Spoiler(noting, struck).send if spoiled else noting
        await response(scope, receive, outgoing)

    def _log(self, request: Request) -> LoggedRequest:
        query = request.scope["query_string"].decode("latin-1")
        headers = {k: v for k, v in request.headers.items() if k != "authorization"}
        headers["has-authorization"] = str("authorization" in request.headers).lower()
        entry = LoggedRequest(request.method, request.url.path, query, 0, headers)
        self.requests.append(entry)
        return entry

    def _answer(self, request: Request, struck: dict[str, Fault]) -> Response:
        path = request.url.path
        if "/dhis-web-" in path:
            return login_page()
        if not path.startswith(CONTEXT + "/"):
            return not_found_page()
        refused = refuse(request, self.credentials, Dialect(self.world.version), CONTEXT)
        if refused is not None:
            return refused
        try:
            return self._route(request, struck)
        except ApiError as problem:
            accept = request.headers.get("accept", "application/json")
            return error(problem.status, problem.message, problem.code, accept)

    def _route(self, request: Request, struck: dict[str, Fault]) -> Response:
        match = _API.match(request.url.path)
        if match is None:
            return not_found_page()
        path, suffix = match.group(1), match.group(2) or ""
        head, _, rest = path.partition("/")
        if request.method not in ("GET", "HEAD"):
            return error(405, f"Request method '{request.method}' is not supported")
        if path == "system/info":
            base = str(request.base_url).rstrip("/") + CONTEXT
            return system.info(self.world, base, struck)
        if path == "me":
            return JSONResponse({"id": "xE7jOejl9FI", "username": self.credentials.username})
        if path == "dataValueSets":
            return aggregate.data_value_sets(request, suffix, self.world, self.faults, struck, self.cache)
        if path == "completeDataSetRegistrations":
            return aggregate.complete_registrations(request, self.world)
        if head in RESOURCES:
            return self.metadata.one(request, head, rest) if rest else self.metadata.listing(request, head)
        return not_found_page()
