"""Servers that are broken or mean harm: each ends as a clear error, or as rejects, within bounds of time, disk and
memory; and no credential goes anywhere but to the system's own address.
"""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil
import pytest
from rest_kit import API, END, KINDS, START, TOKEN, VISITS, Clinic, Opened, ndjson, resource, visit, visits
from stub_http import Answer, Asked, Stub, Waits, as_json

from hic_assets.extract.errors import (
    AuthError,
    Endless,
    HtmlInsteadOfData,
    RedirectRefused,
    SourceError,
    TimedOut,
    TooLarge,
    UnexpectedContent,
)
from hic_assets.extract.rest import bodies
from hic_assets.extract.rest.paging import PageNumbers
from hic_assets.extract.rest.read import records

MIB = 1024**2
DEPTH = 100_000
DEEP = b"[" * DEPTH + b"]" * DEPTH


@pytest.fixture
def opened(stub: Stub, waits: Waits, spool_dir: Path) -> Iterator[Opened]:
    yield Opened(stub, waits, spool_dir)
    assert list(spool_dir.iterdir()) == []


# -- Without end ------------------------------------------------------------------------------------------------


def endless(kind: str, stub: Stub) -> Callable[[Asked], Answer]:
    """Ever new records, and always more of them."""

    def answer(_: Asked) -> Answer:
        n = len(stub.asked)
        body: dict[str, Any] = {"data": [visit(n)], "next_cursor": f"c{n}"}
        return as_json(body, headers={"Link": f'</api/visits?at={n}>; rel="next"'})

    return answer


@pytest.mark.parametrize("kind", ["pages", "offset", "cursor", "link"])
def test_endless_pages(opened: Opened, stub: Stub, kind: str) -> None:
    stub.answer = endless(kind, stub)
    without_total = {"total": "", "pages": "", "number": ""} if kind == "pages" else {"total_header": ""}
    paging = KINDS[kind] if kind == "cursor" else replace(KINDS[kind], **without_total)  # type: ignore[type-var]
    with pytest.raises(Endless, match="no end after 50 pages"):
        opened.read(replace(VISITS, paging=paging))
    assert len(stub.asked) == 50


def test_empty_pages_for_ever(opened: Opened, stub: Stub) -> None:
    stub.answer = lambda _: as_json({"data": [], "next_cursor": f"c{len(stub.asked)}"})
    with pytest.raises(Endless):
        opened.read(resource("cursor"))
    assert len(stub.asked) == 50


@pytest.mark.parametrize("kind", ["pages", "cursor", "link"])
def test_a_page_repeated_for_ever(opened: Opened, stub: Stub, kind: str) -> None:
    def answer(_: Asked) -> Answer:
        n = len(stub.asked)
        body: dict[str, Any] = {"data": visits(3), "next_cursor": f"c{n}"}
        return as_json(body, headers={"Link": f'</api/visits?at={n}>; rel="next"', "X-Total-Count": "9"})

    stub.answer = answer
    paging = PageNumbers() if kind == "pages" else KINDS[kind]
    with pytest.raises(UnexpectedContent, match="the same 3 records came again as page 2"):
        opened.read(replace(VISITS, paging=paging))
    assert len(stub.asked) == 2


@pytest.mark.parametrize("cycle", [1, 2, 3])
@pytest.mark.parametrize("kind", ["cursor", "link"])
def test_a_cursor_or_link_that_loops(opened: Opened, stub: Stub, kind: str, cycle: int) -> None:
    def answer(_: Asked) -> Answer:
        n = len(stub.asked)
        body: dict[str, Any] = {"data": [visit(n)], "next_cursor": f"c{n % cycle}"}
        return as_json(body, headers={"Link": f'<?at={n % cycle}>; rel="next"', "X-Total-Count": "99"})

    stub.answer = answer
    with pytest.raises(UnexpectedContent, match="leads back to one that was read before"):
        opened.read(resource(kind))
    assert len(stub.asked) == cycle + 1


def test_a_window_of_more_bytes_or_seconds_than_any(opened: Opened, stub: Stub) -> None:
    stub.answer = endless("cursor", stub)
    with pytest.raises(Endless, match="more than 1,000 bytes"):
        opened.read(resource("cursor"), replace(API, window_bytes=1000))
    asked = len(stub.asked)
    assert asked < 10
    with pytest.raises(Endless, match="longer than 0 s"):
        opened.read(resource("cursor"), replace(API, window_seconds=0.0))
    assert len(stub.asked) == asked + 1


# -- Too much ---------------------------------------------------------------------------------------------------


