"""CEMR: patients and encounters of community health workers, told and exported as its contract says."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import requests
from clinical_contract import FEW, contract, hold
from maternity_help import MONTH, everything, month_of, record_validator, story, told, window_mended
from tracker_records import HOME

from hic_assets.sandbox import Sandbox, World
from hic_assets.sandbox.world.clinical import community, known
from hic_assets.sandbox.world.clinical.cemr import SYSTEM
from hic_assets.sandbox.world.clinical.cemr_care import PACKS
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.roster import local_midnight, next_month
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.schema import TRACKED_ENTITIES

RESOURCES = {
    "patients": ("patients.ndjson", "Patient", "registered_on", "patient_id"),
    "community_encounters": ("community-encounters.ndjson", "Encounter", "encounter_date", "encounter_id"),
}
DAYS = ("2026-06-01", "2026-07-01")
PERSONAL = {
    "family_name",
    "first_name",
    "date_of_birth",
    "mother_name",
    "national_id",
    "phone",
    "village",
    "sex",
    "patient_id",
}


@pytest.fixture(scope="module")
def country() -> World:
    return World(scale=0.05)


@pytest.fixture(scope="module")
def store(country: World) -> ClinicalStore:
    return country.clinical.store("cemr")


# ---- what happens


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_longer_story_begins_with_the_shorter_one(country: World, resource: str) -> None:
    later = World(scale=0.05, today=country.today + timedelta(days=90))
    assert later.clinical.story().last_day > country.clinical.story().last_day
    for month in (date(2025, 8, 1), MONTH, country.today.replace(day=1)):
        one, other = told(SYSTEM, country, resource, month), told(SYSTEM, later, resource, month)
        assert one.height > 100
        assert one.sort("id").equals(other.sort("id"))


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_month_holds_what_happened_in_it_and_an_empty_one_has_its_columns(country: World, resource: str) -> None:
    frame = told(SYSTEM, country, resource)
    low, high = local_midnight(MONTH), local_midnight(next_month(MONTH))
    assert frame["_happened"].is_between(low, high, closed="left").all()
    assert frame["id"].is_unique().all()
    assert frame["id"].cast(pl.Int64).is_between(10**14, 10**15 - 1).all()
    assert (frame["_entered"] >= frame["_happened"]).all()
    none = told(SYSTEM, country, resource, date(2021, 5, 1))
    assert none.is_empty() and none.schema == frame.schema


def test_volumes_stay_modest_and_grow_with_the_rollout(store: ClinicalStore) -> None:
    for resource in RESOURCES:
        frame = everything(store, resource)
        months = frame.group_by(pl.from_epoch("_happened", "ms").dt.truncate("1mo")).len().sort("_happened")
        assert months["len"].max() <= 4_000, resource
    first, last = months["len"][0], months["len"][-3]
    assert last > 3 * first
    districts = {store.world.facilities[i].district for i in everything(store, "patients")["facility"].unique()}
    assert len(districts) == 9


def test_many_late_records_come_from_telephones_without_network(store: ClinicalStore) -> None:
    frame = month_of(store, "community_encounters")
    days = (frame["_created"] - frame["_happened"]) / 86_400_000
    assert 0.02 < (days > 21).mean() < 0.1  # type: ignore[operator]
    assert (days < 1).mean() > 0.5  # type: ignore[operator]


# ---- the same persons as in the trackers


def test_children_with_doses_and_mothers_are_among_the_patients(country: World, store: ClinicalStore) -> None:
    patients = set(store.truth("patients")["person"])
    vaccinated = set(country.tracker(HOME["immunization"]).truth(TRACKED_ENTITIES)["person"])
    mothers = set(people.person_uid(story(country).life.births.persons.mother))
    treated = set(country.tracker(HOME["hiv"]).truth(TRACKED_ENTITIES)["person"])
    assert len(patients & vaccinated) > 0.25 * len(patients)
    assert len(patients & mothers) > 0.1 * len(patients)
    assert len(patients & treated) > 20
    pregnant = set(country.clinical.store("ebuzima").truth("pregnancies")["person"])
    assert len(patients & pregnant) > 500, "women in both maternal records and the community's"


def test_nobody_is_seen_dead_unborn_or_far_from_home(country: World) -> None:
    c, everyone = community.community(story(country)), known.everybody(story(country))
    e = c.encounters
    at = np.searchsorted(everyone.persons.key, e.persons.key)
    at = np.minimum(at, len(everyone) - 1)
    there = everyone.persons.key[at] == e.persons.key
    assert there.mean() > 0.97, "all but women who lost their pregnancy"
    assert (e.day[there] < everyone.until[at[there]]).all()
    assert (e.day[there] >= everyone.since[at[there]]).all()
    assert (e.place == e.persons.home).mean() > 0.99, "the rest moved while pregnant"
    assert (c.patients.persons.key[e.patient] == e.persons.key).all()
    assert (c.patients.place[e.patient] == e.place).all()
    assert (c.patients.day[e.patient] <= e.day).all()


def test_an_encounter_names_a_patient_who_is_already_there(store: ClinicalStore) -> None:
    patients = everything(store, "patients").select(
        pl.col("id").cast(pl.Int64).alias("patient"), "_created", "_person", "facility"
    )
    both = everything(store, "community_encounters").join(patients, on="patient", how="left")
    assert (both["_created"] > both["_created_right"]).all()
    assert (both["_person"] == both["_person_right"]).all()
    assert (both["facility"] == both["facility_right"]).all()
    assert not both["_created_right"].null_count()


def test_kinds_of_encounters_fit_age_and_condition(store: ClinicalStore) -> None:
    frame = everything(store, "community_encounters")
    kinds = {k: frame.filter(encounter_type=k) for k in community.KINDS}
    assert min(f.height for f in kinds.values()) > 1_000
    assert kinds["child_illness"]["age_months"].is_between(1, 59).all()
    assert kinds["malaria"]["age_months"].min() >= 59  # type: ignore[operator]
    assert kinds["newborn"]["age_days"].is_between(1, 32).all()
    assert kinds["pregnancy"]["gestation_weeks"].is_between(10, 36).all()
    assert (kinds["pregnancy"]["sex"] == "F").mean() > 0.98  # type: ignore[operator]
    counted = frame["visit_number"].is_not_null()
    assert (counted == frame["encounter_type"].is_in(["pregnancy", "newborn"])).all()
    assert frame.filter(pl.col("encounter_type") == "malaria")["symptoms"].list.contains("FEVER").all()


def test_treatment_follows_test_sign_and_stock(store: ClinicalStore) -> None:
    frame = everything(store, "community_encounters")
    tested = frame.filter(pl.col("rdt_result").is_in(["POSITIVE", "NEGATIVE"]))
    assert 0.25 < (tested["rdt_result"] == "POSITIVE").mean() < 0.5  # type: ignore[operator]
    given = pl.col("treatments").list.eval(pl.element().struct.field("product"))
    frame = frame.with_columns(products=given)
    packs = [pack for _, pack, _ in PACKS]
    has_al = pl.col("products").list.eval(pl.element().is_in(packs)).list.any()
    positive = frame.filter(rdt_result="POSITIVE", _deleted=False).filter(pl.col("_updated") == pl.col("_created"))
    without = positive.filter(~has_al)
    assert 0 < without.height < 0.08 * positive.height
    assert without["stock_outs"].list.contains("AL").all()
    assert (without["referral_reason"].is_not_null()).all(), "who gets no medicine is sent to the health centre"
    assert frame.filter(has_al)["diagnoses"].list.contains("MALARIA").all()
    dry = frame.filter(pl.col("stock_outs").list.contains("RDT"))
    assert dry.height > 50
    assert set(dry.filter(pl.col("_updated") == pl.col("_created"))["rdt_result"].drop_nulls()) <= {"NOT_DONE"}
    assert frame.filter(pl.col("danger_signs").list.len() > 0)["referral_reason"].is_not_null().all()
    assert not frame.filter(
        pl.col("products").list.contains("ORS") & ~pl.col("diagnoses").list.contains("DIARRHOEA")
    ).height


def test_malaria_has_its_seasons_and_provinces(store: ClinicalStore) -> None:
    frame = everything(store, "community_encounters").filter(rdt_result="POSITIVE")
    by_month = frame.group_by(pl.from_epoch("_happened", "ms").dt.truncate("1mo").alias("m")).len().sort("m")
    counts = dict(by_month.iter_rows())

    def of(year: int, *months: int) -> float:
        return float(np.mean([n for m, n in counts.items() if m.year == year and m.month in months]))

    assert of(2026, 5, 6) > 1.4 * of(2026, 3, 8)
    province = [store.world.facilities[i].district[0] for i in frame["facility"]]
    share = {p: province.count(p) / len(province) for p in set(province)}
    assert share.get("5", 0) + share.get("2", 0) > 2 * share.get("4", 0)


# ---- how it is written


def test_a_health_centre_has_many_names_and_a_name_many_health_centres(country: World, store: ClinicalStore) -> None:
    rows = everything(store, "patients").filter(~pl.col("_deleted"))
    per_place = rows.group_by("facility").agg(pl.col("health_centre").n_unique())
    assert (per_place["health_centre"] >= 3).mean() > 0.9  # type: ignore[operator]
    right = rows["health_centre"] == rows["facility"].replace_strict(
        dict(enumerate(f.name for f in country.facilities)), return_dtype=pl.String
    )
    assert 0.5 < right.mean() < 0.75  # type: ignore[operator]
    per_worker = rows.group_by("chw").agg(pl.col("health_centre", "district", "facility_code").n_unique())
    assert (per_worker.drop("chw").max_horizontal() == 1).all(), "a telephone spells it one way"
    assert 0.02 < rows["district"].is_null().mean() < 0.07  # type: ignore[operator]
    codes = rows["facility_code"]
    assert 0.25 < codes.is_null().mean() < 0.45  # type: ignore[operator]
    assert (codes.drop_nulls().str.len_chars() < 4).mean() > 0.1  # type: ignore[operator]


def test_names_of_health_centres_repeat_between_districts() -> None:
    """At national scale: the reason for which the district stands beside the name."""
    world = World(scale=1.0)
    centres = pl.DataFrame(
        [(f.name, f.district) for f in world.facilities if f.form == "centre"], schema=["n", "d"], orient="row"
    )
    assert (centres.group_by("n").agg(pl.col("d").n_unique())["d"] > 1).sum() >= 20


def test_households_hold_mother_and_child_and_workers_serve_them(store: ClinicalStore) -> None:
    rows = everything(store, "patients").join(store.truth("patients"), on="id")
    homes = rows.group_by("household").agg(pl.col("person").n_unique(), pl.col("chw").n_unique())
    assert (homes["person"] >= 2).sum() > 500
    assert (homes.filter(pl.col("person") >= 2)["chw"] == 1).mean() > 0.9  # type: ignore[operator]
    twice = rows.group_by("person").agg(pl.col("id").n_unique())
    assert 10 < (twice["id"] > 1).sum() < 0.08 * twice.height, "registered twice, or moved"


def test_the_cards_of_persons_are_worse_than_those_of_facilities(store: ClinicalStore) -> None:
    rows = everything(store, "patients").filter(~pl.col("_deleted"))
    adults = rows.filter(pl.col("mother_name").is_null())
    assert adults["national_id"].is_null().mean() > 0.5  # type: ignore[operator]
    assert adults["national_id"].drop_nulls().str.len_chars().min() >= 16  # type: ignore[operator]
    assert 0.3 < rows["phone"].is_null().mean() < 0.55  # type: ignore[operator]
    assert 0.005 < rows["date_of_birth"].is_null().mean() < 0.03  # type: ignore[operator]
    later = told(SYSTEM, store.world, "patients")
    assert (later["phone"].is_not_null() & later["_was_phone"].is_null()).sum() > 5, "some numbers come later"


# ---- over HTTP


@pytest.fixture
def export(sandbox: Sandbox) -> Iterator[Callable[..., requests.Response]]:
    """GET an export with the token; keyword arguments are parameters (``from_`` is from)."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.credentials['cemr']['token']}"

        def get(path: str, **params: Any) -> requests.Response:
            params = {name.rstrip("_"): value for name, value in params.items()}
            return session.get(f"{sandbox.urls['cemr']}/api/export/{path}", params=params, timeout=30)

        yield get


