"""Case-based notifications of the immediate diseases: one record a case, within a day of its being seen, mostly.

Belongs here: which of a week's cases are notified one by one, when, and what becomes of them. Does not belong here: how
many cases there are (``idsr_counts``), who they are (``idsr_people``). Source: domain facts 2.4; shares are [D].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical import idsr_life, idsr_people
from hic_assets.sandbox.world.clinical.base import Times, with_earlier
from hic_assets.sandbox.world.clinical.cards import Cards, cards
from hic_assets.sandbox.world.clinical.idsr_counts import Counts
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES, UNDER_FIVE, position
from hic_assets.sandbox.world.clinical.idsr_reports import one_path_only
from hic_assets.sandbox.world.clinical.known import ALWAYS, CHILD, Known, everybody
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, keys, mix, salted, uniform
from hic_assets.sandbox.world.roster import NEVER, Roster
from hic_assets.sandbox.world.trackers import moments, people
from hic_assets.sandbox.world.trackers.life import NOT_YET, Rows
from hic_assets.sandbox.world.trackers.noise import NOISE
from hic_assets.sandbox.world.trackers.packing import I64, Bools, uids

NAME = "idsr"
NOISE_HERE = replace(NOISE, no_upi=0.45, no_nid=0.4, no_phone=0.2)
NOTIFIED = (0.93, 0.55)
"""Shares of cases at public and private facilities that are notified one by one."""
WITHIN_A_DAY = 0.82
TWICE = 0.012
"""Cases seen elsewhere that the hospital of the district notifies too, under another number."""
WITHDRAWN = 0.006
SPECIMEN, CONFIRMED = 0.55, 0.38
"""Of cases that have one, and of specimens that prove the disease."""
NO_SPECIMEN = ("MATERNAL_DEATH", "PERINATAL_DEATH", "RABIES", "UNUSUAL_EVENT")
VACCINE = ("MEASLES", "YELLOW_FEVER", "NEONATAL_TETANUS", "AFP")
"""Diseases of which the form asks how many doses of the vaccine the person has had."""
IMMEDIATE = np.array([d.immediate for d in DISEASES])


@dataclass(frozen=True)
class Cases(Rows):
    """One row a notification; ``place`` (that notifies), ``seen_at`` and ``disease`` by position, ``day`` seen (since 1970).

    ``hashes`` are the notifications', ``person`` the cases': a case that is notified twice is one person.
    """

    hashes: U64
    person: U64
    place: I64
    seen_at: I64
    disease: I64
    band: I64
    day: I64
    died: Bools
    event: I64
    """Row of ``Life.births``, -1 where it is no event of it."""


def of_week(story: Story, roster: Roster, week: date, counts: Counts, events: dict[str, pl.DataFrame] | None) -> Cases:
    """The cases of a week, each once; ``roster`` is of ``story.facilities``."""
    drawn = np.where(IMMEDIATE[None, :, None], counts.cases, 0)
    if events is not None:
        drawn[:, [position(d) for d in events]] = 0
    place, disease, band = np.nonzero(drawn)
    many = drawn[place, disease, band]
    row = np.repeat(np.arange(len(place)), many)
    ordinal = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    place, disease, band = place[row], disease[row], band[row]
    cell = keys(("case", week), [f"{d.code} {b}" for d in DISEASES for b in (0, 1)])[2 * disease + band]
    hashes = mix(roster.keys[place] ^ cell ^ mix(ordinal.astype(np.uint64)))
    day = moments.day_number(week) + (salted(hashes, "seen") % np.uint64(7)).astype(np.int64)
    died = ordinal < counts.deaths[place, disease, band]
    found = [Cases(hashes, hashes, place, place, disease, band, day, died, np.full(len(row), -1))]
    found += [_of_life(story, roster, code, frame) for code, frame in (events or {}).items()]
    return joined(found)


def _of_life(story: Story, roster: Roster, code: str, frame: pl.DataFrame) -> Cases:
    at = {uid: i for i, uid in enumerate(roster.uids)}
    known = frame.filter(pl.col("facility").is_in(list(at)))
    event, day = known["row"].to_numpy(), known["day"].to_numpy()
    place = np.array([at[f] for f in known["facility"]], dtype=np.int64)
    hashes = salted(story.life.births.hashes[event], "notified", code)
    disease = np.full(len(event), position(code))
    return Cases(
        hashes, hashes, place, place, disease, known["band"].to_numpy(), day, np.ones(len(event), dtype=bool), event
    )


def joined(parts: list[Cases]) -> Cases:
    """All of them, in order."""
    return Cases(*(np.concatenate([getattr(p, name) for p in parts]) for name in Cases.__dataclass_fields__))


def notified(story: Story, roster: Roster, cases: Cases) -> Cases:
    """Those that facilities on the direct path notify; a few a second time, by the hospital."""
    private = roster.private[cases.place].astype(np.int64)
    _, without = one_path_only(roster)
    kept = cases.take(~without[cases.place] & (uniform(salted(cases.hashes, "notifies")) < np.array(NOTIFIED)[private]))
    hospital = story.places.hospital[kept.place]
    twice = (uniform(salted(kept.hashes, "twice")) < TWICE) & (hospital != kept.place)
    again = kept.take(twice)
    again = replace(again, hashes=salted(again.hashes, "second notification"), place=hospital[twice])
    return joined([kept, again])


def who(story: Story, cases: Cases) -> Known:
    """The person of every notification."""
    drawn = idsr_people.persons(story, cases.disease, cases.band, cases.seen_at, cases.day, cases.person)
    events = np.nonzero(cases.event >= 0)[0]
    if not len(events):
        return drawn
    born = story.life.births.take(cases.event[events])
    mother = cases.disease[events] == position("MATERNAL_DEATH")
    mothers = born.persons.mothers()
    chosen = people.Persons(
        *(
            np.where(mother, getattr(mothers, name), getattr(born.persons, name))
            for name in people.Persons.__dataclass_fields__
        )
    )
    known = everybody(story)
    place = np.minimum(np.searchsorted(known.persons.key, chosen.key), len(known) - 1)
    there = known.persons.key[place] == chosen.key
    upi_day = np.where(there, known.upi_day[place], NOT_YET)
    size = len(drawn)
    full = Known(
        _scattered(chosen, events, size),
        np.full(size, ALWAYS),
        np.full(size, NOT_YET),
        _at(upi_day, events, size),
        np.full(size, CHILD, dtype=np.int64),
        np.zeros(size, dtype=bool),
    )
    return idsr_people.joined(drawn, full, cases.event < 0)


def _at(values: np.ndarray, rows: I64, size: int) -> np.ndarray:  # type: ignore[type-arg]
    made = np.zeros(size, dtype=values.dtype)
    made[rows] = values
    return made


def _scattered(persons: people.Persons, rows: I64, size: int) -> people.Persons:
    return people.Persons(*(_at(getattr(persons, n), rows, size) for n in people.Persons.__dataclass_fields__))


def frame(story: Story, cases: Cases) -> pl.DataFrame:
    """The notifications as ``base`` wants them: one row each."""
    known = who(story, cases)
    card = cards(story, NAME, known, cases.place, cases.day, cases.hashes, NOISE_HERE, second=0.0)
    codes = pl.Series([d.code for d in DISEASES])
    final, first, specimen = _laboratory(cases)
    times = _times(cases, known, specimen >= 0)
    onset = np.where(cases.event >= 0, 0, (salted(cases.hashes, "onset") % np.uint64(6)).astype(np.int64))
    made = pl.DataFrame(
        {
            "id": "C" + uids(salted(cases.hashes, NAME, "case")),
            "facility": pl.Series(cases.place, dtype=pl.Int64),
            "day": _dates(cases.day),
            "onset": _dates(np.maximum(cases.day - onset, known.persons.born)),
            "disease": codes.gather(pl.Series(cases.disease)),
            "number": (salted(cases.hashes, "epid") % np.uint64(100_000)).astype(np.int64),
            **_patient(cases, known, card),
            "doses": _doses(cases),
            "hospitalised": pl.Series(cases.died | (uniform(salted(cases.hashes, "admitted")) < 0.22)),
            "outcome": pl.Series(np.where(cases.died, "DEAD", "ALIVE").tolist(), dtype=pl.String),
            "specimen": _dates(cases.day + specimen).set(pl.Series(specimen < 0), None),
            "classification": final,
            **times.columns(),
        }
    )
    return with_earlier(made, "classification", first)


def _patient(cases: Cases, known: Known, card: Cards) -> dict[str, pl.Series]:
    """Who it is, as the form asks: most of the newborn have no name yet, and young children have their mother's."""
    w = card.writing
    family, given = w.name_fields()
    unnamed = (cases.disease == position("PERINATAL_DEATH")) & (uniform(salted(cases.hashes, "unnamed")) < 0.9)
    with_mother = (cases.band == UNDER_FIVE) & (known.persons.mother != people.NO_MOTHER)
    age = np.maximum(cases.day - known.persons.born, 0)
    return {
        "upi": card.upi(),
        "nid": w.nid().texts(),
        "family_name": family.where(~unnamed).texts(),
        "given_name": given.where(~unnamed).texts(),
        "mother_name": w.mothers().full_name().where(with_mother).texts(),
        "sex": w.sex("M", "F").texts(),
        "birth_date": card.birth_date(unknown=0.12),
        "age_years": pl.Series((age / 365.25).astype(np.int64)),
        "age_months": pl.Series((age / 30.4375).astype(np.int64) % 12),
        "phone": w.phone().texts(),
        "district": w.district().texts(),
        "sector": w.sector().texts(),
        "village": w.village().texts(),
    }


