"""Persons as they really are: the hidden truth behind the records.

Belongs here: sex, birth, home, names, numbers, all from a person's key. Does not belong here: how a record has them
(see ``writing``). Source: domain facts 2.7 (NID: status, birth year, sex, serial, issue, check digits).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from hic_assets.sandbox.world.hashing import U64, salted
from hic_assets.sandbox.world.trackers import names
from hic_assets.sandbox.world.trackers.packing import I64, Bools, uids
from hic_assets.sandbox.world.trackers.places import Places

ADULT = 16 * 365
NO_MOTHER = np.uint64(0)


@dataclass(frozen=True)
class Persons:
    """One entry a person. ``born`` is days since 1970, ``home`` the place of a health centre, ``mother`` a key."""

    key: U64
    female: Bools
    born: I64
    home: I64
    mother: U64
    mother_born: I64
    """Days since 1970; of no meaning where there is no mother."""

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: npt.NDArray[np.integer] | Bools) -> Persons:
        """These persons."""
        return Persons(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def mothers(self) -> Persons:
        """The mother of each."""
        return adults(self.mother, np.ones(len(self), dtype=bool), self.mother_born, self.home)

    def fathers(self) -> Persons:
        """The father of each."""
        born = self.mother_born - 365 * 4
        return adults(salted(self.mother, "father"), np.zeros(len(self), dtype=bool), born, self.home)


def adults(key: U64, female: Bools, born: I64, home: I64) -> Persons:
    """Persons whose mothers are not known."""
    none = np.full(len(key), NO_MOTHER, dtype=np.uint64)
    return Persons(key, female, born, home, none, np.zeros(len(key), dtype=np.int64))


def concat(parts: list[Persons]) -> Persons:
    """All of them, in order."""
    return Persons(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Persons)})


def surname(people: Persons) -> npt.NDArray[np.intp]:
    """Positions in ``names.ALL_SURNAMES``."""
    h = salted(people.key, "surname")
    many = np.where(people.female, len(names.ALL_SURNAMES), len(names.SURNAMES)).astype(np.uint64)
    return (h % many).astype(np.intp)


def given_name(people: Persons) -> npt.NDArray[np.intp]:
    """Positions in ``names.ALL_GIVEN``."""
    h = salted(people.key, "given")
    men, women = len(names.MEN_GIVEN), len(names.WOMEN_GIVEN)
    return np.where(people.female, men + (h % np.uint64(women)).astype(np.intp), (h % np.uint64(men)).astype(np.intp))


def year_of(days: I64) -> I64:
    """The calendar year of days since 1970."""
    found: I64 = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return found


def nid(people: Persons, issue: I64) -> I64:
    """The national ID number as an integer of 16 digits; ``issue`` (0 to 9) is that of the card shown."""
    serial = (salted(people.key, "serial") % np.uint64(10**7)).astype(np.int64)
    check = (salted(people.key ^ issue.astype(np.uint64), "check") % np.uint64(100)).astype(np.int64)
    head = 10_000 + year_of(people.born)
    sex = np.where(people.female, 7, 8)
    return (((head * 10 + sex) * 10**7 + serial) * 10 + issue) * 100 + check


def upi(people: Persons, places: Places, when: I64, salt: object = "upi") -> pl.Series:
    """``YYMMDD-FOSA-NNNN``: the day (``when``) and facility that created it, and a sequence number."""
    fosa = places.fosa.fill_null("0000").str.zfill(4).gather(pl.Series(people.home))
    number = (salted(people.key, salt) % np.uint64(10_000)).astype(np.int64)
    day = pl.Series("day", when.astype(np.int32)).cast(pl.Date).dt.strftime("%y%m%d")
    return day + "-" + fosa + "-" + pl.Series(number).cast(pl.String).str.zfill(4)


def phone(people: Persons) -> I64:
    """A mobile number without its leading zero: 78, 79, 72 or 73 and seven digits."""
    h = salted(people.key, "phone")
    network = np.array([78, 79, 72, 73])[(h % np.uint64(4)).astype(np.intp)]
    return network * 10**7 + (h >> np.uint64(8)).astype(np.int64) % 10**7


def person_uid(key: U64) -> pl.Series:
    """The name of a person in ``truth`` and ``persons``: the same in every instance."""
    return uids(salted(key, "person"))


def table(people: Persons, places: Places) -> pl.DataFrame:
    """The persons as they really are, one row each: see ``TrackerStore.persons``."""
    _, first = np.unique(people.key, return_index=True)
    one = people.take(np.sort(first))
    whole = (
        names.spellings(False).gather_every(len(names.SPELLINGS)),
        names.spellings(True).gather_every(len(names.SPELLINGS)),
    )
    number = pl.Series(nid(one, np.zeros(len(one), dtype=np.int64))).cast(pl.String)
    return pl.DataFrame(
        {
            "person": person_uid(one.key),
            "surname": whole[0].gather(pl.Series(surname(one))),
            "given_name": whole[1].gather(pl.Series(given_name(one))),
            "sex": pl.Series(np.where(one.female, "F", "M"), dtype=pl.String),
            "birth_date": pl.Series(one.born.astype(np.int32)).cast(pl.Date),
            "nid": number,
            "phone": "0" + pl.Series(phone(one)).cast(pl.String),
            "home": places.units.gather(pl.Series(one.home)),
            "mother": person_uid(one.mother).set(pl.Series(one.mother == NO_MOTHER), None),
        }
    )
