"""``/api/dataValueSets`` and ``/api/completeDataSetRegistrations``.

Source: contract 1.3 and 1.4.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from hic_assets.sandbox.server import render
from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.faults import Fault, Faults
from hic_assets.sandbox.server.query import Plan, conflict, created_since, plan
from hic_assets.sandbox.server.replies import proxy_page
from hic_assets.sandbox.server.spoil import spoil
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.values import timestamps

# so many facilities are calculated at a time; a bound on memory
CHUNK = 250
CSV_TYPE, JSON_TYPE = "application/csv", "application/json;charset=UTF-8"


def frames(world: World, asked: Plan, dialect: Dialect) -> Iterator[pl.DataFrame]:
    """The rows asked for, in pieces of a period and some facilities, in the dialect's order (per piece)."""
    for start, read, may_have_changed in _reads(world, asked):
        units = asked.org_units
        if asked.since is not None:
            if not may_have_changed(start, asked.since):
                continue
            pieces = [units]
        else:
            inside = [u for u in units if u in world.position]
            pieces = [inside[i : i + CHUNK] for i in range(0, len(inside), CHUNK)]
            pieces += [[u for u in units if u not in world.position]]
        for piece in pieces:
            if piece:
                frame = read(
                    start,
                    piece,
                    include_deleted=asked.include_deleted,
                    since=asked.since,
                    elements=asked.elements,
                )
                yield _ordered(frame, dialect)
    for year in asked.years:
        frame = world.year_values(
            year,
            asked.org_units,
            include_deleted=asked.include_deleted,
            since=asked.since,
            elements=asked.elements,
        )
        yield _ordered(frame, dialect)


def _reads(
    world: World, asked: Plan
) -> Iterator[tuple[date, Callable[..., pl.DataFrame], Callable[[date, int], bool]]]:
    """The first day of every month and week asked for, what reads it, and whether it may have changed since."""
    for month in asked.months:
        yield month, world.data_values, world.may_have_changed
    for week in asked.weeks:
        yield week, world.week_values, world.week_may_have_changed


