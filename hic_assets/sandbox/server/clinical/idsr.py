"""IDSR served: offset and total, ``Authorization: ApiKey``, epidemiological weeks, FOSA codes with an F before them.

The contract is ``docs/contracts/idsr.yaml``. Does not belong here: what happens (``world.clinical.idsr``). Tombstones keep
id, place, week, disease and times; everything else is null.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from hic_assets.sandbox.server.clinical.auth import api_key
from hic_assets.sandbox.server.clinical.base import Api, CodeList, Listing
from hic_assets.sandbox.server.clinical.forms import alive, by_facility, day, fosa_codes, local_time
from hic_assets.sandbox.server.clinical.paging import Offset
from hic_assets.sandbox.server.clinical.parameters import EPI_WEEK, ISO_TIME, Window
from hic_assets.sandbox.server.clinical.problems import flat
from hic_assets.sandbox.server.clinical.spoiling import Members
from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.clinical import idsr
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES, by_code
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.clinical.story import Story

DAY, TIME, WEEK = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S+02:00", "%GW%V"
WINDOW = Window("epiWeek", None, EPI_WEEK, inclusive_end=False, since="updatedSince", since_form=ISO_TIME)
PAGES = Offset(default=100, most=1_000)
AGE_GROUPS = {"0_4": "0-4", "GE5": "5+"}
PATIENT = {
    "upi": "upi", "nid": "nid", "familyName": "family_name", "givenName": "given_name", "motherName": "mother_name",
    "sex": "sex", "birthDate": "birth_date", "ageYears": "age_years", "ageMonths": "age_months", "phone": "phone",
    "district": "district", "sector": "sector", "village": "village",
}  # fmt: skip


def _facility(store: ClinicalStore) -> pl.Expr:
    story = store.shelf.story()
    codes, names, districts = story.once("idsr facilities", lambda: _written_facilities(story))
    return pl.struct(
        by_facility(story, codes, "facility").alias("code"),
        by_facility(story, names, "facility").alias("name"),
        by_facility(story, districts, "facility").alias("district"),
    )


def _written_facilities(story: Story) -> tuple[list[str | None], list[str | None], list[str | None]]:
    district = {r["code"]: r["name"] for r in geography.districts().to_dicts()}
    return (
        [f"F{code.zfill(4)}" for code in fosa_codes(story)],
        [f.name for f in story.facilities],
        [district[f.district] for f in story.facilities],
    )


def _disease() -> pl.Expr:
    codes = pl.Series([d.code for d in DISEASES])
    names = pl.Series([d.name_en for d in DISEASES])
    kinds = pl.Series(["IMMEDIATE" if d.immediate else "WEEKLY" for d in DISEASES])
    return pl.struct(
        pl.col("disease").alias("code"),
        pl.col("disease").replace_strict(codes, names).alias("name"),
        pl.col("disease").replace_strict(codes, kinds).alias("reporting"),
    )


def _times(created: str) -> dict[str, pl.Expr]:
    return {
        "status": pl.when("_deleted").then(pl.lit("DELETED")).otherwise(pl.lit("ACTIVE")),
        created: local_time("_created", TIME),
        "updatedAt": local_time("_updated", TIME),
    }


def _notifications(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    part = pl.element().struct.field
    counts = pl.col("bands").list.eval(part("cases") + part("deaths")).list.sum()
    groups = pl.col("bands").list.eval(
        pl.struct(part("age_group").replace_strict(AGE_GROUPS).alias("ageGroup"), part("cases"), part("deaths"))
    )
    made = {
        "id": pl.col("id"),
        "epiWeek": day("week", WEEK),
        "weekStart": day("week", DAY),
        "facility": _facility(store),
        "disease": _disease(),
        "zeroReport": alive(counts == 0),
        "ageGroups": alive(groups),
        **_times("reportedAt"),
    }
    return frame.select(expression.alias(name) for name, expression in made.items())


def _cases(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    codes = [f.district for f in store.shelf.story().facilities]
    number = pl.format(
        "RWA-{}-{}-{}",
        by_facility(store.shelf.story(), [*codes], "facility"),
        pl.col("day").dt.iso_year(),
        pl.col("number").cast(pl.String).str.zfill(5),
    )
    patient = [pl.col(column).alias(name) for name, column in PATIENT.items() if column != "birth_date"]
    patient.insert(list(PATIENT).index("birthDate"), day("birth_date", DAY).alias("birthDate"))
    made = {
        "id": pl.col("id"),
        "epidNumber": alive(number),
        "epiWeek": day("day", WEEK),
        "consultationDate": day("day", DAY),
        "onsetDate": alive(day("onset", DAY)),
        "facility": _facility(store),
        "disease": _disease(),
        "patient": alive(pl.struct(patient)),
        "vaccineDoses": alive("doses"),
        "hospitalised": alive("hospitalised"),
        "outcome": alive("outcome"),
        "specimenCollectedOn": alive(day("specimen", DAY)),
        "classification": alive("classification"),
        **_times("notifiedAt"),
    }
    return frame.select(expression.alias(name) for name, expression in made.items())


def _of_disease(frame: pl.DataFrame, text: str, _: ClinicalStore) -> pl.DataFrame:
    if text not in by_code():
        raise ValueError("is not the code of a notifiable disease")
    return frame.filter(pl.col("disease") == text)


def _listing(resource: str, shape: Callable[[pl.DataFrame, ClinicalStore], pl.DataFrame], members: Members) -> Listing:
    return Listing(resource, WINDOW, PAGES, shape, members, {"disease": _of_disease})


def _diseases(_: ClinicalStore) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "code": [d.code for d in DISEASES],
            "nameEn": [d.name_en for d in DISEASES],
            "nameFr": [d.name_fr for d in DISEASES],
            "reporting": ["IMMEDIATE" if d.immediate else "WEEKLY" for d in DISEASES],
            "icd10": [d.icd10 for d in DISEASES],
        }
    )


API = Api(
    name=idsr.NAME,
    gate=api_key("Authorization", scheme="ApiKey"),
    errors=flat,
    routes={
        "api/v1/notifications": _listing(
            "notifications", _notifications, Members("weekStart", "facility.code", "reportedAt")
        ),
        "api/v1/cases": _listing("cases", _cases, Members("consultationDate", "facility.code", "classification")),
        "api/v1/diseases": CodeList(_diseases),
    },
)
