"""CEMR over HTTP: Bearer token, newline-delimited JSON exports, whole numbers as ids, health centres by name.

Belongs here: from standing frames to the lines of ``docs/contracts/cemr.yaml``. Does not belong here: what happens
(``world.clinical.cemr``).
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.server.clinical.auth import bearer
from hic_assets.sandbox.server.clinical.base import Api, Listing
from hic_assets.sandbox.server.clinical.forms import day
from hic_assets.sandbox.server.clinical.paging import Export
from hic_assets.sandbox.server.clinical.parameters import ISO_DAY, ISO_TIME, Window
from hic_assets.sandbox.server.clinical.problems import flat
from hic_assets.sandbox.server.clinical.spoiling import Members
from hic_assets.sandbox.world.clinical.store import ClinicalStore

WINDOW = Window("from", "to", ISO_DAY, inclusive_end=False, since="updated_since", since_form=ISO_TIME)
# what a deleted record still says: which one it was, when, where, and that it is gone
_PATIENT_KEEPS = ("patient_id", "health_centre", "district", "registered_on", "created_at", "updated_at", "deleted")
_ENCOUNTER_KEEPS = (
    "encounter_id",
    "health_centre",
    "district",
    "encounter_date",
    "created_at",
    "updated_at",
    "deleted",
)


DAY = "%Y-%m-%d"


def _time(column: str) -> pl.Expr:
    """A moment (ms UTC) as the telephones' server writes it: ``2026-03-02T07:15:00Z``."""
    return pl.from_epoch(column, time_unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _state() -> list[pl.Expr]:
    return [
        _time("_created").alias("created_at"),
        _time("_updated").alias("updated_at"),
        pl.col("_deleted").alias("deleted"),
    ]


def _emptied(made: pl.DataFrame, keeps: tuple[str, ...]) -> pl.DataFrame:
    """Deleted records without what they said of anybody."""
    return made.with_columns(pl.when(~pl.col("deleted")).then(c).alias(c) for c in made.columns if c not in keeps)


def patients(frame: pl.DataFrame, _store: ClinicalStore) -> pl.DataFrame:
    """Patients as the contract has them."""
    made = frame.select(
        pl.col("id").cast(pl.Int64).alias("patient_id"),
        "family_name",
        "first_name",
        "sex",
        day("date_of_birth", DAY),
        "date_of_birth_estimated",
        "mother_name",
        "national_id",
        "phone",
        "village",
        pl.col("household").alias("household_id"),
        pl.col("chw").alias("chw_id"),
        "health_centre",
        "district",
        "facility_code",
        day("registered", DAY).alias("registered_on"),
        *_state(),
    )
    return _emptied(made, _PATIENT_KEEPS)


def encounters(frame: pl.DataFrame, _store: ClinicalStore) -> pl.DataFrame:
    """Encounters as the contract has them."""
    referred = pl.struct(pl.col("referral_reason").alias("reason"), pl.col("referral_completed").alias("completed"))
    made = frame.select(
        pl.col("id").cast(pl.Int64).alias("encounter_id"),
        pl.col("patient").alias("patient_id"),
        day("encounter_date", DAY),
        "encounter_type",
        pl.col("chw").alias("chw_id"),
        "health_centre",
        "district",
        "age_months",
        "sex",
        "visit_number",
        "symptoms",
        "danger_signs",
        pl.col("temperature").alias("temperature_c"),
        "respiratory_rate",
        "muac_mm",
        "rdt_result",
        "diagnoses",
        "treatments",
        "stock_outs",
        "gestation_weeks",
        "age_days",
        "breastfed",
        pl.when(pl.col("referral_reason").is_not_null()).then(referred).alias("referral"),
        *_state(),
    )
    return _emptied(made, _ENCOUNTER_KEEPS)


API = Api(
    name="cemr",
    gate=bearer(),
    errors=flat,
    routes={
        "api/export/patients.ndjson": Listing(
            "patients", WINDOW, Export(), patients, Members("registered_on", "health_centre", "household_id")
        ),
        "api/export/community-encounters.ndjson": Listing(
            "community_encounters",
            WINDOW,
            Export(),
            encounters,
            Members("encounter_date", "health_centre", "age_months"),
        ),
    },
)
