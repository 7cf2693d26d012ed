"""One question to an API, to all the pages that answer it, within the bounds of its declaration.

Belongs here: requests, bounds, and reading again what moved. Does not: what paging means (`paging.py`), what a record
holds (`decode.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hic_assets.extract.errors import (
    ChangedWhileRead,
    Endless,
    RedirectRefused,
    SourceError,
    UnexpectedContent,
)
from hic_assets.extract.rest.bodies import Page, RawRecord, check_export, export_records, read_page
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.decode import decode
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
    """All pages of a question, as they were once. `repeated`: records whose keys stand on more than one page."""

    fetched: list[Fetched]
    digests: list[bytes]
    repeated: int
    bodies: ExitStack


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

        Of numbered pages none is handed on before all have been read and are sure to be of one state: where rows came
        or went, or stand on two pages, they are read again.
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
        """The pages of a state of the list in which each record stands once, or in which they were found twice."""
        earlier: list[bytes] | None = None
        failure: SourceError | None = None
        for number in range(1, PASSES + 1):
            try:
                found = self._pass(asked)
            except ChangedWhileRead as exc:
                failure, earlier = exc, None
                continue
            if not found.repeated or found.digests == earlier:
                self._tell(number, found.repeated)
                return found
            found.bodies.close()
            what = f"{found.repeated:,} records came on more than one page, and not the same ones each time"
            failure, earlier = self._wrong(ChangedWhileRead, asked, what), found.digests
        raise failure or AssertionError

    def _tell(self, passes: int, repeated: int) -> None:
        if repeated:
            self._note(f"{self.resource.name}: {repeated:,} records stand on more than one page, at the source itself")
        elif passes > 1:
            self._note(f"{self.resource.name}: read {passes} times, since the list changed while it was read")

    def _pass(self, asked: Params) -> _Pass:
        keys = [member for member in self.resource.members if member.key]
        fetched, digests, hashes = list[Fetched](), list[bytes](), list[pl.Series]()
        with ExitStack() as bodies:
            for one, page in self._pages(asked):
                bodies.callback(one.body.discard)
                fetched.append(one)
                digests.append(page.digest)
                hashes.append(decode(page.records, keys).frame.drop_nulls().hash_rows().unique())
            together = pl.concat(hashes)
            return _Pass(fetched, digests, together.len() - together.n_unique(), bodies.pop_all())

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
