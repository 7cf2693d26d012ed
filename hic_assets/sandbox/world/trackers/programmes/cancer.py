"""The cancer registry: tumours, where they were found, follow-up, referrals, deaths.

Source: domain facts 2.10. A tumour and its sources of information are joined by a tumour id typed in by hand: text in
one stage, a number in the other.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hic_assets.sandbox.world.hashing import salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import dates, numbers
from hic_assets.sandbox.world.trackers.life import NOT_YET, Life, Patients
from hic_assets.sandbox.world.trackers.packing import I64, Answer, chosen
from hic_assets.sandbox.world.trackers.people import year_of
from hic_assets.sandbox.world.trackers.programmes.common import drawn, drawn_from, hiv_status, option, years

MEN_ONLY, WOMEN_ONLY = ("61",), ("53", "56")


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book."""
    patients = life.cancer
    draft = Draft(setting, spec, patients.persons, patients.day, patients.place)
    patients = patients.take(draft.rows)
    draft.attributes = attributes(draft)
    incidence = patients.day - moments.spread_days(patients.hashes, "incidence", 45.0)
    draft.enrol(incident=incidence)
    every = np.arange(len(draft.rows))
    _tumours(draft, patients, incidence, every, 0)
    _sources(draft, every)
    second = np.nonzero(draft.first & (uniform(salted(draft.hashes, "second tumour")) < 0.02))[0]
    _tumours(draft, patients.take(second), incidence[second], second, 1)
    rows = np.nonzero(draft.first)[0]
    _follow_ups(draft, patients.take(rows), rows, spec)
    _referrals(draft, patients.take(rows), rows)
    _deaths(draft, patients.take(rows), rows)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The person as the registry asks for it: the family name in capitals, sex as 1 and 2."""
    w = draft.writing
    family, first = w.name_fields(both=True)
    capitals = Answer(family.vocab.str.to_uppercase(), family.index)
    # registered twice by mistake: the unique number cannot be given twice, so the second record goes without
    nid = w.nid().where(draft.first)
    foreign = uniform(salted(draft.persons.key, "foreign")) < 0.05
    abroad = drawn_from(["180", "180", "108", "108", "800"], draft.persons.key, "country")
    home = chosen(["646"], np.zeros(len(foreign), dtype=np.int32))
    return {
        "CR_UNIQUE_ID": _unique_id(draft),
        "CR_UNIQUE_ID_NEW": w.numbered("RW-", 7, "new id").where(uniform(salted(w.hashes, "new id")) < 0.4),
        "CR_FAMILY_NAME": capitals,
        "CR_FIRST_NAME": first,
        "CR_BIRTH_DATE": w.birth_date(),
        "CR_SEX": w.sex("1", "2"),
        "CR_NATIONALITY": home.instead(abroad, foreign),
        "CR_NID": nid.where(~foreign),
        "CR_PASSPORT": w.numbered("PC", 6, "passport").where(foreign),
        "CR_PHONE": w.phone(),
        "CR_KIN_NAME": w.fathers().full_name().where(uniform(salted(w.hashes, "kin")) < 0.7),
        "CR_KIN_PHONE": w.fathers().phone().where(uniform(salted(w.hashes, "kin")) < 0.65),
    }


def _unique_id(draft: Draft) -> Answer:
    """Year and four digits, as the registry makes them; five digits where somebody is registered twice."""
    year = pl.Series(year_of(draft.days)).cast(pl.String)
    number = np.where(draft.first, draft.rows * 7919 % 10_000, 10_000 + draft.rows)
    return Answer.of(year + pl.Series(number).cast(pl.String).str.zfill(4))


def _tumours(draft: Draft, patients: Patients, incidence: I64, rows: I64, turn: int) -> None:
    spec, places = draft.spec, draft.setting.places
    h, p = draft.event_hashes(rows, "tumour", turn), patients.persons
    site = _site(draft, patients, h)
    codes = _site_codes(spec)
    third = (salted(h, "subsite") % np.uint64(10)).astype(np.int64)
    described = pl.Series(codes).gather(pl.Series(site)) + pl.Series(np.where(third > 8, 9, third)).cast(pl.String)
    given = {
        "CR_PROVINCE": option(spec, "tumour", "CR_PROVINCE", places.province[p.home] - 1),
        "CR_DISTRICT": places.word("district", p.home),
        "CR_SECTOR": places.word("sector", p.home).where(uniform(salted(h, "sector")) < 0.9),
        "CR_TUMOUR_ID": _tumour_id(draft, rows, turn, "0"),
        "CR_INCIDENCE_DATE": dates(incidence),
        "CR_AGE": numbers(np.maximum(years(incidence, p.born), 0)),
        "CR_SITE": option(spec, "tumour", "CR_SITE", site),
        "CR_SITE_DESCRIPTION": Answer.of(described),
        "CR_HIV_STATUS": hiv_status(patients.hiv).where(patients.hiv | (uniform(salted(h, "tested")) < 0.6)),
    }
    day = draft.days[rows] + 200 * turn
    draft.events("tumour", rows, h, day, given)


def _site_codes(spec: ProgrammeSpec) -> list[str]:
    found = next(e.option_set for e in spec.stage("tumour").data_elements if e.code == "CR_SITE")
    assert found is not None  # noqa: S101
    return [code for code, _ in found.options]


def _site(draft: Draft, patients: Patients, hashes: np.ndarray) -> I64:  # type: ignore[type-arg]
    """A site that the person can have: nobody is given an organ of the other sex."""
    codes = _site_codes(draft.spec)
    men, women = (np.array([codes.index(c) for c in group]) for group in (MEN_ONLY, WOMEN_ONLY))
    site = drawn(draft.spec, "tumour", "CR_SITE", hashes)
    female = patients.persons.female
    site = np.where(female & np.isin(site, men), codes.index("50"), site)
    return np.where(~female & np.isin(site, women), codes.index("16"), site)


def _tumour_id(draft: Draft, rows: I64, turn: int, zero: str) -> Answer:
    number = (salted(draft.hashes[rows], "tumour id") % np.uint64(90_000)).astype(np.int64) + 10_000
    return Answer.of(zero + pl.Series(number * 10 + turn + 1).cast(pl.String))


def _sources(draft: Draft, rows: I64) -> None:
    for turn, share in enumerate((1.0, 0.45)):
        h = draft.event_hashes(rows, "source", turn)
        kept = uniform(salted(h, "source")) < share
        day = draft.days[rows] + turn * moments.spread_days(h, "another", 30.0)
        given = {"CR_SOURCE_TUMOUR": _tumour_id(draft, rows, 0, "").take(kept)}
        draft.events("source", rows[kept], h[kept], day[kept], given)


def _follow_ups(draft: Draft, patients: Patients, rows: I64, spec: ProgrammeSpec) -> None:
    who, turn = np.nonzero(patients.day[:, None] + 90 * np.arange(1, 9)[None, :] <= draft.setting.last_day)
    h = draft.event_hashes(rows[who], "follow_up", turn)
    day = draft.days[rows[who]] + 90 * (turn + 1) + (h % np.uint64(40)).astype(np.int64)
    kept = (uniform(salted(h, "seen")) < 0.7) & (day - 90 < patients.ends[who])
    who, h, day = who[kept], h[kept], day[kept]
    died = day >= patients.ends[who]
    lost = uniform(salted(h, "lost")) < 0.04
    given = {"CR_VITAL": option(spec, "follow_up", "CR_VITAL", np.where(died, 1, np.where(lost, 2, 0)))}
    status = np.where(uniform(salted(h, "left open")) < 0.3, "ACTIVE", "COMPLETED").astype(object)
    draft.events("follow_up", rows[who], h, day, given, status=status)


def _referrals(draft: Draft, patients: Patients, rows: I64) -> None:
    h = draft.event_hashes(rows, "referral")
    day = draft.days[rows] + 5 + moments.spread_days(h, "referred", 50.0)
    kept = np.nonzero((uniform(salted(h, "referral")) < 0.35) & (day < patients.ends))[0]
    draft.events("referral", rows[kept], h[kept], day[kept], {})


def _deaths(draft: Draft, patients: Patients, rows: I64) -> None:
    gone = np.nonzero((patients.ends != NOT_YET) & (patients.ends <= draft.setting.last_day))[0]
    h, ends = draft.event_hashes(rows[gone], "death"), patients.ends[gone]
    heard = ends + moments.spread_days(h, "heard", 12.0)
    done = moments.typed_in(heard, h)
    draft.events("death", rows[gone], h, heard, {"CR_DEATH_DATE": dates(ends)}, done=done)
    closed = np.full(len(draft.enrolled.day), NEVER)
    closed[rows[gone]] = np.maximum(done, draft.enrolled.created[rows[gone]] + 900) + 1_000
    draft.close(closed < NEVER, closed)
