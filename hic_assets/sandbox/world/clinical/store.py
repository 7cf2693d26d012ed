"""One clinical system as tables: what is visible at the world's clock, and the changes made to it.

Belongs here: the public face that servers and tests use. Rules are in the modules beside it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.base import NOBODY, STATE, ClinicalSystem, newest, standing
from hic_assets.sandbox.world.clinical.overlay import Overlay
from hic_assets.sandbox.world.clinical.story import Story, month_moments
from hic_assets.sandbox.world.hashing import key, keys, uid
from hic_assets.sandbox.world.roster import KIGALI, local_midnight, next_month, utc
from hic_assets.sandbox.world.trackers import people

if TYPE_CHECKING:
    from hic_assets.sandbox.world.clinical.shelf import ClinicalShelf
    from hic_assets.sandbox.world.country import World

KEPT_ANSWERS = 4
"""Answers kept, since the pages of a walk all ask the same."""


class ClinicalStore:
    """The records of one system. Everything is as of ``world.now``; thread-safe under ``world.lock``."""

    def __init__(self, shelf: ClinicalShelf, system: ClinicalSystem) -> None:
        self.shelf, self.system = shelf, system
        self.world: World = shelf.world
        self._newest: dict[tuple[str, date], int] = {}
        self._story: Story | None = None
        self._overlay = Overlay()
        self._found: OrderedDict[tuple[object, ...], pl.DataFrame] = OrderedDict()
        self._number = 0

    # ---- reading

    def records(
        self, resource: str, begin: int | None = None, end: int | None = None, since: int | None = None
    ) -> pl.DataFrame:
        """Records that happened in [begin, end) and changed at or after ``since`` (all ms UTC; None: no limit).

        Deleted ones included. Columns: the resource's own and ``base.STATE``; ordered by ``id``. KeyError for a
        resource the system has not.
        """
        with self.world.lock:
            asked = (resource, begin, end, since, self.world.now_ms, self._number)
            if asked not in self._found or self.shelf.story() is not self._story:
                self._found[asked] = self._records(resource, begin, end, since)
                while len(self._found) > KEPT_ANSWERS:
                    self._found.popitem(last=False)
            return self._found[asked]

    def _records(self, resource: str, begin: int | None, end: int | None, since: int | None) -> pl.DataFrame:
        now = self.world.now_ms
        low = local_midnight(self.system.since) if begin is None else begin
        high = now + 1 if end is None else end
        parts = [standing(self._tell(resource, m), now) for m in self._months(resource, low, high, since)]
        whole = pl.concat(parts) if parts else standing(self._tell(resource, self.system.since), 0)
        whole = whole.filter(pl.col("_happened") >= low, pl.col("_happened") < high)
        whole = self._overlay.apply(resource, whole, now, low, high)
        if since is not None:
            whole = whole.filter(pl.col("_updated") >= since)
        return whole.sort("id")

    def _months(self, resource: str, low: int, high: int, since: int | None) -> list[date]:
        """The months told for a window, without those of which nothing changed since."""
        first = max(utc(low).astimezone(KIGALI).date().replace(day=1), self.system.since)
        month, found = first, []
        while month_moments(month)[0] < min(high, self.world.now_ms + 1):
            if since is None or self._changes_until(resource, month) >= since:
                found.append(month)
            month = next_month(month)
        return found

    def _changes_until(self, resource: str, month: date) -> int:
        self._tale()
        if (resource, month) not in self._newest:
            self._newest[resource, month] = newest(self._tell(resource, month))
        return self._newest[resource, month]

    def _tale(self) -> Story:
        story = self.shelf.story()
        if story is not self._story:
            self._story = story
            self._newest.clear()
        return story

    def _tell(self, resource: str, month: date) -> pl.DataFrame:
        story, tell = self._tale(), self.system.resource(resource).tell
        return story.told.get((self.system.name, resource, month), lambda: tell(story, month))

    # ---- changing

    def edit(
        self, resource: str, id: str, values: Mapping[str, Any], *, happened: int | None = None, at: int | None = None
    ) -> None:
        """Change columns of a record. KeyError when there is no such record or column.

        ``happened`` (ms UTC) moves it to another time; ``values`` must then have the column that tells it.
        """
        with self.world.lock:
            row = self._one(resource, id)
            if happened is not None:
                row = row.with_columns(_happened=pl.lit(happened, dtype=pl.Int64))
            unknown = set(values) - {c for c in row.columns if not c.startswith("_")}
            if unknown:
                raise KeyError(f"{resource} has no column {sorted(unknown)}")
            changed = [pl.Series(c, [v], dtype=row.schema[c]) for c, v in values.items()]
            self._put(resource, row.with_columns(changed), at)

    def delete(self, resource: str, id: str, *, at: int | None = None) -> None:
        """Delete a record: it stays as a tombstone. KeyError when there is no such record."""
        with self.world.lock:
            self._put(resource, self._one(resource, id).with_columns(_deleted=pl.lit(True)), at)

    def add_late(
        self, resource: str, n: int, *, begin: int | None = None, end: int | None = None, seed: int = 1
    ) -> list[str]:
        """Type in ``n`` records now that happened in [begin, end): drawn like those there are, with ids of their own.

        Returns their ids; fewer when the window has fewer records to draw from.
        """
        with self.world.lock:
            drawn = self._draw(resource, n, np.random.default_rng(seed), begin, end)
            names = [f"{self.system.name} {resource} {self.world.now_ms} {self._next()}" for _ in range(len(drawn))]
            own = self.system.resource(resource).ids(keys("late", names)).cast(pl.String).alias("id")
            moment = pl.lit(self.world.now_ms, dtype=pl.Int64)
            self._put(resource, drawn.with_columns(own, _created=moment), None)
            return own.to_list()

    def drift(self, n: int, rng: np.random.Generator) -> None:
        """About ``n`` changes over the resources, now: seven in ten edits, the rest late records and deletions."""
        with self.world.lock:
            kinds = len(self.system.resources)
            for spec, many in zip(self.system.resources, rng.multinomial(n, [1 / kinds] * kinds).tolist(), strict=True):
                edits = round(many * 0.7)
                late = (many - edits) // 2
                frame = self._draw(spec.name, edits, rng, None, None)
                for column in spec.editable:
                    frame = frame.with_columns(frame[column].shuffle(seed=int(rng.integers(2**31))))
                self._put(spec.name, frame, None)
                self.add_late(spec.name, late, seed=int(rng.integers(2**31)))
                gone = self._draw(spec.name, many - edits - late, rng, None, None)
                self._put(spec.name, gone.with_columns(_deleted=pl.lit(True)), None)

    def _draw(
        self, resource: str, n: int, rng: np.random.Generator, begin: int | None, end: int | None
    ) -> pl.DataFrame:
        alive = self.records(resource, begin, end).filter(~pl.col("_deleted"))
        rows = rng.choice(alive.height, size=min(n, alive.height), replace=False)
        found: pl.DataFrame = alive[rows.tolist()]
        return found

    def _one(self, resource: str, id: str) -> pl.DataFrame:
        row = self.records(resource).filter(pl.col("id") == id)
        if row.is_empty():
            raise KeyError(f"no record {id!r} among the {resource} of {self.system.name}")
        return row

    def _put(self, resource: str, rows: pl.DataFrame, at: int | None) -> None:
        if not rows.is_empty():
            self._number += 1
            self._overlay.put(resource, rows, self.world.now_ms if at is None else at)

    def _next(self) -> int:
        self._number += 1
        return self._number

    # ---- the truth

    def truth(self, resource: str) -> pl.DataFrame:
        """Columns id, person: whom each visible record is really about, deleted ones included, named as in the
        trackers' ``TrackerStore.truth``. Records about nobody are left out. Never served.
        """
        frame = self.records(resource).filter(pl.col("_person") != NOBODY)
        return frame.select("id").with_columns(person=people.person_uid(frame["_person"].to_numpy()))

    def secret(self, purpose: str, length: int = 32) -> str:
        """A text that only this world's system has, e.g. its key: letters and digits."""
        number = int(key(self.world.seed, self.system.name, purpose))
        return "".join(uid(number, i) for i in range(length // 11 + 1))[:length]


def business(frame: pl.DataFrame) -> list[str]:
    """The columns of a standing frame that are the resource's own."""
    return [c for c in frame.columns if c not in STATE]
