"""``/sandbox/control``: faults, differences, the clock and mutations from outside; ``/sandbox/log``: what was asked.

Belongs here: JSON in, the same calls as in Python out. No authentication: it exists only on a loopback sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hic_assets.sandbox.server.clinical import mutations as clinical_mutations
from hic_assets.sandbox.server.faults import FAULTS
from hic_assets.sandbox.server.tracker import mutations as tracker_mutations
from hic_assets.sandbox.server.tracker.differences import DIFFERENCES
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


KNOWN = (
    *("clear_faults", "clear_log", "clear_differences", "clear_interruptions"),
    *("faults", "differences", "version", "versions", "now", "advance_days", "mutate", "during"),
)


def _apply(server: Dhis2, body: Json) -> list[Any]:
    unknown = set(body) - set(KNOWN)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    _switch(server, body)
    if "version" in body:
        server.world.version = body["version"]
    for system, version in (body.get("versions") or {}).items():
        server.set_version(system, version)
    if "now" in body:
        server.world.set_now(datetime.fromisoformat(body["now"]))
    if "advance_days" in body:
        server.world.advance(days=float(body["advance_days"]))
    for one in body.get("during") or []:
        steps = _checked(one["mutate"])
        do = partial(_mutate, server, steps)
        server.interruptions.during(one["path"], after_requests=int(one["after_requests"]), do=do)
    return _mutate(server, _checked(body.get("mutate") or []))


def _switch(server: Dhis2, body: Json) -> None:
    """Faults and differences off, then on."""
    if body.get("clear_faults"):
        server.faults.clear()
    if body.get("clear_log"):
        server.requests.clear()
    if body.get("clear_differences"):
        server.differences.clear()
    if body.get("clear_interruptions"):
        server.interruptions.clear()
    for name, options in (body.get("faults") or {}).items():
        if options is None or options is False:
            server.faults.clear(name)
        else:
            server.faults.set(name, **(options if isinstance(options, dict) else {}))
    for difference in body.get("differences") or []:
        server.differences.inject(**difference)


def _checked(steps: list[Json]) -> list[Json]:
    """The steps, when there are such mutations."""
    known = [*MUTATIONS, *tracker_mutations.OPERATIONS, *clinical_mutations.OPERATIONS]
    for step in steps:
        if step["op"] not in known:
            raise ValueError(f"no mutation {step['op']!r}; there are {', '.join(known)}")
    return steps


def _mutate(server: Dhis2, steps: list[Json]) -> list[Any]:
    results = []
    for step in steps:
        arguments = dict(step)
        op = arguments.pop("op")
        if op in MUTATIONS:
            results.append(MUTATIONS[op](server.world, arguments))
        elif op in clinical_mutations.OPERATIONS:
            results.append(clinical_mutations.apply(server.clinical, op, arguments))
        else:
            results.append(tracker_mutations.apply(server.trackers, op, arguments))
    return results


def _state(server: Dhis2) -> Json:
    world, faults = server.world, server.faults
    return {
        "version": world.version,
        "versions": {name: server.version(name) for name in server.systems},
        "now": world.now.isoformat(),
        "seed": world.seed,
        "scale": world.scale,
        "facilities": len(world.facilities),
        "faults": {name: vars(fault) for name, fault in faults.active.items()},
        "hits": faults.hits,
        "injected": faults.injected,
        "known_faults": list(FAULTS),
        "differences": [
            {"name": d.name, "side": d.side, "program": d.program, "kinds": d.kinds, "uids": d.uids}
            for d in server.differences.active
        ],
        "known_differences": list(DIFFERENCES),
        "requests": len(server.requests),
    }
