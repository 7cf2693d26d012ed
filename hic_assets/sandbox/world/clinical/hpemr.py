"""HPEMR: the electronic record of health posts: encounters with diagnoses and treatments, and referrals.

Belongs here: what health posts record. They hold no deliveries and no laboratory beyond a malaria test, and send on
what they cannot treat. Some are offline for days: their records arrive with the next synchronisation.
Source: domain facts 1.1, 2.2, trap 21; shares and volume are [D].
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache, partial

import numpy as np
import polars as pl

from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.clinical import conditions, insurance
from hic_assets.sandbox.world.clinical.attendance import Catchment, Visits, catchment, visits
from hic_assets.sandbox.world.clinical.base import ClinicalSystem, Resource, Times, corrected, lived
from hic_assets.sandbox.world.clinical.cards import Cards, cards
from hic_assets.sandbox.world.clinical.nesting import chosen_by, nested, picked
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import U64, key, keys, mix, salted, uniform
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.noise import NOISE
from hic_assets.sandbox.world.trackers.packing import I64

NAME = "hpemr"
USERS = {"post": 0.65}
AT_POST = 0.4
"""Of the visits of those who live around a health post that uses it, the share that goes there first."""
NOISE_HERE = replace(NOISE, no_upi=0.45, no_nid=0.35, no_phone=0.3, first_january=0.15, spelling=0.15)
OFFLINE = 0.2
"""Of the posts, those that synchronise once a week."""
MINUTE = 60_000
STOCKED = 0.93
"""Of the treatments that a diagnosis asks for, those that the post has."""
RECEIVED = 0.7
"""Referrals that the facility they went to confirms, mostly within a fortnight."""


@cache
def diagnoses() -> pl.DataFrame:
    """The system's list: code, label_en, label_rw, reference_system, reference_code; for the sandbox alone conditions,
    treatments (products by |) and refer (the share sent on).
    """
    return read_csv("clinical/hpemr_diagnoses.csv").with_columns(pl.col("refer").cast(pl.Float64))


@cache
def products() -> pl.DataFrame:
    """The system's list: code, display, unit; for the sandbox alone a_day, days and atc."""
    return read_csv("clinical/hpemr_products.csv").with_columns(pl.col("a_day", "days").cast(pl.Int64))


def facilities(story: Story) -> I64:
    """Positions of the health posts that use it."""
    used = story.users(NAME, USERS)
    posts: I64 = used[np.array([story.facilities[i].type == "HP" for i in used], dtype=bool)]
    return posts


def local_ids(story: Story) -> list[str | None]:
    """By facility position: the identifier the system gave the post (``HP-00123``), in no order of the registry."""
    used = facilities(story)
    order = np.argsort(keys((story.seed, NAME, "local id"), [story.facilities[i].uid for i in used]), kind="stable")
    found: list[str | None] = [None] * len(story.facilities)
    for rank, at in enumerate(order):
        found[used[at]] = f"HP-{100 + 3 * rank:05d}"
    return found


def centre_of(story: Story) -> I64:
    """By facility position: the health centre a post belongs to: in its sector, else one of its district."""
    tree, centres = geography.by_uid(), [int(i) for i in story.places.centres]
    found = np.full(len(story.facilities), -1, dtype=np.int64)
    for at in facilities(story):
        post = story.facilities[at]
        near = [i for i in centres if story.facilities[i].sector == post.sector]
        near = near or [i for i in centres if story.facilities[i].district == tree[post.sector].code[1:4]]
        near = near or [i for i in centres if story.facilities[i].district == post.district] or centres
        found[at] = near[int(key(story.seed, NAME, "centre", post.uid)) % len(near)]
    return found


def _catchment(story: Story) -> Catchment:
    used = facilities(story)
    return catchment(story, centre_of(story)[used], used, np.full(len(used), AT_POST))


def month_of_visits(story: Story, month: date) -> Visits:
    """Who came to the health posts in a month."""
    return visits(story, NAME, story.once((NAME, "catchment"), lambda: _catchment(story)), month)


