"""HIV care and treatment: enrolment, visits every one to six months, viral loads, exits.

Source: domain facts 2.6: 230,000 people, most on multi-month dispensing, nine in ten suppressed.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import dates, flags, numbers, tenths
from hic_assets.sandbox.world.trackers.life import Life, Patients
from hic_assets.sandbox.world.trackers.packing import I64, Answer
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.programmes.common import drawn, drawn_from, option

EPIDEMIC = date(1996, 1, 1)
"""Nobody in care was diagnosed earlier."""
MONTHS = np.array([1, 2, 3, 3, 3, 6, 6, 6, 6, 6])
"""Months between visits, a tenth of the patients each."""
DIED = 1
"""Position of DIED in the option set hiv_exit."""


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book."""
    patients = life.hiv
    draft = Draft(setting, spec, patients.persons, patients.day, patients.place)
    patients = patients.take(draft.rows)
    draft.attributes = attributes(draft)
    diagnosed = _diagnosed(patients)
    draft.enrol(incident=diagnosed)
    _enrolment(draft, patients, diagnosed)
    rows = np.nonzero(draft.first)[0]
    _visits(draft, patients.take(rows), rows)
    _viral_loads(draft, patients.take(rows), rows)
    _exits(draft, patients.take(rows), rows, spec)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The person as the HIV tracker asks for it: names of its own, sex in words."""
    w = draft.writing
    family, first = w.name_fields(both=True)
    estimated = w.estimated()
    return {
        "TRACNET_ID": w.numbered("", 12, "tracnet"),
        "UPI": w.upi(np.maximum(w.persons.born, w.days - 300)),
        "NID": w.nid(),
        "FAMILY_NAME": family,
        "FIRST_NAME": first,
        "SEX": w.sex("Male", "Female"),
        "DATE_OF_BIRTH": w.birth_date(),
        "DOB_ESTIMATED": flags(estimated).where(estimated),
        "PHONE": w.phone(),
        "DISTRICT": w.district(),
        "SECTOR": w.sector(),
        "MARITAL_STATUS": _asked(draft, "MARITAL_STATUS", 0.85),
        "KEY_POPULATION": _asked(draft, "KEY_POPULATION", 0.6),
    }


def _asked(draft: Draft, code: str, share: float) -> Answer:
    found = next(a.option_set for a in draft.spec.attributes if a.code == code)
    assert found is not None  # noqa: S101
    weighted = [c for (c, _), w in zip(found.options, found.weights, strict=True) for _ in range(max(1, round(w)))]
    asked = (uniform(salted(draft.hashes, code, "asked")) < share) & draft.writing.adult()
    return drawn_from(weighted, draft.persons.key, code).where(asked)


def _diagnosed(patients: Patients) -> I64:
    before = moments.spread_days(patients.hashes, "diagnosed", 2_800.0)
    recent = uniform(salted(patients.hashes, "new")) < 0.05
    earliest = np.maximum(patients.persons.born, moments.day_number(EPIDEMIC))
    return np.maximum(patients.day - np.where(recent, before // 200, before), np.minimum(earliest, patients.day))


def _enrolment(draft: Draft, patients: Patients, diagnosed: I64) -> None:
    every = np.arange(len(draft.rows))
    h = draft.event_hashes(every, "enrolment")
    wait = np.minimum(moments.spread_days(patients.hashes, "art", 30.0), patients.day - diagnosed)
    given = {
        "HIV_DIAGNOSED": dates(diagnosed),
        "HIV_ART_START": dates(diagnosed + wait).where(uniform(salted(h, "art")) < 0.985),
    }
    draft.events("enrolment", every, h, draft.days, given)


def _visits(draft: Draft, patients: Patients, rows: I64) -> None:
    """Visits by turn up to the exit or the end of the story, with the next appointment always on the calendar."""
    step = 30 * MONTHS[(salted(patients.hashes, "step") % np.uint64(10)).astype(np.intp)]
    last = np.minimum(patients.ends, draft.setting.last_day)
    many = np.maximum((last - patients.day) // step, 0) + 2
    who = np.repeat(np.arange(len(rows)), many)
    turn = np.arange(len(who)) - np.repeat(np.cumsum(many) - many, many)
    h = draft.event_hashes(rows[who], "visit", turn)
    step = step[who]
    due = patients.day[who] + turn * step
    day = due + np.where(turn > 0, (h % np.uint64(9)).astype(np.int64) - 2, 0)
    happens = (day < patients.ends[who]) & ((turn == 0) | (uniform(salted(h, "comes")) < 0.965))
    earlier = draft.event_hashes(rows[who], "visit", np.maximum(turn - 1, 0))
    booked = np.maximum(draft.enrolled.created[rows[who]] + 2_000, moments.typed_in(due - step, earlier) + 1_000)
    planned = np.where((turn > 0) & (due - step < patients.ends[who]), booked, NEVER)
    entered = np.where(turn > 0, np.maximum(moments.typed_in(day, h), booked + 3_000), moments.typed_in(day, h))
    done = np.where(happens, entered, NEVER)
    given = visit_answers(draft.spec, patients.persons, patients.hashes, who, h, day, step)
    status = np.where(uniform(salted(h, "left open")) < 0.15, "ACTIVE", "COMPLETED").astype(object)
    draft.events("visit", rows[who], h, day, given, scheduled=due, planned=planned, done=done, status=status)


def visit_answers(
    spec: ProgrammeSpec, persons: Persons, people: U64, who: I64, hashes: U64, day: I64, step: I64 | int
) -> dict[str, Answer]:
    """What must agree at a visit: regimen of the person, drugs until the next appointment, pregnancy.

    ``who`` are rows of ``persons`` and of ``people``, their hashes; the rest is one entry a visit.
    """
    regimen = drawn(spec, "visit", "HIV_REGIMEN", people)
    age = day - persons.born[who]
    fertile = persons.female[who] & (age > 15 * 365) & (age < 49 * 365)
    return {
        "HIV_REGIMEN": option(spec, "visit", "HIV_REGIMEN", regimen[who]),
        "HIV_DRUG_DAYS": numbers(np.broadcast_to(step, day.shape)),
        "HIV_PREGNANT": flags(uniform(salted(hashes, "pregnant")) < 0.05).where(fertile),
        "HIV_NEXT": dates(day + step).where(uniform(salted(hashes, "next")) < 0.95),
    }


def _viral_loads(draft: Draft, patients: Patients, rows: I64) -> None:
    start = patients.day + 20 + (patients.hashes % np.uint64(300)).astype(np.int64)
    last = np.minimum(patients.ends, draft.setting.last_day)
    who, turn = np.nonzero(start[:, None] + 330 * np.arange(12)[None, :] < last[:, None])
    h = draft.event_hashes(rows[who], "viral_load", turn)
    taken = uniform(salted(h, "taken")) < 0.9
    who, h, turn = who[taken], h[taken], turn[taken]
    day = start[who] + 330 * turn
    u, failing = uniform(salted(h, "copies")), uniform(salted(patients.hashes, "failing"))[who] < 0.12
    detected = u < np.where(failing, 0.8, 0.12)
    exponent = np.where(failing, 2.0 + 3.6 * uniform(salted(h, "high")), 1.3 + 1.6 * uniform(salted(h, "high")))
    copies = np.where(detected, np.round(10**exponent), 0).astype(np.int64)
    given = {
        "HIV_VL_COPIES": Answer.of(pl.Series(copies).cast(pl.String)).where(detected),
        "HIV_VL_LDL": flags(~detected).where(~detected),
        "HIV_VL_SUPPRESSED": flags(copies < 1000),
        "HIV_VL_LOG": tenths(np.round(exponent * 10).astype(np.int64)).where(detected),
    }
    draft.events("viral_load", rows[who], h, day, given)


def _exits(draft: Draft, patients: Patients, rows: I64, spec: ProgrammeSpec) -> None:
    gone = np.nonzero(patients.ends <= draft.setting.last_day)[0]
    h, p = draft.event_hashes(rows[gone], "outcome"), patients.take(gone)
    reason = drawn(spec, "outcome", "HIV_EXIT", h)
    reason = np.where(p.died, DIED, np.where(reason == DIED, 0, reason))
    done = moments.typed_in(p.ends, h)
    causes = ["Tuberculosis", "Cryptococcal meningitis", "Cancer", "Accident", "Inconnue"]
    given = {
        "HIV_EXIT": option(spec, "outcome", "HIV_EXIT", reason),
        "HIV_DEATH_CAUSE": drawn_from(causes, h, "cause").where(p.died),
    }
    draft.events("outcome", rows[gone], h, p.ends, given, done=done)
    closed = np.full(len(draft.enrolled.day), NEVER)
    closed[rows[gone]] = np.maximum(done, draft.enrolled.created[rows[gone]] + 900) + 1_000
    draft.close(closed < NEVER, closed)
