"""What happens to people, whoever writes it down: births, infections, tumours, deaths.

Belongs here: events of the country in proportion to its national anchors. Does not belong here: any record of them.
Source: domain facts 2.6, 2.9, trap 22. Every number is a hash of a week and an ordinal, so a longer story begins with
the shorter one, in the same order; therefore it is told in whole weeks. Persons drawn from the people with HIV into other programmes do not die there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np

from hic_assets.sandbox.world.hashing import F64, U64, key, mix, normal, salted, uniform
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.moments import spread_days
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place, Places

NOT_YET = np.int64(2**40)
BIRTHS, TB, CANCER, NEW_HIV, OTHER_DEATHS, OLDER_CHILD_DEATHS = 360_000, 8_551, 5_500, 9_000, 30_500, 4_600
WITH_HIV = 221_000
BIRTH_SEASON = (0.94, 0.95, 1.04, 1.07, 1.1, 1.06, 1.0, 0.97, 0.98, 0.98, 0.96, 0.95)
STILLBORN, NEONATAL, MATERNAL, CHILD = 0.016, 0.019, 0.00203, 0.026
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
YEAR = 365.25


class Rows:
    """Columns that are taken together."""

    def take(self, rows: I64 | Bools) -> Self:
        """These rows."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{n: p.take(rows) if isinstance(p, Persons) else p[rows] for n, p in parts.items()})


@dataclass(frozen=True)
class Births(Rows):
    """One row a child born (a stillbirth is a birth). Days are since 1970, NOT_YET for what does not happen."""

    persons: Persons
    hashes: U64
    place: Place
    """Facility of birth; where ``at_home``, the health centre that hears of it."""
    at_home: Bools
    stillborn: Bools
    died: I64
    mother_died: I64
    twin: Bools
    second_twin: Bools
    grams: I64
    weeks: I64
    mother_hiv: Bools


@dataclass(frozen=True)
class Patients(Rows):
    """People with HIV, TB or cancer. ``day`` is when a programme first meets them; ``ends`` when they leave it."""

    persons: Persons
    hashes: U64
    place: Place
    day: I64
    hiv: Bools
    ends: I64
    died: Bools


