"""The clinical systems of a world, each built when it is first asked for.

Belongs here: which stores there are and the story they share. Does not belong here: what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING

from hic_assets.sandbox.world.clinical.base import ClinicalSystem
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.trackers import moments

if TYPE_CHECKING:
    from hic_assets.sandbox.world.country import World

AHEAD = 308
"""Days told beyond the clock: a woman pregnant today gives birth within them. See ``known.BEFORE``."""
_STORIES: Memo[Story] = Memo(most=4)


class ClinicalShelf:
    """The stores of one world by system name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stores: dict[str, ClinicalStore] = {}
        self._told: Story | None = None

    @property
    def systems(self) -> Mapping[str, ClinicalSystem]:
        """Every clinical system there is, by name."""
        from hic_assets.sandbox.world.clinical.systems import SYSTEMS

        return {system.name: system for system in SYSTEMS}

    def store(self, name: str) -> ClinicalStore:
        """The store of a system; KeyError when there is no such system."""
        with self.world.lock:
            if name not in self._stores:
                self._stores[name] = ClinicalStore(self, self.systems[name])
            return self._stores[name]

    def story(self) -> Story:
        """The story, told at least nine months and four weeks beyond the clock."""
        with self.world.lock:
            today = (self.world.now_ms + moments.KIGALI_MS) // moments.DAY_MS
            if self._told is None or self._told.last_day < today + AHEAD - 28:
                self._told = self._tell(today)
            return self._told

    def _tell(self, today: int) -> Story:
        shelf, world = self.world.trackers, self.world
        first = moments.day_number(shelf.start)
        weeks = max(1, -(-(today + AHEAD + 1 - first) // 7))
        last = first + 7 * weeks - 1
        # As they are now: what a world does to its facilities later changes no story.
        facilities = tuple(copy(facility) for facility in world.facilities)
        known = tuple(tuple(vars(facility).values()) for facility in facilities)
        return _STORIES.get(
            (world.seed, world.scale, shelf.start, shelf.noise, first, last, known),
            lambda: Story(world.seed, world.scale, facilities, shelf.places, shelf.life(first, last), shelf.noise),
        )
