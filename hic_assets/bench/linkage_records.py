"""Person records of the sandbox's systems, and whom each is really about.

Belongs here: from the stores of a world to the frame that linkage takes, as the staging models of a warehouse would give
it. Does not belong here: linking, and anything that production uses. A patient of a system of visits is a file at
a facility; of EBUZIMA a woman at a facility, and each newborn with the mother's names.
"""

from __future__ import annotations

import polars as pl

from hic_assets.linkage.schema import RECORDS, conform
from hic_assets.sandbox.world.clinical.base import NOBODY
from hic_assets.sandbox.world.country import World
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.moments import KIGALI_MS
from hic_assets.sandbox.world.trackers.schema import EVENTS, TRACKED_ENTITIES
from hic_assets.sandbox.world.trackers.store import TrackerStore

TRACKERS = ("hmis_tracker", "hiv_tracker", "immunization_tracker", "cancer_registry")
# our column: the code of a tracked entity attribute, the first that the programme has
ATTRIBUTES = {
    "surname": ("SURNAME", "FAMILY_NAME", "CHILD_NAMES", "CR_FAMILY_NAME"),
    "given_name": ("GIVEN_NAME", "FIRST_NAME", "CR_FIRST_NAME"),
    "sex": ("SEX", "GENDER", "CR_SEX"),
    "birth": ("BIRTH_DATE", "DATE_OF_BIRTH", "DOB", "CR_BIRTH_DATE"),
    "estimated": ("DOB_ESTIMATED",),
    "nid": ("NID", "CR_NID"),
    "upi": ("UPI",),
    "phone": ("PHONE", "PARENT_PHONE", "CR_PHONE"),
    "mother_name": ("MOTHER_NAME", "MOTHER_NAMES"),
    "mother_nid": ("MOTHER_NID", "PARENT_NID"),
    "district": ("DISTRICT", "RESIDENCE_DISTRICT"),
    "sector": ("SECTOR", "RESIDENCE_SECTOR"),
    "village": ("VILLAGE", "RESIDENCE_VILLAGE"),
}
NUMBERS = {
    "TRACNET_ID": "tracnet",
    "TB_REGISTER_NO": "tb",
    "CRVS_ACT_NO": "crvs",
    "CHILD_ID": "epi",
    "CR_UNIQUE_ID": "cancer",
    "CR_UNIQUE_ID_NEW": "cancer_new",
    "CR_PASSPORT": "passport",
}
PLURALITY = ("BRG_PLURALITY", "CRV_PLURALITY", "PDA_PLURALITY", "IMM_MULTIPLE")