def ten_gigabytes(kind: str, sent: list[int]) -> Callable[[BinaryIO], None]:
    def write(to: BinaryIO) -> None:
        to.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {10 * 1024**3}\r\n\r\n".encode())
        line = b'{"id": 1, "visitDate": "2026-03-02"}\n' if "nd" in kind else b" " * 37
        to.write(b"" if "nd" in kind else b'{"data": [')
        piece = line * (MIB // 37)
        while True:
            to.write(piece)
            sent.append(len(piece))

    return write


@pytest.mark.parametrize(("kind", "type_"), [("pages", "application/json"), ("export", "application/x-ndjson")])
def test_a_body_of_ten_gigabytes(opened: Opened, stub: Stub, spool_dir: Path, kind: str, type_: str) -> None:
    sent: list[int] = []
    stub.in_turn(Answer(raw=ten_gigabytes(type_, sent)))
    most: list[int] = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], sum(one.stat().st_size for one in spool_dir.glob("*") if one.exists()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = psutil.Process().memory_info().rss
    try:
        with pytest.raises(TooLarge, match=r"cap of 16,777,216 bytes|cap of 33,554,432 bytes"):
            opened.read(resource(kind), replace(API, export_bytes=32 * MIB))
    finally:
        done.set()
        watcher.join()
    assert len(stub.asked) == 1
    assert most[0] <= 33 * MIB
    assert sum(sent) < 100 * MIB
    assert psutil.Process().memory_info().rss - before < 100 * MIB


@pytest.mark.parametrize("kind", ["pages", "export"])
def test_a_zip_bomb(opened: Opened, stub: Stub, kind: str) -> None:
    """10 GB in 10 MB: members of gzip one after the other."""
    bomb = gzip.compress(b" " * (10 * MIB)) * 1000
    type_ = "application/x-ndjson" if kind == "export" else "application/json"
    stub.in_turn(Answer(bomb, type_, headers={"Content-Encoding": "gzip"}))
    before = psutil.Process().memory_info().rss
    with pytest.raises(TooLarge):
        opened.read(resource(kind), replace(API, export_bytes=32 * MIB))
    assert len(stub.asked) == 1
    assert psutil.Process().memory_info().rss - before < 100 * MIB


def test_a_zip_bomb_in_an_error(opened: Opened, stub: Stub) -> None:
    bomb = gzip.compress(b" " * (100 * MIB))
    stub.in_turn(Answer(bomb, status=400, headers={"Content-Encoding": "gzip"}))
    before = psutil.Process().memory_info().rss
    with pytest.raises(SourceError):
        opened.read(VISITS)
    assert psutil.Process().memory_info().rss - before < 150 * MIB


def test_encodings_in_encodings_are_not_unpacked(opened: Opened, stub: Stub) -> None:
    packed = gzip.compress(gzip.compress(b"{}"))
    stub.in_turn(Answer(packed, headers={"Content-Encoding": "gzip, gzip"}))
    with pytest.raises(UnexpectedContent, match="content encoding gzip, gzip"):
        opened.read(VISITS)


def test_a_page_of_millions_of_nothings(opened: Opened, stub: Stub) -> None:
    stub.in_turn(Answer(b'{"data": [' + b"{}," * 1_000_000 + b"{}]}"))
    with pytest.raises(UnexpectedContent, match="more than 100,000 records"):
        opened.read(replace(VISITS, paging=PageNumbers()))


def test_an_export_of_one_line(opened: Opened, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BLOCK_BYTES", 1024)
    monkeypatch.setattr(bodies, "LINE_BYTES", 8192)
    stub.in_turn(ndjson([visit(1, note="x" * 20_000)]))
    with pytest.raises(UnexpectedContent, match="a line is longer than 8,192 bytes"):
        opened.read(resource("export"))


# -- Too slow ---------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TRICKLES = {
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "status": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "error": (b"HTTP/1.1 503 No\r\nContent-Length: 100000\r\nContent-Type: text/plain\r\n\r\n", b"x"),
    "interim": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("what", TRICKLES)
def test_a_reply_that_trickles(opened: Opened, stub: Stub, what: str) -> None:
    start, drop = TRICKLES[what]

    def write(to: BinaryIO) -> None:
        to.write(start)
        while not stub.release.is_set():
            to.write(drop)
            to.flush()
            time.sleep(0.02)

    stub.in_turn(Answer(raw=write))
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        opened.read(VISITS, replace(API, reply_seconds=0.4), read_timeout=5.0, max_attempts=2)
    assert time.monotonic() - began < 4
    assert len(stub.asked) == 2
    if what != "error":
        assert isinstance(caught.value, TimedOut)
        assert "longer than 0.4 s after 2 attempts" in str(caught.value)


def test_a_connection_that_was_watched_is_used_again(opened: Opened, stub: Stub) -> None:
    """The watchdog of a reply that came in time does not cut the next one."""
    clinic = Clinic("cursor", visits(100)).on(stub)

    def slowly(_: Asked) -> None:
        time.sleep(0.08)

    clinic.before = slowly
    assert len(opened.read(resource("cursor"), replace(API, reply_seconds=0.4), max_attempts=1).ids) == 100
    assert len(stub.asked) == 10


# -- Elsewhere --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_to_another_host(opened: Opened, stub: Stub, other: Stub, kind: str, status: int) -> None:
    stub.in_turn(Answer(status=status, headers={"Location": f"{other.url}/api/visits"}))
    with pytest.raises(RedirectRefused, match="not sent there"):
        opened.read(resource(kind))
    assert other.asked == []


@pytest.mark.parametrize(
    "link",
    [
        "{other}/api/visits?at=10",
        "//127.0.0.1:{other_port}/api/visits?at=10",
        "http://evil.example/api/visits?at=10",
        "https://127.0.0.1:{port}/api/visits?at=10",
        "http://127.0.0.1:{port}@evil.example/api/visits",
        "http://evil.example#@127.0.0.1:{port}/api/visits",
        "http://evil.example\\@127.0.0.1:{port}/api/visits",
        "ftp://127.0.0.1:{port}/api/visits",
        "file:///etc/passwd",
        "/api/other",
        "/api/visits/../../admin?at=10",
        "/api/visits%2f..%2fadmin",
        "javascript:alert(1)",
        "http://[bad/api/visits",
        "http://127.0.0.1:99999999/api/visits",
    ],
)
def test_a_link_that_leads_elsewhere(opened: Opened, stub: Stub, other: Stub, link: str) -> None:
    ports = {"port": stub.url.rpartition(":")[2], "other_port": other.url.rpartition(":")[2], "other": other.url}
    target = link.format(**ports)
    headers = {"Link": f'<{target}>; rel="next"', "X-Total-Count": "20"}
    stub.in_turn(as_json({"data": visits(10)}, headers=headers))
    with pytest.raises((RedirectRefused, UnexpectedContent), match="next page"):
        opened.read(resource("link"))
    assert len(stub.asked) == 1
    assert other.asked == []


def test_a_link_with_a_user_takes_nothing_but_its_query(opened: Opened, stub: Stub) -> None:
    target = stub.url.replace("http://", "http://me:hidden@") + "/api/visits?at=10"
    first = as_json({"data": visits(10)}, headers={"Link": f'<{target}>; rel="next"', "X-Total-Count": "11"})
    stub.in_turn(first, as_json({"data": [visit(99)]}, headers={"X-Total-Count": "11"}))
    assert opened.read(resource("link")).ids == [*range(10), 99]
    assert stub.asked[1].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_cursor_that_is_an_address_is_only_a_word(opened: Opened, stub: Stub, other: Stub) -> None:
    cursor = f"{other.url}/api/visits?page=2&token=x"
    stub.in_turn(
        as_json({"data": visits(3), "next_cursor": cursor}), as_json({"data": [visit(9)], "next_cursor": None})
    )
    assert opened.read(resource("cursor")).ids == [0, 1, 2, 9]
    assert [(a.path, a.one("cursor")) for a in stub.asked] == [("/api/visits", None), ("/api/visits", cursor)]
    assert other.asked == []


# -- Nonsense ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"id": ' + DEEP + b"}]}",
        b'{"data": ' + DEEP + b"}",
        DEEP,
        b'{"data": [], "meta": ' + DEEP + b"}",
        b'{"data": [{"id": 1, "patient": ' + b'{"a":' * DEPTH + b"1" + b"}" * DEPTH + b"}]}",
        b'{"data": [' + b"[" * DEPTH,
    ],
)
def test_json_nested_a_hundred_thousand_levels_deep(opened: Opened, stub: Stub, body: bytes) -> None:
    stub.in_turn(Answer(body))
    with pytest.raises(SourceError, match=r"nested deeper|no list|stops before"):
        opened.read(VISITS)
    stub.in_turn(Answer(body, status=400))
    with pytest.raises(SourceError):
        opened.read(VISITS)