def _dates(days: I64) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def _doses(cases: Cases) -> pl.Series:
    """Doses of the vaccine the person has had: none of the children under five with measles; often not known."""
    asked = np.isin(cases.disease, [position(d) for d in VACCINE])
    child = (cases.band == UNDER_FIVE) & (cases.disease == position("MEASLES"))
    drawn = (salted(cases.hashes, "doses") % np.uint64(3)).astype(np.int64)
    unknown = uniform(salted(cases.hashes, "doses known")) < 0.25
    return pl.Series(np.where(child, 0, drawn), dtype=pl.Int64).set(pl.Series(~asked | unknown), None)


def _laboratory(cases: Cases) -> tuple[pl.Series, pl.Series, I64]:
    """Classification in the end and at first, and days after being seen on which a specimen was taken (-1: none)."""
    none = np.isin(cases.disease, [position(d) for d in NO_SPECIMEN])
    taken = ~none & (uniform(salted(cases.hashes, "specimen")) < SPECIMEN)
    proved = uniform(salted(cases.hashes, "result")) < CONFIRMED
    final = np.where(none, "CONFIRMED", np.where(taken, np.where(proved, "CONFIRMED", "DISCARDED"), "SUSPECTED"))
    first = np.where(none, "CONFIRMED", "SUSPECTED")
    after = np.where(taken, (salted(cases.hashes, "taken") % np.uint64(2)).astype(np.int64), -1)
    return pl.Series(final.tolist(), dtype=pl.String), pl.Series(first.tolist(), dtype=pl.String), after


def _times(cases: Cases, known: Known, specimen: Bools) -> Times:
    h = cases.hashes
    prompt = uniform(salted(h, "prompt")) < WITHIN_A_DAY
    delay = np.where(prompt, 0, 1 + moments.spread_days(h, "notified after", 3.5))
    entered = moments.typed_in(cases.day + np.minimum(delay, 40), h, late=False)
    wait = 3 + np.minimum(moments.spread_days(h, "result after", 6.0), 30)
    edited = np.where(specimen, entered + np.where(specimen, wait, 0) * moments.DAY_MS, NEVER)
    last = np.where(specimen, edited, entered)
    gone = uniform(salted(h, "withdrawn")) < WITHDRAWN
    removed = np.where(gone, last + np.where(gone, 2, 0) * moments.DAY_MS, NEVER)
    return Times(moments.midnight(cases.day), entered, edited, removed, known.persons.key)


def week_of(story: Story, roster: Roster, week: date, counts: Counts) -> pl.DataFrame:
    """The notifications of the cases of a week."""
    events = story.once("notifiable", lambda: idsr_life.notifiable(story.life))
    found = of_week(story, roster, week, counts, idsr_life.in_week(story.life, events, week))
    return frame(story, notified(story, roster, found))