def sandbox_records(world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records (``RECORDS``) of every patient-bearing system, and the truth: system, record_id, person."""
    parts = [
        _programme(world, store, spec) for store in map(world.tracker, TRACKERS) for spec in store.instance.programmes
    ]
    parts += [make(world) for make in (_efiche, _hpemr, _ebuzima, _newborns, _cemr)]
    whole = pl.concat(parts).unique(["system", "record_id"], keep="last", maintain_order=True)
    truth = whole.select("system", "record_id", "person")
    return whole.drop("person"), truth


# ---- trackers


def _programme(world: World, store: TrackerStore, spec: ProgrammeSpec) -> pl.DataFrame:
    frame = store.frame(TRACKED_ENTITIES, spec.uid).filter(~pl.col("deleted"))
    code = {a.uid: a.code for a in spec.attributes}
    values = (
        frame.select("uid", "attributes")
        .explode("attributes")
        .unnest("attributes")
        .with_columns(pl.col("attribute").replace_strict(code, default=None))
        .filter(pl.col("attribute").is_not_null())
        .pivot(on="attribute", index="uid", values="value", aggregate_function="first")
    )
    wide = frame.select("uid", "org_unit", "created_ms").join(values, on="uid", how="left")
    wide = wide.join(_multiple(store, spec), on="uid", how="left")
    whom = store.truth(TRACKED_ENTITIES)
    return _record(wide, spec.key, {c: _first(wide, codes) for c, codes in ATTRIBUTES.items()}).join(
        whom, left_on="record_id", right_on="uid", how="inner"
    )


def _first(wide: pl.DataFrame, codes: tuple[str, ...]) -> pl.Expr:
    there = [c for c in codes if c in wide.columns]
    return pl.col(there[0]) if there else pl.lit(None, dtype=pl.String)


def _multiple(store: TrackerStore, spec: ProgrammeSpec) -> pl.DataFrame:
    """Tracked entities of whose birth an event says that it was a multiple one."""
    asked = [e.uid for s in spec.stages for e in s.data_elements if e.code in PLURALITY]
    stages = [s.uid for s in spec.stages if any(e.uid in asked for e in s.data_elements)]
    if not asked:
        return pl.DataFrame(schema={"uid": pl.String, "multiple_birth": pl.Boolean})
    events = store.frame(EVENTS, spec.uid).filter(pl.col("program_stage").is_in(stages), ~pl.col("deleted"))
    said = events.select(uid="tracked_entity", v="data_values").explode("v").unnest("v")
    said = said.filter(pl.col("data_element").is_in(asked))
    return said.group_by("uid").agg(multiple_birth=pl.col("value").is_in(["2", "3", "true"]).any())


def _record(wide: pl.DataFrame, system: str, given: dict[str, pl.Expr]) -> pl.DataFrame:
    numbers = [pl.lit(f"{scheme}:") + pl.col(c) for c, scheme in NUMBERS.items() if c in wide.columns]
    made = wide.select(
        system=pl.lit(system),
        record_id="uid",
        birth_date=given.pop("birth").str.to_date("%Y-%m-%d", strict=False),
        birth_precision=pl.when(given.pop("estimated") == "true").then(pl.lit("year")).otherwise(pl.lit("day")),
        multiple_birth="multiple_birth",
        facility="org_unit",
        recorded_on=_local_day("created_ms"),
        programme_numbers=pl.concat_list(numbers).list.drop_nulls()
        if numbers
        else pl.lit(None, dtype=pl.List(pl.String)),
        **given,
    )
    return conform(made, RECORDS)


def _local_day(column: str) -> pl.Expr:
    """The day in Kigali of milliseconds UTC: a child born at one in the morning was not born the day before."""
    return pl.from_epoch(pl.col(column) + KIGALI_MS, "ms").dt.date()


# ---- systems with a REST API


def _told(world: World, system: str, resource: str, place: str) -> pl.DataFrame:
    """Standing records with the facility's uid and the person."""
    store = world.clinical.store(system)
    frame = store.records(resource).filter(~pl.col("_deleted"), pl.col("_person") != NOBODY)
    uids = pl.Series([f.uid for f in world.clinical.story().facilities], dtype=pl.String)
    return frame.with_columns(
        uids.gather(frame[place]).alias("facility_uid"),
        people.person_uid(frame["_person"].to_numpy()).alias("person"),
        recorded_on=_local_day("_happened"),
    )


def _latest(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """One row a file: of every column the newest that is there."""
    others = [c for c in frame.columns if c not in keys]
    return frame.sort("recorded_on", "id").group_by(keys, maintain_order=True).agg(pl.col(others).drop_nulls().last())


def _precision(estimated: str) -> pl.Expr:
    return pl.when(estimated).then(pl.lit("year")).otherwise(pl.lit("day"))


def _conformed(frame: pl.DataFrame, columns: dict[str, pl.Expr | str]) -> pl.DataFrame:
    made = frame.select(**{c: pl.col(e) if isinstance(e, str) else e for c, e in columns.items()}, person="person")
    return pl.concat([conform(made.drop("person"), RECORDS), made.select("person")], how="horizontal")


def _same(*names: str) -> dict[str, pl.Expr | str]:
    return {n: n for n in names}


def _efiche(world: World) -> pl.DataFrame:
    told = _told(world, "efiche", "visits", "place")
    born = pl.date(pl.col("recorded_on").dt.year() - pl.col("age_years"), 7, 1)
    told = told.with_columns(
        birth_precision=pl.when(pl.col("birth_date").is_null()).then(pl.lit("age")).otherwise(pl.lit("day")),
        birth_date=pl.coalesce("birth_date", born),
    )
    files = _latest(told, ["facility_uid", "file_number"])
    return _conformed(
        files,
        {
            "system": pl.lit("efiche"), "record_id": pl.concat_str("facility_uid", "file_number", separator="/"),
            "surname": "surname", "given_name": "other_names", "facility": "facility_uid",
            **_same("sex", "birth_date", "birth_precision", "upi", "nid", "phone", "district", "sector", "village", "recorded_on"),
        },
    )  # fmt: skip


def _hpemr(world: World) -> pl.DataFrame:
    files = _latest(_told(world, "hpemr", "encounters", "place"), ["facility_uid", "local_number"])
    return _conformed(
        files,
        {
            "system": pl.lit("hpemr"), "record_id": pl.concat_str("facility_uid", "local_number", separator="/"),
            "surname": "full_name", "sex": "gender", "birth_precision": _precision("birth_estimated"), "upi": "upid",
            "phone": "telephone", "facility": "facility_uid",
            **_same("birth_date", "nid", "district", "sector", "village", "recorded_on"),
        },
    )  # fmt: skip


def _women(world: World) -> pl.DataFrame:
    """Every patient of EBUZIMA as her pregnancies and deliveries have her."""
    wanted = ["id", "patient", "facility_uid", "person", "recorded_on"]
    told = [_told(world, "ebuzima", r, "facility").select(wanted) for r in ("pregnancies", "deliveries")]
    return _latest(pl.concat(told).unnest("patient"), ["uuid"])


def _ebuzima(world: World) -> pl.DataFrame:
    return _conformed(
        _women(world),
        {
            "system": pl.lit("ebuzima"), "record_id": "uuid", "surname": "family_name", "sex": pl.lit("F"),
            "birth_precision": _precision("birth_date_estimated"), "facility": "facility_uid",
            **_same("given_name", "birth_date", "nid", "upi", "phone", "sector", "village", "recorded_on"),
        },
    )  # fmt: skip


def _newborns(world: World) -> pl.DataFrame:
    born = _told(world, "ebuzima", "newborns", "facility")
    deliveries = _told(world, "ebuzima", "deliveries", "facility").select("id", "babies", "patient").unnest("patient")
    mothers = deliveries.select(
        "babies", "phone", "sector", delivery="id", mother_nid="nid",
        mother_name=pl.concat_str("family_name", "given_name", separator=" ", ignore_nulls=True),
    )  # fmt: skip
    return _conformed(
        born.join(mothers, on="delivery", how="left"),
        {
            "system": pl.lit("ebuzima_newborns"), "record_id": "id", "birth_date": "recorded_on",
            "birth_precision": pl.lit("day"), "multiple_birth": pl.col("babies") > 1, "facility": "facility_uid",
            **_same("sex", "birth_order", "upi", "mother_name", "mother_nid", "phone", "sector", "recorded_on"),
        },
    )  # fmt: skip


def _cemr(world: World) -> pl.DataFrame:
    told = _told(world, "cemr", "patients", "facility")
    return _conformed(
        told,
        {
            "system": pl.lit("cemr"), "record_id": "id", "surname": "family_name", "given_name": "first_name",
            "birth_date": "date_of_birth", "birth_precision": _precision("date_of_birth_estimated"),
            "nid": "national_id", "facility": "facility_uid",
            **_same("sex", "mother_name", "phone", "district", "village", "recorded_on"),
        },
    )  # fmt: skip