def _ordered(frame: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """2.43 orders by period, created, data element; before there is no order, so rows are shuffled (repeatably)."""
    if dialect.orders_values:
        return frame.sort("period", "created", "data_element", maintain_order=True)
    return frame.sample(fraction=1.0, shuffle=True, seed=17)


def _limited(pieces: Iterator[pl.DataFrame], asked: Plan) -> Iterator[pl.DataFrame]:
    skip, left = asked.offset, asked.limit
    for frame in pieces:
        piece = frame.slice(skip)
        skip = max(0, skip - frame.height)
        if left is not None:
            piece = piece.head(left)
            left -= piece.height
        yield piece
        if left == 0:
            return


def _wants_csv(request: Request, suffix: str, dialect: Dialect) -> bool:
    wanted = request.query_params.get("format") or suffix
    if wanted:
        return wanted == "csv"
    accept = request.headers.get("accept", "")
    return dialect.heeds_accept and ("application/csv" in accept or "text/csv" in accept)


def data_value_sets(
    request: Request, suffix: str, world: World, faults: Faults, struck: dict[str, Fault], cache: Path | None
) -> Response:
    """``GET /api/dataValueSets[.json|.csv]``."""
    dialect = Dialect(world.version)
    asked = plan(request.query_params, world, dialect, everywhere="ou_ignored" in struck)
    as_csv = _wants_csv(request, suffix, dialect)
    rows = _limited(frames(world, asked, dialect), asked)
    if "timeout_over_rows" in struck:
        kept, slow = _counted(rows, struck["timeout_over_rows"])
        if slow:
            return proxy_page(504)
        rows = iter(kept)
    done: set[str] = set()
    rows = (spoil(frame, struck, faults, done) for frame in rows)
    if not as_csv:
        roots = _json_roots(world, asked, dialect)
        return _reply(request, render.json_values(rows, dialect, roots), JSON_TYPE)
    if cache is not None and not struck:
        return _cached(request, render.csv(rows, dialect), world, cache)
    return _reply(request, render.csv(rows, dialect), CSV_TYPE)


def _counted(rows: Iterator[pl.DataFrame], fault: Fault) -> tuple[list[pl.DataFrame], bool]:
    """The frames, and whether there are more rows than the fault lets through."""
    kept, total = [], 0
    for frame in rows:
        kept.append(frame)
        total += frame.height
        if total > int(fault.options.get("rows", 10_000)):
            time.sleep(float(fault.options.get("seconds", 0)))
            return [], True
    return kept, False


def _reply(request: Request, body: Iterator[bytes], media_type: str) -> Response:
    if request.query_params.get("compression") == "gzip":
        return Response(gzip.compress(b"".join(body)), media_type="application/gzip")
    return StreamingResponse(body, media_type=media_type)


def _cached(request: Request, body: Iterator[bytes], world: World, cache: Path) -> Response:
    """Rendered once per question and state of the world, then sent as a file."""
    state = f"{request.url.query}|{world.seed}|{world.scale}|{world.version}|{world.now_ms}|{world.revision}"
    path = cache / f"{hashlib.sha256(state.encode()).hexdigest()[:32]}.csv"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{time.monotonic_ns()}.part")
        with part.open("wb") as out:
            for piece in body:
                out.write(piece)
        part.replace(path)
    return FileResponse(path, media_type=CSV_TYPE)


def _json_roots(world: World, asked: Plan, dialect: Dialect) -> dict[str, str]:
    """2.43: each single key. Before: dataSet, completeDate, period, orgUnit, only when all three are single."""
    if dialect.hoists:
        return asked.roots
    if not {"dataSet", "period", "orgUnit"} <= set(asked.roots) or not (asked.months or asked.weeks):
        return {}
    roots = {"dataSet": asked.roots["dataSet"]}
    found = next(_registrations(world, asked)).filter(data_set=asked.roots["dataSet"])
    if found.height:
        roots["completeDate"] = timestamps(found["_ts"].to_numpy())[0]
    return roots | {"period": asked.roots["period"], "orgUnit": asked.roots["orgUnit"]}


def _registrations(world: World, asked: Plan) -> Iterator[pl.DataFrame]:
    """The registrations of every month and week asked for, whatever the data set."""
    for month in asked.months:
        yield world.registrations(month, asked.org_units)
    for week in asked.weeks:
        yield world.week_registrations(week, asked.org_units)


def complete_registrations(request: Request, world: World) -> Response:
    """``GET /api/completeDataSetRegistrations``; no rows gives ``{}``."""
    params, dialect = request.query_params, Dialect(world.version)
    if not params.getlist("dataSet"):
        raise conflict("E2013")
    since = created_since(params, world)
    items = [(k, v) for k, v in params.multi_items() if not k.startswith("lastUpdated")]
    if since is not None and "period" not in params and "startDate" not in params:
        items += [("startDate", "1970-01-01"), ("endDate", "2100-12-31")]
    asked = plan(QueryParams(items), world, dialect)
    rows: list[dict[str, object]] = []
    for marked in _registrations(world, asked):
        frame = marked.filter(pl.col("data_set").is_in(asked.data_sets), pl.col("_ts") >= (since or 0))
        rows += [_registration(row) for row in frame.sample(fraction=1.0, shuffle=True, seed=17).to_dicts()]
    if asked.limit is not None:
        rows = rows[: asked.limit]
    if not rows:
        return JSONResponse({})
    return Response(json.dumps({"completeDataSetRegistrations": rows}), media_type=JSON_TYPE)


def _registration(row: dict[str, str]) -> dict[str, object]:
    made: dict[str, object] = {
        "period": row["period"],
        "dataSet": row["data_set"],
        "organisationUnit": row["org_unit"],
        "attributeOptionCombo": row["attribute_option_combo"],
        "date": row["date"],
        "storedBy": row["stored_by"],
        "completed": row["completed"] == "true",
    }
    return {k: v for k, v in made.items() if v is not None}
