"""Everybody who may walk into a facility: those the trackers know, and other residents.

Belongs here: who there is, from when to when. Does not belong here: what brings them (the systems).
Source: ages of the 2022 census, rounded; domain facts 2.1, trap 22.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, key, mix, salted, uniform
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.life import NOT_YET, YEAR, Life, Rows
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.people import Persons

RESIDENTS = 1_400_000
"""A tenth of the population at scale 1, besides those the trackers know."""
AGES = ((5, 0.12), (15, 0.25), (25, 0.2), (45, 0.27), (65, 0.12), (90, 0.04))
"""Share of residents below an age and not below the one before, when the trackers went live."""
RESIDENT, CHILD, MOTHER, HIV, TB, CANCER = range(6)
ALWAYS = np.int64(-(2**40))
BEFORE = 279
"""Days before a programme (or a birth) meets a person from which he or she is there. No longer than a story is told
beyond the clock: else who is met after its end would come to facilities in a longer story only.
"""


@dataclass(frozen=True)
class Known(Rows):
    """One row a person (by key). ``since`` and ``until``: days since 1970 between which he or she is alive and here.

    ``upi_day`` is the day on which the client registry gave the UPI: for those the trackers know, the one they have
    there. ``kind`` is how the trackers know the person first of all; ``hiv`` whether they know of an infection.
    """

    persons: Persons
    since: I64
    until: I64
    upi_day: I64
    kind: I64
    hiv: Bools

    def __len__(self) -> int:
        return len(self.persons)


def everybody(story: Story) -> Known:
    """Everybody there is in a story, at any time; worked out once."""
    return story.once("everybody", lambda: _unique([*_tracked(story.life), _residents(story)]))


def _part(persons: Persons, since: I64 | np.int64, until: I64, upi_day: I64, kind: int, hiv: Bools | bool) -> Known:
    shape = len(persons)
    return Known(
        persons,
        np.broadcast_to(since, shape).copy(),
        until,
        upi_day,
        np.full(shape, kind, dtype=np.int64),
        np.broadcast_to(hiv, shape).copy(),
    )


def _tracked(life: Life) -> list[Known]:
    hiv, tb, cancer, born = life.hiv, life.tb, life.cancer, life.births
    alive = born.take(~born.stillborn)
    one = born.take(~born.second_twin)
    mothers = one.persons.mothers()
    return [
        _part(
            hiv.persons, hiv.day - BEFORE, np.where(hiv.died, hiv.ends, NOT_YET), np.maximum(hiv.persons.born, hiv.day - 300),
            HIV, True,
        ),
        _part(tb.persons, tb.day - BEFORE, np.where(tb.died, tb.ends, NOT_YET), tb.day, TB, tb.hiv),
        _part(
            cancer.persons, cancer.day - BEFORE, np.where(cancer.died, cancer.ends, NOT_YET), cancer.day, CANCER, cancer.hiv,
        ),
        _part(alive.persons, alive.persons.born, alive.died, alive.persons.born, CHILD, False),
        _part(mothers, one.persons.born - BEFORE, one.mother_died, _given(mothers, life.first_day), MOTHER, one.mother_hiv),
    ]  # fmt: skip


def _given(persons: Persons, first_day: int) -> I64:
    """When those whom no tracker gave a UPI got one: within the three years before the trackers went live."""
    ago = (salted(persons.key, "upi given") % np.uint64(1_095)).astype(np.int64)
    return np.maximum(persons.born, first_day - 1 - ago)


def _residents(story: Story) -> Known:
    many = max(200, round(RESIDENTS * story.scale))
    h: U64 = mix(key(story.seed, "resident") ^ np.arange(many, dtype=np.uint64))
    edges = np.cumsum([share for _, share in AGES])
    low = np.array([0, *[age for age, _ in AGES]])
    band = np.minimum(np.searchsorted(edges, uniform(salted(h, "band")), side="right"), len(AGES) - 1)
    age = low[band] + uniform(salted(h, "age")) * (low[band + 1] - low[band])
    born = story.first_day - 1 - np.floor(age * YEAR).astype(np.int64)
    home = story.places.homes(h)
    mother = np.where(age < 15, salted(h, "mother"), people.NO_MOTHER)
    female = uniform(salted(h, "sex")) < 0.515
    persons = Persons(salted(h, "person"), female, born, home, mother, born - np.int64(27 * YEAR))
    until = np.full(many, NOT_YET)
    return _part(persons, ALWAYS, until, _given(persons, story.first_day), RESIDENT, False)


def _unique(parts: list[Known]) -> Known:
    """Each person once, as the first part has it; dead when any part says so, with HIV when any part does."""
    whole = Known(
        people.concat([p.persons for p in parts]),
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Known)[1:]},
    )
    keys, first, which = np.unique(whole.persons.key, return_index=True, return_inverse=True)
    until = np.full(len(keys), NOT_YET)
    np.minimum.at(until, which, whole.until)
    hiv = np.zeros(len(keys), dtype=bool)
    np.logical_or.at(hiv, which, whole.hiv)
    one = whole.take(first)
    return Known(one.persons, one.since, until, one.upi_day, one.kind, hiv)
