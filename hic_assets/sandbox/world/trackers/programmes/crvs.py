"""Civil registration: births (86 in 100, many late) and deaths, by the day of registration.

The enrolment and its event are of the day of registration; the vital event itself is older: days, months. Of births
and deaths outside facilities the registrar is the sector, an organisation unit of level 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import dates, flags, numbers
from hic_assets.sandbox.world.trackers.life import NOT_YET, Births, Life, Patients
from hic_assets.sandbox.world.trackers.moments import spread_days
from hic_assets.sandbox.world.trackers.packing import I64, Answer, Bools, chosen
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place
from hic_assets.sandbox.world.trackers.programmes.common import hmis_attributes, option, years

REGISTERED_BIRTHS = 0.86
# cause (position in the option set icd10_death) of deaths whose circumstances are known
HIV_DISEASE, TUBERCULOSIS, NEOPLASM, PNEUMONIA, PRETERM, ASPHYXIA, SEPSIS, HAEMORRHAGE = 2, 3, 6, 1, 12, 13, 11, 16


@dataclass(frozen=True)
class _Deaths:
    persons: Persons
    hashes: U64
    day: I64
    place: Place
    cause: I64
    """Position in the option set, -1 for any."""
    maternal: Bools


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book."""
    born, deaths = life.births, _deaths(setting, life)
    living = ~born.stillborn & (uniform(salted(born.hashes, "crvs")) < REGISTERED_BIRTHS)
    day = born.persons.born + _delay(born.hashes)
    kept = living & (day <= setting.last_day) & (born.died > day)
    born, day = born.take(kept), day[kept]
    place = np.where(born.at_home, setting.places.sector[born.place], born.place)
    persons = people.concat([born.persons, deaths.persons])
    days = np.concatenate([day, deaths.day + _delay(deaths.hashes)])
    where = np.concatenate([place, deaths.place])
    draft = Draft(setting, spec, persons, days, where)
    draft.attributes = attributes(draft)
    vital = np.concatenate([born.persons.born, deaths.day])[draft.rows]
    draft.enrol(incident=vital)
    is_birth = draft.rows < len(day)
    _birth_events(draft, born.take(draft.rows[is_birth]), np.nonzero(is_birth)[0], spec, setting)
    rows = np.nonzero(~is_birth)[0]
    _death_events(draft, deaths, draft.rows[rows] - len(day), rows, spec)
    e = draft.enrolled
    draft.close(np.ones(len(e.day), dtype=bool), e.created + 3_000)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The child or the deceased, with the number of the act."""
    made = hmis_attributes(draft, upi_created=np.maximum(draft.persons.born, draft.setting.first_day))
    return made | {"CRVS_ACT_NO": draft.writing.numbered("", 12, "act")}


def _delay(hashes: U64) -> I64:
    """Days until registration: 72 in 100 within 30 days, the rest up to a year and more."""
    u = uniform(salted(hashes, "delay"))
    late = 31 + spread_days(hashes, "late", 90.0)
    return np.where(u < 0.45, np.floor(u / 0.45 * 4), np.where(u < 0.72, 4 + np.floor((u - 0.45) * 96), late)).astype(
        np.int64
    )


def _birth_events(draft: Draft, born: Births, rows: I64, spec: ProgrammeSpec, setting: Setting) -> None:
    p, day = born.persons, draft.days[rows]
    given = {
        "CRV_BIRTH_DATE": dates(p.born),
        "CRV_PLACE": option(spec, "birth", "CRV_PLACE", born.at_home.astype(np.int32)),
        "CRV_FOSA": setting.places.fosa_of(born.place).where(~born.at_home),
        "CRV_PLURALITY": numbers(1 + born.twin.astype(np.int64)),
        "CRV_WEIGHT": numbers(born.grams).where(~born.at_home),
        "CRV_MOTHER_AGE": numbers(years(p.born, p.mother_born)),
    }
    draft.events("birth", rows, draft.event_hashes(rows, "birth"), day, given, done=draft.enrolled.created[rows] + 900)


def _death_events(draft: Draft, deaths: _Deaths, which: I64, rows: I64, spec: ProgrammeSpec) -> None:
    h, day, p = draft.event_hashes(rows, "death"), deaths.day[which], deaths.persons.take(which)
    age = day - p.born
    unit = np.where(age >= 730, 0, np.where(age >= 60, 1, 2))
    count = np.where(unit == 0, years(day, p.born), np.where(unit == 1, age // 30, age))
    known = deaths.cause[which]
    causes = option(spec, "death", "CRV_UNDERLYING", np.maximum(known, 0)).where(known >= 0)
    other = option(spec, "death", "CRV_UNDERLYING", (salted(h, "any cause") % np.uint64(12)).astype(np.int64))
    given: dict[str, Answer] = {
        "CRV_DEATH_DATE": dates(day),
        "CRV_DEATH_PLACE": option(spec, "death", "CRV_DEATH_PLACE", (uniform(salted(h, "where")) > 0.6).astype(int)),
        "CRV_AGE": numbers(count),
        "CRV_AGE_UNIT": chosen(["YEARS", "MONTHS", "DAYS"], unit),
        "CRV_UNDERLYING": causes.instead(other, known < 0).where(uniform(salted(h, "cause known")) < 0.8),
        "CRV_PREGNANCY": flags(deaths.maternal[which]).where(p.female & (age > 3650) & (age < 18262)),
    }
    draft.events("death", rows, h, draft.days[rows], given, done=draft.enrolled.created[rows] + 900)


def _deaths(setting: Setting, life: Life) -> _Deaths:
    born = life.births
    child = born.take(born.died != NOT_YET)
    neonatal = child.died - child.persons.born < 28
    mothers = born.take((born.mother_died != NOT_YET) & ~born.second_twin)
    parts = [
        _some(child.persons, child.hashes, child.died, child.place, np.where(neonatal, ASPHYXIA, PNEUMONIA), 0.38),
        _some(mothers.persons.mothers(), mothers.hashes, mothers.mother_died, mothers.place, HAEMORRHAGE, 0.9, True),
        _of(life.hiv.take(life.hiv.died), HIV_DISEASE, 0.6),
        _of(life.tb.take(life.tb.died), TUBERCULOSIS, 0.7),
        _of(life.cancer.take(life.cancer.died), NEOPLASM, 0.6),
        _of(life.older_children, SEPSIS, 0.3),
        _of(life.other_deaths, -1, 1.0),
    ]
    whole = _Deaths(
        people.concat([p.persons for p in parts]),
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("hashes", "day", "place", "cause", "maternal")),
    )
    outside = uniform(salted(whole.hashes, "outside")) < 0.4
    place = np.where(outside, setting.places.sector[whole.place], whole.place)
    kept = whole.day + _delay(whole.hashes) <= setting.last_day
    return _Deaths(
        whole.persons.take(kept), whole.hashes[kept], whole.day[kept], place[kept], whole.cause[kept],
        whole.maternal[kept],
    )  # fmt: skip


def _of(patients: Patients, cause: int, share: float) -> _Deaths:
    return _some(patients.persons, patients.hashes, patients.ends, patients.place, cause, share)


def _some(
    persons: Persons, hashes: U64, day: I64, place: Place, cause: I64 | int, share: float, maternal: bool = False
) -> _Deaths:
    kept = uniform(salted(hashes, "death registered")) < share
    causes = np.broadcast_to(np.asarray(cause, dtype=np.int64), hashes.shape)
    many = int(kept.sum())
    salt = salted(hashes[kept], "death")
    return _Deaths(persons.take(kept), salt, day[kept], place[kept], causes[kept], np.full(many, maternal))
