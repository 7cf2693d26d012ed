"""The patients of EBUZIMA: one a woman and facility, as a clerk there wrote her down.

Belongs here: the identity in every record. Does not belong here: anything clinical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.entries import flag, often, uuids
from hic_assets.sandbox.world.clinical.known import everybody
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, mix, salted
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place
from hic_assets.sandbox.world.trackers.writing import Writing

TEMPORARY = 0.25
"""Of women with a UPI: known by a temporary number until their pregnancy ends."""


@dataclass(frozen=True)
class Written:
    """Patients as structs, ``at_first`` and in the end, and what they were written with."""

    at_first: pl.Series
    final: pl.Series
    writing: Writing


def patient_hashes(story: Story, keys: U64, place: Place, again: Bools) -> U64:
    """The hash of a person's file at a facility; ``again`` a second file of hers."""
    own = salted(keys ^ mix(place.astype(np.uint64)), story.seed, "ebuzima patient")
    return np.where(again, salted(own, "again"), own)


def upis(story: Story, persons: Persons) -> I64:
    """The days on which these persons got their UPI: those of the other systems for everybody who is in one."""
    known = everybody(story)
    at = np.minimum(np.searchsorted(known.persons.key, persons.key), len(known) - 1)
    there = known.persons.key[at] == persons.key
    return np.where(there, known.upi_day[at], np.maximum(persons.born, story.first_day))


def patients(story: Story, persons: Persons, place: Place, days: I64, again: Bools | None = None) -> Written:
    """These persons as the facilities have them. ``days`` must be the same in all records of a pregnancy."""
    h = patient_hashes(story, persons.key, place, np.zeros(len(place), dtype=bool) if again is None else again)
    w = Writing(persons, h, days, story.places, story.noise)
    upi = w.upi(upis(story, persons))
    known = upi.index >= 0
    waits = known & often(h, "temporary", TEMPORARY)
    number = w.numbered("TMP-", 10, "temporary number")
    surname, given = w.name_fields()
    same = {
        "nid": w.nid().texts(),
        "family_name": surname.texts(),
        "given_name": given.texts(),
        "birth_date": w.birth_date().texts().str.to_date("%Y-%m-%d"),
        "birth_date_estimated": flag(w.estimated()),
        "phone": w.phone().texts(),
        "sector": w.sector().texts(),
        "village": w.village().texts(),
    }

    def told(has: Bools) -> pl.Series:
        numbers = {"uuid": uuids(h), "upi": upi.where(has).texts(), "temp_id": number.where(~has).texts()}
        return pl.DataFrame(numbers | same).to_struct("patient")

    return Written(told(known & ~waits), told(known), w)
