"""Who pays: the insurance of a patient on a day, by the categories in force then.

Belongs here: schemes, categories, member numbers, co-payments. Source: domain facts 2.8: Ubudehe categories 1 to 4 until
30 June 2026, Imibereho income levels L1 to L5 from 1 July 2026; the insurance year begins in July; 200 RWF at a health
centre, a tenth of the bill at a hospital. Shares of schemes and of Ubudehe categories are [K].
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.nesting import chosen_by
from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.trackers.moments import day_number
from hic_assets.sandbox.world.trackers.packing import I64
from hic_assets.sandbox.world.trackers.people import Persons

IMIBEREHO_FROM = date(2026, 7, 1)
SCHEMES = {"CBHI": 0.86, "RAMA": 0.045, "MMI": 0.02, "PRIVATE": 0.025, "NONE": 0.05}
UBUDEHE = {"UBUDEHE_1": 0.16, "UBUDEHE_2": 0.3, "UBUDEHE_3": 0.53, "UBUDEHE_4": 0.01}
IMIBEREHO = {"L1": 0.07, "L2": 0.23, "L3": 0.35, "L4": 0.27, "L5": 0.08}
LATE_PAYERS = 0.12
"""Members who pay for a new insurance year in its first months only, and are not covered before."""
OLD_HABIT = 0.08
"""Visits of the first quarter after the reform that are still written with the old category."""


def insured(persons: Persons, days: I64, visits: U64) -> pl.DataFrame:
    """One row a visit: insurance_scheme, insurance_category (CBHI only), member_number (null without a scheme)."""
    household = salted(persons.key, "insurance")
    scheme = chosen_by(uniform(household), SCHEMES)
    wealth = uniform(salted(household, "wealth"))
    reform = day_number(IMIBEREHO_FROM)
    old = (days < reform) | ((days < reform + 92) & (uniform(salted(visits, "old category")) < OLD_HABIT))
    category = pl.select(
        pl.when(pl.Series(old)).then(chosen_by(wealth, UBUDEHE)).otherwise(chosen_by(wealth, IMIBEREHO))
    ).to_series()
    number = (household % np.uint64(10**9)).astype(np.int64)
    frame = pl.DataFrame({"s": scheme, "c": category, "n": pl.Series(number).cast(pl.String).str.zfill(9)})
    uncovered = pl.Series(_uncovered(household, days)) & (pl.col("s") == "CBHI")
    frame = frame.with_columns(s=pl.when(uncovered).then(pl.lit("NONE")).otherwise("s"))
    return frame.select(
        insurance_scheme="s",
        insurance_category=pl.when(pl.col("s") == "CBHI").then("c"),
        member_number=pl.when(pl.col("s") != "NONE").then(pl.col("s") + "-" + pl.col("n")),
    )


def _uncovered(household: U64, days: I64) -> np.ndarray:  # type: ignore[type-arg]
    """Before somebody who pays late has paid: up to 150 days into the insurance year."""
    july = (days.astype("datetime64[D]").astype("datetime64[M]") - 6).astype("datetime64[Y]").astype(
        "datetime64[M]"
    ) + 6
    into = days - july.astype("datetime64[D]").astype(np.int64)
    late = uniform(salted(household, "pays late")) < LATE_PAYERS
    pays = (salted(household, "pays on") % np.uint64(150)).astype(np.int64)
    return late & (into < pays)


def fee(scheme: pl.Series, hospital: np.ndarray, visits: U64) -> pl.Series:  # type: ignore[type-arg]
    """What the patient pays (RWF): 200 or a tenth of the bill with an insurance, the whole bill without."""
    bill = np.where(hospital, 6_000, 1_500) + np.round(uniform(salted(visits, "bill")) * 90) * 100
    covered = np.where(hospital, np.round(bill / 10), 200)
    return pl.Series(np.where((scheme == "NONE").to_numpy(), bill, covered).astype(np.int64))