class Life:
    """The story of one country at a scale, from ``first_day`` to ``last_day`` (days since 1970): whole weeks."""

    def __init__(self, seed: int, scale: float, places: Places, first_day: int, last_day: int) -> None:
        self.seed, self.scale, self.places = seed, scale, places
        self.first_day, self.last_day = first_day, last_day
        if (last_day + 1 - first_day) % 7:
            raise ValueError("a story is told in whole weeks")

    def weekly(self, what: str, annual: float, season: tuple[float, ...] | None = None) -> tuple[U64, I64]:
        """Hash and day of everything that happens so often a year, in order of week."""
        weeks = np.arange((self.last_day + 1 - self.first_day) // 7, dtype=np.int64)
        of_week = mix(key(self.seed, "life", what) ^ (weeks.astype(np.uint64) * _GOLDEN))
        expected = np.full(len(weeks), annual * self.scale * 7 / YEAR)
        if season:
            month = (self.first_day + 7 * weeks).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
            expected *= np.array(season)[month]
        count = np.floor(expected + uniform(of_week)).astype(np.int64)
        week = np.repeat(weeks, count)
        ordinal = np.arange(len(week)) - np.repeat(np.cumsum(count) - count, count)
        hashes = mix(of_week[week] ^ ((ordinal.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
        day = self.first_day + 7 * week + np.floor(uniform(salted(hashes, "day")) * 7).astype(np.int64)
        return hashes, day

    def grown(self, hashes: U64, day: I64, mean: float, spread: float, low: float) -> I64:
        """Birthdays of adults whose age on a day is about this."""
        age = np.clip(mean + spread * normal(salted(hashes, "age")), low, 95)
        born: I64 = day - np.floor(age * YEAR).astype(np.int64)
        return born

    # ---- HIV

    @cached_property
    def hiv(self) -> Patients:
        """People in HIV care: those there before the tracker (registered in its first half year), then new ones."""
        stock = mix(key(self.seed, "hiv") ^ (np.arange(max(40, round(WITH_HIV * self.scale))).astype(np.uint64)))
        roll_out = self.first_day + np.floor(uniform(salted(stock, "day")) * 182).astype(np.int64)
        new, new_day = self.weekly("hiv", NEW_HIV)
        hashes, day = np.concatenate([stock, new]), np.concatenate([roll_out, new_day])
        child = uniform(salted(hashes, "child")) < 0.035
        born = np.where(child, self.grown(hashes, day, 9, 4, 1), self.grown(hashes, day, 42, 12, 16))
        female = uniform(salted(hashes, "sex")) < np.where(child, 0.5, 0.62)
        home = self.places.homes(hashes, kigali=1.6)
        stays = spread_days(hashes, "stays", 9_000.0) + 14
        died = uniform(salted(hashes, "died")) < 0.22
        place = self.places.treated_at(home, hashes, 0.2)
        persons = people.adults(salted(hashes, "person"), female, born, home)
        everyone = np.ones(len(hashes), dtype=bool)
        return Patients(persons, hashes, place, day, everyone, day + stays, died)

    def from_hiv(self, purpose: str, many: int, eligible: Bools) -> I64:
        """Rows of ``hiv`` drawn for another programme: always the same first ones, however many."""
        stock = np.arange(len(self.hiv.hashes)) < max(40, round(WITH_HIV * self.scale))
        rows = np.nonzero(eligible & stock & (self.hiv.ends > self.first_day + 3000))[0]
        order = rows[np.argsort(salted(self.hiv.hashes[rows], purpose), kind="stable")]
        return order[np.arange(many) % len(order)]

    def _some_with_hiv(self, persons: Persons, hashes: U64, purpose: str, share: float) -> tuple[Persons, Bools]:
        chosen = uniform(salted(hashes, "with hiv")) < share
        rows = self.from_hiv(purpose, int(chosen.sum()), np.ones(len(self.hiv.hashes), dtype=bool))
        other, at = self.hiv.persons.take(rows), np.nonzero(chosen)[0]
        parts = {f.name: getattr(persons, f.name).copy() for f in fields(persons)}
        for name, column in parts.items():
            column[at] = getattr(other, name)
        return Persons(**parts), chosen

    # ---- births

    @cached_property
    def births(self) -> Births:
        """Every child born, twins one after the other."""
        single, day = self.weekly("birth", BIRTHS / 1.015, BIRTH_SEASON)
        twins = uniform(salted(single, "twins")) < 0.015
        row = np.repeat(np.arange(len(single)), 1 + twins)
        second = np.concatenate([[False], row[1:] == row[:-1]]) if len(row) else np.zeros(0, dtype=bool)
        delivery, day = single[row], day[row]
        hashes = np.where(second, salted(delivery, "second"), delivery)
        mother, mother_born, home, hiv = self._mothers(single, day[~second])
        home, place, at_home = home[row], *self._delivered(single, home, row)
        early = twins[row]
        weeks = np.clip(39.2 - 3 * early + 1.7 * normal(salted(delivery, "weeks")), 24, 43).astype(np.int64)
        grams = 3150 + (weeks - 39) * 110 + 420 * normal(salted(hashes, "grams"))
        small = np.where(weeks < 34, 4.0, 0.9)
        stillborn = uniform(salted(hashes, "stillborn")) < STILLBORN * small
        persons = Persons(
            salted(hashes, "person"),
            uniform(salted(hashes, "sex")) < 0.493,
            day,
            home,
            mother[row],
            mother_born[row],
        )
        return Births(
            persons=persons,
            hashes=hashes,
            place=place,
            at_home=at_home,
            stillborn=stillborn,
            died=np.where(stillborn, NOT_YET, _childs_death(hashes, day, small)),
            mother_died=self._mothers_death(delivery, day, hiv[row]),
            twin=early,
            second_twin=second,
            grams=(np.clip(grams, 600, 5200) / 10).astype(np.int64) * 10,
            weeks=weeks,
            mother_hiv=hiv[row],
        )

    def _mothers(self, delivery: U64, day: I64) -> tuple[U64, I64, Place, Bools]:
        home = self.places.homes(delivery)
        born = self.grown(delivery, day, 28.5, 6.3, 15)
        hiv = uniform(salted(delivery, "mother hiv")) < 0.026
        age = self.first_day - self.hiv.persons.born
        fit = self.hiv.persons.female & (age > 18 * YEAR) & (age < 42 * YEAR)
        rows = self.from_hiv("mother", int(hiv.sum()), fit) if fit.any() else np.zeros(0, dtype=np.int64)
        if not len(rows):
            hiv[:] = False
        key_ = salted(delivery, "mother")
        key_[hiv] = self.hiv.persons.key[rows]
        born[hiv], home[hiv] = self.hiv.persons.born[rows], self.hiv.persons.home[rows]
        return key_, born, home, hiv

    def _delivered(self, delivery: U64, home: Place, row: I64) -> tuple[Place, Bools]:
        at_home = uniform(salted(delivery, "born at home")) < 0.07
        place = np.where(at_home, home, self.places.treated_at(home, delivery, 0.34))
        return place[row], at_home[row]

    def _mothers_death(self, delivery: U64, day: I64, hiv: Bools) -> I64:
        dies = (uniform(salted(delivery, "mother dies")) < MATERNAL * 1.015) & ~hiv
        after = np.minimum(spread_days(delivery, "mother dies after", 4.0), 42)
        return np.where(dies, day + after, NOT_YET)

    # ---- other patients

    @cached_property
    def tb(self) -> Patients:
        """People notified with TB; ``ends`` is the end of treatment, successful or not."""
        hashes, day = self.weekly("tb", TB)
        child = uniform(salted(hashes, "child")) < 0.06
        born = np.where(child, self.grown(hashes, day, 7, 4, 0.5), self.grown(hashes, day, 38, 13, 15))
        # those drawn from the people with HIV are women mostly; together 73 in 100 are men
        female = uniform(salted(hashes, "sex")) > 0.8
        home = self.places.homes(hashes, kigali=2.1)
        persons = people.adults(salted(hashes, "person"), female, born, home)
        persons, hiv = self._some_with_hiv(persons, hashes, "tb", 0.17)
        died = (uniform(salted(hashes, "died")) < 0.06) & ~hiv
        u = uniform(salted(hashes, "ends"))
        length = np.where(died, 5 + 150 * u, 178 + 25 * u).astype(np.int64)
        place = self.places.treated_at(persons.home, hashes, 0.35)
        return Patients(persons, hashes, place, day, hiv, day + length, died)

    @cached_property
    def cancer(self) -> Patients:
        """People registered with cancer at a hospital; ``ends`` is the death of those who die."""
        hashes, day = self.weekly("cancer", CANCER)
        child = uniform(salted(hashes, "child")) < 0.05
        born = np.where(child, self.grown(hashes, day, 7, 4, 0.5), self.grown(hashes, day, 56, 15, 18))
        female = uniform(salted(hashes, "sex")) < 0.58
        home = self.places.homes(hashes, kigali=1.3)
        persons = people.adults(salted(hashes, "person"), female, born, home)
        persons, hiv = self._some_with_hiv(persons, hashes, "cancer", 0.05)
        dies = (uniform(salted(hashes, "died")) < 0.45) & ~hiv
        ends = np.where(dies, day + 20 + spread_days(hashes, "survives", 320.0), NOT_YET)
        return Patients(persons, hashes, self.places.hospital[persons.home], day, hiv, ends, dies)

    @cached_property
    def older_children(self) -> Patients:
        """Children born before the trackers who die under five; ``ends`` is the day they die."""
        hashes, day = self.weekly("older child", OLDER_CHILD_DEATHS)
        age = 365 + np.floor(uniform(salted(hashes, "age")) * 1400).astype(np.int64)
        born = np.minimum(day - age, self.first_day - 30)
        born = np.maximum(born, day - 1800)
        mother, home = salted(hashes, "mother"), self.places.homes(hashes)
        female = uniform(salted(hashes, "sex")) < 0.47
        persons = Persons(salted(hashes, "person"), female, born, home, mother, self.grown(hashes, born, 28, 6, 15))
        none = np.zeros(len(hashes), dtype=bool)
        kept = born < self.first_day
        return Patients(persons, hashes, self.places.hospital[home], day, none, day, ~none).take(kept)

    @cached_property
    def other_deaths(self) -> Patients:
        """Everybody else who dies and is registered; ``ends`` is the day they die."""
        hashes, day = self.weekly("death", OTHER_DEATHS)
        born = self.grown(hashes, day, 60, 19, 6)
        home = self.places.homes(hashes)
        female = uniform(salted(hashes, "sex")) < 0.47
        persons = people.adults(salted(hashes, "person"), female, born, home)
        none = np.zeros(len(hashes), dtype=bool)
        return Patients(persons, hashes, self.places.hospital[home], day, none, day, ~none)


def _childs_death(hashes: U64, day: I64, small: F64) -> I64:
    u = uniform(salted(hashes, "dies"))
    neonatal = u < NEONATAL * small
    later = (u >= 0.5) & (u < 0.5 + CHILD)
    early = np.minimum(spread_days(hashes, "days", 3.5), 27)
    late = 28 + spread_days(hashes, "months", 380.0)
    return np.where(neonatal, day + early, np.where(later, day + late, NOT_YET))
