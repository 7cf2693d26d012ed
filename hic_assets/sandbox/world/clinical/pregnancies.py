"""Pregnancies as they really are: the nine months before the births of ``Life``, and those that end before a birth.

Belongs here: when a pregnancy began, how it ended, where the woman lived, when she came to antenatal care. Does not
belong here: any record of it (EBUZIMA and CEMR each write their own). Source: domain facts 2.6 (98 % with one contact,
47 % with four or more), trap 22; RDHS 2019-20: 59 % come in the first trimester.

The births of the coming months are told too (``Story.life`` runs ten months ahead), since their mothers are pregnant
now. ``Life`` begins with the shorter story whatever its end, so a longer one holds the same pregnancies and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, mix, normal, salted, uniform
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.life import BIRTHS, NOT_YET, YEAR, Life, Rows
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place

TERM = 280
LOST = 0.045
"""Pregnancies lost after the sixth week that a health worker hears of, for each birth."""
MOVED = 0.03
MOST_CONTACTS = 8
# women by number of contacts they would come to, none to eight; early births take a few away
_SHARES = np.cumsum([0.02, 0.075, 0.155, 0.25, 0.32, 0.10, 0.05, 0.02, 0.01])
_EARLY = 0.59


@dataclass(frozen=True)
class Pregnancies(Rows):
    """One row a pregnancy. Days are since 1970, NOT_YET for what does not happen."""

    mothers: Persons
    hashes: U64
    lmp: I64
    """First day of the last menstrual period."""
    ended: I64
    birth: I64
    """Row in the births of the story, of twins the first; -1 of a pregnancy that was lost."""
    gravida: I64
    parity: I64
    hiv: Bools
    died: I64
    """When the woman died of it."""
    place: Place
    """Health centre of her home."""
    moved: I64
    """When she came there from ``earlier``."""
    earlier: Place

    def home_on(self, rows: I64, days: I64) -> Place:
        """The health centre of these women's homes, one row a day given."""
        return np.where(days < self.moved[rows], self.earlier[rows], self.place[rows])


@dataclass(frozen=True)
class Contacts(Rows):
    """One row an antenatal contact; ``pregnancy`` is a row, ``number`` counts from 1 over all health centres."""

    pregnancy: I64
    hashes: U64
    day: I64
    number: I64


def pregnancies(story: Story) -> Pregnancies:
    """Those of the births of the story in their order, then those lost; worked out once."""
    return story.once("pregnancies", lambda: _pregnancies(story.life))


def contacts(story: Story) -> Contacts:
    """Every antenatal contact there is, woman by woman in the order of time; worked out once."""
    return story.once("antenatal contacts", lambda: _contacts(pregnancies(story)))


def _pregnancies(life: Life) -> Pregnancies:
    births = life.births
    first = np.nonzero(~births.second_twin)[0]
    born = births.take(first)
    # twins have one pregnancy, and a hash of their own each: the first one's is the delivery's
    h = salted(born.hashes, "pregnancy")
    lmp = born.persons.born - 7 * born.weeks - (h % np.uint64(7)).astype(np.int64)
    of_births = _whole(
        life, born.persons.mothers(), h, lmp, born.persons.born, first, born.mother_hiv, born.mother_died
    )
    lost = _lost(life)
    return Pregnancies(
        people.concat([of_births.mothers, lost.mothers]),
        *(
            np.concatenate([getattr(of_births, n), getattr(lost, n)])
            for n in list(Pregnancies.__dataclass_fields__)[1:]
        ),
    )


def _lost(life: Life) -> Pregnancies:
    """Women of their own, known to no tracker: the HIV-positive ones among them are in nobody's care yet."""
    hashes, day = life.weekly("pregnancy lost", BIRTHS * LOST)
    home = life.places.homes(hashes)
    born = life.grown(hashes, day, 28.5, 6.3, 15)
    mothers = people.adults(salted(hashes, "mother"), np.ones(len(hashes), dtype=bool), born, home)
    weeks = np.clip(6 + 4.5 * -np.log1p(-uniform(salted(hashes, "weeks"))), 6, 27).astype(np.int64)
    hiv = uniform(salted(hashes, "mother hiv")) < 0.026
    never = np.full(len(hashes), NOT_YET)
    lmp = day - 7 * weeks - (hashes % np.uint64(7)).astype(np.int64)
    return _whole(life, mothers, hashes, lmp, day, np.full(len(hashes), -1), hiv, never)


def _whole(
    life: Life, mothers: Persons, hashes: U64, lmp: I64, ended: I64, birth: I64, hiv: Bools, died: I64
) -> Pregnancies:
    age = (lmp - mothers.born) / YEAR
    many = np.clip((age - 19) / 4.2 + 0.9 * normal(salted(hashes, "pregnancies before")), 0, 10)
    before: I64 = np.where(age < 17, 0, many).astype(np.int64)
    lost = (uniform(salted(hashes, "lost before")) < 0.12) & (before > 0)
    u = uniform(salted(hashes, "moves"))
    earlier = life.places.homes(salted(hashes, "earlier home"))
    stays = (u >= MOVED) | (earlier == mothers.home)
    moved = np.where(stays, -NOT_YET, lmp + 70 + np.floor(u / MOVED * 150).astype(np.int64))
    return Pregnancies(
        mothers, hashes, lmp, ended, birth.astype(np.int64), before + 1, before - lost, hiv, died, mothers.home, moved,
        earlier,
    )  # fmt: skip


def _contacts(p: Pregnancies) -> Contacts:
    wanted = np.searchsorted(_SHARES[:-1], uniform(salted(p.hashes, "contacts")), side="right")
    first = _first_week(p.hashes, wanted)
    # those who come often come until the end, the others lose the habit after some months
    step = np.where(
        wanted >= 4, (36.5 - first) / np.maximum(wanted - 1, 1), 5.5 + 2 * uniform(salted(p.hashes, "step"))
    )
    number = np.arange(MOST_CONTACTS)
    h = mix(
        salted(p.hashes, "contact")[:, None] ^ ((number.astype(np.uint64) + np.uint64(1)) << np.uint64(32))[None, :]
    )
    spread = np.where(number == 0, 0.0, 4.0)[None, :] * normal(h)
    day = p.lmp[:, None] + np.floor(7 * (first[:, None] + step[:, None] * number[None, :]) + spread).astype(np.int64)
    # a health centre receives on weekdays; 1 January 1970 was a Thursday
    day -= np.maximum((day + 3) % 7 - 4, 0)
    week = 7 * number[None, :]
    day = np.maximum.accumulate(day - week, axis=1) + week
    there = (number[None, :] < wanted[:, None]) & (day < np.minimum(p.ended, p.died)[:, None])
    rows, columns = np.nonzero(there)
    return Contacts(rows, h[there], day[there], columns + 1)


def _first_week(hashes: U64, wanted: I64) -> np.ndarray:  # type: ignore[type-arg]
    """Weeks of pregnancy at the first contact: the first trimester for 59 in 100, the sooner the more contacts."""
    u = uniform(salted(hashes, "first contact"))
    early = np.where(wanted >= 4, _EARLY + 0.22, _EARLY - 0.2)
    soon = 5.5 + 7.4 * np.sqrt(u / early)
    late = 13 + (u - early) / (1 - early) * np.where(wanted >= 4, 9, 20)
    return np.where(u < early, soon, late)
