"""EBUZIMA over HTTP: Basic authentication, ``Link`` headers, ISO times with offset, camel case, FOSA with its zeros.

Belongs here: from standing frames to the JSON of ``docs/contracts/ebuzima.yaml``. Does not belong here: what happens
(``world.clinical.ebuzima``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from hic_assets.sandbox.server.clinical.auth import basic
from hic_assets.sandbox.server.clinical.base import Api, Listing
from hic_assets.sandbox.server.clinical.forms import by_facility, day, fosa_codes, local_time
from hic_assets.sandbox.server.clinical.paging import LinkHeader
from hic_assets.sandbox.server.clinical.parameters import ISO_TIME, Window
from hic_assets.sandbox.server.clinical.problems import openmrs
from hic_assets.sandbox.server.clinical.spoiling import Members
from hic_assets.sandbox.world.clinical.store import ClinicalStore

DAY, TIME = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S+02:00"
WINDOW = Window("startDate", "endDate", ISO_TIME, inclusive_end=False, since="updatedSince", since_form=ISO_TIME)
PAGING = LinkHeader(default=50, most=100)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _facility(store: ClinicalStore) -> pl.Expr:
    story = store.shelf.story()
    codes = story.once("ebuzima fosa", lambda: [code.zfill(4) for code in fosa_codes(story)])
    return pl.struct(
        by_facility(story, list(codes), "facility").alias("fosaCode"),
        by_facility(story, [f.name for f in story.facilities], "facility").alias("name"),
    )


def _patient() -> pl.Expr:
    part = pl.col("patient").struct.field
    return pl.struct(
        part("uuid"),
        part("upi"),
        part("temp_id").alias("tempId"),
        part("nid"),
        part("family_name").alias("familyName"),
        part("given_name").alias("givenName"),
        part("birth_date").dt.strftime(DAY).alias("birthDate"),
        part("birth_date_estimated").alias("birthDateEstimated"),
        part("phone"),
        pl.struct(part("sector"), part("village")).alias("address"),
    )


def _reference(column: str) -> pl.Expr:
    """``{"uuid": ...}``, or null where there is none."""
    return pl.when(pl.col(column).is_not_null()).then(pl.struct(pl.col(column).alias("uuid")))


def _children() -> pl.Expr:
    part = pl.element().struct.field
    return pl.col("newborns").list.eval(
        pl.struct(
            part("newborn").alias("uuid"),
            part("weight_grams").alias("weightGrams"),
            part("temperature"),
            part("danger_signs").alias("dangerSigns"),
        )
    )


_NESTED: Mapping[str, Callable[[], pl.Expr]] = {
    "patient": _patient,
    "pregnancy": lambda: _reference("pregnancy"),
    "delivery": lambda: _reference("delivery"),
    "newborns": _children,
}
_MOMENTS = {"registered": "registeredAt", "encounter": "encounterAt", "delivered": "deliveredAt", "born": "bornAt"}


def _written(column: str, kind: pl.DataType) -> pl.Expr:
    if column in _MOMENTS:
        return local_time(column, TIME)
    if column in _NESTED:
        return _NESTED[column]()
    return day(column, DAY) if kind == pl.Date else pl.col(column)


def shape(frame: pl.DataFrame, store: ClinicalStore) -> pl.DataFrame:
    """Records of any resource as the contract has them; voided ones keep what they said."""
    made: dict[str, pl.Expr | pl.Series] = {"uuid": pl.col("id"), "facility": _facility(store)}
    for column, kind in frame.schema.items():
        if column.startswith("_") or column in ("id", "facility", "void_reason"):
            continue
        made[_MOMENTS.get(column, _camel(column))] = _written(column, kind)
    made |= {
        "voided": pl.col("_deleted"),
        "voidReason": pl.when("_deleted").then("void_reason"),
        "dateCreated": local_time("_created", TIME),
        "dateChanged": local_time("_updated", TIME),
    }
    return frame.select(expression.alias(name) for name, expression in made.items())


def _listing(resource: str, happened: str, other: str) -> Listing:
    return Listing(resource, WINDOW, PAGING, shape, Members(happened, "facility.fosaCode", other))


API = Api(
    name="ebuzima",
    gate=basic(),
    errors=openmrs,
    routes={
        "api/v1/pregnancies": _listing("pregnancies", "registeredAt", "gravida"),
        "api/v1/anc-contacts": _listing("anc-contacts", "encounterAt", "contactNumber"),
        "api/v1/deliveries": _listing("deliveries", "deliveredAt", "babies"),
        "api/v1/newborns": _listing("newborns", "bornAt", "birthOrder"),
        "api/v1/postnatal-contacts": _listing("postnatal-contacts", "encounterAt", "contactNumber"),
    },
)
