"""Requests to replies: a few ahead of the reader, in order, divided where they ask too much.

Knows neither what is asked nor what a reply is: `slices.py` and `tracker/slices.py` do.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from hic_assets.extract.errors import SourceError
from hic_assets.extract.http import asks_too_much

log = logging.getLogger(__name__)


class Labelled(Protocol):
    """A request as people know it."""

    @property
    def label(self) -> str: ...  # noqa: D102


class Discardable(Protocol):
    """A reply that holds something to be let go of."""

    def discard(self) -> None: ...  # noqa: D102


S = TypeVar("S", bound=Labelled)
B = TypeVar("B", bound=Discardable)


@dataclass(frozen=True)
class Follow(Generic[S]):
    """What a reply leads to: `slices` right behind it, or `instead` of it (it is then discarded)."""

    slices: Sequence[S] = ()
    instead: bool = False


@dataclass
class _Place(Generic[S, B]):
    """A slice's place in the queue; `body` once it has been asked for."""

    slice: S
    body: Future[B] | None = None


class _Queue(Generic[S, B]):
    """Slices in order, of which the first few are being asked for."""

    def __init__(self, slices: Sequence[S], fetch: Callable[[S], B], concurrency: int) -> None:
        self._places: deque[_Place[S, B]] = deque(_Place(one) for one in slices)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="fetch")
        self._fetch, self._concurrency = fetch, concurrency
        self._ask()

    def __bool__(self) -> bool:
        return bool(self._places)

    def first(self) -> tuple[S, B | SourceError]:
        """Wait for the first reply, or its error; it stays in the queue."""
        place = self._places[0]
        assert place.body is not None  # noqa: S101  (_ask reaches the first place)
        try:
            return place.slice, place.body.result()
        except SourceError as exc:
            return place.slice, exc

    def replace_first(self, slices: Sequence[S]) -> None:
        """Others in place of the first; what it got is the caller's now."""
        self._places.popleft()
        self._places.extendleft(_Place(one) for one in reversed(slices))
        self._ask()

    def close(self) -> None:
        """Cancel what was not asked for yet, wait for the rest and discard it."""
        asked = [place.body for place in self._places if place.body is not None]
        self._pool.shutdown(wait=True, cancel_futures=True)
        for left in asked:
            if not left.cancelled() and left.exception() is None:
                left.result().discard()

    def _ask(self) -> None:
        for place in islice(self._places, self._concurrency):
            place.body = place.body or self._pool.submit(self._fetch, place.slice)


def fetch_ahead(
    slices: Sequence[S],
    fetch: Callable[[S], B],
    divide: Callable[[S], Sequence[S]],
    concurrency: int,
    follow: Callable[[S, B], Follow[S]] | None = None,
) -> Iterator[tuple[S, B]]:
    """(slice, reply) for every slice, in order; the caller discards each reply.

    At most `concurrency` requests run, and as many replies wait beside the one being read (twice as
    many after a division). A slice that asks too much is replaced, in its place, by what `divide` makes of
    it; where that is nothing its error is raised. `follow` says which further slices (a next page) a reply asks for.
    Leaving the iterator early discards and cancels what is left.
    """
    queue = _Queue(slices, fetch, concurrency)
    try:
        while queue:
            slice_, reply = queue.first()
            if isinstance(reply, SourceError):
                parts = divide(slice_) if asks_too_much(reply) else ()
                if not parts:
                    raise reply
                log.warning("%s Divided into %d: %s", reply, len(parts), slice_.label)
                queue.replace_first(parts)
                continue
            then = follow(slice_, reply) if follow else Follow[S]()
            queue.replace_first(then.slices)
            if then.instead:
                log.info("Divided into %d: %s", len(then.slices), slice_.label)
                reply.discard()
            else:
                yield slice_, reply
    finally:
        queue.close()
