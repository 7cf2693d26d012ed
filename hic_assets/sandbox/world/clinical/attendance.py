"""Who comes to the facilities of a system, when, and with what.

Belongs here: visits as they really happen. Does not belong here: what a system writes of them.
Source: 1.5 to 2 visits a person and year (trap 22); the systems see a tenth of the population (``known.RESIDENTS``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from hic_assets.sandbox.world.clinical import conditions
from hic_assets.sandbox.world.clinical.known import CHILD, HIV, TB, Known, everybody
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.hashing import F64, U64, mix, salted, uniform
from hic_assets.sandbox.world.trackers.life import Rows
from hic_assets.sandbox.world.trackers.packing import I64

YEAR = 365.25
RATES = (2.6, 0.9, 1.0, 1.7)
"""Visits a year of children under five, older ones, men and women."""
WITH_HIV_SHARE = 0.12
"""Of the visits of people with HIV, those about it."""
SUNDAY = 3
"""Days since 1970 modulo 7 of a Sunday."""


@dataclass(frozen=True)
class Catchment(Rows):
    """Persons a facility may see: rows of ``everybody``, the facility, and the share of their visits it gets."""

    person: I64
    place: I64
    share: F64


@dataclass(frozen=True)
class Visits(Rows):
    """One row a visit: row of ``everybody``, facility, local day (since 1970), hash, condition (position)."""

    person: I64
    place: I64
    day: I64
    hashes: U64
    condition: I64

    def known(self, story: Story) -> Known:
        """Who comes, one row a visit."""
        return everybody(story).take(self.person)


def catchment(story: Story, homes: I64, places: I64, shares: F64) -> Catchment:
    """Everybody at home at ``homes[i]`` brings a share of the visits to ``places[i]``."""
    home = everybody(story).persons.home
    order = np.argsort(home, kind="stable")
    begin = np.searchsorted(home[order], homes, side="left")
    many = np.searchsorted(home[order], homes, side="right") - begin
    which = np.repeat(np.arange(len(homes)), many)
    at = begin[which] + np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
    return Catchment(order[at], places[which], shares[which])


def visits(story: Story, system: str, served: Catchment, month: date) -> Visits:
    """The visits of a month to the facilities of a system: of everyday illness, and those that led to a programme."""
    first, end = month_days(month)
    found = [_everyday(story, system, served, first, end), _led_to_programme(story, system, served, first, end)]
    whole = Visits(**{n: np.concatenate([getattr(f, n) for f in found]) for n in vars(found[0])})
    known = whole.known(story)
    alive = (known.since <= whole.day) & (whole.day < known.until)
    return whole.take(alive & story.open_on(whole.place, whole.day))


def _everyday(story: Story, system: str, served: Catchment, first: int, end: int) -> Visits:
    known = everybody(story)
    born = known.persons.born[served.person]
    age = first - born
    sex = 2 + known.persons.female[served.person]
    rate = np.array(RATES)[np.where(age < 5 * YEAR, 0, np.where(age < 15 * YEAR, 1, sex))]
    rate = rate + 0.8 * known.hiv[served.person]
    mean = rate / YEAR * (end - first) * served.share * (born < end)
    h = salted(known.persons.key[served.person] ^ mix(served.place.astype(np.uint64)), story.seed, system, first)
    u, none = uniform(h), np.exp(-mean)
    many = (u >= none).astype(np.int64) + (u >= none * (1 + mean)) + (u >= none * (1 + mean + mean**2 / 2))
    row = np.repeat(np.arange(len(h)), many)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    hashes = mix(h[row] ^ ((turn.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)))
    day = first + np.floor(uniform(salted(hashes, "day")) * (end - first)).astype(np.int64)
    day += ((day % 7 == SUNDAY) & (day + 1 < end)).astype(np.int64)
    person = served.person[row]
    high = story.once("endemic", lambda: conditions.endemic(story.seed, [f.district for f in story.facilities]))
    month = int(np.datetime64(first, "D").astype("datetime64[M]").astype(int)) % 12 + 1
    female = known.persons.female[person]
    condition = conditions.drawn(hashes, 1, day - known.persons.born[person], female, high[served.place[row]], month)
    about_hiv = known.hiv[person] & (uniform(salted(hashes, "about hiv")) < WITH_HIV_SHARE)
    condition = np.where(about_hiv & (known.kind[person] != CHILD), conditions.position("hiv_disease"), condition)
    return Visits(person, served.place[row], day, hashes, condition)


def _led_to_programme(story: Story, system: str, served: Catchment, first: int, end: int) -> Visits:
    """Those who were found to have TB or HIV: the visit a few days before the programme registered them."""
    known = everybody(story)
    parts = []
    for name, kind, patients in (("tuberculosis", TB, story.life.tb), ("hiv_disease", HIV, story.life.hiv)):
        at = np.full(len(known), -(2**40), dtype=np.int64)
        rows = np.searchsorted(known.persons.key, patients.persons.key)
        before = (salted(patients.hashes, "seen before") % np.uint64(6)).astype(np.int64)
        at[rows] = patients.day - before
        day = at[served.person]
        h = salted(known.persons.key[served.person] ^ mix(served.place.astype(np.uint64)), system, name)
        came = (first <= day) & (day < end) & (uniform(h) < served.share * 0.9)
        came &= (known.kind[served.person] == kind) | (kind == TB)
        chosen = np.nonzero(came)[0]
        condition = np.full(len(chosen), conditions.position(name), dtype=np.int64)
        parts.append(Visits(served.person[chosen], served.place[chosen], day[chosen], h[chosen], condition))
    return Visits(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in vars(parts[0])})
