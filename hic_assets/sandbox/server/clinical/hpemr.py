"""HPEMR served: OAuth2 client credentials, an opaque cursor, times in milliseconds, local facility ids, nested JSON.

The contract is ``docs/contracts/hpemr.yaml``. A voided record keeps what it said; its ``state`` says that it is void.
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.server.clinical.auth import client_credentials
from hic_assets.sandbox.server.clinical.base import Api, CodeList, Listing
from hic_assets.sandbox.server.clinical.forms import by_facility
from hic_assets.sandbox.server.clinical.paging import Cursor
from hic_assets.sandbox.server.clinical.parameters import EPOCH_MS, Window
from hic_assets.sandbox.server.clinical.problems import problem_json
from hic_assets.sandbox.server.clinical.spoiling import Members
from hic_assets.sandbox.world.clinical import hpemr
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.hashing import keys, uniform
from hic_assets.sandbox.world.trackers.moments import KIGALI_MS

WINDOW = Window("from", "to", EPOCH_MS, inclusive_end=False, since="updatedSince", since_form=EPOCH_MS)
PAGES = Cursor(default=100, most=500)
KNOWN_FOSA = 0.7
"""Of the posts, those of which HPEMR knows the FOSA code."""


def _local(store: ClinicalStore) -> pl.Expr:
    story = store.shelf.story()
    return by_facility(story, story.once("hpemr ids", lambda: hpemr.local_ids(story)))


def _facility(store: ClinicalStore) -> pl.Expr:
    names = [f.name for f in store.shelf.story().facilities]
    return pl.struct(_local(store).alias("id"), by_facility(store.shelf.story(), list(names)).alias("name"))


_STATE = (
    pl.when("_deleted").then(pl.lit("VOIDED")).otherwise(pl.lit("ACTIVE")).alias("state"),
    pl.col("_created").alias("createdAt"),
    pl.col("_updated").alias("lastModified"),
)


def _encounters(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    midnight = pl.col("birth_date").cast(pl.Datetime("ms")).cast(pl.Int64) - KIGALI_MS
    address = pl.struct("district", "sector", "village").alias("address")
    patient = pl.struct(
        (_local(store) + "/" + pl.col("local_number")).alias("localId"),
        pl.col("upid"), pl.col("temp_id").alias("temporaryId"), pl.col("nid").alias("nationalId"),
        pl.col("full_name").alias("fullName"), pl.col("gender"), midnight.alias("birthDate"),
        pl.col("birth_estimated").alias("birthDateEstimated"), pl.col("telephone"), address,
    )  # fmt: skip
    return frame.select(
        pl.col("id").alias("encounterId"),
        _facility(store).alias("facility"),
        pl.col("began").alias("startedAt"),
        pl.col("ended").alias("endedAt"),
        patient.alias("patient"),
        pl.struct(scheme="payer", category="payer_category").alias("payer"),
        pl.col("new_case").alias("newCase"),
        "diagnoses",
        "treatments",
        "disposition",
        *_STATE,
    )


def _referrals(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    names = [f.name for f in store.shelf.story().facilities]
    to = by_facility(store.shelf.story(), list(names), "to_place")
    patient = pl.struct(
        (_local(store) + "/" + pl.col("local_number")).alias("localId"),
        pl.col("upid"), pl.col("full_name").alias("fullName"), pl.col("gender"),
    )  # fmt: skip
    return frame.select(
        pl.col("id").alias("referralId"),
        pl.col("encounter_id").alias("encounterId"),
        _facility(store).alias("facility"),
        pl.col("sent").alias("sentAt"),
        pl.struct(to.alias("name")).alias("referredTo"),
        patient.alias("patient"),
        pl.struct(code="reason_code", display="reason").alias("reason"),
        "urgency",
        "status",
        *_STATE,
    )


def _list_of_facilities(store: ClinicalStore) -> pl.DataFrame:
    """The posts as HPEMR knows them: FOSA codes of most, with their zeros."""
    story = store.shelf.story()
    local, places = hpemr.local_ids(story), story.places
    used = [int(i) for i in hpemr.facilities(story)]
    known = uniform(keys((story.seed, "hpemr fosa"), [story.facilities[i].uid for i in used])) < KNOWN_FOSA
    return pl.DataFrame(
        {
            "id": [local[i] for i in used],
            "name": [story.facilities[i].name for i in used],
            "district": places.names["district"].gather(used),
            "sector": places.names["sector"].gather(used),
            "fosaCode": pl.Series(
                [story.facilities[i].code if k else None for i, k in zip(used, known, strict=True)], dtype=pl.String
            ),
        }
    ).sort("id")


def _list_of_diagnoses(_: ClinicalStore) -> pl.DataFrame:
    return hpemr.diagnoses().select(
        "code",
        displayEn="label_en",
        displayRw="label_rw",
        referenceSystem="reference_system",
        referenceCode="reference_code",
    )


def _list_of_products(_: ClinicalStore) -> pl.DataFrame:
    return hpemr.products().select("code", "display", "unit")


API = Api(
    name=hpemr.NAME,
    gate=client_credentials("oauth/token", "hpemr.read"),
    errors=problem_json,
    routes={
        "api/v1/encounters": Listing(
            "encounters", WINDOW, PAGES, _encounters, Members("startedAt", "facility.id", "disposition")
        ),
        "api/v1/referrals": Listing(
            "referrals", WINDOW, PAGES, _referrals, Members("sentAt", "facility.id", "urgency")
        ),
        "api/v1/facilities": CodeList(_list_of_facilities, "items"),
        "api/v1/diagnoses": CodeList(_list_of_diagnoses, "items"),
        "api/v1/products": CodeList(_list_of_products, "items"),
    },
)