def lines(reply: requests.Response) -> list[dict[str, Any]]:
    """The records of a body that is complete."""
    assert reply.status_code == 200, reply.text
    found = [json.loads(line) for line in reply.content.decode().splitlines()]
    assert found[-1] == {"end": True, "count": len(found) - 1}
    record_validator("cemr", "End").validate(found[-1])
    return found[:-1]


@pytest.mark.parametrize("resource", RESOURCES)
def test_an_export_holds_the_window_and_every_line_keeps_the_contract(
    sandbox: Sandbox, export: Callable[..., requests.Response], resource: str
) -> None:
    path, schema, happened, key = RESOURCES[resource]
    reply = export(path, from_=DAYS[0], to=DAYS[1])
    assert reply.headers["content-type"].startswith("application/x-ndjson")
    found, validator = lines(reply), record_validator("cemr", schema)
    for record in found:
        validator.validate(record)
        assert DAYS[0] <= record[happened] < DAYS[1]
    assert [str(r[key]) for r in found] == month_of(sandbox.clinical["cemr"].store, resource)["id"].to_list()
    assert len(found) > 300
    members = set(found[0])
    for member in members:
        assert not validator.is_valid({k: v for k, v in found[0].items() if k != member}), member
    assert not validator.is_valid(found[0] | {"person": "someone"})
    assert not any(m.startswith("_") for m in members)


