"""How a record has a person: every field as an ``Answer``, with the disorder of ``noise``.

Belongs here: from the truth (``people``) to what a clerk typed. Does not belong here: which fields a programme has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.trackers import names, people
from hic_assets.sandbox.world.trackers.filling import dates
from hic_assets.sandbox.world.trackers.noise import Noise
from hic_assets.sandbox.world.trackers.packing import I64, Answer, Bools, chosen
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Places

# the places of the serial in a national ID, without its last
_TENS = np.array([10**n for n in range(3, 9)], dtype=np.int64)


@dataclass(frozen=True)
class Writing:
    """Records of ``persons`` (one each): ``hashes`` are the records', ``days`` when they were made."""

    persons: Persons
    hashes: U64
    days: I64
    places: Places
    noise: Noise

    def _often(self, what: str, share: float) -> Bools:
        return uniform(salted(self.hashes, what)) < share

    def mothers(self) -> Writing:
        """The same records writing the mother."""
        return Writing(self.persons.mothers(), salted(self.hashes, "mother"), self.days, self.places, self.noise)

    def fathers(self) -> Writing:
        """The same records writing the father."""
        return Writing(self.persons.fathers(), salted(self.hashes, "father"), self.days, self.places, self.noise)

    # ---- names

    def _spelling(self, what: str) -> np.ndarray:  # type: ignore[type-arg]
        n = self.noise
        u = uniform(salted(self.hashes, "spelling", what))
        how = np.zeros(len(u), dtype=np.intp)
        wrong = u < n.spelling
        how[wrong] = names.R_L + (u[wrong] / n.spelling * 4).astype(np.intp)
        how[(u >= n.spelling) & (u < n.spelling + n.capitals)] = names.CAPITALS
        how[u >= 1 - n.spaces] = names.BLANK
        return how

    def _names(self) -> tuple[Answer, Answer]:
        width = len(names.SPELLINGS)
        first = people.surname(self.persons) * width + self._spelling("surname")
        second = people.given_name(self.persons) * width + self._spelling("given")
        given = Answer(names.spellings(True), second.astype(np.int32))
        return Answer(names.spellings(False), first.astype(np.int32)), given

    def name_fields(self, *, both: bool = False) -> tuple[Answer, Answer]:
        """Surname and given name in two fields, a few the wrong way round; unless ``both`` must be, some without the
        second.
        """
        surname, given = self._names()
        swapped = self._often("swapped", self.noise.swapped_names)
        if not both:
            given = given.where(~self._often("one name", self.noise.no_given_name) | swapped)
        return surname.instead(given, swapped), given.instead(surname, swapped)

    def full_name(self) -> Answer:
        """Both names in one field, surname first or (by habit of the clerk) last."""
        surname, given = (a.texts() for a in self._names())
        last = pl.Series(self._often("order", 10 * self.noise.swapped_names))
        frame = pl.DataFrame({"s": surname, "g": given, "last": last})
        both = pl.when("last").then(pl.col("g") + " " + pl.col("s")).otherwise(pl.col("s") + " " + pl.col("g"))
        return Answer.of(frame.select(both).to_series())

    # ---- birth and sex

    def sex(self, male: str, female: str) -> Answer:
        """Sex in the coding of the instance."""
        return chosen([male, female], self.persons.female ^ self._often("sex", self.noise.wrong_sex))

    def adult(self) -> Bools:
        """Old enough for a card."""
        return self.days - self.persons.born >= people.ADULT

    def estimated(self) -> Bools:
        """Of whom only the year of birth is known."""
        return self.adult() & self._often("january", self.noise.first_january)

    def birth_date(self) -> Answer:
        """Date of birth, sometimes with day and month exchanged, another year, the day before, 1 January."""
        n, born = self.noise, self.persons.born.copy()
        u = uniform(salted(self.hashes, "birth"))
        shifted = u < n.day_month
        born[shifted] = _exchanged(born[shifted])
        born[(u >= n.day_month) & (u < n.day_month + n.other_day)] -= 1
        year = self.adult() & (u >= 1 - n.other_year)
        born[year] += np.where(u[year] < 1 - n.other_year / 2, 365, -365)
        unknown = self.estimated()
        born[unknown] = (
            born[unknown].astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(int)
        )
        return dates(born)

    # ---- numbers

    def nid(self) -> Answer:
        """The national ID of adults; of a few children, their mother's."""
        n = self.noise
        has = self.adult() & ~self._often("nid", n.no_nid)
        borrowed = ~self.adult() & (self.persons.mother != people.NO_MOTHER) & self._often("parent", n.parents_nid)
        made = pl.repeat(None, len(self.hashes), dtype=pl.String, eager=True)
        for rows, persons in ((has, self.persons), (borrowed, self.persons.mothers())):
            at = np.nonzero(rows)[0]
            if len(at):
                made = made.scatter(pl.Series(at), self._nid_texts(persons.take(at), at))
        return Answer.of(made)

    def _nid_texts(self, persons: Persons, at: np.ndarray) -> pl.Series:  # type: ignore[type-arg]
        again = uniform(salted(persons.key, "reissued")) < self.noise.reissued
        issue = (again & (uniform(salted(self.hashes[at], "card")) < 0.5)).astype(np.int64)
        number = people.nid(persons, issue)
        u = uniform(salted(self.hashes[at], "nid typed"))
        slip = u < self.noise.nid_typo
        number[slip] = _neighbours(number[slip], salted(self.hashes[at][slip], "digit"))
        text = pl.Series(number).cast(pl.String)
        spaced = np.nonzero(u >= 1 - self.noise.nid_spaced)[0]
        parts = text.gather(pl.Series(spaced)).str.replace(r"^(.)(.{4})(.)(.{7})(.)(..)$", "$1 $2 $3 $4 $5 $6")
        return text.scatter(pl.Series(spaced), parts)

    def upi(self, created: I64) -> Answer:
        """The patient identifier created on these days; some have none, some a second one."""
        made = people.upi(self.persons, self.places, created)
        other = np.nonzero(self._often("other upi", self.noise.other_upi))[0]
        if len(other):
            again = people.upi(self.persons.take(other), self.places, self.days[other], "second upi")
            made = made.scatter(pl.Series(other), again)
        return Answer.of(made).where(~self._often("upi", self.noise.no_upi))

    def phone(self) -> Answer:
        """A mobile number as 07..., +2507... or with blanks; children have their mother's."""
        child = self.persons.mother != people.NO_MOTHER
        number = np.where(child, people.phone(self.persons.mothers()), people.phone(self.persons))
        text = pl.Series(number).cast(pl.String)
        how = uniform(salted(self.hashes, "phone form"))
        frame = pl.DataFrame({"t": text, "how": how})
        spaced = "0" + pl.col("t").str.slice(0, 2) + " " + pl.col("t").str.slice(2, 3) + " " + pl.col("t").str.slice(5)
        form = pl.when(pl.col("how") < 0.7).then("0" + pl.col("t"))
        form = form.when(pl.col("how") < 0.92).then("+250" + pl.col("t")).otherwise(spaced)  # type: ignore[assignment]
        return Answer.of(frame.select(form).to_series()).where(~self._often("phone", self.noise.no_phone))

    def numbered(self, prefix: str, digits: int, salt: str) -> Answer:
        """A register number of its own for every record: a prefix and digits, zeros first."""
        number = (salted(self.hashes, salt) % np.uint64(10**digits)).astype(np.int64)
        return Answer.of(prefix + pl.Series(number).cast(pl.String).str.zfill(digits))

    # ---- residence

    def sector(self) -> Answer:
        """Sector of residence in words."""
        return self.places.word("sector", self.persons.home)

    def district(self) -> Answer:
        """District of residence in words."""
        return self.places.word("district", self.persons.home)

    def village(self) -> Answer:
        """Village of residence; often not asked."""
        at = salted(self.persons.key, "village") % np.uint64(len(names.VILLAGES))
        return chosen(names.VILLAGES, at.astype(np.int32)).where(self._often("village", 0.8))


def _exchanged(days: I64) -> I64:
    """Day and month exchanged where that is a date, else the same."""
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = month.astype("datetime64[Y]")
    d, m = (day - month).astype(np.int64) + 1, (month - year).astype(np.int64) + 1
    other = (year.astype("datetime64[M]") + np.minimum(d, 12) - 1).astype("datetime64[D]").astype(np.int64) + m - 1
    result: I64 = np.where(d <= 12, other, days)
    return result


def _neighbours(number: I64, hashes: U64) -> I64:
    """Two neighbouring digits of the serial exchanged."""
    low = _TENS[(hashes % np.uint64(len(_TENS))).astype(np.intp)]
    right, left = number // low % 10, number // (low * 10) % 10
    return np.asarray(number + (right - left) * (low * 10) + (left - right) * low, dtype=np.int64)
