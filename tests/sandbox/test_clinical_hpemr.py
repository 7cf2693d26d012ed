"""HPEMR: the contract, and whether encounters and referrals are what health posts record."""

from __future__ import annotations

from datetime import date

import jsonschema
import numpy as np
import polars as pl
import pytest
import yaml
from clinical_contract import FEW, contract, hold
from clinical_help import get, headers, hpemr_records

from hic_assets.sandbox import Sandbox, World
from hic_assets.sandbox.server.clinical.contract import FOLDER
from hic_assets.sandbox.world.clinical import conditions, hpemr
from hic_assets.sandbox.world.clinical.known import RESIDENT, everybody
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.roster import NEVER, add_months, local_midnight
from hic_assets.sandbox.world.trackers.moments import DAY_MS, KIGALI_MS

CONTRACT = yaml.safe_load((FOLDER / "hpemr.yaml").read_text())
RESOURCES = {"encounters": "Encounter", "referrals": "Referral"}
AUGUST, SEPTEMBER = date(2026, 8, 1), date(2026, 9, 1)
MONTHS = [add_months(date(2026, 3, 1), n) for n in range(6)]


@pytest.fixture(scope="module")
def story() -> Story:
    return World(scale=0.05).clinical.story()


@pytest.fixture(scope="module")
def encounters(story: Story) -> pl.DataFrame:
    """Half a year of encounters as they end up."""
    return pl.concat([hpemr.tell_encounters(story, m) for m in MONTHS])


@pytest.fixture(scope="module")
def bearer(served: Sandbox) -> dict[str, str]:
    return headers(served, "hpemr")


@pytest.mark.slow
@FEW
@contract("hpemr").parametrize()
def test_the_sandbox_keeps_the_contract(case: object, served: Sandbox, bearer: dict[str, str]) -> None:
    """The token endpoint is asked without a token."""
    hold(case, served, "hpemr", {} if "token" in case.path else bearer)  # type: ignore[attr-defined]


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_record_of_a_month_is_as_the_contract_says(sandbox: Sandbox, resource: str) -> None:
    schema = CONTRACT["components"]["schemas"][RESOURCES[resource]]
    judge = jsonschema.Draft202012Validator(schema | {"components": CONTRACT["components"]})
    records = hpemr_records(sandbox, resource, AUGUST, SEPTEMBER)
    assert len(records) > 50
    for record in records:
        judge.validate(record)
        assert set(record) == set(schema["properties"])
    if resource == "encounters":
        voided = [r for r in records if r["state"] == "VOIDED"]
        assert 1 <= len(voided) < len(records) / 20
        # a voided record keeps what it said
        assert all(r["diagnoses"] and r["patient"]["fullName"] for r in voided)


def test_the_examples_are_as_the_contract_says() -> None:
    for name in RESOURCES.values():
        page = CONTRACT["components"]["schemas"][f"{name}Page"] | {"components": CONTRACT["components"]}
        jsonschema.Draft202012Validator(page).validate(CONTRACT["components"]["examples"][f"{name}s"]["value"])


