"""EBUZIMA around birth: the maternity register, one row a newborn, and what is seen of mother and child afterwards.

Belongs here: the columns of deliveries, newborns and postnatal contacts. Does not belong here: whom the system has
(``maternity``), what comes before birth (``ebuzima``).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.base import Times, lived
from hic_assets.sandbox.world.clinical.ebuzima_patients import patients, upis
from hic_assets.sandbox.world.clinical.entries import (
    added_later,
    coded,
    day,
    drawn,
    flag,
    listed,
    often,
    tenths,
    uuids,
    whole,
)
from hic_assets.sandbox.world.clinical.maternity import NONE, Deliveries, Newborns, Postnatal, delivered, maternity
from hic_assets.sandbox.world.clinical.pregnancies import Pregnancies, pregnancies
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.hashing import U64, normal, salted, uniform
from hic_assets.sandbox.world.trackers.life import Births
from hic_assets.sandbox.world.trackers.moments import spread_days
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.writing import Writing

CAESAREAN = 0.42
"""Of deliveries at hospitals; a third of deliveries are there, so 15 in 100 of all."""
AT_BIRTH = 2
"""Days after birth within which the maternity gives BCG and OPV0; later it is the vaccination service."""


def _in_error(size: int) -> pl.Series:
    return coded(["ENTERED_IN_ERROR"], np.zeros(size, dtype=np.int64))


def _hospital(story: Story, place: I64) -> Bools:
    forms = story.once("hospitals", lambda: np.array([f.form == "hospital" for f in story.facilities]))
    result: Bools = forms[place]
    return result


# ---- deliveries


def _lives(d: Deliveries, of: Pregnancies) -> Times:
    return lived(delivered(of.ended, d.hashes), d.hashes, of.mothers.key)


def _stay(d: Deliveries, caesarean: Bools) -> I64:
    return np.where(caesarean, 3, 1) + np.minimum(spread_days(d.hashes, "stays", 0.9), 11)


def _caesarean(story: Story, d: Deliveries) -> Bools:
    twin = story.life.births.twin[d.birth]
    return _hospital(story, d.place) & often(d.hashes, "caesarean", np.where(twin, CAESAREAN + 0.2, CAESAREAN))


def tell_deliveries(story: Story, month: date) -> pl.DataFrame:
    """One row a delivery at a facility, by its day."""
    m, (low, high) = maternity(story), month_days(month)
    d = m.deliveries.take((m.deliveries.day >= low) & (m.deliveries.day < high))
    of, h, born = pregnancies(story).take(d.pregnancy), d.hashes, story.life.births
    twin, caesarean, hospital = born.twin[d.birth], _caesarean(story, d), _hospital(story, d.place)
    still = born.stillborn[d.birth].astype(np.int64)
    still += twin & born.stillborn[np.minimum(d.birth + 1, len(born.stillborn) - 1)]
    complications = _complications(of, h, hospital, caesarean)
    losing = complications.list.contains("POSTPARTUM_HAEMORRHAGE").to_numpy()
    frame = pl.DataFrame(
        {
            "id": uuids(h),
            "pregnancy": _uuid_of(m.registrations.hashes, d.registration),
            "facility": d.place,
            "patient": patients(story, of.mothers, d.place, of.ended).final,
            "delivered": delivered(of.ended, h),
            "gestational_age_weeks": whole((d.day - of.lmp) // 7, often(h, "dated", 0.94)),
            **_attended(h, hospital, caesarean),
            "babies": 1 + twin.astype(np.int64),
            "live_births": 1 + twin.astype(np.int64) - still,
            "stillbirths": still,
            "hiv_status": coded(
                ["NEGATIVE", "POSITIVE", "UNKNOWN"], np.where(often(h, "hiv unknown", 0.01), 2, of.hiv)
            ),
            "complications": complications,
            "uterotonic_given": flag(often(h, "uterotonic", 0.97)),
            "blood_loss_ml": whole(
                np.clip(np.where(losing, 950, 260) + 110 * normal(salted(h, "loss")), 50, 3000) // 10 * 10
            ),
            **_left(of, d, caesarean, ~hospital & (complications.list.len() > 0).to_numpy()),
            "void_reason": _in_error(len(h)),
            **_lives(d, of).columns(),
        }
    )
    return added_later(frame, "blood_loss_ml")


def _attended(h: U64, hospital: Bools, caesarean: Bools) -> dict[str, pl.Series]:
    """How the child came, and who was there: doctors operate, a few children are born before arrival."""
    vacuum, breech = hospital & often(h, "vacuum", 0.04), often(h, "breech", 0.01)
    mode = np.where(caesarean, 1, np.where(vacuum, 2, np.where(breech, 3, 0)))
    alone = often(h, "before arrival", 0.01) & ~caesarean
    who = drawn(h, "attendant", {"MIDWIFE": 0.52, "NURSE": 0.44, "DOCTOR": 0.04})
    return {
        "mode": coded(["SPONTANEOUS_VAGINAL", "CAESAREAN", "VACUUM", "BREECH"], mode),
        "attendant": who.set(pl.Series(alone), "NONE").set(pl.Series(caesarean), "DOCTOR"),
    }


def _left(of: Pregnancies, d: Deliveries, caesarean: Bools, ill_at_centre: Bools) -> dict[str, pl.Series]:
    """How and when the mother leaves."""
    leaves = d.day + _stay(d, caesarean)
    dies = of.died <= leaves
    referred = ill_at_centre & often(d.hashes, "referred", 0.3) & ~dies
    return {
        "mother_condition": coded(["GOOD", "REFERRED", "DIED"], np.where(dies, 2, referred)),
        "discharge_date": day(leaves, ~dies & ~referred & often(d.hashes, "discharge", 0.93)),
    }


def _complications(of: Pregnancies, h: U64, hospital: Bools, caesarean: Bools) -> pl.Series:
    """Of a woman who dies of it, one at least."""
    dies = of.died - of.ended <= 42
    cause = uniform(salted(of.hashes, "dies of"))
    high = often(of.hashes, "high pressure", 0.035)
    return listed(
        {
            "POSTPARTUM_HAEMORRHAGE": often(h, "haemorrhage", 0.025) | (dies & (cause < 0.5)),
            "PRE_ECLAMPSIA": high,
            "ECLAMPSIA": (high & often(h, "eclampsia", 0.08)) | (dies & (cause >= 0.5) & (cause < 0.72)),
            "OBSTRUCTED_LABOUR": often(h, "obstructed", np.where(caesarean, 0.3, np.where(hospital, 0.02, 0.015))),
            "PREMATURE_RUPTURE_OF_MEMBRANES": often(h, "membranes", 0.022),
            "SEPSIS": often(h, "sepsis", 0.006) | (dies & (cause >= 0.72)),
            "RETAINED_PLACENTA": often(h, "placenta", 0.009) & ~caesarean,
            "UTERINE_RUPTURE": often(h, "rupture", 0.001),
        }
    )


def _uuid_of(hashes: U64, rows: I64) -> pl.Series:
    """The ids of these rows; null where a row is NONE."""
    made = uuids(hashes[rows]) if len(hashes) else pl.Series([""] * len(rows), dtype=pl.String)
    return made.set(pl.Series(rows == NONE), None)


# ---- newborns


def tell_newborns(story: Story, month: date) -> pl.DataFrame:
    """One row a child born at a facility, stillborn ones included, by the day of birth."""
    m, (low, high) = maternity(story), month_days(month)
    n = m.newborns.take((m.newborns.day >= low) & (m.newborns.day < high))
    d, born, h = m.deliveries.take(n.delivery), story.life.births.take(n.birth), n.hashes
    of = pregnancies(story).take(d.pregnancy)
    entered = _lives(d, of).entered + 120_000 * n.order
    first = delivered(of.ended, d.hashes)
    times = lived(first, h, born.persons.key, entered=entered)
    died = (born.died <= n.day + _stay(d, _caesarean(story, d))) & ~born.stillborn
    # as the birth registration has it
    macerated = uniform(salted(born.hashes, "macerated")) < 0.53
    writing = Writing(born.persons, salted(h, "writing"), n.day, story.places, story.noise)
    one, five = _apgar(born, h)
    vaccinated = _vaccinated(born)
    at_birth = (vaccinated - n.day <= AT_BIRTH) & ~born.stillborn & (born.died > vaccinated)
    frame = pl.DataFrame(
        {
            "id": uuids(h),
            "delivery": uuids(d.hashes),
            "facility": d.place,
            "born": first,
            "birth_order": n.order,
            "upi": pl.Series(writing.upi(upis(story, born.persons)).texts()).set(pl.Series(born.stillborn), None),
            "sex": writing.sex("M", "F").texts(),
            "weight_grams": whole(born.grams, often(h, "weighed", 0.985)),
            "apgar_1": whole(one),
            "apgar_5": whole(five),
            "outcome": coded(
                ["LIVE_BIRTH", "FRESH_STILLBIRTH", "MACERATED_STILLBIRTH"], np.where(born.stillborn, 1 + macerated, 0)
            ),
            "resuscitated": flag(~born.stillborn & (one < 7)),
            "breastfed_within_hour": flag(often(h, "breastfed", 0.85) & ~died, ~born.stillborn),
            "death_date": day(np.minimum(born.died, n.day + 30), died),
            "bcg_date": day(vaccinated, at_birth),
            "opv0_date": day(vaccinated, at_birth & often(h, "opv0", 0.97)),
            "void_reason": _in_error(len(h)),
            **times.columns(),
        }
    )
    return added_later(added_later(frame, "bcg_date"), "opv0_date")


def _apgar(born: Births, h: U64) -> tuple[I64, I64]:
    soon = born.died - born.persons.born < 7
    one = np.clip(np.round(8.3 + 0.9 * normal(salted(h, "apgar")) - 3 * soon - (born.weeks < 34)), 1, 9)
    five = np.clip(one + 1 + (one < 8) - soon, 1, 10)
    return np.where(born.stillborn, 0, one).astype(np.int64), np.where(born.stillborn, 0, five).astype(np.int64)


def _vaccinated(born: Births) -> I64:
    """When the child first comes before a vaccinator: the day on which the immunization tracker registers it."""
    late = np.where(uniform(salted(born.hashes, "joins")) < 0.8, 0, 42)
    return born.persons.born + late + np.minimum(spread_days(born.hashes, "joins after", 3.0), 30)


# ---- afterwards


def tell_postnatal(story: Story, month: date) -> pl.DataFrame:
    """One row a contact of a mother (and the children who live) within seven weeks of birth, by its day."""
    m, (low, high) = maternity(story), month_days(month)
    p = m.postnatal.take((m.postnatal.day >= low) & (m.postnatal.day < high))
    of, h = pregnancies(story).take(p.pregnancy), p.hashes
    systolic = 112 + 10 * normal(salted(h, "systolic"))
    hot = often(h, "fever", 0.018)
    return pl.DataFrame(
        {
            "id": uuids(h),
            "delivery": _uuid_of(m.deliveries.hashes, p.delivery),
            "facility": p.place,
            "patient": patients(story, of.mothers, p.place, of.ended).final,
            "encounter": p.happened,
            "contact_number": p.number,
            "days_after_birth": p.day - of.ended,
            "mother_temperature": tenths(36.7 + 0.3 * normal(salted(h, "temperature")) + 1.6 * hot),
            "systolic": whole(systolic, often(h, "pressure", 0.9)),
            "diastolic": whole(0.63 * systolic, often(h, "pressure", 0.9)),
            "danger_signs": listed(
                {"FEVER": hot, "BLEEDING": often(h, "bleeding", 0.012), "BREAST_INFECTION": often(h, "breast", 0.01)}
            ),
            "breastfeeding": drawn(h, "feeding", {"EXCLUSIVE": 0.93, "MIXED": 0.05, "NONE": 0.02}),
            "family_planning": drawn(
                salted(h, "method"),
                "family planning",
                {"NONE": 0.62, "IMPLANT": 0.18, "INJECTABLE": 0.1, "PILL": 0.05, "IUD": 0.05},
            ),
            "newborns": _children(story, m.newborns, p),
            "void_reason": _in_error(len(h)),
            **lived(p.happened, h, of.mothers.key).columns(),
        }
    )


def _children(story: Story, n: Newborns, p: Postnatal) -> pl.Series:
    """The children who are alive on the day, as structs; ``newborn`` is an id where the system has the birth."""
    born, of = story.life.births, pregnancies(story).take(p.pregnancy)
    first_child = np.searchsorted(n.delivery, p.delivery)
    parts = []
    for turn in (0, 1):
        row = np.minimum(of.birth + turn, len(born.hashes) - 1)
        child, h = born.take(row), salted(p.hashes, "child", turn)
        there = ~child.stillborn & (child.died > p.day) & ((turn == 0) | child.twin)
        at = np.where(p.delivery == NONE, NONE, np.minimum(first_child + turn, max(len(n.delivery) - 1, 0)))
        age = p.day - of.ended
        grams = child.grams * (1 - 0.03 * (age == 2)) + 26 * np.maximum(age - 4, 0) + 20 * normal(salted(h, "weight"))
        struct = pl.DataFrame(
            {
                "there": there,
                "newborn": _uuid_of(n.hashes, at),
                "weight_grams": whole(grams // 10 * 10, often(h, "weighed", 0.8)),
                "temperature": tenths(36.8 + 0.3 * normal(salted(h, "temperature"))),
                "danger_signs": listed(
                    {
                        "NOT_FEEDING": often(h, "feeding", 0.008),
                        "INFECTED_CORD": often(h, "cord", 0.01),
                        "JAUNDICE": often(h, "jaundice", 0.015),
                    }
                ),
            }
        )
        parts.append(struct.select(pl.when("there").then(pl.struct(pl.exclude("there")))).to_series().alias(str(turn)))
    return pl.DataFrame(parts).select(pl.concat_list("0", "1").list.drop_nulls()).to_series()