def test_days_make_the_month_and_adjacent_windows_share_nothing(export: Callable[..., requests.Response]) -> None:
    path = RESOURCES["community_encounters"][0]
    days = [date(2026, 6, 1) + timedelta(days=i) for i in range(31)]
    daily = [lines(export(path, from_=a.isoformat(), to=b.isoformat())) for a, b in itertools.pairwise(days)]
    ids = [r["encounter_id"] for part in daily for r in part]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(r["encounter_id"] for r in lines(export(path, from_=DAYS[0], to=DAYS[1])))


def test_the_body_is_gzip_where_it_is_taken_and_plain_where_not(sandbox: Sandbox) -> None:
    url = f"{sandbox.urls['cemr']}/api/export/patients.ndjson"
    token = {"Authorization": f"Bearer {sandbox.credentials['cemr']['token']}"}
    params = {"from": DAYS[0], "to": DAYS[1]}
    with requests.get(
        url, params=params, headers=token | {"Accept-Encoding": "gzip"}, stream=True, timeout=20
    ) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        body = gzip.decompress(packed.raw.read(decode_content=False))
    plain = requests.get(url, params=params, headers=token | {"Accept-Encoding": "identity"}, timeout=20)
    assert "content-encoding" not in plain.headers
    assert body == plain.content


