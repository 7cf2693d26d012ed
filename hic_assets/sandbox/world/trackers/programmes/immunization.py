"""Routine immunization: children, and their doses as events, visit by visit of the EPI schedule.

At the end of a visit the next one goes on the calendar: a SCHEDULE event without a day on which it happened. Who does
not come stays there, or is marked SKIPPED or OVERDUE. Source: domain facts 2.5; DTP1 98 %, MR1 93 %, MR2 89 %.
"""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.hashing import F64, normal, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import flags, numbers, tenths
from hic_assets.sandbox.world.trackers.life import Births, Life
from hic_assets.sandbox.world.trackers.packing import I64, Answer, Bools, chosen
from hic_assets.sandbox.world.trackers.programmes.common import option

VISITS = ("BIRTH", "W06", "W10", "W14", "M09", "M15")
DUE = np.array([0, 42, 70, 98, 274, 456])
# how likely a child comes that came last time, and one that did not
COMES = np.array([0.97, 0.985, 0.985, 0.98, 0.965, 0.955])
RETURNS = np.array([0.97, 0.7, 0.55, 0.5, 0.6, 0.45])
DOSES = {
    "BIRTH": ("IMM_BCG", "IMM_OPV0"),
    "W06": ("IMM_OPV1", "IMM_PENTA1", "IMM_PCV1", "IMM_ROTA1"),
    "W10": ("IMM_OPV2", "IMM_PENTA2", "IMM_PCV2", "IMM_ROTA2"),
    "W14": ("IMM_OPV3", "IMM_PENTA3", "IMM_PCV3", "IMM_IPV1"),
    "M09": ("IMM_MR1", "IMM_IPV2", "IMM_VITAMIN_A"),
    "M15": ("IMM_MR2", "IMM_VITAMIN_A"),
}
NOT_GIVEN = 0.025
"""A dose of a visit that is not given (no stock, child ill)."""


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book."""
    born = life.births
    joined = born.persons.born + np.where(uniform(salted(born.hashes, "joins")) < 0.8, 0, 42)
    joined += np.minimum(moments.spread_days(born.hashes, "joins after", 3.0), 30)
    kept = ~born.stillborn & (born.died > joined) & (uniform(salted(born.hashes, "immunization")) < 0.95)
    kept &= joined <= setting.last_day
    born, joined = born.take(kept), joined[kept]
    draft = Draft(setting, spec, born.persons, joined, born.persons.home)
    born = born.take(draft.rows)
    draft.attributes = attributes(draft)
    draft.enrol(incident=born.persons.born)
    _birth(draft, born, spec)
    _visits(draft, born, spec)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The child as the tracker asks for it: all names in one field, sex in Kinyarwanda."""
    w = draft.writing
    return {
        "CHILD_ID": w.numbered("C", 13, "child id"),
        "CHILD_NAMES": w.full_name(),
        "GENDER": w.sex("Gabo", "Gore"),
        "DOB": w.birth_date(),
        "MOTHER_NAMES": w.mothers().full_name(),
        "FATHER_NAMES": w.fathers().full_name().where(uniform(salted(w.hashes, "father known")) < 0.86),
        "PARENT_PHONE": w.phone(),
        "PARENT_NID": w.mothers().nid(),
        "RESIDENCE_DISTRICT": w.district(),
        "RESIDENCE_SECTOR": w.sector(),
        "RESIDENCE_VILLAGE": w.village(),
    }


def _birth(draft: Draft, born: Births, spec: ProgrammeSpec) -> None:
    every = np.arange(len(draft.rows))
    h = draft.event_hashes(every, "birth")
    given = {
        "IMM_BIRTH_WEIGHT": numbers(born.grams).where(uniform(salted(h, "weighed")) < 0.94),
        "IMM_PLACE": option(spec, "birth", "IMM_PLACE", born.at_home.astype(np.int32)),
        "IMM_MULTIPLE": flags(born.twin).where(born.twin),
        "IMM_HIV_EXPOSED": flags(born.mother_hiv).where(born.mother_hiv),
    }
    draft.events("birth", every, h, draft.days, given, done=draft.enrolled.created + 1_200)


def _visits(draft: Draft, born: Births, spec: ProgrammeSpec) -> None:
    """All visits of all children: arrays of children by visits, flattened where there is something."""
    first = np.nonzero(draft.first)[0]
    planned, done, day, missed = _course(draft, born.take(first), first)
    there = (np.minimum(planned, done) <= draft.setting.horizon) & (planned < NEVER)
    child, visit = np.nonzero(there)
    rows = first[child]
    h = draft.event_hashes(rows, "visit", visit)
    status = _statuses(missed[there], h)
    occurred = day[there]
    scheduled = born.persons.born[rows] + DUE[visit]
    given = _given(spec, born, rows, visit, occurred, h)
    draft.events(
        "visit", rows, h, occurred, given,
        scheduled=np.maximum(scheduled, draft.days[rows]), planned=planned[there], done=done[there], status=status,
    )  # fmt: skip


