"""What community health workers do: whom they see at home, when and why, and whom they register as patients.

Belongs here: encounters as they really happen, on the persons of ``known`` and the women of ``pregnancies``. Does not
belong here: what the community EMR writes of them (``cemr``). Source: domain facts 2.6 (community workers treat 58 to
60 % of malaria), 3.3, traps 19 (season) and 22; rates are of the persons there are (``known.RESIDENTS``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from hic_assets.sandbox.world.clinical.entries import often
from hic_assets.sandbox.world.clinical.known import Known, everybody
from hic_assets.sandbox.world.clinical.pregnancies import pregnancies
from hic_assets.sandbox.world.clinical.rollout import begins, used
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.hashing import F64, U64, key, mix, salted, uniform
from hic_assets.sandbox.world.roster import next_month
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.life import Rows
from hic_assets.sandbox.world.trackers.packing import I64
from hic_assets.sandbox.world.trackers.people import NO_MOTHER, Persons
from hic_assets.sandbox.world.trackers.places import Place

NAME = "cemr"
DISTRICTS = 0.3
"""Share of the districts whose community health workers have the application."""
KINDS = ("child_illness", "malaria", "pregnancy", "newborn")
CHILD_ILLNESS, MALARIA, PREGNANCY, NEWBORN = range(len(KINDS))
NONE = -1
FIVE = 5 * 365
ILLNESS, FEVER = 1.7, 0.36
"""Encounters a year of a child under five, and for fever of anybody older."""
# after the rains malaria, in the dry months diarrhoea: January to December
SEASON = np.array([1.15, 0.95, 0.85, 0.95, 1.25, 1.35, 0.95, 0.75, 0.75, 0.85, 1.15, 1.3])
ENDEMIC = np.array([0.0, 0.6, 1.3, 0.55, 0.3, 1.6])
"""By province: fever that may be malaria, against the whole country."""
# days of gestation or of life between which a worker visits, and the share of homes visited
PREGNANCY_VISITS = ((70, 112, 0.66), (140, 182, 0.62), (224, 252, 0.57))
NEWBORN_VISITS = ((1, 3, 0.68), (5, 8, 0.55), (26, 32, 0.3))
REGISTERED_TWICE = 0.02
WORKERS = 40
"""Community health workers a health centre."""


@dataclass(frozen=True)
class Encounters(Rows):
    """One row an encounter, in the order of person and health centre, then time."""

    persons: Persons
    place: Place
    """Health centre of the home."""
    kind: I64
    day: I64
    hashes: U64
    number: I64
    """The how-manyth visit of its kind, where they are counted; else 0."""
    event: I64
    """Day the pregnancy began or the child was born; NONE for an illness."""
    patient: I64
    """Row of the patient."""


@dataclass(frozen=True)
class Patients(Rows):
    """One row a person registered at a health centre, on the day of the first encounter there; a few have two."""

    persons: Persons
    hashes: U64
    place: Place
    day: I64


@dataclass(frozen=True)
class Community:
    """Everything the workers of a story do."""

    patients: Patients
    encounters: Encounters


def community(story: Story) -> Community:
    """Worked out once for a story."""
    return story.once("community", lambda: _community(story))


def household(persons: Persons) -> U64:
    """The hash of the home of each: children live with their mother."""
    return salted(np.where(persons.mother == NO_MOTHER, persons.key, persons.mother), "household")


def worker(persons: Persons, place: Place) -> I64:
    """The number of the community health worker of these homes: thousands tell the health centre."""
    return 10_000_000 + place * 1000 + 1 + (household(persons) % np.uint64(WORKERS)).astype(np.int64)


def season(days: I64) -> F64:
    """How much malaria there is on these days, against the mean of the year."""
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    result: F64 = SEASON[month]
    return result


def _community(story: Story) -> Community:
    start = begins(story, NAME, DISTRICTS, ("centre",))
    parts = [*_illnesses(story, start), _pregnancies(story), _newborns(story)]
    whole = _joined(parts)
    whole = whole.take(used(story, start, whole.place, whole.day))
    order = np.lexsort((whole.hashes, whole.day, whole.place, whole.persons.key))
    return _registered(story, whole.take(order))


def _joined(parts: list[Encounters]) -> Encounters:
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Encounters)[1:]}
    return Encounters(people.concat([p.persons for p in parts]), **columns)


def _made(persons: Persons, place: Place, kind: int, day: I64, hashes: U64, number: int, event: I64) -> Encounters:
    size = len(day)
    return Encounters(
        persons, place, np.full(size, kind), day, hashes, np.full(size, number), event, np.full(size, NONE)
    )


# ---- illness


def _illnesses(story: Story, start: I64) -> Iterator[Encounters]:
    """Sick children, and fever of those who are older, month by month."""
    everyone = everybody(story)
    everyone = everyone.take(start[everyone.persons.home] <= story.last_day)
    first, last = (np.datetime64(day, "D").astype(date) for day in (story.first_day, story.last_day))
    month = first.replace(day=1)
    while month <= last:
        yield _month(story, everyone, month)
        month = next_month(month)


def _month(story: Story, everyone: Known, month: date) -> Encounters:
    low, high = month_days(month)
    h = mix(everyone.persons.key ^ key(story.seed, "community", month))
    day = low + np.floor(uniform(salted(h, "day")) * (high - low)).astype(np.int64)
    age = day - everyone.persons.born
    child = age < FIVE
    fever = FEVER * ENDEMIC[story.places.province[everyone.persons.home]] * season(day)
    rate = np.where(child, ILLNESS * (0.6 + 0.4 * season(day)), fever) * (high - low) / 365.25
    ill = (uniform(salted(h, "ill")) < rate) & (age > 60) & (everyone.since <= day) & (everyone.until > day)
    ill &= (day >= story.first_day) & (day <= story.last_day)
    who, size = everyone.persons.take(ill), int(ill.sum())
    made = _made(who, who.home, MALARIA, day[ill], h[ill], 0, np.full(size, NONE))
    made.kind[child[ill]] = CHILD_ILLNESS
    return made


# ---- mothers and newborns


def _pregnancies(story: Story) -> Encounters:
    p, parts = pregnancies(story), []
    for turn, (low, high, share) in enumerate(PREGNANCY_VISITS):
        h = salted(p.hashes, "community visit", turn)
        day = p.lmp + low + np.floor(uniform(salted(h, "day")) * (high - low)).astype(np.int64)
        rows = np.nonzero(often(h, "visited", share) & (day < np.minimum(p.ended, p.died)))[0]
        place = p.home_on(rows, day[rows])
        parts.append(_made(p.mothers.take(rows), place, PREGNANCY, day[rows], h[rows], turn + 1, p.lmp[rows]))
    return _joined(parts)


def _newborns(story: Story) -> Encounters:
    born, parts = story.life.births, []
    for turn, (low, high, share) in enumerate(NEWBORN_VISITS):
        h = salted(born.hashes, "community newborn", turn)
        day = born.persons.born + low + np.floor(uniform(salted(h, "day")) * (high - low + 1)).astype(np.int64)
        rows = np.nonzero(often(h, "visited", share) & ~born.stillborn & (born.died > day))[0]
        who = born.persons.take(rows)
        parts.append(_made(who, who.home, NEWBORN, day[rows], h[rows], turn + 1, who.born))
    return _joined(parts)


# ---- registration


def _registered(story: Story, e: Encounters) -> Community:
    """Every person and health centre is a patient from the first encounter on; for a few the third makes a second."""
    size = len(e.day)
    opens = np.concatenate([[True], (np.diff(e.persons.key) != 0) | (np.diff(e.place) != 0)])[:size]
    group = np.cumsum(opens) - 1
    nth = np.arange(size) - np.nonzero(opens)[0][group]
    own = salted(e.persons.key ^ mix(e.place.astype(np.uint64)), story.seed, "cemr patient")
    again = often(own, "twice", REGISTERED_TWICE) & (nth == 2)
    makes = opens | again
    hashes = np.where(again, salted(own, "again"), own)[makes]
    patients = Patients(e.persons.take(makes), hashes, e.place[makes], e.day[makes])
    columns = {f.name: getattr(e, f.name) for f in fields(Encounters)}
    return Community(patients, Encounters(**columns | {"patient": np.cumsum(makes) - 1}))
