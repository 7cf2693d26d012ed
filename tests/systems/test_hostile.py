"""Servers that are broken or mean harm, through the whole asset: the run fails clearly and within bounds, old data intact.

What each does to the reader alone, in many more forms, is in tests/contract/test_rest_hostile.py.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil
import pytest
from pg_servers import copied_database
from stub_http import Answer, Asked, Stub, as_json

from hic_assets.extract import errors
from hic_assets.landing.errors import PartitionShrank
from hic_assets.warehouse import Warehouse
from systems.country import Country, definitions, sandboxes
from systems.declared import UNCOUNTED, UNCOUNTED_WORDS
from systems.subjects import REST, Subject

MIB = 1024**2
CAP, PAGES_AT_MOST = 2 * MIB, 12
DEPTH = 50_000
DEEP = b"[" * DEPTH + b"]" * DEPTH
PAGED = ("efiche", "hpemr", "ebuzima", "idsr")
NDJSON = "application/x-ndjson"


def bounded(subject: Subject) -> Subject:
    """With bounds that are reached soon."""
    assert subject.system.api is not None
    api = replace(subject.system.api, page_limit=PAGES_AT_MOST, page_bytes=CAP, export_bytes=CAP, window_bytes=8 * CAP)
    return replace(subject, system=replace(subject.system, api=api))


SUBJECTS = {subject.name: bounded(subject) for subject in REST}


# ---- servers


def page(system: str, records: list[Any], number: int, url: str, more: str | None, total: int) -> Answer:
    """A page as the system gives it. `more`: what the next one is called."""
    if system == "efiche":
        meta = {"page": number, "per_page": 100, "total_pages": -(-total // 100), "total": total}
        return as_json({"meta": meta, "data": records})
    if system == "hpemr":
        return as_json({"items": records, "next_cursor": more})
    headers = {"X-Total-Count": str(total)}
    if system == "idsr":
        return as_json(records, headers=headers)
    if system == "ebuzima":
        headers |= {"Link": f'<{url}?startIndex={more}>; rel="next"'} if more else {}
        return as_json({"results": records}, headers=headers)
    lines = [*map(json.dumps, records), json.dumps({"end": True, "count": len(records)})]
    return Answer("\n".join(lines).encode(), NDJSON)


Server = Callable[[str, Asked, int], Answer]


def endless(system: str, asked: Asked, number: int) -> Answer:
    """Ever new records, and always more of them."""
    return page(system, [{"id": number}], number, asked.path, f"{number}", 1_000_000)


def repeating(system: str, asked: Asked, number: int) -> Answer:
    """Always the same records, and always more of them."""
    return page(system, [{"id": 1}], number, asked.path, f"{number}", 1_000_000)


def looping(system: str, asked: Asked, number: int) -> Answer:
    """Two pages that name each other as the next."""
    return page(system, [{"id": number}], number, asked.path, f"{number % 2}", 1_000_000)


def ten_gigabytes(system: str, asked: Asked, number: int) -> Answer:
    kind = NDJSON if system == "cemr" else "application/json"

    def write(to: BinaryIO) -> None:
        to.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {10 * 1024**3}\r\n\r\n".encode())
        while True:
            to.write(b'{"id": 1}\n' * 10_000)

    return Answer(raw=write)


BOMB = gzip.compress(b" " * (10 * MIB)) * 100


def zip_bomb(system: str, asked: Asked, number: int) -> Answer:
    """A gigabyte in one megabyte."""
    kind = NDJSON if system == "cemr" else "application/json"
    return Answer(BOMB, kind, headers={"Content-Encoding": "gzip"})


def deep(system: str, asked: Asked, number: int) -> Answer:
    """JSON nested as nothing is."""
    return Answer(DEEP)


def deep_line(system: str, asked: Asked, number: int) -> Answer:
    return Answer(DEEP + b'\n{"end": true, "count": 1}\n', NDJSON)


def nothing(system: str, asked: Asked, number: int) -> Answer:
    """A correct answer, in which there is no record any more."""
    return page(system, [], number, asked.path, None, 0)


def elsewhere(system: str, asked: Asked, number: int) -> Answer:
    """The next page is at another host."""
    link = '<http://evil.example/api/v1/anc-contacts?startIndex=1>; rel="next"'
    return as_json({"results": [{"uuid": "a"}]}, headers={"Link": link, "X-Total-Count": "2"})


def without_link(system: str, asked: Asked, number: int) -> Answer:
    """A proxy has taken the link to the next page away."""
    return page(system, [{"uuid": f"u{n}"} for n in range(20)], number, asked.path, None, 100)


def without_end(system: str, asked: Asked, number: int) -> Answer:
    """An export that stops at the end of a line, as if that were all."""
    return Answer(b'{"encounter_id": 1}\n{"encounter_id": 2}\n', NDJSON)


# ---- what becomes of them


@dataclass(frozen=True)
class Hostile:
    """A server, by what its run ends, in which words, and how many requests of records it is asked at most."""

    server: Server
    error: type[Exception]
    words: str
    requests: int = 1


_TOTAL_BOMB = f"larger than the cap of {CAP:,} bytes"
CASES: Mapping[str, tuple[Hostile, ...]] = {
    **{
        name: (
            Hostile(endless, errors.Endless, f"no end after {PAGES_AT_MOST} pages", PAGES_AT_MOST),
            Hostile(repeating, errors.UnexpectedContent, "the same 1 records came again as page 2", 2),
            Hostile(deep, errors.UnexpectedContent, "nested deeper than any data"),
        )
        for name in PAGED
    },
    "cemr": (
        Hostile(deep_line, PartitionShrank, "the source gave 0 rows"),
        Hostile(without_end, errors.TruncatedBody, "the export stops after 2 lines", 6),
    ),
}
LOOPS = Hostile(looping, errors.UnexpectedContent, "leads back to one that was read before", 3)
OWN: Mapping[str, tuple[Hostile, ...]] = {
    "hpemr": (LOOPS,),
    "ebuzima": (
        LOOPS,
        Hostile(elsewhere, errors.RedirectRefused, "the next page would be at http://evil.example"),
        Hostile(without_link, errors.ChangedWhileRead, "the pages end after 20 records of a total of 100", 18),
    ),
}
EVERYWHERE = (
    Hostile(ten_gigabytes, errors.TooLarge, _TOTAL_BOMB),
    Hostile(zip_bomb, errors.TooLarge, _TOTAL_BOMB),
    Hostile(nothing, PartitionShrank, "the source gave 0 rows", 1),
)
ALL = [
    (subject, hostile)
    for name, subject in SUBJECTS.items()
    for hostile in (*CASES[name], *OWN.get(name, ()), *EVERYWHERE)
]


@pytest.fixture(scope="module")
def country(
    postgres_server: Warehouse, loaded_systems: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Country]:
    with sandboxes() as boxes, copied_database(postgres_server, loaded_systems.database) as database:
        defs = definitions(tuple(SUBJECTS.values()))
        country = Country(boxes, database, defs, tmp_path_factory.mktemp("hostile"))
        try:
            yield country
        finally:
            country.close()


@pytest.fixture
def stub(country: Country) -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()
    country.urls.clear()


def _each() -> Iterator[Any]:
    for subject, hostile in ALL:
        known = subject.name in UNCOUNTED and hostile.server is without_link
        marks = [pytest.mark.xfail(reason=UNCOUNTED_WORDS, strict=True)] if known else []
        yield pytest.param(subject, hostile, id=f"{subject.name}-{hostile.server.__name__}", marks=marks)


@pytest.mark.parametrize(("subject", "hostile"), [*_each()])
def test_it_ends_clearly_and_within_bounds(country: Country, stub: Stub, subject: Subject, hostile: Hostile) -> None:
    served: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            return as_json({"access_token": "hostile-t0ken", "token_type": "Bearer", "expires_in": 300})
        served.append(asked)
        return hostile.server(subject.name, asked, len(served))

    stub.answer = answer
    country.urls[subject.name] = stub.url
    key = subject.keys[1]
    before = country.held(subject, key)
    began, memory = time.monotonic(), psutil.Process().memory_info().rss
    with most_on_disk(country.folder) as most:
        run = country.load(subject, key)
    assert time.monotonic() - began < 30
    assert psutil.Process().memory_info().rss - memory < 100 * MIB
    assert max(most) <= 2 * CAP
    assert len(served) <= hostile.requests
    country.assert_failed(subject, key, run, hostile.words)
    assert country.loads(subject, key)[-1]["error"].startswith(f"{hostile.error.__name__}: ")
    assert "hostile-t0ken" not in run.text + country.written()
    assert country.held(subject, key).equals(before)
    assert before.height >= 50


@contextmanager
def most_on_disk(folder: Path) -> Iterator[list[int]]:
    """Bytes in a folder, looked at all the time."""
    seen, done = [0], threading.Event()

    def size(path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    def watch() -> None:
        while not done.wait(0.005):
            seen.append(sum(size(path) for path in folder.rglob("*")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