def _course(draft: Draft, born: Births, first: I64) -> tuple[I64, I64, I64, Bools]:
    """By child and visit: when it was planned, when entered (or given up), on which day it happened, missed or not."""
    shape = (len(first), len(VISITS))
    planned, done, day = (np.full(shape, NEVER) for _ in range(3))
    missed = np.zeros(shape, dtype=bool)
    joined, created = draft.days[first], draft.enrolled.created[first] + 3_000
    came, last_day, free = np.ones(len(first), dtype=bool), joined.copy(), created.copy()
    for visit, due in enumerate(DUE):
        h = draft.event_hashes(first, "visit", visit)
        at = np.maximum(born.persons.born + due + _lateness(h, visit), last_day + (27 if visit else 0))
        comes = (uniform(salted(h, "comes")) < np.where(came, COMES[visit], RETURNS[visit])) & (born.died > at)
        late_joiner = (visit == 0) & (joined - born.persons.born > 30)
        applies = ~late_joiner & (free < NEVER)
        entered = np.maximum(moments.typed_in(at, h), free + 60_000)
        given_up = moments.midnight(at + 45) + np.int64(34_000_000) + (h % np.uint64(20_000_000)).astype(np.int64)
        planned[:, visit] = np.where(applies, free, NEVER)
        done[:, visit] = np.where(comes, entered, np.maximum(given_up, free + 60_000))
        day[:, visit], missed[:, visit] = at, ~comes
        ends = ~comes & ((uniform(salted(h, "drops out")) < 0.35) | (born.died <= at + 45))
        done[ends, visit] = NEVER
        free = np.where(applies, np.where(ends, NEVER, done[:, visit] + 1_000), free)
        came = np.where(applies, comes, came)
        last_day = np.where(applies & comes, at, last_day)
    return planned, done, day, missed


def _lateness(hashes: np.ndarray, visit: int) -> I64:  # type: ignore[type-arg]
    u = uniform(salted(hashes, "late"))
    mean = 2.0 if visit == 0 else 6.0 if visit < 4 else 14.0
    late: F64 = np.where(u < 0.45, 0.0, -np.log1p(-(u - 0.45) / 0.55) * mean * 1.6)
    return np.minimum(np.floor(late), 240).astype(np.int64)


def _statuses(missed: Bools, hashes: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    u = uniform(salted(hashes, "status"))
    came = np.where(u < 0.93, "COMPLETED", np.where(u < 0.97, "ACTIVE", "VISITED"))
    found: np.ndarray = np.where(missed, np.where(u < 0.5, "SKIPPED", "OVERDUE"), came).astype(object)  # type: ignore[type-arg]
    return found


def _given(
    spec: ProgrammeSpec,
    born: Births,
    rows: I64,
    visit: I64,
    day: I64,
    hashes: np.ndarray,  # type: ignore[type-arg]
) -> dict[str, Answer]:
    age = (np.minimum(day, born.persons.born[rows] + 1800) - born.persons.born[rows]) / 30.4
    steady = normal(salted(born.hashes[rows], "growth"))
    female = born.persons.female[rows]
    kilos = born.grams[rows] / 1000 + 5.6 * np.log1p(age / 3.2) * (1 - 0.06 * female) * (1 + 0.1 * steady)
    height = 49 + 12.6 * np.log1p(age / 2.2) * (1 - 0.02 * female) + 2.4 * steady - 0.12 * age
    weighed = uniform(salted(hashes, "weighed"))
    made = {
        "IMM_SCHEDULE": option(spec, "visit", "IMM_SCHEDULE", visit),
        "IMM_WEIGHT": tenths(np.round(kilos * 10).astype(np.int64)).where(weighed < 0.9),
        "IMM_HEIGHT": tenths(np.round(height * 10).astype(np.int64)).where(weighed < 0.66),
    }
    by_dose: dict[str, Bools] = {}
    for position, name in enumerate(VISITS):
        for dose in DOSES[name]:
            here = visit == position
            by_dose[dose] = by_dose.get(dose, np.zeros(len(visit), dtype=bool)) | here
    yes = np.zeros(len(visit), dtype=np.int32)
    for position, (dose, here) in enumerate(by_dose.items()):
        bits = (hashes >> np.uint64(3 * position % 50)) & np.uint64(1023)
        made[dose] = chosen(["true"], yes).where(here & (bits >= np.uint64(round(1024 * NOT_GIVEN))))
    return made
