"""Metadata endpoints: lists with paging, filters and fields, and single objects.

Source: contract 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hic_assets.sandbox.server import fields, filters
from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.replies import ApiError
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.registry import RESOURCES

Object = dict[str, Any]
SINGULAR = {"categories": "category"}


class Metadata:
    """The metadata of one server of a world, kept until the world changes.

    ``resources`` makes the objects of each list; ``version`` is the one the server speaks.
    """

    def __init__(
        self,
        world: World,
        resources: Mapping[str, Callable[[World], list[Object]]] = RESOURCES,
        version: Callable[[], str] | None = None,
    ) -> None:
        self._world, self.resources = world, resources
        self._version = version or (lambda: world.version)
        self._kept: dict[str, tuple[int, list[Object]]] = {}

    def all(self, resource: str) -> list[Object]:
        """Every object of a resource."""
        kept = self._kept.get(resource)
        if kept is None or kept[0] != self._world.revision:
            with self._world.lock:
                kept = (self._world.revision, self.resources[resource](self._world))
            self._kept[resource] = kept
        return kept[1]

    def listing(self, request: Request, resource: str) -> Response:
        """``GET /api/{resource}``."""
        params, dialect = request.query_params, Dialect(self._version())
        items = _filtered(self.all(resource), params, dialect)
        if resource == "organisationUnits":
            items = _by_level(items, params)
        items = filters.ordered(items, params.getlist("order"))
        wanted = fields.parse(",".join(params.getlist("fields")) or "id,displayName")
        return _envelope(request, resource, items, wanted)

    def one(self, request: Request, resource: str, own: str) -> Response:
        """``GET /api/{resource}/{id}``; ``includeDescendants`` makes an organisation unit a list of its subtree."""
        items = self.all(resource)
        item = next((o for o in items if o["id"] == own), None)
        if item is None:
            name = SINGULAR.get(resource, resource[:-1])
            name = name[0].upper() + name[1:]
            raise ApiError(404, "E1005", f"{name} with id {own} could not be found.")
        params = request.query_params
        subtree = params.get("includeDescendants") == "true" or params.get("includeChildren") == "true"
        if resource == "organisationUnits" and subtree:
            deep = params.get("includeDescendants") == "true"
            below = [o for o in items if o["path"].startswith(item["path"])]
            below = [o for o in below if deep or o["level"] <= item["level"] + 1]
            below = filters.ordered(_filtered(below, params, Dialect(self._version())), params.getlist("order"))
            return _envelope(request, resource, below, fields.parse(params.get("fields") or "id,displayName"))
        return JSONResponse(fields.select(item, fields.parse(params.get("fields") or "*")))


def _filtered(items: list[Object], params: QueryParams, dialect: Dialect) -> list[Object]:
    tests = [filters.predicate(text, dialect) for text in params.getlist("filter")]
    if not tests:
        return list(items)
    any_of = params.get("rootJunction", "AND").upper() == "OR"
    return [o for o in items if (any if any_of else all)(test(o) for test in tests)]


def _by_level(items: list[Object], params: QueryParams) -> list[Object]:
    if params.get("level"):
        items = [o for o in items if o["level"] == _number(params, "level", 1)]
    if params.get("maxLevel"):
        items = [o for o in items if o["level"] <= _number(params, "maxLevel", 1)]
    if params.get("query"):
        items = [o for o in items if params["query"].lower() in o["name"].lower()]
    return items


def _number(params: QueryParams, name: str, default: int) -> int:
    text = params.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ApiError(400, None, f"Value '{text}' is not valid for parameter {name}.") from None


def _envelope(request: Request, resource: str, items: list[Object], wanted: list[fields.Field]) -> Response:
    """``pager`` and the list; ``pager.page`` is clamped to the last page while the list is empty beyond it."""
    params = request.query_params
    if params.get("paging") == "false" or params.get("skipPaging") == "true":
        return JSONResponse({resource: fields.select(items, wanted)})
    size, page = max(1, _number(params, "pageSize", 50)), max(1, _number(params, "page", 1))
    count = max(1, -(-len(items) // size))
    shown = items[(page - 1) * size : page * size]
    at = min(page, count)
    pager: Object = {"page": at, "total": len(items), "pageSize": size, "pageCount": count}
    for name, number in (("nextPage", at + 1), ("prevPage", at - 1)):
        if 1 <= number <= count:
            pager[name] = str(request.url.include_query_params(page=number))
    return JSONResponse({"pager": pager, resource: fields.select(shown, wanted)})