@pytest.mark.parametrize("resource", RESOURCES)
def test_changes_show_edits_late_records_and_tombstones(
    sandbox: Sandbox, export: Callable[..., requests.Response], resource: str
) -> None:
    path, schema, happened, key = RESOURCES[resource]
    store, world = sandbox.clinical["cemr"].store, sandbox.world
    world.advance(minutes=5)
    since = f"{world.now - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}Z"
    alive = month_of(store, resource).filter(~pl.col("_deleted"))
    ids = alive["id"]
    store.delete(resource, ids[0])
    column = SYSTEM.resource(resource).editable[0]
    store.edit(resource, ids[1], {column: alive[column].drop_nulls()[0]})
    late = store.add_late(resource, 3)
    changed = {r[key]: r for r in lines(export(path, updated_since=since))}
    assert len(changed) >= 2 + len(late)
    gone = changed[int(ids[0])]
    assert gone["deleted"] is True and gone[happened].startswith("2026-06")
    assert all(gone[member] is None for member in PERSONAL & set(gone) - {key})
    assert changed[int(ids[1])]["deleted"] is False
    validator = record_validator("cemr", schema)
    for record in changed.values():
        validator.validate(record)
        assert record["updated_at"] >= since
    assert int(ids[0]) in {r[key] for r in lines(export(path, from_=DAYS[0], to=DAYS[1]))}, (
        "the tombstone stays in its window"
    )