def test_a_line_nested_deep_is_a_reject(opened: Opened, stub: Stub) -> None:
    answer = ndjson([visit(1), "HERE", visit(2)])
    answer.body = answer.body.replace(b'"HERE"', b'{"id": ' + DEEP + b"}")
    stub.in_turn(answer)
    found = opened.read(resource("export"))
    assert found.ids == [1, 2]
    assert found.rejects is not None
    assert found.rejects["rule"].to_list() == ["not_json"]
    assert len(found.rejects["line"][0]) == 100_000


@pytest.mark.parametrize("kind", ["cursor", "export"])
@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\\udc00\\ud800"])
def test_text_that_is_no_unicode_is_a_reject(opened: Opened, stub: Stub, kind: str, bad: bytes) -> None:
    rows = [visit(1), visit(2, fee="HERE"), visit(3)]
    answer = ndjson(rows) if kind == "export" else as_json({"data": rows, "next_cursor": None})
    answer.body = answer.body.replace(b"HERE", bad)
    stub.in_turn(answer)
    found = opened.read(resource(kind))
    assert found.ids == [1, 3]
    assert found.rejects is not None
    assert found.rejects["rule"].to_list() == ["not_text"]
    assert '"id": 2' in found.rejects["line"][0]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [], "\xff": 1, "next_cursor": null}',
        b'{"data": [], "next_cursor": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"data": [], "next_cursor": null} trailing',
        b'{"data": [NaN], "next_cursor": null}',
        b'{"data": [1,], "next_cursor": null}',
        b"null",
        b'"text"',
        b"7",
        b"[]",
    ],
)
def test_bodies_that_are_no_page(opened: Opened, stub: Stub, body: bytes) -> None:
    stub.in_turn(Answer(body))
    with pytest.raises(UnexpectedContent):
        opened.read(resource("cursor"))
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"<html><title>Log in</title></html>", "text/html"), HtmlInsteadOfData),
        (Answer(b"a,b\n", "text/csv"), UnexpectedContent),
        (Answer(b"{}", "application/xml"), UnexpectedContent),
        (Answer(b"{}", ""), UnexpectedContent),
        (Answer(b"{}", status=206), SourceError),
        (Answer(b"", status=204), SourceError),
    ],
)
@pytest.mark.parametrize("paging", KINDS)
def test_wrong_content_types(opened: Opened, stub: Stub, answer: Answer, kind: type[SourceError], paging: str) -> None:
    stub.in_turn(answer)
    with pytest.raises(kind):
        opened.read(resource(paging))


