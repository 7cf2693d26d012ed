"""EBUZIMA, maternal health: what its registers say of pregnancies, antenatal contacts, deliveries, newborns, mothers.

Belongs here: the columns of the five resources. Does not belong here: whom the system has (``maternity``), JSON
(``server.clinical.ebuzima``). Source: domain facts 2.3 (RHMIS XV to XVII), 2.5, 2.7, traps 1, 2, 11, 12; RDHS 2019-20:
15 % of births by caesarean section.

Every facility has its own patients, as every OpenMRS server has: the same woman has another ``patient.uuid``, and is
written in another way, at the hospital where she gives birth.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.base import ClinicalSystem, Resource, Times, lived, with_earlier
from hic_assets.sandbox.world.clinical.ebuzima_birth import tell_deliveries, tell_newborns, tell_postnatal
from hic_assets.sandbox.world.clinical.ebuzima_patients import patient_hashes, patients
from hic_assets.sandbox.world.clinical.entries import (
    added_later,
    at_hour,
    coded,
    day,
    drawn,
    flag,
    listed,
    lived_after,
    often,
    tenths,
    uuids,
    whole,
)
from hic_assets.sandbox.world.clinical.maternity import (
    NAME,
    ONGOING,
    STATUSES,
    Registrations,
    maternity,
    mergers,
    registered,
)
from hic_assets.sandbox.world.clinical.pregnancies import TERM, Pregnancies, pregnancies
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.hashing import U64, normal, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.life import YEAR
from hic_assets.sandbox.world.trackers.packing import I64


def _lives(story: Story, r: Registrations, of: Pregnancies) -> Times:
    """A registration is changed when the facility hears how the pregnancy ended, and voided when it is a double."""
    times = lived(
        registered(r), r.hashes, of.mothers.key, edited_share=0.0, deleted_share=story.noise.deleted_enrolment
    )
    found = mergers(r)
    removed = np.where(found < NEVER, np.maximum(found, times.entered + 60_000), times.removed)
    edited = np.maximum(moments.typed_in(r.heard, salted(r.hashes, "heard")), times.entered + 60_000)
    return replace(times, edited=np.where(edited >= removed, NEVER, edited), removed=removed)


def tell_pregnancies(story: Story, month: date) -> pl.DataFrame:
    """One row a pregnancy at a facility, by the day of registration."""
    r, (low, high) = maternity(story).registrations, month_days(month)
    r = r.take((r.day >= low) & (r.day < high))
    of, h = pregnancies(story).take(r.pregnancy), r.hashes
    told = patients(story, of.mothers, r.place, of.ended, r.again)
    lmp, known = _recalled(of.lmp, h)
    edd = np.where(known, lmp + TERM, of.lmp + TERM + np.round(5 * normal(salted(h, "ultrasound"))).astype(np.int64))
    late = often(h, "dated later", 0.05)
    frame = pl.DataFrame(
        {
            "id": uuids(h),
            "facility": r.place,
            "registered": registered(r),
            "patient": told.final,
            "anc_number": told.writing.numbered("ANC-", 6, "anc number").texts(),
            "last_menstrual_period": day(lmp, known),
            "estimated_delivery_date": day(edd),
            "dating_method": coded(["ULTRASOUND", "LMP"], known),
            "gravida": of.gravida,
            "parity": of.parity,
            "hiv_status": coded(
                ["NEGATIVE", "POSITIVE", "UNKNOWN"], np.where(often(h, "hiv unknown", 0.02), 2, of.hiv)
            ),
            "on_art": flag(often(h, "art", 0.95), of.hiv),
            "risk_factors": _risks(story, of, h),
            "status": coded(STATUSES, r.status),
            "status_date": day(r.status_day),
            "void_reason": coded(["ENTERED_IN_ERROR", "DUPLICATE"], r.again),
            **_lives(story, r, of).columns(),
        }
    )
    for column, before in (
        ("status", coded(STATUSES, np.full(len(h), ONGOING))),
        ("status_date", day(r.day)),
        ("patient", told.at_first),
        ("last_menstrual_period", day(lmp, known & ~late)),
    ):
        frame = with_earlier(frame, column, before)
    return frame


def _recalled(lmp: I64, hashes: U64) -> tuple[I64, np.ndarray]:  # type: ignore[type-arg]
    """The last period as the woman remembers it, and whether she does: days off mostly, sometimes a month."""
    u, far = uniform(salted(hashes, "recall")), normal(salted(hashes, "recall far"))
    off = np.where(u < 0.7, 1.2 * far, np.where(u < 0.95, 6 * far, 30 * np.sign(far)))
    return lmp + np.round(off).astype(np.int64), often(hashes, "period known", 0.84)


def _risks(story: Story, of: Pregnancies, h: U64) -> pl.Series:
    age = (of.lmp - of.mothers.born) / YEAR
    twin = story.life.births.twin[of.birth] & (of.birth >= 0)
    return listed(
        {
            "AGE_UNDER_18": age < 18,
            "AGE_OVER_35": age >= 35,
            "GRAND_MULTIPARITY": of.parity >= 5,
            "MULTIPLE_PREGNANCY": twin & often(h, "twins seen", 0.6),
            "PREVIOUS_CAESAREAN": (of.parity > 0) & often(h, "previous caesarean", 0.13),
            "PREVIOUS_STILLBIRTH": (of.parity > 0) & often(h, "previous stillbirth", 0.03),
            "CHRONIC_HYPERTENSION": often(h, "chronic hypertension", 0.012),
            "SHORT_STATURE": often(h, "short", 0.03),
        }
    )


# ---- antenatal contacts


def tell_antenatal(story: Story, month: date) -> pl.DataFrame:
    """One row an antenatal contact at a facility, by its day."""
    m, (low, high) = maternity(story), month_days(month)
    a = m.antenatal.take((m.antenatal.day >= low) & (m.antenatal.day < high))
    own, first = m.registrations.take(a.registration), m.registrations.take(a.first)
    of, h = pregnancies(story).take(own.pregnancy), a.hashes
    found = mergers(own)
    moved = found < NEVER
    happened = np.where(own.day == a.day, registered(own) + 600_000, at_hour(a.day, h, "hour"))
    known = lived(registered(own), own.hashes, of.mothers.key).entered
    times = lived_after(happened, h, of.mothers.key, known + 120_000)
    edited = np.where(moved, np.maximum(found, times.entered + 60_000), times.edited)
    times = replace(times, edited=np.where(edited >= times.removed, NEVER, edited))
    keys = of.mothers.key
    mine, real = (uuids(patient_hashes(story, keys, own.place, again)) for again in (own.again, own.again & ~moved))
    frame = pl.DataFrame(
        {
            "id": uuids(h),
            "pregnancy": pl.select(
                pl.when(pl.Series(moved)).then(uuids(first.hashes)).otherwise(uuids(own.hashes))
            ).to_series(),
            "patient_uuid": real,
            "facility": own.place,
            "encounter": happened,
            "contact_number": a.number,
            **_examined(of, a.number, (a.day - of.lmp) / 7, h),
            "next_appointment": day(_weekday(a.day + 28), often(h, "appointment", 0.88) & (a.day - of.lmp < 7 * 37)),
            "void_reason": coded(["ENTERED_IN_ERROR"], np.zeros(len(h), dtype=np.int64)),
            **times.columns(),
        }
    )
    frame = with_earlier(with_earlier(frame, "pregnancy", uuids(own.hashes)), "patient_uuid", mine)
    return added_later(frame, "haemoglobin")


def _examined(of: Pregnancies, number: I64, weeks: np.ndarray, h: U64) -> dict[str, pl.Series]:  # type: ignore[type-arg]
    """What the midwife finds and gives."""
    high = often(of.hashes, "high pressure", 0.035) & (weeks > 20)
    systolic = 108 + 9 * normal(salted(h, "systolic")) + 36 * high
    first, some = number == 1, uniform(salted(h, "examined"))
    weight = 53 + 9 * normal(salted(of.hashes, "weight")) + 0.32 * np.maximum(weeks - 10, 0) + 0.4 * normal(h)
    anaemic = np.where(often(of.hashes, "anaemic", 0.14), 9.9, 12.3)
    positive = np.where(of.hiv, 1, 0)
    return {
        "gestational_age_weeks": whole(np.floor(weeks)),
        "weight_kg": tenths(np.clip(weight, 35, 130), some < 0.96),
        "systolic": whole(systolic, some < 0.93),
        "diastolic": whole(systolic * 0.62 + 3 * normal(salted(h, "diastolic")), some < 0.93),
        "muac_cm": tenths(25.5 + 2.4 * normal(salted(of.hashes, "muac")), often(h, "muac", 0.72)),
        "fundal_height_cm": whole(np.clip(weeks - 1 + normal(salted(h, "fundus")), 12, 42), weeks >= 16),
        "foetal_heart_rate": whole(140 + 9 * normal(salted(h, "heart")), weeks >= 20),
        "haemoglobin": tenths(anaemic + 0.7 * normal(salted(h, "haemoglobin")), often(h, "haemoglobin done", 0.55)),
        "proteinuria": coded(["NEGATIVE", "TRACE", "POSITIVE"], np.where(high, 2, often(h, "trace", 0.06)), some < 0.7),
        "syphilis_test": coded(
            ["NON_REACTIVE", "REACTIVE"], often(of.hashes, "syphilis", 0.011), first & (some < 0.95)
        ),
        "hiv_test": coded(["NEGATIVE", "POSITIVE"], positive, (first | (weeks >= 28)) & (some < 0.86)),
        "td_dose": whole(np.minimum(of.gravida + number - 1, 5), (number <= 2) & often(h, "td", 0.8)),
        "iron_folate_tablets": drawn(h, "iron", {"30": 0.5, "60": 0.2, "90": 0.15, "0": 0.15}).cast(pl.Int64),
        "net_given": flag(often(h, "net", 0.82), first),
        "dewormed": flag(often(h, "deworming", 0.75), (number == 2) & (weeks > 13)),
        "danger_signs": listed(
            {
                "BLEEDING": often(h, "bleeding", 0.008),
                "SEVERE_HEADACHE": high & often(h, "headache", 0.4),
                "REDUCED_MOVEMENTS": (weeks > 26) & often(h, "movements", 0.01),
                "FEVER": often(h, "fever", 0.012),
            }
        ),
    }


def _weekday(days: I64) -> I64:
    """The Friday before, where this is a weekend; 1 January 1970 was a Thursday."""
    return days - np.maximum((days + 3) % 7 - 4, 0)


SYSTEM = ClinicalSystem(
    name=NAME,
    since=date(2025, 1, 1),
    resources=(
        Resource(
            "pregnancies", tell_pregnancies, ("gravida", "parity", "hiv_status", "estimated_delivery_date"), uuids
        ),
        Resource("anc-contacts", tell_antenatal, ("weight_kg", "systolic", "diastolic", "haemoglobin"), uuids),
        Resource("deliveries", tell_deliveries, ("mode", "attendant", "blood_loss_ml"), uuids),
        Resource("newborns", tell_newborns, ("weight_grams", "apgar_1", "apgar_5"), uuids),
        Resource("postnatal-contacts", tell_postnatal, ("mother_temperature", "systolic"), uuids),
    ),
)