def _times(story: Story, came: Visits) -> tuple[I64, I64, Times]:
    """When each encounter began and ended, and the life of its record."""
    length = (4 + salted(came.hashes, "length") % np.uint64(22)).astype(np.int64) * MINUTE
    opens = moments.OPENS + uniform(salted(came.hashes, "begins")) * (moments.CLOSES - moments.OPENS)
    began = moments.midnight(came.day) + (opens // 1000).astype(np.int64) * 1000
    ended = began + length
    units = keys((story.seed, NAME, "offline"), [f.uid for f in story.facilities])
    offline = (uniform(units) < OFFLINE)[came.place]
    weekday = (units[came.place] % np.uint64(7)).astype(np.int64)
    synced = moments.midnight(came.day + (weekday - came.day) % 7 + 1) - 4 * 60 * MINUTE
    entered = np.where(offline, np.maximum(synced, ended), ended + 20_000)
    person = came.known(story).persons.key
    return began, ended, lived(began, came.hashes, person, entered=entered, edited_share=0.03, deleted_share=0.005)


def _person(came: Visits, card: Cards) -> dict[str, pl.Series]:
    """The patient as HPEMR has him: one field of names, a number of the post."""
    w = card.writing
    number = (salted(card.hashes, "local number") % np.uint64(100_000)).astype(np.int64)
    return {
        "local_number": pl.Series(number).cast(pl.String).str.zfill(6),
        "upid": card.upi(),
        "temp_id": card.temp_id(),
        "nid": w.nid().texts(),
        "full_name": w.full_name().texts(),
        "gender": w.sex("male", "female").texts(),
        "birth_date": card.birth_date(unknown=0.04),
        "birth_estimated": pl.Series(w.estimated()),
        "telephone": w.phone().texts(),
        "district": w.district().texts(),
        "sector": w.sector().texts(),
        "village": w.village().texts(),
    }


def _codes(came: Visits) -> I64:
    """Row of ``diagnoses`` for each encounter."""
    return conditions.code_rows(diagnoses())[came.condition]


def _referred(came: Visits) -> np.ndarray:  # type: ignore[type-arg]
    share = diagnoses()["refer"].to_numpy()[_codes(came)]
    result: np.ndarray = uniform(salted(came.hashes, "referred")) < share  # type: ignore[type-arg]
    return result


def tell_encounters(story: Story, month: date) -> pl.DataFrame:
    """The encounters of a month: one row each."""
    came = month_of_visits(story, month)
    card = cards(story, NAME, came.known(story), came.place, came.day, came.hashes, NOISE_HERE)
    began, ended, times = _times(story, came)
    found = _diagnoses(story, came)
    treatments = _treatments(came)
    payer = insurance.insured(card.writing.persons, came.day, came.hashes)
    disposition = np.where(_referred(came), "REFERRED", "TREATED_HOME").astype(object)
    frame = pl.DataFrame(
        {
            "id": _ids(came.hashes, "encounter"),
            "place": pl.Series(came.place, dtype=pl.Int64),
            "began": pl.Series(began),
            "ended": pl.Series(ended),
            **_person(came, card),
            "payer": payer["insurance_scheme"],
            "payer_category": payer["insurance_category"],
            "new_case": pl.Series(uniform(salted(came.hashes, "case")) < 0.88),
            "diagnoses": found,
            "treatments": treatments,
            "disposition": pl.Series(disposition, dtype=pl.String),
            **times.columns(),
        }
    )
    return corrected(frame, "treatments", treatments.list.head(0))


def _ids(hashes: U64, what: str) -> pl.Series:
    """Identifiers in the shape of a UUID."""
    high, low = salted(hashes, NAME, what), salted(hashes, NAME, what, "low")
    text = [f"{int(a):016x}{int(b):016x}" for a, b in zip(high, low, strict=True)]
    joined = pl.Series(text, dtype=pl.String)
    pattern = r"^(.{8})(.{4}).(.{3}).(.{3})(.{12})$"
    return joined.str.replace(pattern, "${1}-${2}-4${3}-a${4}-${5}")


def _diagnoses(story: Story, came: Visits) -> pl.Series:
    """One or two diagnoses an encounter."""
    codes, known = diagnoses(), came.known(story)
    row_of, first = conditions.code_rows(codes), _codes(came)
    at = np.nonzero(uniform(salted(came.hashes, "more diagnoses")) < 0.12)[0]
    age = came.day[at] - known.persons.born[at]
    low = np.zeros(len(at), dtype=bool)
    other = row_of[conditions.drawn(came.hashes[at], 2, age, known.persons.female[at], low, 1)]
    new = other != first[at]
    which = np.concatenate([first, other[new]])
    parts = pl.DataFrame(
        {
            "code": picked(codes["code"], which),
            "display": picked(codes["label_en"], which) + " / " + picked(codes["label_rw"], which),
            "primary": pl.Series(np.arange(len(which)) < len(first)),
        }
    )
    return nested(np.concatenate([np.arange(len(first)), at[new]]), len(first), parts)


@cache
def _prescribed() -> tuple[I64, I64]:
    """By diagnosis (rows, twice): the products it asks for."""
    codes = products()["code"].to_list()
    pairs = [
        (row, codes.index(product))
        for row, text in enumerate(diagnoses()["treatments"].to_list())
        for product in filter(None, (text or "").split("|"))
    ]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def _treatments(came: Visits) -> pl.Series:
    """What was dispensed: the products of the diagnosis that the post had."""
    row, product = _prescribed()
    code = _codes(came)
    owner, which = [], []
    for one in np.unique(code):
        at, wanted = np.nonzero(code == one)[0], product[row == one]
        owner.append(np.repeat(at, len(wanted)))
        which.append(np.tile(wanted, len(at)))
    whose = np.concatenate([*owner, np.zeros(0, dtype=np.int64)])
    what = np.concatenate([*which, np.zeros(0, dtype=np.int64)])
    h = mix(came.hashes[whose] ^ salted(what.astype(np.uint64), "product"))
    had = uniform(salted(h, "stocked")) < STOCKED
    whose, what, h = whose[had], what[had], h[had]
    p = products()
    days = np.maximum(p["days"].to_numpy()[what] - (uniform(salted(h, "shorter")) < 0.1), 1)
    parts = pl.DataFrame(
        {
            "code": picked(p["code"], what),
            "display": picked(p["display"], what),
            "quantity": pl.Series(p["a_day"].to_numpy()[what] * days),
            "unit": picked(p["unit"], what),
            "days": pl.Series(days),
        }
    )
    return nested(whose, len(came.hashes), parts)


def tell_referrals(story: Story, month: date) -> pl.DataFrame:
    """The referrals of a month: one row each, to the health centre or (urgent ones) the hospital."""
    came = month_of_visits(story, month)
    _, ended, times = _times(story, came)
    sent = np.nonzero(_referred(came))[0]
    came, ended = came.take(sent), ended[sent]
    card = cards(story, NAME, came.known(story), came.place, came.day, came.hashes, NOISE_HERE)
    share = diagnoses()["refer"].to_numpy()[_codes(came)]
    urgent = (share > 0.9) & (uniform(salted(came.hashes, "urgent")) < 0.8)
    centre = centre_of(story)[came.place]
    status = np.where(uniform(salted(came.hashes, "received")) < RECEIVED, "RECEIVED", "SENT").astype(object)
    person = _person(came, card)
    h = salted(came.hashes, "referral")
    answered = moments.only(moments.later(times.entered[sent] + 5_000, h, "answer", 1.0, 6.0), status == "RECEIVED")
    frame = pl.DataFrame(
        {
            "id": _ids(came.hashes, "referral"),
            "encounter_id": _ids(came.hashes, "encounter"),
            "place": pl.Series(came.place, dtype=pl.Int64),
            "sent": pl.Series(ended),
            "to_place": pl.Series(np.where(urgent, story.places.hospital[centre], centre), dtype=pl.Int64),
            **{name: person[name] for name in ("local_number", "upid", "full_name", "gender")},
            "reason_code": picked(diagnoses()["code"], _codes(came)),
            "reason": picked(diagnoses()["label_en"], _codes(came)),
            "urgency": chosen_by(np.where(urgent, 0.0, 1.0), {"URGENT": 0.5, "ROUTINE": 0.5}),
            "status": pl.Series(status, dtype=pl.String),
            **Times(ended, times.entered[sent] + 5_000, answered, times.removed[sent], times.person[sent]).columns(),
        }
    )
    return corrected(frame, "status", pl.Series(["SENT"] * frame.height, dtype=pl.String))


SYSTEM = ClinicalSystem(
    NAME,
    date(2025, 1, 1),
    (
        Resource("encounters", tell_encounters, ("disposition", "new_case"), partial(_ids, what="encounter")),
        Resource("referrals", tell_referrals, ("urgency",), partial(_ids, what="referral")),
    ),
)
