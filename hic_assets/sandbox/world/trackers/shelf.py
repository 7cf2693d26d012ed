"""The four tracker instances of a world, each built when it is first asked for.

Belongs here: which stores there are, what they share (places, persons) and how far the story is told. Does not belong
here: what is in them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec, instance
from hic_assets.sandbox.world.trackers.draft import Setting
from hic_assets.sandbox.world.trackers.life import Life
from hic_assets.sandbox.world.trackers.noise import NOISE
from hic_assets.sandbox.world.trackers.places import Places, places
from hic_assets.sandbox.world.trackers.programmes import WRITERS
from hic_assets.sandbox.world.trackers.store import TrackerStore

if TYPE_CHECKING:
    from hic_assets.sandbox.world.country import World

TRACKERS_FROM = date(2025, 1, 6)
AHEAD = 28
"""Days told beyond the clock, so that moving it on a few weeks tells nothing anew."""
# Worlds of one seed, scale and start have the same people, and the same is written down about them.
_PLACES: Memo[Places] = Memo(most=8)
_LIVES: Memo[Life] = Memo(most=4)
_BOOKS: Memo[Book] = Memo(most=300_000, size=lambda book: book.events.height)


class TrackerShelf:
    """The stores of one world by instance name. ``start`` is the Monday on which the trackers went live."""

    def __init__(self, world: World, start: date) -> None:
        if start.weekday():
            raise ValueError(f"the trackers went live on a Monday, which {start} is not")
        self.world, self.start = world, start
        self.noise = NOISE
        self._stores: dict[str, TrackerStore] = {}
        # The facilities are as they were built: nobody has had a chance to change them.
        made = (world.seed, world.scale, start)
        self._places = _PLACES.get(made, lambda: places(world.facilities, start.isoformat()))
        self._told: tuple[Setting, Life] | None = None

    @property
    def places(self) -> Places:
        """The facilities as they were when the world was made, by position."""
        return self._places

    def store(self, name: str) -> TrackerStore:
        """The store of an instance; KeyError when there is no such instance."""
        with self.world.lock:
            if name not in self._stores:
                self._stores[name] = TrackerStore(self.world, instance(name), self.write)
            return self._stores[name]

    def install(self, store: TrackerStore) -> None:
        """Put a store made otherwise (a benchmark's) in the place of its instance."""
        with self.world.lock:
            self._stores[store.instance.name] = store

    def write(self, spec: ProgrammeSpec, now: int) -> tuple[Book, Setting]:
        """The book of a programme told at least to a moment (ms), and what it was written with."""
        if self._told is None or self._told[0].horizon < now:
            self._told = self._story(now)
        setting, life = self._told
        asked = (setting.seed, self.world.scale, self.start, setting.noise, setting.last_day, spec.uid)
        return _BOOKS.get(asked, lambda: WRITERS[spec.key](setting, life, spec)), setting

    def life(self, first: int, last: int) -> Life:
        """What happens to the people of this world between two days (since 1970), in whole weeks."""
        world = self.world
        asked = (world.seed, world.scale, self.start, first, last)
        return _LIVES.get(asked, lambda: Life(world.seed, world.scale, self._places, first, last))

    def _story(self, now: int) -> tuple[Setting, Life]:
        first = moments.day_number(self.start)
        today = (now + moments.KIGALI_MS) // moments.DAY_MS
        weeks = max(1, -(-(today + AHEAD + 1 - first) // 7))
        setting = Setting(self.world.seed, self._places, self.noise, first, first + 7 * weeks - 1)
        return setting, self.life(first, setting.last_day)
