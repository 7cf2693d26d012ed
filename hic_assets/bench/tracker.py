"""Pulling a tracker programme: the unified framework beside the loop a user would write, on the same server.

Each side is a process of its own. The server's own time is that of the same requests with the bodies thrown away; what a
side takes beyond it is work outside the server. Measured against the sandbox flat out, and at the pace of a server that has
a database to ask.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import requests

from hic_assets.assets.readers import expected_of
from hic_assets.bench.harness import bench_database, given, in_process, peak_mb
from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.read import records
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.systems.declare import Pipeline
from hic_assets.systems.hiv_tracker import HIV_TRACKER, PROGRAMMES
from hic_assets.warehouse import Warehouse

PROGRAMME = PROGRAMMES[0]
FEED = HIV_TRACKER.programme_feed(PROGRAMME, Kind.EVENTS, Pipeline.UNIFIED)
# What a user who knows that 50 is too little would write.
NAIVE_PAGE = 1000
# The week in which the sandbox puts the events it is asked for: the first of its trackers.
WEEK = date(2025, 1, 6)
PACES = (None, 20_000)
"""Events a second the server gives at most. Flat out the sandbox gives some 90,000, which takes a core from the client;
DHIS2's own load tests record 130 to 400 ms for one page of a date range (dhis2-core pull request 24433, 2.41)."""
NAIVE_MEMBERS = (
    "event", "program", "programStage", "enrollment", "trackedEntity", "orgUnit", "status", "occurredAt", "scheduledAt",
    "updatedAt", "deleted",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One side, once: rows, seconds in all, and the requests it made."""

    rows: int
    seconds: float
    peak_mb: float
    urls: list[str]


def unified(source: Mapping[str, str], warehouse: Warehouse, week: date) -> Measured:
    """Read the week's events and land them, as the asset does."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as spool, _client(source, Path(spool)) as client:
        end = week + timedelta(days=7)
        batches = records(
            client, Kind.EVENTS, PROGRAMME.uid, week, end, concurrency=2, expected=expected_of(warehouse, FEED)
        )
        result = land(warehouse, FEED.table, Partition(str(week), week, end), batches, accept_shrink=True)
        urls = [stats.url for stats in batches.stats]
    return Measured(result.counts.landed, time.perf_counter() - started, peak_mb(), urls)


def _client(source: Mapping[str, str], spool: Path) -> Dhis2Client:
    return Dhis2Client(source["url"], BasicAuth(source["username"], source["password"]), spool_dir=spool)


def naive(source: Mapping[str, str], warehouse: Warehouse, week: date) -> Measured:
    """Page by page with ``requests`` and ``json``, and ``executemany``: no check, no ledger, no swap."""
    started = time.perf_counter()
    base = f"{source['url']}/api/tracker/events"
    asked = {
        "program": PROGRAMME.uid,
        "ouMode": "ACCESSIBLE",
        "occurredAfter": str(week),
        "occurredBefore": str(week + timedelta(days=6)),
        "includeDeleted": "true",
        "order": "createdAt:asc",
        "pageSize": str(NAIVE_PAGE),
    }
    rows, urls = 0, []
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(
            """drop table if exists naive_events; create table naive_events (event text, program text, stage text, enrollment text,
               tracked_entity text, org_unit text, status text, occurred_at timestamp, scheduled_at timestamp,
               updated_at timestamp, deleted boolean, data_values jsonb)"""
        )
        page = 1
        while True:
            reply = requests.get(
                base,
                params={**asked, "page": str(page)},
                auth=(source["username"], source["password"]),
                headers={"Accept": "application/json"},
                timeout=600,
            )
            reply.raise_for_status()
            urls.append(reply.url)
            events = reply.json()["instances"]
            if not events:
                break
            connection.cursor().executemany(
                "insert into naive_events values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [_naive_row(event) for event in events],
            )
            rows += len(events)
            page += 1
        connection.commit()
    return Measured(rows, time.perf_counter() - started, peak_mb(), urls)


def _naive_row(event: Mapping[str, Any]) -> tuple[Any, ...]:
    values = {value["dataElement"]: value["value"] for value in event.get("dataValues", [])}
    return (*(event.get(name) for name in NAIVE_MEMBERS), json.dumps(values))


def drained(source: Mapping[str, str], urls: list[str]) -> float:
    """Seconds the server needs to produce the bodies of these requests, one after the other, read and thrown away."""
    started = time.perf_counter()
    with requests.Session() as session:
        session.auth = (source["username"], source["password"])
        for url in urls:
            with session.get(url, stream=True, headers={"Accept": "application/json"}, timeout=600) as reply:
                reply.raise_for_status()
                for _ in reply.iter_content(1 << 20):
                    pass
    return time.perf_counter() - started


def measure(events: int, warehouse: Warehouse, repeats: int, say: Any) -> list[dict[str, Any]]:
    """Both sides in turn, ``repeats`` times a pace: medians of seconds, of the server's own and of the work outside it."""
    with bench_database(warehouse) as database:
        return [row for pace in PACES for row in _measure(events, database, repeats, pace, say)]


def _measure(
    events: int, database: Warehouse, repeats: int, pace: int | None, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    from hic_assets.cli.sandbox_process import sandbox_process

    options = ["--port", "0", "--scale", "0.02", "--tracker-events", str(events), "--version", "2.40.12"]
    if pace is not None:
        options += ["--fault", f"paced:rows_a_second={pace}"]
    found: dict[str, list[tuple[Measured, float]]] = {"unified": [], "naive": []}
    with (
        tempfile.TemporaryDirectory(prefix="hic-bench-") as folder,
        sandbox_process(options, Path(folder) / "sandbox.log") as ready,
    ):
        source = {"url": ready["urls"][HIV_TRACKER.name]} | {k: ready[k] for k in ("username", "password")}
        for number in range(repeats):
            for side, runs in found.items():
                say(f"{events:,} events {_words(pace)}, {side}, run {number + 1} of {repeats}")
                measured = _measured(side, source, database)
                runs.append((measured, drained(source, measured.urls)))
    return [{"server": _words(pace), **_summary(side, runs)} for side, runs in found.items()]


def _words(pace: int | None) -> str:
    return "flat out" if pace is None else f"{pace:,}/s"


def _summary(side: str, runs: list[tuple[Measured, float]]) -> dict[str, Any]:
    seconds, server = median(m.seconds for m, _ in runs), median(s for _, s in runs)
    return {
        "side": side,
        "rows": runs[0][0].rows,
        "requests": len(runs[0][0].urls),
        "seconds": round(seconds, 2),
        "server_seconds": round(server, 2),
        "outside_seconds": round(median(m.seconds - s for m, s in runs), 2),
        "of_server": round(median(m.seconds / s for m, s in runs), 2),
        "peak_mb": round(max(m.peak_mb for m, _ in runs)),
    }


def _measured(side: str, source: Mapping[str, str], warehouse: Warehouse) -> Measured:
    return Measured(**in_process("hic_assets.bench.tracker", [side, str(WEEK)], source, warehouse))


def _main() -> None:
    """Entry of the measured process."""
    side = {"unified": unified, "naive": naive}[sys.argv[1]]
    warehouse, options = given()
    measured = side(options, warehouse, date.fromisoformat(sys.argv[2]))
    sys.stdout.write(json.dumps(asdict(measured)) + "\n")


if __name__ == "__main__":
    _main()
