"""Slices to bodies on disk: a few ahead of the reader, in order, divided where they ask too much."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from hic_assets.extract.dhis2.slices import Slice
from hic_assets.extract.errors import SourceError
from hic_assets.extract.http import asks_too_much
from hic_assets.extract.spool import Spooled

log = logging.getLogger(__name__)


@dataclass
class _Place:
    """A slice's place in the queue; `body` once it has been asked for."""

    slice: Slice
    body: Future[Spooled] | None = None


def fetch_ahead(
    slices: Sequence[Slice],
    fetch: Callable[[Slice], Spooled],
    divide: Callable[[Slice], Sequence[Slice]],
    concurrency: int,
) -> Iterator[tuple[Slice, Spooled]]:
    """(slice, body) for every slice, in order; the caller discards each body.

    At most `concurrency` requests run, and as many bodies wait on disk beside the one being read (twice as
    many after a division). A slice that asks too much is replaced, in its place, by what `divide` makes of
    it; where that is nothing its error is raised. Leaving the iterator early discards and cancels what is left.
    """
    queue = deque(_Place(one) for one in slices)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="fetch")

    def ask() -> None:
        for place in islice(queue, concurrency):
            place.body = place.body or pool.submit(fetch, place.slice)

    try:
        ask()
        while queue:
            first, error = queue[0], None
            assert first.body is not None  # noqa: S101  (ask() reaches the first place)
            try:
                body = first.body.result()
            except SourceError as exc:
                error = exc
            queue.popleft()
            if error is None:
                ask()
                yield first.slice, body
                continue
            parts = divide(first.slice) if asks_too_much(error) else ()
            if not parts:
                raise error
            log.warning("%s Divided into %d: %s", error, len(parts), first.slice.label)
            queue.extendleft(_Place(part) for part in reversed(parts))
            ask()
    finally:
        asked = [place.body for place in queue if place.body is not None]
        pool.shutdown(wait=True, cancel_futures=True)
        for left in asked:
            if not left.cancelled() and left.exception() is None:
                left.result().discard()