def test_pages_are_no_exports_and_exports_no_pages(opened: Opened, stub: Stub) -> None:
    stub.in_turn(as_json({"data": []}))
    with pytest.raises(UnexpectedContent, match="content type application/json"):
        opened.read(resource("export"))
    stub.in_turn(ndjson([]))
    with pytest.raises(UnexpectedContent, match="content type application/x-ndjson"):
        opened.read(VISITS)


# -- Secrets ----------------------------------------------------------------------------------------------------


def echo(status: int, where: str, stub: Stub) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        told = asked.headers.get("Authorization", "")
        if where == "link":
            headers = {"Link": f'<http://evil.example/{told}?token={TOKEN}>; rel="next"', "X-Total-Count": "20"}
            return as_json({"data": visits(10)}, headers=headers)
        if where == "location":
            return Answer(status=status, headers={"Location": f"http://evil.example/{TOKEN}?a={told}"})
        if where == "type":
            return Answer(b"{}", f"application/{TOKEN}")
        if where == "count":
            return as_json({"data": [], "meta": {"page": TOKEN, "total": told, "total_pages": 1}})
        return as_json({"message": f"you are {told}", "code": TOKEN}, status=status)

    return answer


@pytest.mark.parametrize(
    ("status", "where"),
    [(200, "link"), (302, "location"), (200, "type"), (200, "count"), (401, ""), (403, ""), (404, ""), (422, ""), (500, ""), (418, "")],
)  # fmt: skip
def test_no_error_nor_log_holds_a_secret(
    opened: Opened, stub: Stub, status: int, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.answer = echo(status, where, stub)
    with pytest.raises(SourceError) as caught:
        opened.read(resource("link" if where == "link" else "pages"))
    texts = [caplog.text, str(caught.value), repr(caught.value)]
    chained: BaseException | None = caught.value
    while chained is not None:
        texts += [str(chained), repr(chained.args)]
        chained = chained.__context__ or chained.__cause__
    source = opened.source()
    texts += [repr(source), repr(source.http), repr(source.http._auth), repr(source.api)]
    for text in texts:
        assert TOKEN not in text
        assert "t0ken%2Bvery" not in text
        assert "t0ken+very" not in text
    assert "clinic" in str(caught.value)


def test_one_401_and_stop(opened: Opened, stub: Stub) -> None:
    stub.in_turn(as_json({"message": "no"}, status=401))
    with opened.source() as source:
        for _ in range(3):
            with pytest.raises(AuthError):
                list(records(source, VISITS, START, END))
    assert len(stub.asked) == 1
