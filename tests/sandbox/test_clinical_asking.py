"""Parameters, windows and paging of the clinical systems."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl
import pytest
from clinical_help import efiche_records, get, headers, hpemr_records
from starlette.datastructures import QueryParams
from starlette.requests import Request

from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.server.clinical import paging, parameters
from hic_assets.sandbox.server.clinical.parameters import Asked, Window
from hic_assets.sandbox.server.clinical.problems import Problem
from hic_assets.sandbox.world.roster import local_midnight

JULY, AUGUST, END = date(2026, 7, 1), date(2026, 8, 1), date(2026, 8, 31)
ALL = {"efiche": ("visits", "lab-orders", "stock-movements", "stock-balances"), "hpemr": ("encounters", "referrals")}


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A sandbox of this test alone, whose clock and records may be changed."""
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


# ---- parameters and windows

FORMS = [
    (parameters.DMY, "02/03/2026", local_midnight(date(2026, 3, 2))),
    *((parameters.DMY, bad, None) for bad in ("2/3/2026", "31/02/2026", "2026-03-02", "02/03/2026 ", "٠٢/03/2026")),
    (parameters.DMY_TIME, "02/03/2026 09:15:00", local_midnight(date(2026, 3, 2)) + 33_300_000),
    *((parameters.DMY_TIME, bad, None) for bad in ("02/03/2026", "02/03/2026 24:00:00", "02/03/2026T09:15:00")),
    (parameters.ISO_DAY, "2026-03-02", local_midnight(date(2026, 3, 2))),
    *((parameters.ISO_DAY, bad, None) for bad in ("20260302", "2026-02-30", "2026-W10-1", "0000-01-01")),
    (parameters.ISO_TIME, "2026-03-02T00:00:00+02:00", local_midnight(date(2026, 3, 2))),
    (parameters.ISO_TIME, "2026-03-01T22:00:00Z", local_midnight(date(2026, 3, 2))),
    (parameters.ISO_TIME, "2026-03-01T22:00:00.250000Z", local_midnight(date(2026, 3, 2)) + 250),
    *((parameters.ISO_TIME, bad, None) for bad in ("2026-03-02T00:00:00", "2026-03-02T00:00:00 02:00", "2026-03-02")),
    (parameters.EPOCH_MS, "1772402400000", 1_772_402_400_000),
    *((parameters.EPOCH_MS, bad, None) for bad in ("-1", "1e3", "", "99999999999999", "9999999999999", "1.0")),
    (parameters.EPI_WEEK, "2026W53", local_midnight(date(2026, 12, 28))),
    (parameters.EPI_WEEK, "2021W01", local_midnight(date(2021, 1, 4))),
    *((parameters.EPI_WEEK, bad, None) for bad in ("2025W53", "2026W00", "2026W7", "202607", "2026-W07")),
]


@pytest.mark.parametrize(("form", "text", "meant"), FORMS)
def test_days_and_moments_are_read_strictly(form: parameters.Form, text: str, meant: int | None) -> None:
    asked = Asked(QueryParams([("at", text)]))
    assert asked.moment("at", form) == meant
    assert list(asked.wrong) == ([] if meant is not None else ["at"])


def test_what_is_unknown_or_given_twice_is_refused_with_everything_else_that_is_wrong() -> None:
    asked = Asked(QueryParams([("page", "1"), ("page", "1"), ("per_page", "0"), ("pages", "2"), ("q", "")]))
    assert asked.number("page", 1, 1, 9) == 1
    assert asked.number("per_page", 50, 1, 200) == 50
    assert asked.text("q") is None
    with pytest.raises(Problem) as problem:
        asked.done()
    assert problem.value.status == 422
    assert sorted(problem.value.fields) == ["page", "pages", "per_page", "q"]


DAY = 86_400_000
INCLUSIVE = Window("a", "b", parameters.DMY, inclusive_end=True, since="s", since_form=parameters.DMY_TIME)
WEEK = Window("w", None, parameters.EPI_WEEK, inclusive_end=False, since="s", since_form=parameters.ISO_TIME)


def test_windows_end_where_their_system_says() -> None:
    march = local_midnight(date(2026, 3, 1))
    span = INCLUSIVE.read(Asked(QueryParams("a=01/03/2026&b=01/03/2026")))
    assert (span.begin, span.end, span.since) == (march, march + DAY, None)
    half_open = Window("a", "b", parameters.ISO_DAY, inclusive_end=False, since="s", since_form=parameters.ISO_TIME)
    span = half_open.read(Asked(QueryParams("a=2026-03-01&b=2026-03-01")))
    assert (span.begin, span.end) == (march, march)
    span = WEEK.read(Asked(QueryParams("w=2026W53")))
    assert (span.begin, span.end) == (local_midnight(date(2026, 12, 28)), local_midnight(date(2027, 1, 4)))


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("", {"a"}),
        ("a=01/03/2026", {"b"}),
        ("b=01/03/2026&s=01/03/2026 00:00:00", {"a"}),
        ("a=02/03/2026&b=28/02/2026", {"b"}),
        ("s=nonsense", {"s"}),
    ],
)
def test_half_a_window_a_reversed_one_and_none_are_refused(query: str, wrong: set[str]) -> None:
    asked = Asked(QueryParams(query))
    INCLUSIVE.read(asked)
    assert set(asked.wrong) == wrong


def test_days_asked_one_by_one_are_the_month(sandbox: Sandbox) -> None:
    whole = {r["id"] for r in efiche_records(sandbox, "visits", AUGUST, END)}
    each = [
        r["id"]
        for n in range(31)
        for r in efiche_records(sandbox, "visits", AUGUST + timedelta(n), AUGUST + timedelta(n))
    ]
    assert sorted(each) == sorted(whole)
    halves = [
        hpemr_records(sandbox, "encounters", *span) for span in ((JULY, date(2026, 7, 9)), (date(2026, 7, 9), AUGUST))
    ]
    together = hpemr_records(sandbox, "encounters", JULY, AUGUST)
    assert sorted(r["encounterId"] for half in halves for r in half) == [r["encounterId"] for r in together]


