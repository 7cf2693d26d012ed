"""``/sandbox/control``: faults, the clock and mutations from outside the process; ``/sandbox/log``: what was asked.

Belongs here: JSON in, the same calls as in Python out. No authentication: it exists only on a loopback sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hic_assets.sandbox.server.faults import FAULTS
from hic_assets.sandbox.world import World

if TYPE_CHECKING:
    from hic_assets.sandbox.server.app import Dhis2

Json = dict[str, Any]


def _month(body: Json) -> date:
    return date.fromisoformat(body["month"])


def _when(body: Json) -> datetime | None:
    return datetime.fromisoformat(body["when"]) if body.get("when") else None


def _units(body: Json) -> list[str] | None:
    return body.get("org_units")


# op -> what it does; the result is put into the reply
MUTATIONS: dict[str, Callable[[World, Json], Any]] = {
    "edit_values": lambda w, b: w.edit_values(_month(b), b.get("fraction", 0.01), _units(b)).height,
    "delete_values": lambda w, b: w.delete_values(_month(b), b.get("fraction", 0.01), _units(b)).height,
    "set_value": lambda w, b: w.set_value(**b).height,
    "set_arrival": lambda w, b: w.set_arrival(b["org_unit"], b["data_set"], _month(b), _when(b)),
    "withhold": lambda w, b: w.withhold(b["org_unit"], b["data_set"], _month(b)),
    "uncomplete": lambda w, b: w.uncomplete(b["org_unit"], b["data_set_uid"], _month(b)),
    "rename_facility": lambda w, b: w.rename_facility(b["org_unit"], b["name"]),
    "move_facility": lambda w, b: w.move_facility(b["org_unit"], b["sector"]),
    "close_facility": lambda w, b: w.close_facility(b["org_unit"], date.fromisoformat(b["day"])),
    "add_facility": lambda w, b: w.add_facility(
        b["name"],
        b["sector"],
        b.get("kind", "HP"),
        code=b.get("code"),
        opened=date.fromisoformat(b["opened"]) if b.get("opened") else None,
        listed=b.get("listed", True),
    ),
    "list_facility": lambda w, b: w.list_facility(b["org_unit"]),
    "unlist_facility": lambda w, b: w.unlist_facility(b["org_unit"]),
}


async def answer(server: Dhis2, request: Request) -> Response:
    """Answer a control request; 400 names what was wrong with it."""
    if request.url.path == "/sandbox/log":
        return JSONResponse({"requests": [vars(r) for r in server.requests]})
    if request.url.path != "/sandbox/control":
        return JSONResponse({"error": "there are /sandbox/control and /sandbox/log"}, 404)
    body: Json = await request.json() if request.method == "POST" else {}
    try:
        results = await run_in_threadpool(_apply, server, body)
    except (KeyError, TypeError, ValueError) as problem:
        return JSONResponse({"error": f"{type(problem).__name__}: {problem}"}, 400)
    return JSONResponse({**_state(server), "results": results})


def _apply(server: Dhis2, body: Json) -> list[Any]:
    unknown = set(body) - {"clear_faults", "clear_log", "faults", "version", "now", "advance_days", "mutate"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    if body.get("clear_faults"):
        server.faults.clear()
    if body.get("clear_log"):
        server.requests.clear()
    for name, options in (body.get("faults") or {}).items():
        if options is None or options is False:
            server.faults.clear(name)
        else:
            server.faults.set(name, **(options if isinstance(options, dict) else {}))
    if "version" in body:
        server.world.version = body["version"]
    if "now" in body:
        server.world.set_now(datetime.fromisoformat(body["now"]))
    if "advance_days" in body:
        server.world.advance(days=float(body["advance_days"]))
    results = []
    for step in body.get("mutate") or []:
        arguments = dict(step)
        op = arguments.pop("op")
        if op not in MUTATIONS:
            raise ValueError(f"no mutation {op!r}; there are {', '.join(MUTATIONS)}")
        results.append(MUTATIONS[op](server.world, arguments))
    return results


def _state(server: Dhis2) -> Json:
    world, faults = server.world, server.faults
    return {
        "version": world.version,
        "now": world.now.isoformat(),
        "seed": world.seed,
        "scale": world.scale,
        "facilities": len(world.facilities),
        "faults": {name: vars(fault) for name, fault in faults.active.items()},
        "hits": faults.hits,
        "injected": faults.injected,
        "known_faults": list(FAULTS),
        "requests": len(server.requests),
    }
