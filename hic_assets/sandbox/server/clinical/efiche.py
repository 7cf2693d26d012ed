"""eFICHE served: page numbers, an API key, ``dd/MM/yyyy``, FOSA codes without leading zeros.

The contract is ``docs/contracts/efiche.yaml``. Tombstones keep id, facility, day and times; everything else is null.
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.server.clinical.auth import api_key
from hic_assets.sandbox.server.clinical.base import Api, CodeList, Listing, Shape
from hic_assets.sandbox.server.clinical.forms import alive, by_facility, day, fosa_codes, local_time
from hic_assets.sandbox.server.clinical.paging import PageNumbers
from hic_assets.sandbox.server.clinical.parameters import DMY, DMY_TIME, Window
from hic_assets.sandbox.server.clinical.problems import envelope
from hic_assets.sandbox.server.clinical.spoiling import Members
from hic_assets.sandbox.world.clinical import efiche
from hic_assets.sandbox.world.clinical.efiche_inventory import products
from hic_assets.sandbox.world.clinical.efiche_laboratory import tests
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.clinical.story import Story

DAY, TIME = "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"
WINDOW = Window("date_from", "date_to", DMY, inclusive_end=True, since="updated_since", since_form=DMY_TIME)
PAGES = PageNumbers(default=50, most=200)


def _codes(story: Story) -> list[str]:
    """FOSA codes as a spreadsheet leaves them."""
    return story.once("efiche fosa", lambda: [c.lstrip("0") or "0" for c in fosa_codes(story)])


def _facility(store: ClinicalStore) -> list[pl.Expr]:
    story = store.shelf.story()
    return [
        by_facility(story, list(_codes(story))).alias("fosa"),
        by_facility(story, [f.name for f in story.facilities]).alias("facility_name"),
    ]


_TIMES = (
    local_time("_created", TIME).alias("created_at"),
    local_time("_updated", TIME).alias("updated_at"),
    pl.col("_deleted").alias("deleted"),
)


def _visits(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    story = store.shelf.story()
    patient = pl.struct(
        "file_number", "upi", "temp_id", "nid", "surname", "other_names", "sex",
        day("birth_date", DAY).alias("date_of_birth"), "age_years", "phone", "district", "sector", "village",
    )  # fmt: skip
    insurance = pl.struct(scheme="insurance_scheme", category="insurance_category", member_number="member_number")
    return frame.select(
        "id",
        *_facility(store),
        day("day", DAY).alias("visit_date"),
        alive("kind").alias("visit_type"),
        alive(patient).alias("patient"),
        alive(insurance).alias("insurance"),
        alive(pl.struct(temperature_c="temperature", weight_kg="weight")).alias("vitals"),
        alive("diagnoses").alias("diagnoses"),
        alive("outcome").alias("outcome"),
        alive(by_facility(story, list(_codes(story)), "referred_to")).alias("referred_to_fosa"),
        alive("fee").alias("amount_paid_rwf"),
        *_TIMES,
    )


def _orders(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    return frame.select(
        "id",
        *_facility(store),
        day("day", DAY).alias("ordered_on"),
        alive("visit_id").alias("visit_id"),
        alive(pl.struct("file_number", "upi", "sex", "age_years")).alias("patient"),
        alive("specimen").alias("specimen"),
        alive("status").alias("status"),
        alive("results").alias("results"),
        *_TIMES,
    )


def _movements(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    return frame.select(
        "id",
        *_facility(store),
        day("day", DAY).alias("movement_date"),
        alive("product_code").alias("product_code"),
        alive("product_label").alias("product_label"),
        alive("kind").alias("movement_type"),
        alive("quantity").alias("quantity"),
        alive("unit").alias("unit"),
        alive("lot").alias("lot_number"),
        alive(day("expires", DAY)).alias("expiry_date"),
        *_TIMES,
    )


def _balances(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    quantities = ("opening", "received", "issued", "lost", "adjusted", "closing")
    return frame.select(
        "id",
        *_facility(store),
        day("day", DAY).alias("counted_on"),
        day("day", "%m/%Y").alias("month"),
        alive("product_code").alias("product_code"),
        alive("product_label").alias("product_label"),
        alive("unit").alias("unit"),
        *(alive(name).alias(f"{name}_quantity") for name in quantities),
        alive("days_out").alias("days_out_of_stock"),
        *_TIMES,
    )


def _of_facility(frame: pl.DataFrame, text: str, store: ClinicalStore) -> pl.DataFrame:
    codes = _codes(store.shelf.story())
    places = [at for at, code in enumerate(codes) if code == text]
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a FOSA code without leading zeros")
    return frame.filter(pl.col("place").is_in(places))


def _listing(resource: str, shape: Shape, day_member: str, other: str) -> Listing:
    members = Members(day=day_member, facility="fosa", other=other)
    return Listing(resource, WINDOW, PAGES, shape, members, {"fosa": _of_facility})


def _list_of_diagnoses(_: ClinicalStore) -> pl.DataFrame:
    return efiche.diagnoses().select("code", "label_fr", "label_en", "reference_system", "reference_code")


def _list_of_tests(_: ClinicalStore) -> pl.DataFrame:
    return tests().select(
        "code", "label_fr", "label_en", pl.col("kind").alias("result_type"), "unit", loinc_code="published_loinc"
    )


def _list_of_products(_: ClinicalStore) -> pl.DataFrame:
    return products().select("code", "label", "unit")


API = Api(
    name=efiche.NAME,
    gate=api_key("X-Api-Key", prefix="efk_"),
    errors=envelope,
    routes={
        "api/v1/visits": _listing("visits", _visits, "visit_date", "outcome"),
        "api/v1/lab-orders": _listing("lab-orders", _orders, "ordered_on", "specimen"),
        "api/v1/stock-movements": _listing("stock-movements", _movements, "movement_date", "quantity"),
        "api/v1/stock-balances": _listing("stock-balances", _balances, "counted_on", "closing_quantity"),
        "api/v1/code-lists/diagnoses": CodeList(_list_of_diagnoses),
        "api/v1/code-lists/lab-tests": CodeList(_list_of_tests),
        "api/v1/code-lists/products": CodeList(_list_of_products),
    },
)