def test_faults_strike_lines(sandbox: Sandbox, export: Callable[..., requests.Response]) -> None:
    path = RESOURCES["patients"][0]
    good = lines(export(path, from_=DAYS[0], to=DAYS[1]))
    for fault, member in (("bad_values", "registered_on"), ("unknown_facility", "health_centre")):
        sandbox.faults.set(fault, path="/cemr/", rows=4)
        found = lines(export(path, from_=DAYS[0], to=DAYS[1]))
        struck = [new for new, old in zip(found, good, strict=True) if new != old]
        assert len(struck) == 4
        assert all(new[member] in ("douze", "9999999") for new in struck)
        sandbox.faults.clear()
    sandbox.faults.set("duplicates", path="/cemr/", rows=4)
    assert len(lines(export(path, from_=DAYS[0], to=DAYS[1]))) == len(good) + 4
    sandbox.faults.clear()
    sandbox.faults.set("no_access", path="/cemr/")
    assert export(path, from_=DAYS[0], to=DAYS[1]).status_code == 403
    sandbox.faults.clear()
    assert lines(export(path, from_=DAYS[0], to=DAYS[1])) == good


def test_who_has_no_token_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.urls['cemr']}/api/export/patients.ndjson"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        reply = requests.get(url, params={"from": DAYS[0], "to": DAYS[1]}, headers=headers, timeout=10)
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        record_validator("cemr", "Error").validate(reply.json())


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "from"),
        ({"from_": DAYS[0]}, "to"),
        ({"from_": DAYS[1], "to": DAYS[0]}, "to"),
        ({"from_": "01/06/2026", "to": DAYS[1]}, "from"),
        ({"from_": "2026-06-31", "to": DAYS[1]}, "from"),
        ({"updated_since": "2026-06-01"}, "updated_since"),
        ({"from_": DAYS[0], "to": DAYS[1], "page": 1}, "page"),
    ],
)
def test_wrong_parameters_are_named(
    export: Callable[..., requests.Response], params: dict[str, Any], named: str
) -> None:
    reply = export("patients.ndjson", **params)
    assert reply.status_code == 422
    record_validator("cemr", "Error").validate(reply.json())
    assert named in reply.json()["message"]


_BY_CONTRACT = contract("cemr")
_BY_CONTRACT.config.generation.update(with_security_parameters=False)


@pytest.mark.slow
@_BY_CONTRACT.parametrize()
@FEW
def test_requests_made_up_from_the_contract_get_what_it_says(case: Any, sandbox: Sandbox) -> None:
    window_mended(case, ("from", "to", "updated_since"), ("2026-06-01", "2026-06-08"))
    hold(case, sandbox, "cemr", {"Authorization": f"Bearer {sandbox.credentials['cemr']['token']}"})
