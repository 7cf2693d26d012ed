"""Audits of maternal, perinatal and child deaths: the case, and later what the committee found.

One tracked entity a death: the mother, the newborn, the child. A committee that has not met yet is on the calendar.
"""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments, people
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import dates, numbers
from hic_assets.sandbox.world.trackers.life import NOT_YET, Life
from hic_assets.sandbox.world.trackers.packing import I64, Answer
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place
from hic_assets.sandbox.world.trackers.programmes.common import hiv_status, hmis_attributes, option, years


def write_maternal(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """Mothers who died within 42 days: 93 in 100 are audited."""
    born = life.births
    born = born.take((born.mother_died != NOT_YET) & ~born.second_twin)
    draft, kept = _audit(setting, spec, born.persons.mothers(), born.hashes, born.mother_died, born.place, 0.93)
    born = born.take(kept)
    died = born.mother_died
    given = {
        "MDA_DEATH_DATE": dates(died),
        "MDA_AGE": numbers(years(died, born.persons.mother_born)),
        "MDA_HIV": hiv_status(born.mother_hiv),
    }
    return _write(draft, died, given)


def write_perinatal(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """Stillbirths, and the newborns who died within seven days: six in ten are audited."""
    born = life.births
    early = born.died - born.persons.born < 7
    born = born.take((born.stillborn | early) & ~born.at_home)
    day = np.where(born.stillborn, born.persons.born, born.died)
    draft, kept = _audit(setting, spec, born.persons, born.hashes, day, born.place, 0.6)
    born, day = born.take(kept), day[kept]
    macerated = uniform(salted(born.hashes, "macerated")) < 0.53
    p = born.persons
    given = {
        "PDA_KIND": option(spec, "case", "PDA_KIND", np.where(born.stillborn, macerated, 2)),
        "PDA_BIRTH_DATE": dates(p.born),
        "PDA_DEATH_DATE": dates(day),
        "PDA_AGE_HOURS": numbers((day - p.born) * 24 + (born.hashes % np.uint64(24)).astype(np.int64)).where(
            ~born.stillborn
        ),
        "PDA_WEIGHT": numbers(born.grams),
        "PDA_GESTATION": numbers(born.weeks),
        "PDA_PLURALITY": numbers(1 + born.twin.astype(np.int64)),
        "PDA_MOTHER_AGE": numbers(years(p.born, p.mother_born)),
    }
    return _write(draft, day, given)


def write_child(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """Children of 28 days to five years who died in hospital: a third are audited."""
    born, older = life.births, life.older_children
    born = born.take((born.died != NOT_YET) & (born.died - born.persons.born >= 28))
    persons = people.concat([born.persons, older.persons])
    hashes, day = np.concatenate([born.hashes, older.hashes]), np.concatenate([born.died, older.ends])
    place = np.concatenate([setting.places.hospital[born.place], older.place])
    draft, kept = _audit(setting, spec, persons, hashes, day, place, 0.33)
    day = day[kept]
    given = {"CDA_DEATH_DATE": dates(day), "CDA_AGE_MONTHS": numbers((day - persons.born[kept]) // 30)}
    return _write(draft, day, given)


def _audit(
    setting: Setting, spec: ProgrammeSpec, persons: Persons, hashes: U64, day: I64, place: Place, share: float
) -> tuple[Draft, I64]:
    chosen = np.nonzero((uniform(salted(hashes, "audited")) < share) & (day <= setting.last_day))[0]
    draft = Draft(setting, spec, persons.take(chosen), day[chosen], place[chosen])
    draft.attributes = attributes(draft)
    return draft, chosen[draft.rows]


def attributes(draft: Draft) -> dict[str, Answer]:
    """Who died."""
    return hmis_attributes(draft, upi_created=np.maximum(draft.persons.born, draft.setting.first_day))


def _write(draft: Draft, died: I64, given: dict[str, Answer]) -> Book:
    draft.enrol(incident=died)
    every = np.arange(len(draft.rows))
    h = draft.event_hashes(every, "case")
    draft.events("case", every, h, draft.days, given)
    h2 = draft.event_hashes(every, "audit")
    due = draft.days + 14
    met = draft.days + 7 + moments.spread_days(h2, "committee", 21.0)
    never = uniform(salted(h2, "never met")) < 0.12
    planned = draft.enrolled.created + 5_000
    done = moments.only(np.maximum(moments.typed_in(met, h2), planned + 60_000), ~never)
    skipped = uniform(salted(h2, "skipped")) < 0.03
    status = np.where(skipped, "SKIPPED", "COMPLETED").astype(object)
    draft.events("audit", every, h2, met, {}, scheduled=due, planned=planned, done=done, status=status)
    draft.close(~never, np.where(never, NEVER, done + 1_500))
    return bind(draft)
