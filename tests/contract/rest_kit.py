"""A small clinic behind the stub, in every kind of paging, and its declaration: for the tests of the REST kit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import SecretStr
from stub_http import Answer, Asked, Stub, Waits, as_json

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.rest.api import Bearer, RestApi
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Cursor, Export, LinkHeader, Offset, PageNumbers, Paging
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import ChangeFilter, Form, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.settings import SourceSettings

TOKEN = "t0ken+very/secret=="
API = RestApi(Bearer(), requests_per_second=100_000, page_limit=50)
START, END = date(2026, 3, 1), date(2026, 4, 1)
DATE = "Wed, 01 Apr 2026 06:00:00 GMT"

MEMBERS = (
    Member("id", "id", "Number of the visit.", key=True),
    Member("visited_on", "visitDate", "Day.", required=True),
    Member("upid", "patient.upid", "Who.", identifying="identifies a person"),
    Member("fee", "fee", "Francs."),
    Member("diagnoses", "diagnoses", "What was found.", form=Form.JSON),
    Member("updated_at", "updatedAt", "Change time.", instant=TimeForm.ISO_TIME),
    Member("deleted", "voided", "Tombstone."),
)
PAGES = PageNumbers(page_size=10, total="meta.total", pages="meta.total_pages", number="meta.page")
VISITS = Resource(
    name="visits",
    path="api/visits",
    rows="data",
    paging=PAGES,
    window=Window("from", "to", TimeForm.ISO_DAY),
    happened=Happened("visited_on", TimeForm.ISO_DAY),
    members=MEMBERS,
    changes=ChangeFilter("updatedSince", "updated_at"),
    deleted="deleted",
)
KINDS: dict[str, Paging] = {
    "pages": PAGES,
    "offset": Offset(page_size=10, total_header="X-Total-Count"),
    "cursor": Cursor(page_size=10),
    "link": LinkHeader(page_size=10, total_header="X-Total-Count"),
    "export": Export(),
}


def resource(kind: str) -> Resource:
    rows = "" if kind == "export" else "data"
    return replace(VISITS, paging=KINDS[kind], rows=rows)


def visit(number: int, day: date = date(2026, 3, 2), **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": number,
        "visitDate": day.isoformat(),
        "patient": {"upid": f"UPI{number:05}"},
        "fee": 200,
        "diagnoses": [{"code": "B54", "main": True}],
        "updatedAt": f"{day.isoformat()}T16:00:00+02:00",
        "voided": False,
    }
    return found | more


def visits(count: int) -> list[dict[str, Any]]:
    return [visit(n, START + timedelta(days=n % 31)) for n in range(count)]


@dataclass
class Clinic:
    """Answers as the declaration of `kind` says. `before`: called with each request; may change the rows or answer."""

    kind: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[Asked], Answer | None] = lambda _: None
    url: str = ""

    def on(self, stub: Stub) -> Clinic:
        stub.answer, self.url = self.answer, stub.url
        return self

    def answer(self, asked: Asked) -> Answer:
        found = self.before(asked) or self._answer(asked)
        found.headers.setdefault("Date", DATE)
        return found

    def chosen(self, asked: Asked) -> list[dict[str, Any]]:
        since = asked.one("updatedSince")
        if since is not None:
            return [row for row in self.rows if row["updatedAt"] >= since]
        first, after = asked.one("from") or "", asked.one("to") or ""
        return [row for row in self.rows if first <= row["visitDate"] < after]

    def _answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return as_json({"message": "who are you?"}, status=401)
        rows = self.chosen(asked)
        if self.kind == "export":
            return ndjson(rows)
        if self.kind == "pages":
            page, size = int(asked.one("page") or 1), int(asked.one("per_page") or 10)
            meta = {"page": page, "total_pages": -(-len(rows) // size), "total": len(rows)}
            return as_json({"meta": meta, "data": rows[(page - 1) * size :][:size]})
        at = int(asked.one({"offset": "offset", "cursor": "cursor", "link": "at"}[self.kind]) or 0)
        size = int(asked.one("limit") or 10)
        body: dict[str, Any] = {"data": rows[at : at + size]}
        headers = {"X-Total-Count": str(len(rows))}
        more = at + size < len(rows)
        if self.kind == "cursor":
            body["next_cursor"] = str(at + size) if more else None
        if self.kind == "link" and more:
            window = f"from={asked.one('from')}&to={asked.one('to')}"
            if asked.one("updatedSince"):
                window = "updatedSince=" + (asked.one("updatedSince") or "").replace("+", "%2B")
            headers["Link"] = f'<{self.url}/api/visits?at={at + size}&limit={size}&{window}>; rel="next"'
        return as_json(body, headers=headers)


def ndjson(rows: Sequence[Any], count: int | None = None) -> Answer:
    lines = [json.dumps(row) for row in rows]
    lines.append(json.dumps({"end": True, "count": len(rows) if count is None else count}))
    return Answer("\n".join(lines).encode() + b"\n", "application/x-ndjson")


def settings(url: str, **more: Any) -> SourceSettings:
    return SourceSettings(**({"system": "clinic", "url": url, "token": SecretStr(TOKEN)} | more))


@dataclass
class Opened:
    """What a test opens: a session with the stub."""

    stub: Stub
    waits: Waits
    spool_dir: Path

    def source(self, api: RestApi = API, credentials: dict[str, Any] | None = None, **options: Any) -> RestSource:
        found = settings(self.stub.url, **(credentials or {}))
        return RestSource(api, found, self.spool_dir, self.waits.options(**options))

    def read(
        self, wanted: Resource, api: RestApi = API, days: tuple[date, date] = (START, END), **options: Any
    ) -> Read:
        with self.source(api, **options) as source:
            stream = records(source, wanted, *days)
            batches = list(stream)
        frames = [batch.frame for batch in batches]
        rejects = [batch.rejects for batch in batches if batch.rejects is not None]
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(wanted.columns, pl.String))
        return Read(stream, frame, pl.concat(rejects) if rejects else None)


@dataclass
class Read:
    """A window that was read whole."""

    stream: BatchStream
    frame: pl.DataFrame
    rejects: pl.DataFrame | None

    @property
    def ids(self) -> list[int]:
        return [int(text) for text in self.frame["id"]]
