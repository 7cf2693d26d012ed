"""CEMR, the community EMR: patients as health workers registered them on their phones, and their encounters.

Belongs here: the columns of the two resources. Does not belong here: who sees whom (``community``), JSON
(``server.clinical.cemr``). Source: domain facts 1.4 (patient_id, first_name, date_of_birth, facility_code), 2.6, 2.11,
traps 1, 2, 6 (phones send when there is a network), 11, 12, 13 (health centres by name).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.base import ClinicalSystem, Resource, lived
from hic_assets.sandbox.world.clinical.cemr_care import cared
from hic_assets.sandbox.world.clinical.cemr_places import health_centres
from hic_assets.sandbox.world.clinical.community import (
    KINDS,
    NAME,
    Patients,
    community,
    household,
    worker,
)
from hic_assets.sandbox.world.clinical.entries import (
    added_later,
    at_hour,
    coded,
    day,
    flag,
    lived_after,
    numbers,
    often,
    whole,
    whole_numbers,
)
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.hashing import salted
from hic_assets.sandbox.world.trackers.noise import Noise
from hic_assets.sandbox.world.trackers.people import NO_MOTHER
from hic_assets.sandbox.world.trackers.writing import Writing


def _noise(story: Story) -> Noise:
    """Typed on a phone, at home: more slips, few cards at hand."""
    return replace(story.noise, spelling=0.15, no_nid=0.62, no_phone=0.4, first_january=0.12, parents_nid=0.0)


def _writing(story: Story, p: Patients) -> Writing:
    return Writing(p.persons, salted(p.hashes, "writing"), p.day, story.places, _noise(story))


def _homes(story: Story, p: Patients) -> dict[str, pl.Series]:
    """The worker, the health centre and the district, as the worker's phone has them."""
    number = worker(p.persons, p.place)
    return {"chw": pl.Series(number), **health_centres(story, p.place, number)}


def _without(columns: dict[str, pl.Series], name: str) -> dict[str, pl.Series]:
    return {column: values for column, values in columns.items() if column != name}


def tell_patients(story: Story, month: date) -> pl.DataFrame:
    """One row a patient, by the day of registration."""
    every, (low, high) = community(story).patients, month_days(month)
    p = every.take((every.day >= low) & (every.day < high))
    h, w = p.hashes, _writing(story, p)
    child = p.persons.mother != NO_MOTHER
    surname, given = w.name_fields()
    times = lived(at_hour(p.day, h, "hour", 7, 19), h, p.persons.key, edited_share=0.05, deleted_share=0.003)
    frame = pl.DataFrame(
        {
            "id": pl.Series(numbers(h)).cast(pl.String),
            "family_name": surname.texts(),
            "first_name": given.texts(),
            "sex": w.sex("M", "F").texts(),
            "date_of_birth": w.birth_date()
            .texts()
            .str.to_date("%Y-%m-%d")
            .set(pl.Series(often(h, "birth unknown", 0.015)), None),
            "date_of_birth_estimated": flag(w.estimated()),
            "mother_name": w.mothers().full_name().where(child & ~often(h, "mother unknown", 0.04)).texts(),
            "national_id": w.nid().texts(),
            "phone": w.phone().texts(),
            "village": w.village().texts(),
            "household": numbers(household(p.persons)),
            **_homes(story, p),
            "facility": p.place,
            "registered": day(p.day),
            **times.columns(),
        }
    )
    return added_later(added_later(frame, "national_id"), "phone")


def tell_encounters(story: Story, month: date) -> pl.DataFrame:
    """One row an encounter of a community health worker with a patient, by its day."""
    whole_story, (low, high) = community(story), month_days(month)
    e = whole_story.encounters.take((whole_story.encounters.day >= low) & (whole_story.encounters.day < high))
    p, h = whole_story.patients.take(e.patient), e.hashes
    visit = e.number > 0
    happened = at_hour(e.day, h, "hour", 7, 19)
    # nobody is seen who is not registered: the phone sends the patient first
    registered = lived(at_hour(p.day, p.hashes, "hour", 7, 19), p.hashes, p.persons.key).entered
    times = lived_after(happened, h, p.persons.key, registered + 5_000)
    frame = pl.DataFrame(
        {
            "id": pl.Series(numbers(h)).cast(pl.String),
            "patient": numbers(p.hashes),
            "encounter_date": day(e.day),
            "encounter_type": coded(KINDS, e.kind),
            **_without(_homes(story, p), "facility_code"),
            "facility": e.place,
            "age_months": whole(np.maximum(e.day - p.persons.born, 0) // 30.4375),
            "sex": _writing(story, p).sex("M", "F").texts(),
            "visit_number": whole(e.number, visit),
            **cared(story, e, p.persons),
            **times.columns(),
        }
    )
    return added_later(frame, "referral_completed")


SYSTEM = ClinicalSystem(
    name=NAME,
    since=date(2025, 1, 1),
    resources=(
        Resource("patients", tell_patients, ("phone", "village"), whole_numbers),
        Resource("community_encounters", tell_encounters, ("temperature", "rdt_result"), whole_numbers),
    ),
)
