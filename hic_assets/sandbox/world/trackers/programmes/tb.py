"""Tuberculosis: registration, laboratory, monthly visits, and an outcome half a year later.

Source: domain facts 2.6. Who starts again after a treatment is enrolled a second time.
"""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.hashing import salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import flags, numbers
from hic_assets.sandbox.world.trackers.life import Life, Patients
from hic_assets.sandbox.world.trackers.packing import I64, Answer
from hic_assets.sandbox.world.trackers.programmes.common import (
    drawn,
    drawn_from,
    hiv_status,
    hmis_attributes,
    option,
)

LAB_MONTHS = np.array([0, 2, 5, 6])
DIED = 3
"""Position of DIED in the option set tb_outcome."""


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book."""
    patients = life.tb
    draft = Draft(setting, spec, patients.persons, patients.day, patients.place)
    patients = patients.take(draft.rows)
    draft.attributes = attributes(draft)
    again = np.nonzero((uniform(salted(draft.hashes, "relapse")) < 0.03) & ~patients.died)[0]
    back = patients.ends[again] + 20 + moments.spread_days(draft.hashes[again], "relapse", 120.0)
    draft.enrol(patients.day - 10, again[back <= setting.last_day], back[back <= setting.last_day])
    _registration(draft, patients, spec)
    _course(draft, patients, spec)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The patient, with register number, occupation and insurance."""
    return hmis_attributes(draft) | {
        "TB_REGISTER_NO": draft.writing.numbered("", 6, "register"),
        "OCCUPATION": _attribute(draft, "OCCUPATION"),
        "INSURANCE": _attribute(draft, "INSURANCE"),
    }


def _attribute(draft: Draft, code: str) -> Answer:
    found = next(a.option_set for a in draft.spec.attributes if a.code == code)
    assert found is not None  # noqa: S101
    weighted = [c for (c, _), w in zip(found.options, found.weights, strict=True) for _ in range(max(1, round(w)))]
    return drawn_from(weighted, draft.hashes, code).where(uniform(salted(draft.hashes, code, "asked")) < 0.9)


def _registration(draft: Draft, patients: Patients, spec: ProgrammeSpec) -> None:
    e = draft.enrolled
    every = np.arange(len(e.day))
    h, p = draft.event_hashes(every, "registration"), patients.take(e.entity)
    outside = uniform(salted(p.hashes, "site")) >= 0.85
    site = drawn(spec, "registration", "TB_EP_SITE", h)
    given = {
        "TB_SITE": option(spec, "registration", "TB_SITE", outside.astype(np.int32)),
        "TB_EP_SITE": option(spec, "registration", "TB_EP_SITE", site).where(outside),
        "TB_HIV_STATUS": hiv_status(p.hiv),
        "TB_ON_ART": flags(uniform(salted(h, "art")) < 0.97).where(p.hiv),
        "TB_CPT": flags(uniform(salted(h, "cpt")) < 0.95).where(p.hiv),
    }
    status = np.where(uniform(salted(h, "left open")) < 0.12, "ACTIVE", "COMPLETED").astype(object)
    draft.events("registration", every, h, e.day, given, status=status)


def _course(draft: Draft, patients: Patients, spec: ProgrammeSpec) -> None:
    """Everything after registration; not for those registered by mistake a second time."""
    e = draft.enrolled
    rows = np.nonzero(draft.first[e.entity])[0]
    p = patients.take(e.entity[rows])
    ends = e.day[rows] + np.maximum(p.ends - p.day, 3)
    turn, lab = np.nonzero(e.day[rows][:, None] + 30 * LAB_MONTHS[None, :] < ends[:, None])
    _laboratory(draft, rows[turn], LAB_MONTHS[lab])
    _visits(draft, rows, ends)
    _outcome(draft, rows, ends, p, spec)


def _laboratory(draft: Draft, rows: I64, month: I64) -> None:
    h = draft.event_hashes(rows, "laboratory", month)
    kept = (month == 0) | (uniform(salted(h, "tested")) < 0.8)
    rows, month, h = rows[kept], month[kept], h[kept]
    day = draft.enrolled.day[rows] + 30 * month + (h % np.uint64(6)).astype(np.int64)
    draft.events("laboratory", rows, h, day, {"TB_LAB_MONTH": numbers(month)})


def _visits(draft: Draft, rows: I64, ends: I64) -> None:
    start = draft.enrolled.day[rows]
    turn, month = np.nonzero(start[:, None] + 28 * np.arange(1, 7)[None, :] < ends[:, None])
    who, month = rows[turn], month + 1
    h = draft.event_hashes(who, "visit", month)
    due = draft.enrolled.day[who] + 28 * month
    day = due + (h % np.uint64(7)).astype(np.int64)
    missed = uniform(salted(h, "missed")) < 0.04
    planned = np.maximum(draft.enrolled.created[who], moments.typed_in(due - 28, h)) + 2_000
    planned = moments.only(planned, uniform(salted(h, "calendar")) < 0.6)
    done = moments.only(moments.typed_in(day, h), ~missed)
    done = np.where(planned < NEVER, np.maximum(done, planned + 1_000), done)
    given = {
        "TB_VISIT_MONTH": numbers(month),
        "TB_PHASE": option(draft.spec, "visit", "TB_PHASE", (month > 2).astype(np.int32)),
    }
    status = np.where(uniform(salted(h, "left open")) < 0.1, "ACTIVE", "COMPLETED").astype(object)
    draft.events("visit", who, h, day, given, scheduled=due, planned=planned, done=done, status=status)


def _outcome(draft: Draft, rows: I64, ends: I64, p: Patients, spec: ProgrammeSpec) -> None:
    h = draft.event_hashes(rows, "outcome")
    outcome = drawn(spec, "outcome", "TB_OUTCOME", h)
    outcome = np.where(p.died, DIED, np.where(outcome == DIED, 0, outcome))
    done = moments.typed_in(ends, h)
    causes = ["Tuberculose pulmonaire sévère", "Insuffisance respiratoire", "Méningite", "Unknown, died at home"]
    given = {
        "TB_OUTCOME": option(spec, "outcome", "TB_OUTCOME", outcome),
        "TB_CAUSE_OF_DEATH": drawn_from(causes, h, "cause").where(outcome == DIED),
    }
    draft.events("outcome", rows, h, ends, given, done=done)
    closed = np.full(len(draft.enrolled.day), NEVER)
    closed[rows] = np.maximum(done, draft.enrolled.created[rows] + 900) + 1_500
    lost = np.zeros(len(closed), dtype=bool)
    lost[rows] = outcome == 4
    draft.close(closed < NEVER, closed)
    draft.close(lost, closed, "CANCELLED")