# ---- paging


@pytest.mark.parametrize("size", [1, 7, 200])
def test_pages_of_any_size_are_the_whole(sandbox: Sandbox, size: int) -> None:
    first, last = date(2026, 8, 1), date(2026, 8, 2)
    store = sandbox.clinical["efiche"].store
    there = store.records("visits", local_midnight(first), local_midnight(date(2026, 8, 3)))["id"].to_list()
    assert len(there) > 20
    assert [r["id"] for r in efiche_records(sandbox, "visits", first, last, size)] == there
    store = sandbox.clinical["hpemr"].store
    there = store.records("encounters", local_midnight(first), local_midnight(date(2026, 8, 3)))["id"].to_list()
    assert [r["encounterId"] for r in hpemr_records(sandbox, "encounters", first, date(2026, 8, 3), size)] == there


def test_a_page_beyond_the_last_is_empty(sandbox: Sandbox) -> None:
    days = {"date_from": "01/08/2026", "date_to": "02/08/2026"}
    reply = get(sandbox, "efiche", "visits", page=900, **days)
    assert reply.json()["data"] == []
    assert reply.json()["meta"]["page"] == 900


def test_a_cursor_belongs_to_its_question(sandbox: Sandbox) -> None:
    window = {"from": local_midnight(JULY), "to": local_midnight(AUGUST)}
    cursor = get(sandbox, "hpemr", "encounters", limit=1, **window).json()["next_cursor"]
    assert get(sandbox, "hpemr", "encounters", limit=9, cursor=cursor, **window).status_code == 200
    changed = window | {"to": local_midnight(END)}
    for bad in ((cursor, changed), ("xyz", window), (cursor[:-3], window), ("bnVsbA==", window), ("é", window)):
        reply = get(sandbox, "hpemr", "encounters", cursor=bad[0], **bad[1])
        assert (reply.status_code, reply.json()["errors"][0]["parameter"]) == (422, "cursor")


def test_a_record_added_on_the_way_moves_no_other_behind_a_cursor(own: Sandbox) -> None:
    window = {"from": local_midnight(JULY), "to": local_midnight(AUGUST)}
    shown, cursor, ids = headers(own, "hpemr"), "", []
    before = own.clinical["hpemr"].store.records("referrals", window["from"], window["to"])["id"].to_list()
    while cursor is not None:
        reply = get(
            own, "hpemr", "referrals", shown, limit=10, **window, **({"cursor": cursor} if cursor else {})
        ).json()
        ids += [r["referralId"] for r in reply["items"]]
        cursor = reply["next_cursor"]
        own.clinical["hpemr"].store.add_late("referrals", 1, begin=window["from"], end=window["to"], seed=len(ids))
    assert len(before) > 30
    assert len(ids) == len(set(ids))
    assert set(before) <= set(ids)


def page_of(kind: paging.Paging, rows: int, query: str = "", **given: str) -> Any:
    scope = {
        "type": "http", "method": "GET", "scheme": "http", "server": ("h", 80), "path": "/x/api/v1/r",
        "query_string": query.encode(), "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
    }  # fmt: skip
    request = Request(scope)
    frame = pl.DataFrame({"id": [f"{n:05d}" for n in range(rows)]})
    asked = Asked(request.query_params)
    at = kind.read(asked)
    asked.done()
    return kind.reply(request, at, frame, lambda f: f.write_ndjson().encode().splitlines() if f.height else [])


def test_link_headers_lead_to_the_end_and_repeat_what_was_asked() -> None:
    found, query, kind = [], "limit=3", paging.LinkHeader(default=50, most=100)
    for _ in range(9):
        reply = page_of(kind, 8, query)
        found += [r["id"] for r in json.loads(reply.body)["results"]]
        if "Link" not in reply.headers:
            break
        url, rel = reply.headers["Link"].split("; ")
        assert rel == 'rel="next"'
        assert urlsplit(url.strip("<>"))[:3] == ("http", "h", "/x/api/v1/r")
        query = urlsplit(url.strip("<>")).query
        assert dict(parse_qsl(query))["limit"] == "3"
    assert found == [f"{n:05d}" for n in range(8)]


def test_offsets_tell_the_total() -> None:
    kind, found = paging.Offset(default=3, most=4), []
    for offset in (0, 3, 6, 9):
        reply = page_of(kind, 8, f"offset={offset}")
        assert reply.headers["X-Total-Count"] == "8"
        found += json.loads(reply.body)
    assert len(found) == 8
    with pytest.raises(Problem):
        page_of(kind, 8, "limit=5")


@pytest.mark.parametrize("rows", [0, 1, paging.CHUNK, paging.CHUNK + 1])
def test_an_export_ends_with_its_count_zipped_or_not(rows: int) -> None:
    import asyncio

    async def whole(reply: Any) -> bytes:
        return b"".join([piece async for piece in reply.body_iterator])

    plain, zipped = page_of(paging.Export(), rows), page_of(paging.Export(), rows, accept_encoding="gzip, deflate")
    body = asyncio.run(whole(plain))
    assert (plain.headers.get("content-encoding"), zipped.headers["content-encoding"]) == (None, "gzip")
    assert gzip.decompress(asyncio.run(whole(zipped))) == body
    lines = body.decode().splitlines()
    assert json.loads(lines[-1]) == {"end": True, "count": rows}
    assert len(lines) == rows + 1
