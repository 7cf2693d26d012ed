"""What a community health worker notes of an encounter: signs, test, treatment, referral, what was out of stock.

Belongs here: the clinical columns of encounters. Does not belong here: who is seen (``community``). Source: integrated
community case management; domain facts 2.6, 3.3, traps 16 (local codes of products) and 19.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.community import (
    CHILD_ILLNESS,
    ENDEMIC,
    MALARIA,
    NEWBORN,
    PREGNANCY,
    Encounters,
    season,
    worker,
)
from hic_assets.sandbox.world.clinical.entries import coded, flag, listed, often, tenths, whole
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import mix, normal, salted
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.people import Persons

POSITIVE = 0.3
"""Of rapid tests, over the year and the country."""
STOCKED = ("RDT", "AL", "AMOX-125", "ORS", "ZINC-20")
STOCK_OUT = 0.035
"""Products a worker is without, of all products and months."""
# artemether-lumefantrine by age in months: up to which age, local code of the pack, tablets
PACKS = ((36, "AL-6x1", 6), (60, "AL-6x2", 12), (168, "AL-6x3", 18), (10**4, "AL-6x4", 24))


@dataclass(frozen=True)
class _Signs:
    """What is found, one entry an encounter."""

    fever: Bools
    cough: Bools
    diarrhoea: Bools
    pneumonia: Bools
    malaria: Bools
    tested: Bools
    danger: pl.Series
    thin: Bools
    out: dict[str, Bools]
    months: I64


def cared(story: Story, e: Encounters, persons: Persons) -> dict[str, pl.Series]:
    """The clinical columns of these encounters with these persons."""
    s, h = _signs(story, e, persons), e.hashes
    ill = np.isin(e.kind, (CHILD_ILLNESS, MALARIA))
    no_drug = s.malaria & s.out["AL"]
    why = np.where(s.danger.list.len().to_numpy() > 0, 1, np.where(s.thin, 2, np.where(no_drug, 3, 0)))
    elsewhere = (e.kind == PREGNANCY) & often(h, "no antenatal care", 0.07)
    why = np.where((why == 0) & elsewhere, 4, why)
    reasons = ("", "DANGER_SIGN", "SEVERE_MALNUTRITION", "NO_MEDICINE", "ANTENATAL_CARE")
    warm = np.where(s.fever, 38.6 + 0.5 * normal(salted(h, "warm")), 36.8 + 0.3 * normal(salted(h, "warm")))
    fast = np.where(s.pneumonia, 54, 32) + 4 * normal(salted(h, "breaths"))
    small = (e.kind == CHILD_ILLNESS) & (s.months >= 6)
    arm = np.where(s.thin, 109, 146) + np.where(s.thin, 4, 9) * normal(salted(h, "muac"))
    return {
        "symptoms": listed({"FEVER": s.fever, "COUGH": s.cough, "DIARRHOEA": s.diarrhoea}),
        "danger_signs": s.danger,
        "temperature": tenths(warm, ill & often(h, "thermometer", 0.8)),
        "respiratory_rate": whole(fast, s.cough & (e.kind == CHILD_ILLNESS)),
        "muac_mm": whole(np.where(s.thin, np.minimum(arm, 114), np.maximum(arm, 116)), small & often(h, "arm", 0.7)),
        "rdt_result": _test(s, e),
        "diagnoses": listed(
            {
                "MALARIA": s.malaria,
                "PNEUMONIA": s.pneumonia,
                "DIARRHOEA": s.diarrhoea,
                "SEVERE_MALNUTRITION": s.thin,
            }
        ),
        "treatments": _treatments(s),
        "stock_outs": listed({code: s.out[code] & ill for code in STOCKED}),
        "gestation_weeks": whole((e.day - e.event) // 7, e.kind == PREGNANCY),
        "age_days": whole(e.day - e.event, e.kind == NEWBORN),
        "breastfed": flag(often(h, "breastfed", 0.96), e.kind == NEWBORN),
        "referral_reason": coded(reasons, why, why > 0),
        "referral_completed": flag(often(h, "arrives", 0.72), why > 0),
    }


def _signs(story: Story, e: Encounters, persons: Persons) -> _Signs:
    h, months = e.hashes, ((e.day - persons.born) / 30.4375).astype(np.int64)
    child, ill = e.kind == CHILD_ILLNESS, np.isin(e.kind, (CHILD_ILLNESS, MALARIA))
    cough, diarrhoea = child & often(h, "cough", 0.46), child & often(h, "diarrhoea", 0.27)
    fever = ill & (often(h, "fever", 0.58) | ~(cough | diarrhoea))
    out = _out_of_stock(e, persons)
    tested = fever & ~out["RDT"] & often(h, "tested", 0.97)
    risk = np.minimum(POSITIVE * ENDEMIC[story.places.province[e.place]] * season(e.day), 0.8)
    malaria = tested & often(h, "malaria", np.where(ill, risk, 0.0))
    thin = child & (months >= 6) & often(h, "thin", 0.012)
    baby, mother = e.kind == NEWBORN, e.kind == PREGNANCY
    danger = listed(
        {
            "CONVULSIONS": ill & often(h, "convulsions", 0.008),
            "UNABLE_TO_DRINK": ill & often(h, "drinking", 0.012),
            "LETHARGIC": ill & often(h, "lethargic", 0.01),
            "VAGINAL_BLEEDING": mother & often(h, "bleeding", 0.008),
            "SEVERE_HEADACHE": mother & often(h, "headache", 0.012),
            "NOT_FEEDING": baby & often(h, "feeding", 0.012),
            "INFECTED_CORD": baby & often(h, "cord", 0.009),
            "BORN_TOO_SMALL": baby & often(h, "small", 0.02),
        }
    )
    return _Signs(
        fever, cough, diarrhoea, cough & often(h, "pneumonia", 0.38), malaria, tested, danger, thin, out, months
    )


def _out_of_stock(e: Encounters, persons: Persons) -> dict[str, Bools]:
    """What the worker is without in the month: the same for everybody who is seen in it."""
    month = e.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    h = mix(worker(persons, e.place).astype(np.uint64) ^ (month.astype(np.uint64) << np.uint64(40)))
    return {code: often(h, f"out of {code}", STOCK_OUT) for code in STOCKED}


def _test(s: _Signs, e: Encounters) -> pl.Series:
    broken = often(e.hashes, "invalid", 0.006) & ~s.malaria
    found = np.where(s.tested, np.where(s.malaria, 0, np.where(broken, 2, 1)), 3)
    return coded(["POSITIVE", "NEGATIVE", "INVALID", "NOT_DONE"], found, s.fever)


def _treatments(s: _Signs) -> pl.Series:
    """A list of structs, the local code of a product and how many of it, of what was there."""
    small = s.months < 12
    given: list[tuple[Bools, str, int]] = []
    youngest = -1
    for oldest, pack, tablets in PACKS:
        of_age = (s.months > youngest) & (s.months <= oldest)
        given.append((s.malaria & of_age & ~s.out["AL"], pack, tablets))
        youngest = oldest
    there = s.pneumonia & ~s.out["AMOX-125"]
    given += [(there & small, "AMOX-125", 10), (there & ~small, "AMOX-125", 20)]
    given += [(s.diarrhoea & ~s.out[code], code, many) for code, many in (("ORS", 2), ("ZINC-20", 10))]
    frame = pl.DataFrame({str(i): rows for i, (rows, _, _) in enumerate(given)})
    parts = [
        pl.when(str(i)).then(pl.struct(pl.lit(code).alias("product"), pl.lit(many).alias("quantity")))
        for i, (_, code, many) in enumerate(given)
    ]
    return frame.select(pl.concat_list(parts).list.drop_nulls()).to_series()
