"""Where a system is used, and since when: systems reach the country district by district.

Belongs here: the day on which a facility began with a system. Does not belong here: what it writes there. Source:
domain facts 2.11 (e-Ubuzima: rollout by district, 15 districts in 2025; community EMR: by the end of 2026).
"""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import keys, salted, uniform
from hic_assets.sandbox.world.trackers.life import NOT_YET
from hic_assets.sandbox.world.trackers.packing import I64, Bools

FROM_THE_START = 0.4
"""Of the districts with a system: the pilot districts, which have it from the first day."""
WEEKS = 52
"""Weeks in which the others follow, each on a Monday."""


def begins(story: Story, system: str, districts: float, forms: tuple[str, ...]) -> I64:
    """By facility: the day (since 1970) on which it began with a system, NOT_YET where it has not.

    ``districts`` is the share of them that have it; ``forms`` are those of the facilities (hospital, centre, ...).
    """
    names = sorted({f.district for f in story.facilities})
    draws = keys(("rollout", story.seed, system), names)
    order = np.argsort(uniform(draws), kind="stable")
    many = max(1, round(districts * len(names)))
    start = np.full(len(names), NOT_YET)
    for turn, at in enumerate(order[:many]):
        follows = turn >= max(1, round(FROM_THE_START * many))
        week = 1 + int(salted(draws[at : at + 1], "week")[0] % np.uint64(WEEKS)) if follows else 0
        start[at] = story.first_day + 7 * week
    by_district = dict(zip(names, start, strict=True))
    return np.array([by_district[f.district] if f.form in forms else NOT_YET for f in story.facilities], dtype=np.int64)


def used(story: Story, start: I64, place: I64, day: I64) -> Bools:
    """Whether these facilities, one a day given, had the system on these days and were open."""
    result: Bools = (start[place] <= day) & story.open_on(place, day)
    return result
