"""Slices of a question to pages of rows: asked, decoded, followed page by page, divided where they are too much.

Belongs here: everything that speaks to the server on behalf of `read.py`, `changes.py` and `keys.py`. Does not: what
is asked in which words (`question.py`), what a body holds (`pages.py`), whether more is to come (`paging.py`).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hic_assets.extract.batches import Batch, BatchStream, SliceStats
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.fetching import Follow, fetch_ahead
from hic_assets.extract.dhis2.org_units import children_of
from hic_assets.extract.dhis2.tracker.belonging import Belonging, belonging
from hic_assets.extract.dhis2.tracker.decoding import Record
from hic_assets.extract.dhis2.tracker.keep import Kept, Stats
from hic_assets.extract.dhis2.tracker.pages import FrameOf, Page, read_page
from hic_assets.extract.dhis2.tracker.paging import MOST_PAGES, After, after, pages_of, total_of
from hic_assets.extract.dhis2.tracker.question import Question, params
from hic_assets.extract.dhis2.tracker.slices import TrackerSlice, divide
from hic_assets.extract.errors import QueryRefused, UnexpectedContent
from hic_assets.extract.http import JSON
from hic_assets.extract.spool import Fault

log = logging.getLogger(__name__)

_PAGE_SIZE = re.compile(r"page\s?size", re.IGNORECASE)
SMALLEST_PAGE = 100


@dataclass(frozen=True)
class Fetched:
    """A page and what it cost."""

    page: Page
    stats: Stats

    def discard(self) -> None:
        """Nothing is held but memory."""


class Reader:
    """One question to one server.

    Decodes in the threads that fetch, since decoding proves a body whole while it can still be asked again; one at a
    time, which costs nothing (it holds the interpreter anyway) and bounds memory to one page of records.
    """

    def __init__(
        self,
        client: Dhis2Client,
        question: Question,
        frame_of: FrameOf,
        kept: Kept | None = None,
    ) -> None:
        self.client, self.question, self.kept = client, question, kept
        self._frame_of = frame_of
        self._page_rows = question.page_rows
        self._decoding = threading.Lock()
        self._seen: set[tuple[object, ...]] = set()

    def batches(self, stream: BatchStream, slices: Sequence[TrackerSlice], concurrency: int) -> Iterator[Batch]:
        """The rows of the slices, in order, a page each; records stats and notes on the stream."""
        follow = partial(self._follow, stream)
        for slice_, fetched in fetch_ahead(slices, self._fetch, self._divide, concurrency, follow):
            page, stats = fetched.page, fetched.stats
            batch = Batch(page.frame, slice_.label, page.rejects, page.without_nul)
            stream.record(SliceStats(slice_.label, stats.url, batch.rows, stats.bytes, stats.seconds, stats.attempts))
            if batch.rows:
                yield batch

    def _divide(self, slice_: TrackerSlice) -> Sequence[TrackerSlice]:
        parts = divide(slice_, partial(children_of, self.client))
        if parts and self.kept:
            self.kept.divided(slice_, parts)
        return parts

    def _fetch(self, slice_: TrackerSlice) -> Fetched:
        return self._from_before(slice_) or self._ask(slice_)

    def _from_before(self, slice_: TrackerSlice) -> Fetched | None:
        found = self.kept.body(slice_) if self.kept else None
        if found is None:
            return None
        path, stats = found
        page = self._read(path, slice_)
        return Fetched(page, stats) if isinstance(page, Page) else None

    def _ask(self, slice_: TrackerSlice) -> Fetched:
        dialect, question = self.client.dialect, self.question
        asked = replace(slice_, page_rows=slice_.page_rows or self._page_rows)
        read: list[Page] = []

        def check(path: Path) -> Fault | None:
            page = self._read(path, slice_)
            read[:] = [page] if isinstance(page, Page) else []
            return None if isinstance(page, Page) else page

        try:
            body = self.client.http.spool(
                question.path,
                params(question, asked, dialect),
                JSON,
                divisible=slice_.page == 1 and (slice_.below or slice_.days > 1),
                check=check,
            )
        except QueryRefused as exc:
            rows = _allowed_page(exc, asked.page_rows or 0) if slice_.page == 1 else None
            if rows is None:
                raise
            log.warning("%s Asking for %d rows a page instead.", exc, rows)
            self._page_rows = rows
        else:
            stats = Stats(body.url, body.bytes, body.seconds, body.attempts, asked.page_rows or 0)
            with body:
                if self.kept:
                    self.kept.take(slice_, body.path, stats)
            return Fetched(read[0], stats)
        return self._ask(slice_)

    def _read(self, path: Path, slice_: TrackerSlice) -> Page | Fault:
        question = self.question
        day_more = slice_.window is not None and question.asks_day_more(self.client.dialect)

        def belongs(records: Sequence[Record]) -> Belonging:
            return belonging(records, question.kind, question.program, slice_.window, day_more=day_more)

        with self._decoding:
            return read_page(path, question.shape, belongs, self._frame_of)

    def _follow(self, stream: BatchStream, slice_: TrackerSlice, fetched: Fetched) -> Follow[TrackerSlice]:
        page, rows = fetched.page, fetched.stats.page_rows
        next_named = self.client.dialect.names_next_page
        then = after(slice_, page.records, page.paging, rows, names_next_page=next_named)
        if then in {After.MANY, After.CUT}:
            parts = self._divide(slice_)
            if parts:
                return Follow(parts, instead=True)
        if then is After.CUT:
            raise self._wrong(fetched, f"the reply was cut at {page.records:,} records, a limit of the server")
        self._refuse_repeated(slice_, fetched)
        seen, total = slice_.seen + page.records, total_of(slice_, page.paging)
        if then is After.NOTHING:
            if total is not None and seen < total:
                # No error: records of persons whom the account may not see are counted, and then taken out, events too.
                words = f"{slice_.label}: {seen:,} of {total:,} records came, the server hides or has moved the others"
                log.warning("%s %s", self.client.system, words)
                stream.note(words)
            return Follow()
        if slice_.page >= MOST_PAGES:
            raise self._wrong(fetched, f"no end after {slice_.page:,} pages")
        pages = pages_of(slice_, page.paging, rows)
        more = replace(slice_, page=slice_.page + 1, page_rows=rows, seen=seen, total=total, pages=pages)
        return Follow([more])

    def _refuse_repeated(self, slice_: TrackerSlice, fetched: Fetched) -> None:
        """The very same records for another unit or page: the server ignores which one is asked for."""
        if not fetched.page.ends:
            return
        seen = (slice_.window, fetched.page.records, fetched.page.ends)
        if seen in self._seen:
            what = f"{slice_.label}: the same {fetched.page.records:,} records came again for another unit or page"
            raise self._wrong(fetched, what)
        self._seen.add(seen)

    def _wrong(self, fetched: Fetched, what: str) -> UnexpectedContent:
        return UnexpectedContent(self.client.system, fetched.stats.url, what)


def _allowed_page(refused: QueryRefused, asked: int) -> int | None:
    """Rows a page that a server which refuses the page size may take; None where that is not what it refuses."""
    if not _PAGE_SIZE.search(refused.what):
        return None
    named = [int(number) for number in re.findall(r"\d+", refused.what) if SMALLEST_PAGE <= int(number) < asked]
    rows = max(named, default=asked // 4)
    return rows if rows >= SMALLEST_PAGE else None
