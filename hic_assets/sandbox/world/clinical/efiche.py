"""eFICHE: outpatient files of some health centres and hospitals, with laboratory orders and the inventory.

Belongs here: the visits, and what the system is. Laboratory is in ``efiche_laboratory``, inventory in
``efiche_inventory``. Source: domain facts 1.1, 2.11; the mix of facilities and the volume are [D].
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical import conditions, efiche_inventory, efiche_laboratory, insurance
from hic_assets.sandbox.world.clinical.attendance import Catchment, Visits, catchment, visits
from hic_assets.sandbox.world.clinical.base import ClinicalSystem, Resource, corrected, lived
from hic_assets.sandbox.world.clinical.cards import Cards, cards
from hic_assets.sandbox.world.clinical.nesting import chosen_by, nested, picked
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import salted, uniform
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.noise import NOISE
from hic_assets.sandbox.world.trackers.packing import I64, uids

NAME = "efiche"
USERS = {"hospital": 0.1, "centre": 0.12}
AT_HOSPITAL = 0.08
"""Of the visits of those who live around a hospital that uses it, the share that goes there first."""
NOISE_HERE = replace(NOISE, no_upi=0.3, no_nid=0.28, no_phone=0.35, spelling=0.13, first_january=0.1)
UNCODED = 0.02
"""Diagnoses written in words only."""
OUTCOMES = {"HOME": 0.93, "REFERRED": 0.035, "ADMITTED": 0.03, "LEFT": 0.005}


@cache
def diagnoses() -> pl.DataFrame:
    """The system's list: code, label_fr, label_en, reference_system, reference_code (as the printed forms have it,
    sometimes wrong), and for the sandbox alone conditions (what it stands for) and defect.
    """
    return read_csv("clinical/efiche_diagnoses.csv")


def facilities(story: Story) -> I64:
    """Positions of the facilities that use it."""
    return story.users(NAME, USERS)


def month_of_visits(story: Story, month: date) -> Visits:
    """Who came in a month: the truth behind visits and laboratory orders."""
    return visits(story, NAME, story.once((NAME, "catchment"), lambda: _catchment(story)), month)


def _catchment(story: Story) -> Catchment:
    used = facilities(story)
    centres = used[np.isin(used, story.places.centres)]
    hospitals = np.setdiff1d(used, centres)
    around, leads = np.nonzero(story.places.hospital[story.places.centres][:, None] == hospitals[None, :])
    homes = np.concatenate([centres, story.places.centres[around]])
    places = np.concatenate([centres, hospitals[leads]])
    shares = np.concatenate([np.ones(len(centres)), np.full(len(around), AT_HOSPITAL)])
    return catchment(story, homes, places, shares)


def month_of_cards(story: Story, came: Visits) -> Cards:
    """The cards shown at these visits."""
    return cards(story, NAME, came.known(story), came.place, came.day, came.hashes, NOISE_HERE)


def tell_visits(story: Story, month: date) -> pl.DataFrame:
    """The visits of a month: one row each."""
    came = month_of_visits(story, month)
    card = month_of_cards(story, came)
    hospital = ~np.isin(came.place, story.places.centres)
    cover = insurance.insured(card.writing.persons, came.day, came.hashes)
    outcome = chosen_by(uniform(salted(came.hashes, "outcome")), OUTCOMES)
    found = _diagnoses(story, came)
    frame = pl.DataFrame(
        {
            "id": "V" + uids(salted(came.hashes, NAME, "visit")),
            "place": pl.Series(came.place, dtype=pl.Int64),
            "day": pl.Series(came.day.astype(np.int32)).cast(pl.Date),
            "kind": chosen_by(uniform(salted(came.hashes, "case")), {"NC": 0.84, "AC": 0.16}),
            **patient(card),
            **cover.to_dict(),
            **_vitals(came, card),
            "diagnoses": found,
            "outcome": outcome,
            "referred_to": pl.Series(story.places.hospital[came.place], dtype=pl.Int64),
            "fee": insurance.fee(cover["insurance_scheme"], hospital, came.hashes),
            **lived(moments.midnight(came.day), came.hashes, card.writing.persons.key, edited_share=0.06).columns(),
        }
    )
    frame = frame.with_columns(referred_to=pl.when(pl.col("outcome") == "REFERRED").then("referred_to"))
    return corrected(frame, "diagnoses", found.list.head(1))


def patient(card: Cards) -> dict[str, pl.Series]:
    """The patient as eFICHE has him: file number, names in two fields, sex 1 or 2."""
    w = card.writing
    surname, other = w.name_fields()
    year = (w.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970) % 100
    return {
        "file_number": w.numbered("", 5, "file").texts() + "/" + pl.Series(year).cast(pl.String).str.zfill(2),
        "upi": card.upi(),
        "temp_id": card.temp_id(),
        "nid": w.nid().texts(),
        "surname": surname.texts(),
        "other_names": other.texts(),
        "sex": w.sex("1", "2").texts(),
        "birth_date": card.birth_date(),
        "age_years": card.age_years(),
        "phone": w.phone().texts(),
        "district": w.district().texts(),
        "sector": w.sector().texts(),
        "village": w.village().texts(),
    }


def _vitals(came: Visits, card: Cards) -> dict[str, pl.Series]:
    hot = np.isin(came.condition, [conditions.position(c) for c in FEVERS])
    u, n = uniform(salted(came.hashes, "temperature")), uniform(salted(came.hashes, "warm"))
    warm = np.round(36.3 + 0.9 * n + hot * (0.8 + 1.6 * uniform(salted(came.hashes, "fever"))), 1)
    age = np.maximum(came.day - card.writing.persons.born, 0) / 365.25
    grown = np.minimum(3.4 + 6.2 * np.sqrt(age), 30 + 1.9 * np.minimum(age, 18))
    weight = np.round(grown * (0.85 + 0.35 * uniform(salted(card.writing.persons.key, "build"))), 1)
    known = pl.DataFrame({"t": warm, "w": weight, "u": u})
    return {
        "temperature": known.select(pl.when(pl.col("u") < 0.8).then("t")).to_series(),
        "weight": known.select(pl.when(pl.col("u") > 0.25).then("w")).to_series(),
    }


FEVERS = (
    "malaria_simple", "malaria_digestive", "malaria_severe", "pneumonia", "pneumonia_severe", "influenza", "typhoid",
    "tonsillitis", "fever_unknown",
)  # fmt: skip


def _diagnoses(story: Story, came: Visits) -> pl.Series:
    """One to three diagnoses a visit, by the system's codes; a few in words only."""
    codes, known = diagnoses(), came.known(story)
    row_of = conditions.code_rows(codes)
    u = uniform(salted(came.hashes, "more diagnoses"))
    high = np.zeros(len(u), dtype=bool)
    owner, code, rank = [np.arange(len(u))], [row_of[came.condition]], [np.ones(len(u), dtype=np.int64)]
    for turn, share in ((2, 0.22), (3, 0.04)):
        at = np.nonzero(u < share)[0]
        age = came.day[at] - known.persons.born[at]
        more = row_of[conditions.drawn(came.hashes[at], turn, age, known.persons.female[at], high[at], 1)]
        new = more != code[0][at]
        owner, code = [*owner, at[new]], [*code, more[new]]
        rank.append(np.full(int(new.sum()), turn, dtype=np.int64))
    whose, which, ranks = np.concatenate(owner), np.concatenate(code), np.concatenate(rank)
    h = salted(came.hashes[whose] ^ ranks.astype(np.uint64), "diagnosis")
    wordy = pl.Series(uniform(h) < UNCODED)
    parts = pl.DataFrame(
        {
            "code": picked(codes["code"], which).set(wordy, None),
            "label": picked(codes["label_fr"], which) + " / " + picked(codes["label_en"], which),
            "certainty": chosen_by(uniform(salted(h, "certainty")), {"CONFIRMED": 0.62, "PRESUMED": 0.38}),
        }
    ).with_columns(label=pl.when(wordy).then(picked(codes["label_fr"], which).str.to_lowercase()).otherwise("label"))
    return nested(whose, len(u), parts)


def tell_laboratory(story: Story, month: date) -> pl.DataFrame:
    """The laboratory orders of a month: one row each, results nested."""
    came = month_of_visits(story, month)
    return efiche_laboratory.orders(story, came, patient(month_of_cards(story, came)))


def tell_movements(story: Story, month: date) -> pl.DataFrame:
    """The stock movements of a month: one row each."""
    return efiche_inventory.movements(story, facilities(story), month)


def tell_balances(story: Story, month: date) -> pl.DataFrame:
    """The stock cards of a month: one row a facility and product."""
    return efiche_inventory.balances(story, facilities(story), month)


SYSTEM = ClinicalSystem(
    NAME,
    date(2025, 1, 1),
    (
        Resource("visits", tell_visits, ("outcome", "temperature")),
        Resource("lab-orders", tell_laboratory, ("status",)),
        Resource("stock-movements", tell_movements, ("quantity",)),
        Resource("stock-balances", tell_balances, ("closing",)),
    ),
)
