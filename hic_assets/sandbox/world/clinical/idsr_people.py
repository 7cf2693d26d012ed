"""Who the cases of notifiable diseases are: persons of the trackers where it can be, else other residents.

Belongs here: choosing a person of the right age, alive and at home near the facility. Does not belong here: what is
notified of him or her (``idsr_cases``).
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from hic_assets.sandbox.world.clinical.idsr_diseases import UNDER_FIVE, position
from hic_assets.sandbox.world.clinical.known import ALWAYS, CHILD, RESIDENT, Known, everybody
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.life import NOT_YET, YEAR
from hic_assets.sandbox.world.trackers.packing import I64, Bools

TRIES = 64
"""Persons looked at before a case is somebody else who lives there."""
FIVE_YEARS = 5 * YEAR
BEFORE_MR1 = 270
"""Days of age before which no child has had its first measles vaccine, which is due at 274."""
NEONATE = 28


def near(story: Story, facility: I64, hashes: U64) -> I64:
    """The health centre around which a case lives: the one that saw it, or one of the facility's district."""
    centres = story.places.centres
    districts = np.array([f.district for f in story.facilities])
    order = np.argsort(districts[centres], kind="stable")
    sorted_ = districts[centres][order]
    first = np.searchsorted(sorted_, districts[facility])
    many = np.searchsorted(sorted_, districts[facility], side="right") - first
    # every district has a health centre that was open when the trackers began
    drawn = first + (salted(hashes, "near") % np.maximum(many, 1).astype(np.uint64)).astype(np.int64)
    elsewhere = centres[order[np.minimum(drawn, len(order) - 1)]]
    return np.where(np.isin(facility, centres), facility, elsewhere)


def persons(story: Story, disease: I64, band: I64, facility: I64, day: I64, hashes: U64) -> Known:
    """One person a case (``disease`` by position, ``day`` since 1970): who had the disease at this facility."""
    known, home = everybody(story), near(story, facility, hashes)
    by_home = story.once("idsr by home", lambda: np.argsort(known.persons.home, kind="stable"))
    homes = story.once("idsr homes", lambda: known.persons.home[by_home])
    first = np.searchsorted(homes, home)
    many = np.searchsorted(homes, home, side="right") - first
    tries = salted(hashes, "try")[:, None] + np.arange(TRIES, dtype=np.uint64)[None, :] * np.uint64(0x9E3779B97F4A7C15)
    offset = salted(tries.reshape(-1), "who").reshape(tries.shape) % np.maximum(many, 1)[:, None].astype(np.uint64)
    rows = by_home[np.minimum(first[:, None] + offset.astype(np.int64), len(by_home) - 1)]
    fit = eligible(story, rows, disease[:, None], band[:, None], day[:, None]) & (many > 0)[:, None]
    chosen = rows[np.arange(len(rows)), fit.argmax(axis=1)]
    found: Bools = np.asarray(fit.any(axis=1))
    return joined(known.take(chosen), somebody(story, disease, band, home, day, hashes), found)


def eligible(story: Story, rows: I64, disease: I64, band: I64, day: I64) -> Bools:
    """Whether these of ``everybody`` could be cases: alive, of the age, and for measles under five not vaccinated."""
    known = everybody(story)
    age = day - known.persons.born[rows]
    good = (known.since[rows] <= day) & (day < known.until[rows]) & (age >= 0)
    good &= (age < FIVE_YEARS) == (band == UNDER_FIVE)
    measles = (disease == position("MEASLES")) & (band == UNDER_FIVE)
    open_to_it = (known.kind[rows] == CHILD) & (age >= 150) & (never_immunized(story)[rows] | (age < BEFORE_MR1))
    tetanus = disease == position("NEONATAL_TETANUS")
    result: Bools = good & (open_to_it | ~measles) & (~tetanus | (age < NEONATE))
    return result


def never_immunized(story: Story) -> Bools:
    """Of ``everybody``: children of the trackers' time whom the immunization tracker never got to know."""

    def work_out() -> Bools:
        known, born = everybody(story), story.life.births
        # as ``trackers.programmes.immunization`` chooses who is in it
        missed = (uniform(salted(born.hashes, "immunization")) >= 0.95) & ~born.stillborn
        return np.isin(known.persons.key, born.persons.key[missed])

    return story.once("never immunized", work_out)


def somebody(story: Story, disease: I64, band: I64, home: I64, day: I64, hashes: U64) -> Known:
    """Residents whom no tracker knows, one a case."""
    u = uniform(salted(hashes, "age"))
    age = np.where(band == UNDER_FIVE, 60 + u * (FIVE_YEARS - 61), FIVE_YEARS + (u**1.6) * 65 * YEAR)
    age = np.where(disease == position("NEONATAL_TETANUS"), 4 + u * 16, age)
    born = day - np.floor(age).astype(np.int64)
    female = uniform(salted(hashes, "sex")) < 0.51
    made = people.adults(salted(hashes, "person"), female, born, home)
    shape = len(hashes)
    return Known(
        made,
        np.full(shape, ALWAYS),
        np.full(shape, NOT_YET),
        np.maximum(born, story.first_day - 400),
        np.full(shape, RESIDENT, dtype=np.int64),
        np.zeros(shape, dtype=bool),
    )


def joined(one: Known, other: Known, where: Bools) -> Known:
    """``one`` where asked, else ``other``, row by row."""
    parts = {}
    for f in fields(people.Persons):
        parts[f.name] = np.where(where, getattr(one.persons, f.name), getattr(other.persons, f.name))
    rest = {f.name: np.where(where, getattr(one, f.name), getattr(other, f.name)) for f in fields(Known)[1:]}
    return Known(people.Persons(**parts), **rest)
