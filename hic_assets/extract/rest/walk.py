"""One question to an API, to all the pages that answer it, within the bounds of its declaration.

Belongs here: requests, bounds, and reading again what moved. Does not: what paging means (`paging.py`), what a record
holds (`decode.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from hic_assets.extract.errors import (
    ChangedWhileRead,
    Endless,
    RedirectRefused,
    SourceError,
    UnexpectedContent,
)
from hic_assets.extract.replies import http_date
from hic_assets.extract.rest.bodies import Page, RawRecord, check_export, export_records, read_page
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.decode import decode
from hic_assets.extract.rest.moments import TimeForm, instants
from hic_assets.extract.rest.paging import Export
from hic_assets.extract.rest.resource import Resource
from hic_assets.extract.rest.trail import Elsewhere, Facts, Moved, PagingFault, Trail
from hic_assets.extract.rest.windows import Params
from hic_assets.extract.spool import Fault, Spooled

PASSES = 3
"""How often numbered pages are read, at most, until they stand still."""
NOTHING = b""


@dataclass
class Fetched:
    """One reply on disk. `records`: its records, some at a time; read while it is there."""

    body: Spooled
    records: Callable[[], Iterator[list[RawRecord]]]


@dataclass
class _Pass:
    """All pages of a question, as they were once. `keys`: hashes of the records' keys, each once; `repeated`: how many of
    them stand on more than one page. `moving`: something was changed since the first of several pages was read, or nobody
    tells.
    """

    fetched: list[Fetched]
    digests: list[bytes]
    keys: pl.Series
    repeated: int
    moving: bool
    bodies: ExitStack

    def holds(self, other: _Pass) -> bool:
        """Whether every record of the other is in it."""
        return other.keys.is_in(self.keys.implode()).all()


def server_date(body: Spooled) -> datetime | None:
    """What the server's clock said when it replied, in UTC; None where it does not tell."""
    return http_date(body.headers.get("Date", ""))


def _newest(changed: pl.Series) -> list[datetime]:
    """The greatest change time of a page, if it tells any."""
    found = instants(changed, TimeForm.ISO_TIME).max()
    return [found] if isinstance(found, datetime) else []


def _unsettled(found: _Pass, earlier: _Pass | None) -> str:
    """Why the pages must be read again, in words; "" where they need not."""
    if found.repeated and not (earlier and found.digests == earlier.digests):
        return f"{found.repeated:,} records came on more than one page, and not the same ones each time"
    if found.moving and not (earlier and found.holds(earlier)):
        return "records were changed between its pages, and each time it was read others were missing"
    return ""