def test_windows_are_half_open_to_the_millisecond(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    moments = sorted(r["startedAt"] for r in hpemr_records(sandbox, "encounters", AUGUST, SEPTEMBER))
    at = moments[len(moments) // 2]

    def asked(begin: int, end: int) -> list[int]:
        params = {"from": begin, "to": end, "limit": 500}
        return [r["startedAt"] for r in get(sandbox, "hpemr", "encounters", bearer, **params).json()["items"]]

    assert asked(at, at + 1) == [at] * moments.count(at)
    assert asked(at, at) == []
    assert at not in asked(at + 1, at + 3_600_000)
    assert at not in asked(at - 3_600_000, at)


def test_facilities_are_health_posts_by_ids_of_their_own(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    listed = get(sandbox, "hpemr", "facilities", bearer).json()["items"]
    story = sandbox.clinical["hpemr"].store.shelf.story()
    used = [story.facilities[i] for i in hpemr.facilities(story)]
    assert {f.type for f in used} == {"HP"}
    assert sorted(f["name"] for f in listed) == sorted(f.name for f in used)
    assert len({f["id"] for f in listed}) == len(listed)
    served = {
        (r["facility"]["id"], r["facility"]["name"]) for r in hpemr_records(sandbox, "encounters", AUGUST, SEPTEMBER)
    }
    assert served <= {(f["id"], f["name"]) for f in listed}
    codes = {f.code for f in sandbox.world.facilities}
    known = [f["fosaCode"] for f in listed if f["fosaCode"]]
    assert set(known) <= codes
    assert 0 < len(known) < len(listed)


def test_who_is_sent_on_has_a_referral(encounters: pl.DataFrame, story: Story) -> None:
    referrals = pl.concat([hpemr.tell_referrals(story, m) for m in MONTHS])
    sent = encounters.filter(pl.col("disposition") == "REFERRED")
    assert sorted(sent["id"]) == sorted(referrals["encounter_id"])
    assert 0.05 < sent.height / encounters.height < 0.25
    joined = referrals.join(encounters, left_on="encounter_id", right_on="id")
    for column in ("_person", "place", "upid", "local_number", "full_name"):
        assert joined[column].equals(joined[f"{column}_right"], null_equal=True), column
    assert (joined["sent"] == joined["ended"]).all()
    # urgent ones go to a hospital, others to the health centre
    forms = [f.form for f in story.facilities]
    to = pl.Series([forms[i] for i in referrals["to_place"]])
    assert set(to.filter(referrals["urgency"] == "URGENT")) == {"hospital"}
    assert set(to.filter(referrals["urgency"] == "ROUTINE")) == {"centre"}
    # an answer comes later, and only where somebody answered
    answered = referrals["_edited"] < int(NEVER)
    assert (answered == (referrals["status"] == "RECEIVED")).all()
    assert set(referrals["_was_status"]) == {"SENT"}


def test_posts_without_a_network_send_their_records_days_later(encounters: pl.DataFrame) -> None:
    wait = (pl.col("_entered") - pl.col("ended")) / DAY_MS
    by_post = encounters.group_by("place").agg(wait.max().alias("longest"), wait.min().alias("shortest"))
    offline = by_post.filter(pl.col("longest") > 1)
    assert 0 < offline.height < by_post.height / 2
    assert offline["longest"].max() < 8  # type: ignore[operator]
    assert by_post.filter(pl.col("longest") <= 1)["longest"].max() * DAY_MS == 20_000  # type: ignore[operator]
    assert (encounters["_entered"] >= encounters["ended"]).all()


def test_encounters_are_in_working_hours_of_kigali_on_days_the_post_was_open(
    encounters: pl.DataFrame, story: Story
) -> None:
    local = ((encounters["began"] + KIGALI_MS) % DAY_MS) // 60_000
    assert local.min() >= 7 * 60 + 30  # type: ignore[operator]
    assert local.max() <= 17 * 60 + 30  # type: ignore[operator]
    days = ((encounters["began"] + KIGALI_MS) // DAY_MS).to_numpy()
    assert story.open_on(encounters["place"].to_numpy(), days).all()
    world = World(scale=0.05)
    shut = int(encounters["place"][0])
    world.facilities[shut].closed_date = date(2026, 8, 11)
    last = hpemr.tell_encounters(world.clinical.story(), AUGUST).filter(pl.col("place") == shut)["began"].max()
    assert last < local_midnight(date(2026, 8, 11))  # type: ignore[operator]
    assert hpemr.tell_encounters(story, AUGUST).filter(pl.col("place") == shut)["began"].max() > last


def test_visitors_are_persons_the_trackers_know_and_ids_are_often_missing(
    encounters: pl.DataFrame, story: Story
) -> None:
    known = everybody(story)
    kinds = known.kind[np.searchsorted(known.persons.key, encounters["_person"].to_numpy())]
    assert 0.5 < (kinds != RESIDENT).mean() < 0.8
    assert 0.35 < encounters["upid"].is_not_null().mean() < 0.7  # type: ignore[operator]
    assert encounters["temp_id"].is_not_null().any()
    assert not (encounters["temp_id"].is_not_null() & encounters["upid"].is_not_null()).any()
    assert set(encounters["gender"]) == {"male", "female"}
    assert (encounters["birth_date"] < date(1970, 1, 1)).any()


def test_birth_dates_are_local_midnights(sandbox: Sandbox) -> None:
    store = sandbox.clinical["hpemr"].store
    told = dict(store.records("encounters").select("id", "birth_date").iter_rows())
    for record in hpemr_records(sandbox, "encounters", AUGUST, SEPTEMBER)[:200]:
        born = told[record["encounterId"]]
        assert record["patient"]["birthDate"] == (None if born is None else local_midnight(born))


def test_one_person_goes_to_both_systems(story: Story, encounters: pl.DataFrame) -> None:
    from hic_assets.sandbox.world.clinical import efiche

    visits = pl.concat([efiche.tell_visits(story, m) for m in MONTHS])
    both = set(visits["_person"]) & set(encounters["_person"])
    assert len(both) > 50
    # under one UPI in both, where both have one and neither is a second one
    one = visits.filter(pl.col("upi").is_not_null()).select("_person", "upi").unique("_person", keep="any")
    other = encounters.filter(pl.col("upid").is_not_null()).select("_person", "upid").unique("_person", keep="any")
    joined = one.join(other, on="_person")
    assert joined.height > 20
    assert (joined["upi"] == joined["upid"]).mean() > 0.8  # type: ignore[operator]


def test_treatments_are_of_the_list_and_fit_the_diagnosis(encounters: pl.DataFrame) -> None:
    rows = encounters.select("id", code=pl.col("diagnoses").list.first().struct.field("code"), given="treatments")
    given = rows.explode("given").unnest("given", separator="_").filter(pl.col("given_code").is_not_null())
    wanted = dict(hpemr.diagnoses().select("code", pl.col("treatments").fill_null("")).iter_rows())
    assert set(given["given_code"]) == set(hpemr.products()["code"])
    assert all(product in wanted[code].split("|") for code, product in given.select("code", "given_code").iter_rows())
    assert (given["given_quantity"] > 0).all()
    assert rows.filter(pl.col("code") == "HPD-025")["given"].list.len().max() == 0
    # before the record was edited nothing had been dispensed
    edited = encounters.filter(pl.col("_edited") < int(NEVER))
    assert edited.height > 100 and edited["_was_treatments"].list.len().max() == 0


def test_every_condition_has_a_code_and_labels_in_two_languages() -> None:
    codes = hpemr.diagnoses()
    assert len(conditions.coded(codes)) == conditions.table().height
    assert codes["code"].is_unique().all()
    assert codes.select(pl.col("label_en", "label_rw").str.len_chars().min() > 3).row(0) == (True, True)
    assert codes.filter(pl.col("conditions").str.contains("|", literal=True)).height > 8
    assert 0.15 < codes["reference_code"].is_null().mean() < 0.5  # type: ignore[operator]


def test_a_month_is_of_modest_size(encounters: pl.DataFrame) -> None:
    sizes = encounters.group_by((pl.col("began") + KIGALI_MS).cast(pl.Datetime("ms")).dt.truncate("1mo")).len()["len"]
    assert len(sizes) == len(MONTHS)
    assert sizes.min() > 800  # type: ignore[operator]
    assert sizes.max() < 4_000  # type: ignore[operator]
