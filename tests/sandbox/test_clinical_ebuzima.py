"""EBUZIMA: pregnancies of the mothers whose children the trackers know, told and served as its contract says."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import requests
from clinical_contract import FEW, contract, hold
from maternity_help import MONTH, everything, month_of, record_validator, story, told, window_mended
from tracker_records import HOME, SPECS

from hic_assets.sandbox import Sandbox, World
from hic_assets.sandbox.world.clinical import maternity, pregnancies
from hic_assets.sandbox.world.clinical.ebuzima import SYSTEM
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.roster import local_midnight, next_month
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.schema import EVENTS

RESOURCES = {
    "pregnancies": ("Pregnancy", "registeredAt"),
    "anc-contacts": ("AncContact", "encounterAt"),
    "deliveries": ("Delivery", "deliveredAt"),
    "newborns": ("Newborn", "bornAt"),
    "postnatal-contacts": ("PostnatalContact", "encounterAt"),
}
WINDOW = ("startDate", "endDate", "updatedSince")
WEEK = ("2026-06-01T00:00:00+02:00", "2026-06-08T00:00:00+02:00")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


@pytest.fixture(scope="module")
def country() -> World:
    return World(scale=0.05)


@pytest.fixture(scope="module")
def store(country: World) -> ClinicalStore:
    return country.clinical.store("ebuzima")


# ---- what happens


def test_women_come_as_often_and_as_early_as_surveys_say(country: World) -> None:
    p, c = pregnancies.pregnancies(story(country)), pregnancies.contacts(story(country))
    born = p.birth >= 0
    many = np.bincount(c.pregnancy, minlength=len(born))[born]
    assert (many >= 1).mean() == pytest.approx(0.98, abs=0.01)
    assert (many >= 4).mean() == pytest.approx(0.47, abs=0.03)
    assert many.max() == 8
    first = c.number == 1
    early = (c.day[first] - p.lmp[c.pregnancy[first]]) < 13 * 7
    assert early.mean() == pytest.approx(0.59, abs=0.04)


def test_contacts_are_in_order_on_weekdays_before_the_pregnancy_ends(country: World) -> None:
    p, c = pregnancies.pregnancies(story(country)), pregnancies.contacts(story(country))
    assert (c.day < p.ended[c.pregnancy]).all()
    assert ((c.day + 3) % 7 < 5).all(), "1 January 1970 was a Thursday"
    follows = c.number[1:] > 1
    assert (np.diff(c.day)[follows] >= 7).all()
    assert (np.diff(c.pregnancy)[follows] == 0).all()
    assert (c.day > p.lmp[c.pregnancy] + 30).all()


def test_a_pregnancy_lasts_as_long_as_the_birth_says(country: World) -> None:
    p, born = pregnancies.pregnancies(story(country)), story(country).life.births
    rows = p.birth >= 0
    weeks = (p.ended[rows] - p.lmp[rows]) // 7
    assert (weeks == born.weeks[p.birth[rows]]).all()
    assert (p.ended[rows] == born.persons.born[p.birth[rows]]).all()
    assert (p.mothers.key[rows] == born.persons.mother[p.birth[rows]]).all()
    assert rows.sum() == (~born.second_twin).sum()
    lost = p.ended[~rows] - p.lmp[~rows]
    assert 0.03 < (~rows).mean() < 0.06
    assert lost.min() >= 6 * 7 and lost.max() < 28 * 7
    assert (p.parity < p.gravida).all()


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_longer_story_begins_with_the_shorter_one(country: World, resource: str) -> None:
    later = World(scale=0.05, today=country.today + timedelta(days=90))
    assert later.clinical.story().last_day > country.clinical.story().last_day
    for month in (date(2025, 8, 1), MONTH, country.today.replace(day=1)):
        one, other = told(SYSTEM, country, resource, month), told(SYSTEM, later, resource, month)
        assert one.height > 50
        assert one.sort("id").equals(other.sort("id"))


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_month_holds_what_happened_in_it_and_an_empty_one_has_its_columns(country: World, resource: str) -> None:
    frame = told(SYSTEM, country, resource)
    low, high = local_midnight(MONTH), local_midnight(next_month(MONTH))
    assert frame["_happened"].is_between(low, high, closed="left").all()
    assert frame["id"].is_unique().all()
    assert frame["id"].map_elements(lambda i: bool(UUID.match(i)), return_dtype=pl.Boolean).all()
    assert (frame["_entered"] >= frame["_happened"]).all()
    none = told(SYSTEM, country, resource, date(2021, 5, 1))
    assert none.is_empty() and none.schema == frame.schema


def test_volumes_stay_modest_and_the_system_spreads_over_the_country(store: ClinicalStore) -> None:
    for resource in RESOURCES:
        months = everything(store, resource).group_by(pl.from_epoch("_happened", "ms").dt.truncate("1mo")).len()
        assert months["len"].max() <= 4_000, resource
    by_place = everything(store, "pregnancies").group_by("facility").agg(pl.col("_happened").min())
    first, last = by_place["_happened"].min(), by_place["_happened"].max()
    assert (last - first) / 86_400_000 > 180, "districts follow one another"  # type: ignore[operator]
    districts = {store.world.facilities[i].district for i in by_place["facility"]}
    assert len(districts) == 18


# ---- the same persons as in the trackers


def _births_of_the_tracker(country: World) -> pl.DataFrame:
    """Person, day and facility (uid) of the births that the HMIS tracker has at facilities."""
    spec, tracker = SPECS["birth_registration"], country.tracker(HOME["birth_registration"])
    events = tracker.frame(EVENTS, spec.uid).filter(program_stage=spec.stage("birth").uid, deleted=False)
    return events.join(tracker.truth(EVENTS), on="uid").select("person", "occurred_at", "org_unit")


def test_a_newborn_is_the_child_of_the_birth_registration(country: World, store: ClinicalStore) -> None:
    mine = everything(store, "newborns").with_columns(
        day=pl.from_epoch("_happened", "ms").dt.offset_by("2h").dt.date(),
        unit=pl.col("facility").replace_strict(
            dict(enumerate(f.uid for f in country.facilities)), return_dtype=pl.String
        ),
    )
    mine = mine.join(store.truth("newborns"), on="id")
    both = mine.join(_births_of_the_tracker(country).unique("person"), on="person")
    assert both.height > 0.9 * mine.height
    assert (both["day"] == both["occurred_at"]).all()
    # the few registered twice have another unit the second time
    assert (both["unit"] == both["org_unit"]).mean() > 0.98  # type: ignore[operator]


def test_bcg_of_the_maternity_is_about_the_day_of_the_immunization_tracker(
    country: World, store: ClinicalStore
) -> None:
    spec, tracker = SPECS["immunization"], country.tracker(HOME["immunization"])
    bcg = next(e.uid for s in spec.stages for e in s.data_elements if e.code == "IMM_BCG")
    doses = tracker.frame(EVENTS, spec.uid).select("uid", "occurred_at", "data_values").explode("data_values")
    doses = doses.unnest("data_values").filter(data_element=bcg).join(tracker.truth(EVENTS), on="uid").unique("person")
    mine = everything(store, "newborns").join(store.truth("newborns"), on="id").filter(pl.col("bcg_date").is_not_null())
    both = mine.join(doses, on="person")
    assert both.height > 1_000
    apart = (both["occurred_at"] - both["bcg_date"]).dt.total_days()
    assert apart.min() >= 0  # type: ignore[operator]
    assert (apart <= 7).mean() > 0.9  # type: ignore[operator]


def test_mothers_are_those_of_the_children_and_die_with_them(country: World, store: ClinicalStore) -> None:
    mothers = set(people.person_uid(story(country).life.births.persons.mother))
    assert set(store.truth("deliveries")["person"]) <= mothers
    registered = set(store.truth("pregnancies")["person"])
    assert 0.85 < len(registered & mothers) / len(registered) < 1, "some lose the pregnancy"
    died = everything(store, "deliveries").filter(mother_condition="DIED")
    assert (died["complications"].list.len() > 0).all()


def test_the_upi_of_a_child_is_that_of_the_client_registry(store: ClinicalStore) -> None:
    upi = everything(store, "newborns")["upi"].drop_nulls()
    born = everything(store, "newborns").filter(pl.col("upi").is_not_null())
    day = born["_happened"].cast(pl.Datetime("ms")).dt.offset_by("2h").dt.strftime("%y%m%d")
    assert (upi.str.slice(0, 6) == day).mean() > 0.9  # type: ignore[operator]


# ---- the life of a registration


def test_some_are_pregnant_now_and_every_other_end_occurs(country: World, store: ClinicalStore) -> None:
    alive = everything(store, "pregnancies").filter(~pl.col("_deleted"))
    ends = dict(alive["status"].value_counts().iter_rows())
    assert set(ends) == set(maternity.STATUSES)
    today = country.today
    ongoing = alive.filter(status="ONGOING")
    coming = ongoing.filter(pl.col("estimated_delivery_date") > today)
    assert coming.height > 1_000 and coming.height > 0.6 * ongoing.height
    spread = coming["estimated_delivery_date"].dt.month_start().n_unique()
    assert spread >= 7, "women in every month of pregnancy"
    last = alive.filter(pl.col("registered") >= local_midnight(today - timedelta(days=14)))
    assert last.height > 100 and (last["status"] == "ONGOING").mean() > 0.9  # type: ignore[operator]
    assert alive.filter(pl.col("status") != "ONGOING")["status_date"].max() <= today  # type: ignore[operator]


def test_how_a_pregnancy_ended_is_heard_later(country: World) -> None:
    world = World(scale=0.05, today=date(2026, 1, 15))
    store = world.clinical.store("ebuzima")
    before = everything(store, "pregnancies").filter(status="ONGOING").select("id", "patient", "_updated")
    since = world.now_ms
    world.advance(days=60)
    after = store.records("pregnancies", since=since)
    moved_on = before.join(after, on="id")
    done = moved_on.filter(pl.col("status") != "ONGOING")
    assert done.height > 300
    assert (done["_updated_right"] >= since).all()
    got = done.filter(
        pl.col("patient").struct.field("temp_id").is_not_null()
        & pl.col("patient_right").struct.field("upi").is_not_null()
    )
    assert got.height > 20, "a temporary number gives way to the UPI"


def test_a_double_registration_is_voided_and_its_contacts_move(country: World, store: ClinicalStore) -> None:
    r = maternity.maternity(story(country)).registrations
    assert 0.005 < r.again.mean() < 0.02
    voided = everything(store, "pregnancies").filter(_deleted=True)
    double = voided.filter(void_reason="DUPLICATE")
    assert double.height > 20
    assert voided.filter(void_reason="ENTERED_IN_ERROR").height > 5
    contacts = everything(store, "anc-contacts")
    stranded = contacts.join(double, left_on="pregnancy", right_on="id").filter(
        pl.col("_updated") > pl.col("_updated_right")
    )
    assert stranded.is_empty(), "no contact names a registration after it was voided as a double"
    moved = told(SYSTEM, country, "anc-contacts").filter(pl.col("pregnancy") != pl.col("_was_pregnancy"))
    assert moved.height > 0
    assert (moved["_edited"] > moved["_entered"]).all()
    assert (moved["patient_uuid"] != moved["_was_patient_uuid"]).all()


def test_references_point_to_records(store: ClinicalStore) -> None:
    ids = {r: set(everything(store, r)["id"]) for r in ("pregnancies", "deliveries", "newborns")}
    contacts, births = everything(store, "anc-contacts"), everything(store, "deliveries")
    assert set(contacts["pregnancy"]) <= ids["pregnancies"]
    known = births["pregnancy"].drop_nulls()
    assert 0.6 < len(known) / births.height < 0.95
    assert len(set(known) - ids["pregnancies"]) <= 0.02 * len(known), "some are typed in later"
    children = everything(store, "newborns")
    assert set(children["delivery"]) <= ids["deliveries"]
    born = children.group_by("delivery").len().join(births, left_on="delivery", right_on="id", how="right")
    assert (born["len"].fill_null(0) <= born["babies"]).all()
    after = everything(store, "postnatal-contacts").select("newborns").explode("newborns").unnest("newborns")
    seen = after["newborn"].drop_nulls()
    assert len(seen) > 3_000
    assert len(set(seen) - ids["newborns"]) <= 0.05 * len(set(seen))


def test_one_woman_is_one_patient_at_a_facility_and_another_at_the_next(store: ClinicalStore) -> None:
    frames = [everything(store, r) for r in ("pregnancies", "deliveries", "postnatal-contacts")]
    rows = pl.concat([f.select("_person", "facility", "patient") for f in frames]).unnest("patient")
    at_one = rows.group_by("_person", "facility").agg(pl.col("uuid").n_unique())
    assert (at_one["uuid"] == 1).mean() > 0.98  # type: ignore[operator]
    assert (at_one["uuid"] > 1).sum() > 20, "a few have two files"
    everywhere = rows.group_by("_person").agg(pl.col("uuid", "facility").n_unique())
    assert (everywhere.filter(pl.col("facility") > 1)["uuid"] > 1).all()
    written = rows.group_by("uuid").agg(pl.col("family_name", "birth_date", "nid").n_unique())
    assert (written.select(pl.all_horizontal(pl.col("family_name", "birth_date", "nid") == 1)).to_series()).all()
    unlike = rows.group_by("_person").agg(pl.col("family_name").n_unique())
    assert 0.02 < (unlike["family_name"] > 1).mean() < 0.3  # type: ignore[operator]
    assert 0.1 < rows["upi"].is_null().mean() < 0.5  # type: ignore[operator]
    assert not rows.filter(pl.col("upi").is_not_null() & pl.col("temp_id").is_not_null()).height


def test_births_have_the_shares_of_the_country(store: ClinicalStore) -> None:
    births, children = everything(store, "deliveries"), everything(store, "newborns")
    assert (births["mode"] == "CAESAREAN").mean() == pytest.approx(0.15, abs=0.04)
    assert (children["outcome"] != "LIVE_BIRTH").mean() == pytest.approx(0.016, abs=0.006)
    assert (births["babies"] == 2).mean() == pytest.approx(0.015, abs=0.006)
    still = children.filter(pl.col("outcome") != "LIVE_BIRTH")
    assert still["apgar_5"].max() == 0 and still["bcg_date"].is_null().all() and still["upi"].is_null().all()
    assert (births["live_births"] + births["stillbirths"] == births["babies"]).all()
    live = children.filter(outcome="LIVE_BIRTH")
    assert 0.04 < (live["weight_grams"] < 2500).mean() < 0.15  # type: ignore[operator]


# ---- over HTTP


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Callable[..., requests.Response]]:
    """GET below /api/v1 with the account; keyword arguments are parameters."""
    with requests.Session() as session:
        account = sandbox.credentials["ebuzima"]
        session.auth = (account["username"], account["password"])

        def get(path: str, **params: Any) -> requests.Response:
            address = path if path.startswith("http") else f"{sandbox.urls['ebuzima']}/api/v1/{path}"
            return session.get(address, params=params, timeout=20)

        yield get


def whole(ask: Callable[..., requests.Response], resource: str, **params: Any) -> list[dict[str, Any]]:
    """All pages, by their links."""
    reply, found = ask(resource, **params), []
    while True:
        assert reply.status_code == 200, reply.text
        found += reply.json()["results"]
        if "next" not in reply.links:
            return found
        reply = ask(reply.links["next"]["url"])


@pytest.mark.parametrize("resource", RESOURCES)
def test_pages_hold_the_window_and_every_record_keeps_the_contract(
    sandbox: Sandbox, ask: Callable[..., requests.Response], resource: str
) -> None:
    schema, happened = RESOURCES[resource]
    found = whole(ask, resource, startDate=WEEK[0], endDate=WEEK[1], limit=40)
    validator = record_validator("ebuzima", schema)
    for record in found:
        validator.validate(record)
    store = sandbox.clinical["ebuzima"].store
    expected = store.records(resource, local_midnight(date(2026, 6, 1)), local_midnight(date(2026, 6, 8)))
    assert [r["uuid"] for r in found] == expected["id"].to_list()
    assert len(found) > 40
    assert all(WEEK[0] <= r[happened] < WEEK[1] for r in found)
    assert not any(key.startswith("_") or "person" in key.lower() for r in found for key in r)


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_contract_names_every_member_and_no_other(ask: Callable[..., requests.Response], resource: str) -> None:
    record = ask(resource, startDate=WEEK[0], endDate=WEEK[1], limit=1).json()["results"][0]
    validator = record_validator("ebuzima", RESOURCES[resource][0])
    assert validator.is_valid(record)
    for member in record:
        assert not validator.is_valid({k: v for k, v in record.items() if k != member}), member
    assert not validator.is_valid(record | {"person": "someone"})


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_days_of_a_week_are_the_week(ask: Callable[..., requests.Response], resource: str) -> None:
    edges = [f"2026-06-{day:02d}T00:00:00+02:00" for day in range(1, 9)]
    daily = [whole(ask, resource, startDate=a, endDate=b, limit=100) for a, b in itertools.pairwise(edges)]
    together = whole(ask, resource, startDate=WEEK[0], endDate=WEEK[1], limit=100)
    assert sorted(r["uuid"] for part in daily for r in part) == [r["uuid"] for r in together]


@pytest.mark.parametrize("resource", RESOURCES)
def test_changes_show_edits_late_records_and_tombstones(
    sandbox: Sandbox, ask: Callable[..., requests.Response], resource: str
) -> None:
    store, world = sandbox.clinical["ebuzima"].store, sandbox.world
    world.advance(minutes=5)
    since = f"{world.now:%Y-%m-%dT%H:%M:%S}+02:00"
    alive = month_of(store, resource).filter(~pl.col("_deleted"))["id"]
    store.delete(resource, alive[0])
    column = SYSTEM.resource(resource).editable[0]
    store.edit(resource, alive[1], {column: store.records(resource).filter(pl.col("id") == alive[2])[column][0]})
    late = store.add_late(resource, 3)
    changed = {r["uuid"]: r for r in whole(ask, resource, updatedSince=since)}
    assert len(changed) >= 2 + len(late)
    assert changed[alive[0]]["voided"] is True and changed[alive[0]]["voidReason"] == "ENTERED_IN_ERROR"
    assert changed[alive[1]]["voided"] is False
    validator = record_validator("ebuzima", RESOURCES[resource][0])
    for record in changed.values():
        validator.validate(record)
        assert record["dateChanged"] >= since
    world.advance(minutes=5)
    assert whole(ask, resource, updatedSince=f"{world.now:%Y-%m-%dT%H:%M:%S}+02:00") == []


def test_facilities_have_four_digits_with_their_zeros(ask: Callable[..., requests.Response]) -> None:
    codes = {r["facility"]["fosaCode"] for r in whole(ask, "deliveries", startDate=WEEK[0], endDate=WEEK[1])}
    assert all(re.fullmatch(r"\d{4}", code) for code in codes)
    assert any(code.startswith("00") for code in codes)


@pytest.mark.parametrize("resource", RESOURCES)
def test_faults_strike_records(sandbox: Sandbox, ask: Callable[..., requests.Response], resource: str) -> None:
    _, happened = RESOURCES[resource]
    window = {"startDate": WEEK[0], "endDate": WEEK[1], "limit": 20}
    good = ask(resource, **window).json()["results"]
    sandbox.faults.set("bad_values", path="/ebuzima/", rows=2)
    struck = ask(resource, **window).json()["results"]
    assert [r[happened] for r in struck].count("douze") == 2
    sandbox.faults.clear()
    sandbox.faults.set("unknown_facility", path="/ebuzima/", rows=2)
    struck = ask(resource, **window).json()["results"]
    assert [r["facility"]["fosaCode"] for r in struck].count("9999999") == 2
    sandbox.faults.clear()
    sandbox.faults.set("conflicting_duplicates", path="/ebuzima/", rows=2)
    struck = ask(resource, **window).json()["results"]
    assert len(struck) == len(good) + 2
    pairs = [[r for r in struck if r["uuid"] == uuid] for uuid in {r["uuid"] for r in struck}]
    assert sum(len(pair) == 2 and pair[0] != pair[1] for pair in pairs) == 2


def test_who_has_no_account_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.urls['ebuzima']}/api/v1/newborns"
    wrong = base64.b64encode(b"hic_reader:wrong").decode()
    for headers in ({}, {"Authorization": f"Basic {wrong}"}, {"Authorization": "Bearer x"}):
        reply = requests.get(url, params={"startDate": WEEK[0], "endDate": WEEK[1]}, headers=headers, timeout=10)
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"].startswith("Basic")
        record_validator("ebuzima", "Error").validate(reply.json())


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "startDate"),
        ({"startDate": WEEK[0]}, "endDate"),
        ({"startDate": WEEK[1], "endDate": WEEK[0]}, "endDate"),
        ({"startDate": "2026-06-01", "endDate": WEEK[1]}, "startDate"),
        ({"startDate": WEEK[0].replace("+", " "), "endDate": WEEK[1]}, "startDate"),
        ({"updatedSince": "yesterday"}, "updatedSince"),
        ({"updatedSince": WEEK[0], "limit": 101}, "limit"),
        ({"updatedSince": WEEK[0], "page": 2}, "page"),
    ],
)
def test_wrong_parameters_are_named(ask: Callable[..., requests.Response], params: dict[str, Any], named: str) -> None:
    reply = ask("newborns", **params)
    assert reply.status_code == 422
    record_validator("ebuzima", "Error").validate(reply.json())
    assert named in reply.json()["error"]["detail"]


_BY_CONTRACT = contract("ebuzima")
_BY_CONTRACT.config.generation.update(with_security_parameters=False)


@pytest.mark.slow
@_BY_CONTRACT.parametrize()
@FEW
def test_requests_made_up_from_the_contract_get_what_it_says(case: Any, sandbox: Sandbox) -> None:
    account = sandbox.credentials["ebuzima"]
    secret = base64.b64encode(f"{account['username']}:{account['password']}".encode()).decode()
    window_mended(case, WINDOW, WEEK)
    hold(case, sandbox, "ebuzima", {"Authorization": f"Basic {secret}"})