class Walker:
    """Asks one resource of one system. The bounds of a window hold over all the questions put to one walker."""

    def __init__(
        self,
        source: RestSource,
        resource: Resource,
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.resource = source, resource
        self._note, self._clock = note, clock
        self._bytes, self._deadline = 0, clock() + source.api.window_seconds

    def replies(self, asked: Params) -> Iterator[Fetched]:
        """Every reply to the question, in order, discarded when the next is taken. Raises SourceError.

        Of numbered pages none is handed on before all have been read, and none is known to be missing: a record that leaves
        while another comes moves those behind it over a page's border, and keeps the total. Such a record has a new
        change time, so where one is newer than the first page, where rows came or went, or stand on two pages, all are
        read again.
        """
        if not self.resource.paging.numbered:
            for fetched, _ in self._pages(asked):
                with fetched.body:
                    yield fetched
            return
        settled = self._settled(asked)
        with settled.bodies:
            for fetched in settled.fetched:
                with fetched.body:
                    yield fetched

    def _settled(self, asked: Params) -> _Pass:
        """Pages between which nothing moved, or that hold all that those of the time before did; and in which each record
        stands once, or that were found twice.
        """
        earlier: _Pass | None = None
        failure: SourceError | None = None
        for number in range(1, PASSES + 1):
            try:
                found = self._pass(asked)
            except ChangedWhileRead as exc:
                failure, earlier = exc, None
                continue
            what = _unsettled(found, earlier)
            if not what:
                self._tell(number, found.repeated)
                return found
            found.bodies.close()
            failure, earlier = self._wrong(ChangedWhileRead, asked, what), found
        raise failure or AssertionError

    def _tell(self, passes: int, repeated: int) -> None:
        if repeated:
            self._note(f"{self.resource.name}: {repeated:,} records stand on more than one page, at the source itself")
        elif passes > 1:
            self._note(f"{self.resource.name}: read {passes} times, since the list may have changed while it was read")

    def _pass(self, asked: Params) -> _Pass:
        resource = self.resource
        changed = resource.changes.column if resource.changes else None
        wanted = [member for member in resource.members if member.key or member.column == changed]
        fetched, digests, hashes, newest = list[Fetched](), list[bytes](), list[pl.Series](), list[datetime]()
        with ExitStack() as bodies:
            for one, page in self._pages(asked):
                bodies.callback(one.body.discard)
                fetched.append(one)
                digests.append(page.digest)
                frame = decode(page.records, wanted).frame
                hashes.append(frame.select(resource.keys).drop_nulls().hash_rows().unique())
                newest += _newest(frame[changed]) if changed else []
            together = pl.concat(hashes)
            keys = together.unique()
            began = server_date(fetched[0].body)
            still = began is not None and changed is not None and all(moment < began for moment in newest)
            moving = len(fetched) > 1 and not still
            return _Pass(fetched, digests, keys, together.len() - keys.len(), moving, bodies.pop_all())

    def _pages(self, asked: Params) -> Iterator[tuple[Fetched, Page]]:
        resource, api = self.resource, self.source.api
        trail = Trail(resource.paging, (*resource.params, *asked))
        params: Params | None = trail.start()
        while params is not None:
            if trail.pages >= api.page_limit:
                raise self._wrong(Endless, params, f"no end after {trail.pages:,} pages")
            fetched, page = self._ask(params)
            try:
                self._spend(fetched.body, params)
                params = self._follow(trail, fetched, page)
            except SourceError:
                fetched.body.discard()
                raise
            yield fetched, page

    def _ask(self, params: Params) -> tuple[Fetched, Page]:
        resource, api = self.resource, self.source.api
        paging, read = resource.paging, list[Page]()

        def check(path: Path) -> Fault | None:
            if isinstance(paging, Export):
                read[:] = [Page((), {}, NOTHING)]
                return check_export(path, paging)
            page = read_page(path, resource.rows, paging.facts)
            read[:] = [page] if isinstance(page, Page) else []
            return None if isinstance(page, Page) else page

        cap = api.export_bytes if isinstance(paging, Export) else api.page_bytes
        body = self.source.http.spool(resource.path, params, paging.accept, check=check, max_bytes=cap)
        if isinstance(paging, Export):
            return Fetched(body, lambda: export_records(body.path, paging)), read[0]
        return Fetched(body, lambda: self._records(body)), read[0]

    def _records(self, body: Spooled) -> Iterator[list[RawRecord]]:
        """Read once more, since only one page is held in memory."""
        page = read_page(body.path, self.resource.rows, ())
        assert isinstance(page, Page)  # noqa: S101  (it was read before)
        if page.records:
            yield list(page.records)

    def _follow(self, trail: Trail, fetched: Fetched, page: Page) -> Params | None:
        facts = Facts(len(page.records), page.digest, page.values, fetched.body.headers, fetched.body.url)
        failure: SourceError
        try:
            return trail.follow(facts)
        except PagingFault as exc:
            kind = {Elsewhere: RedirectRefused, Moved: ChangedWhileRead}.get(type(exc), UnexpectedContent)
            failure = kind(self.source.system, fetched.body.url, self.source.http.redact.message(str(exc)))
        raise failure

    def _spend(self, body: Spooled, params: Params) -> None:
        api = self.source.api
        self._bytes += body.bytes
        if self._bytes > api.window_bytes:
            raise self._wrong(Endless, params, f"more than {api.window_bytes:,} bytes came for one window")
        if self._clock() > self._deadline:
            raise self._wrong(Endless, params, f"one window took longer than {api.window_seconds:g} s")

    def _wrong(self, kind: type[SourceError], params: Params, what: str) -> SourceError:
        return kind(self.source.system, self._url(params), what)

    def _url(self, params: Params) -> str:
        return self.source.http.url(self.resource.path, params)
