"""One clinical system served: routes, gate, errors, contract.

Belongs here: what all of them do alike. Does not belong here: what a record looks like (a module a system), kinds of
paging, authentication and parameters (modules beside).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from hic_assets.sandbox.server.clinical import contract
from hic_assets.sandbox.server.clinical.auth import GateMaker
from hic_assets.sandbox.server.clinical.paging import Paging
from hic_assets.sandbox.server.clinical.parameters import Asked, Window
from hic_assets.sandbox.server.clinical.problems import ErrorStyle, Problem
from hic_assets.sandbox.server.clinical.spoiling import Members, spoiled
from hic_assets.sandbox.server.faults import Fault, Faults
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.clinical.store import ClinicalStore

log = logging.getLogger(__name__)
Shape = Callable[[pl.DataFrame, ClinicalStore], pl.DataFrame]
"""From a standing frame (see ``world.clinical.base``) to the JSON objects: a frame with one column a member, structs
and lists nested, everything in the system's own form (write texts for dates), same rows in the same order."""


@dataclass(frozen=True)
class Listing:
    """A resource that is read by window and by change time. ``filters`` are further parameters (name -> how it
    narrows a standing frame; Problem 422 by raising ValueError with the reason).
    """

    resource: str
    window: Window
    paging: Paging
    shape: Shape
    members: Members
    filters: Mapping[str, Callable[[pl.DataFrame, str, ClinicalStore], pl.DataFrame]] | None = None

    def reply(self, request: Request, store: ClinicalStore, struck: Mapping[str, Fault], faults: Faults) -> Response:
        """The reply to a GET; Problem when it is refused."""
        asked = Asked(request.query_params)
        at = self.paging.read(asked)
        span = self.window.read(asked)
        given = {name: asked.text(name) for name in self.filters or {}}
        asked.done()
        found = store.records(self.resource, span.begin, span.end, span.since)
        for name, text in given.items():
            if text is not None:
                found = self._narrowed(found, name, text, store)

        def lines(rows: pl.DataFrame) -> list[bytes]:
            made = written(self.shape(rows, store))
            return spoiled(made, self.members, struck, faults)

        return self.paging.reply(request, at, found, lines)

    def _narrowed(self, found: pl.DataFrame, name: str, text: str, store: ClinicalStore) -> pl.DataFrame:
        try:
            return (self.filters or {})[name](found, text, store)
        except ValueError as reason:
            raise Problem(422, "The request has parameters that are wrong.", {name: str(reason)}) from None


@dataclass(frozen=True)
class CodeList:
    """A list of codes that is read whole: one object with one ``member``, an array."""

    rows: Callable[[ClinicalStore], pl.DataFrame]
    member: str = "data"

    def reply(self, request: Request, store: ClinicalStore, struck: Mapping[str, Fault], faults: Faults) -> Response:
        """The reply to a GET."""
        Asked(request.query_params).done()
        body = b'{"%s":[%s]}' % (self.member.encode(), b",".join(written(self.rows(store))))
        return Response(body, media_type="application/json")


def written(frame: pl.DataFrame) -> list[bytes]:
    """One JSON object a row."""
    text = frame.write_ndjson()
    return text.encode().splitlines() if frame.height else []


@dataclass(frozen=True)
class Api:
    """A system as it is served below ``/<name>``. ``routes`` are paths below it (``api/v1/visits``)."""

    name: str
    gate: GateMaker
    routes: Mapping[str, Listing | CodeList]
    errors: ErrorStyle


class ClinicalServer:
    """One system of one world: ``store`` holds its records and the changes that can be made to them."""

    def __init__(self, world: World, api: Api, faults: Faults) -> None:
        self.api, self.faults = api, faults
        self.store = world.clinical.store(api.name)
        self.gate = api.gate(self.store)
        self.context = "/" + api.name

    def answer(self, request: Request, form: bytes, struck: Mapping[str, Fault]) -> Response:
        """The reply to any request below the context; ``form`` is the body of a POST."""
        path = request.url.path.removeprefix(self.context).strip("/")
        try:
            return self._answer(request, path, form, struck)
        except Problem as problem:
            return self.api.errors(problem)
        except Exception:
            # a defect of the sandbox itself: who reads the log should see that it is none of the faults
            log.exception("the sandbox failed on %s", request.url.path)
            return self.api.errors(Problem(500, "An unexpected error has occurred."))

    def _answer(self, request: Request, path: str, form: bytes, struck: Mapping[str, Fault]) -> Response:
        if path in contract.PATHS and request.method in ("GET", "HEAD"):
            return contract.reply(self.api.name, path, str(request.base_url).rstrip("/") + self.context)
        issued = self.gate.token_reply(path, request, form)
        if issued is not None:
            return issued
        route = self.api.routes.get(path)
        if route is None:
            raise self.gate.refuse(request) or Problem(404, "There is nothing at this address.")
        if request.method not in ("GET", "HEAD"):
            raise Problem(405, f"{request.method} is not supported here.", headers={"Allow": "GET, HEAD"})
        refused = self.gate.refuse(request)
        if refused is not None:
            raise refused
        if "no_access" in struck:
            raise Problem(403, "The account may not read this resource.")
        return route.reply(request, self.store, struck, self.faults)
