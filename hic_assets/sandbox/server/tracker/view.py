"""What one family of endpoints makes of an instance's records: the store's frames, with what a version hides and
with the differences put on that family.

Belongs here: frames by kind and programme, kept until something changes. Does not belong here: conditions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Protocol, TypeVar

import polars as pl

from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.server.tracker.differences import Differences, Meanings
from hic_assets.sandbox.world.trackers.schema import TRACKED_ENTITIES

# before it was deleted; stores that remember it have this column
ALIVE = "_alive_updated_ms"
# answers kept, since the pages of a walk all ask the same
KEPT = 8
Found = TypeVar("Found")


class Store(Protocol):
    """The part of a tracker store that is read here."""

    @property
    def version(self) -> Hashable:
        """Changes whenever a frame may have changed."""

    def frame(self, kind: str, program: str) -> pl.DataFrame:
        """Records of a kind in a programme, deleted ones included."""


class View:
    """The records of one instance as a family (``legacy`` or ``unified``) of one version shows them."""

    def __init__(
        self, store: Store, family: str, dialect: TrackerDialect, differences: Differences, meanings: Meanings
    ) -> None:
        self.store, self.family, self.dialect = store, family, dialect
        self.differences, self._meanings = differences, meanings
        self._kept: dict[tuple[str, tuple[str, ...]], tuple[Hashable, pl.DataFrame]] = {}
        self._answers: dict[Hashable, tuple[Hashable, Any]] = {}
        self._lock = threading.Lock()

    @property
    def state(self) -> Hashable:
        """Changes whenever a frame may have changed."""
        return (self.store.version, self.differences.revision)

    def remembered(self, key: Hashable, search: Callable[[], Found]) -> Found:
        """The answer to a question, found anew when something changed; those to the last few are kept."""
        state = self.state
        kept = self._answers.get(key)
        if kept is not None and kept[0] == state:
            found: Found = kept[1]
            return found
        found = search()
        with self._lock:
            # what is no longer true is let go, with the frames it holds
            current = [(k, v) for k, v in self._answers.items() if v[0] == state and k != key]
            self._answers = dict([*current, (key, (state, found))][-KEPT:])
        return found

    def frame(self, kind: str, programs: Iterable[str]) -> pl.DataFrame:
        """Records of a kind in these programmes; a tracked entity of several is there once."""
        wanted = tuple(programs)
        with self._lock:
            state, kept = self.state, self._kept.get((kind, wanted))
            if kept is not None and kept[0] == state:
                return kept[1]
            frame = self._joined(kind, wanted)
            self._kept[kind, wanted] = (state, frame)
            return frame

    def _joined(self, kind: str, programs: tuple[str, ...]) -> pl.DataFrame:
        frames = [self._one(kind, program) for program in programs]
        if len(frames) == 1:
            return frames[0]
        frame = pl.concat(frames, how="vertical_relaxed")
        return frame.unique("uid", keep="first", maintain_order=True) if kind == TRACKED_ENTITIES else frame

    def _one(self, kind: str, program: str) -> pl.DataFrame:
        frame = self.store.frame(kind, program)
        if not self.dialect.deletion_is_a_change:
            before = pl.col(ALIVE if ALIVE in frame.columns else "created_ms")
            frame = frame.with_columns(updated_ms=pl.when("deleted").then(before).otherwise("updated_ms"))
        return self.differences.apply(frame, self.family, kind, program, self._meanings)
