"""The trackers' country: one story of persons told by nine programmes, wrong in the ways real registers are."""

from __future__ import annotations

import re
from datetime import date
from itertools import product

import polars as pl
import pytest
from tracker_records import HOME, PROGRAMMES, SPECS, START, frame

from hic_assets.sandbox import World
from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.trackers import names
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES, instance
from hic_assets.sandbox.world.trackers.programmes.immunization import DOSES
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, KINDS, SCHEMAS, TRACKED_ENTITIES
from hic_assets.systems.cancer_registry import CANCER_REGISTRY
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.systems.hmis_tracker import HMIS_TRACKER
from hic_assets.systems.immunization_tracker import IMMUNIZATION_TRACKER

SCALE = 0.05
# records a year at scale 1: domain facts 2.6, 2.9, trap 22
ANCHORS = {
    "tb": (7_500, 9_800),
    "birth_registration": (310_000, 350_000),
    "crvs": (285_000, 345_000),
    "cancer": (4_700, 6_400),
    "maternal_death_audit": (350, 1_000),
    "perinatal_death_audit": (4_500, 7_500),
}
NID = re.compile(r"^[1-3](19|20)\d{2}[78]\d{7}\d\d{2}$")


def attribute(world: World, key: str, code: str) -> pl.DataFrame:
    """One attribute of a programme's tracked entities: uid, value, person."""
    own = next(a.uid for a in SPECS[key].attributes if a.code == code)
    rows = frame(world, key, TRACKED_ENTITIES).select("uid", "attributes").explode("attributes").unnest("attributes")
    truth = world.tracker(HOME[key]).truth(TRACKED_ENTITIES)
    return rows.filter(attribute=own).select("uid", "value").join(truth, on="uid")


def element(world: World, key: str, code: str) -> pl.DataFrame:
    """One data element of a programme's events: uid, value, person and the event's days."""
    own = next(e.uid for s in SPECS[key].stages for e in s.data_elements if e.code == code)
    days = ("uid", "occurred_at", "enrollment", "data_values")
    rows = frame(world, key, EVENTS).select(days).explode("data_values").unnest("data_values")
    truth = world.tracker(HOME[key]).truth(EVENTS)
    return rows.filter(data_element=own).drop("data_element").join(truth, on="uid")


def people_of(world: World, key: str) -> set[str]:
    truth = world.tracker(HOME[key]).truth(TRACKED_ENTITIES)
    return set(truth.join(frame(world, key, TRACKED_ENTITIES), on="uid", how="semi")["person"])


@pytest.fixture(scope="module")
def country() -> World:
    return World(scale=SCALE)


# ---- the forms


@pytest.mark.parametrize("system", [HMIS_TRACKER, HIV_TRACKER, IMMUNIZATION_TRACKER, CANCER_REGISTRY])
def test_the_catalogue_holds_the_declared_programmes(system) -> None:  # type: ignore[no-untyped-def]
    held = {p.key: p.uid for p in instance(system.name).programmes}
    assert held == {p.name: p.uid for p in system.programmes}


def test_uids_are_dhis2_uids_and_each_instance_has_its_own_attributes() -> None:
    uid = re.compile(r"^[A-Za-z][A-Za-z0-9]{10}$")
    attributes = {i.name: {a.uid for p in i.programmes for a in p.attributes} for i in INSTANCES}
    for one, other in product(INSTANCES, INSTANCES):
        assert one is other or not attributes[one.name] & attributes[other.name]
    stages = [s.uid for p in SPECS.values() for s in p.stages]
    elements = [e.uid for p in SPECS.values() for s in p.stages for e in s.data_elements]
    assert all(uid.match(u) for u in [*stages, *elements, *(a for found in attributes.values() for a in found)])
    assert len(set(stages)) == len(stages)
    assert len({i.system_id for i in INSTANCES}) == len({i.context for i in INSTANCES}) == 4


def test_a_field_of_several_stages_is_the_same_field() -> None:
    for spec in SPECS.values():
        by_uid: dict[str, set[tuple[str, str]]] = {}
        for e in (e for s in spec.stages for e in s.data_elements):
            by_uid.setdefault(e.uid, set()).add((e.code, e.value_type))
        assert all(len(found) == 1 for found in by_uid.values())
    by_code = {a.code: a for a in SPECS["tb"].attributes}
    assert all(by_code.get(a.code, a) == a for a in SPECS["crvs"].attributes)


def test_the_cancer_registry_has_the_public_uids() -> None:
    spec = SPECS["cancer"]
    assert (spec.uid, spec.tracked_entity_type) == ("rx6V962E4XM", "j9TllKXZ3jb")
    assert {s.uid for s in spec.stages} == {"Y0cWLBEdXzb", "x0UOKjUKJsO", "yj7nAGqKXZw", "HzJ5KgS5a1l", "jBnTNp97poo"}
    assert {"PTGSZmTk3IQ", "Uda5alDG8P5", "l93yUywzP20", "LbuO5oeODsy"} <= {a.uid for a in spec.attributes}
    assert "qiPi86HJH9D" in {e.uid for e in spec.stage("tumour").data_elements}


# ---- records


@pytest.mark.parametrize("key", PROGRAMMES)
def test_frames_have_the_columns_and_are_whole(country: World, key: str) -> None:
    entities, enrolments, events = (frame(country, key, kind) for kind in KINDS)
    for kind, found in zip(KINDS, (entities, enrolments, events), strict=True):
        assert dict(found.schema) == SCHEMAS[kind]
        assert found["uid"].is_unique().all()
        assert found["uid"].str.contains(r"^[A-Za-z][A-Za-z0-9]{10}$").all()
        assert found["_seq"].is_unique().all()
        assert (found["created_ms"] <= found["updated_ms"]).all()
        assert found["updated_ms"].max() <= country.now_ms
    assert enrolments["tracked_entity"].is_in(entities["uid"].implode()).all()
    alive = events.join(enrolments, left_on="enrollment", right_on="uid", how="anti")
    assert alive.is_empty()
    owner = enrolments.select(enrollment="uid", owner="tracked_entity")
    assert events.join(owner, on="enrollment").select((pl.col("owner") == pl.col("tracked_entity")).all()).item()
    units = {f.uid for f in country.facilities} | set(geography.by_uid())
    assert set(events["org_unit"]) <= units


@pytest.mark.parametrize("key", PROGRAMMES)
def test_everything_lies_between_the_first_monday_and_now(country: World, key: str) -> None:
    enrolments, events = frame(country, key, ENROLLMENTS), frame(country, key, EVENTS)
    assert enrolments["enrolled_at"].min() >= START
    assert enrolments["enrolled_at"].max() <= country.today
    assert events["occurred_at"].drop_nulls().is_between(START, country.today).all()
    assert events["scheduled_at"].null_count() == 0
    assert events["scheduled_at"].min() >= START
    assert (enrolments["occurred_at"] <= enrolments["enrolled_at"]).all()


@pytest.mark.parametrize("key", PROGRAMMES)
def test_a_tracked_entity_lists_its_enrolments_and_carries_their_changes(country: World, key: str) -> None:
    entities, enrolments, events = (frame(country, key, kind) for kind in KINDS)
    listed = entities.select("uid", "enrolled").explode("enrolled").drop_nulls().sort("uid", "enrolled")
    real = enrolments.select(uid="tracked_entity", enrolled="enrolled_at").sort("uid", "enrolled")
    assert listed.equals(real)
    below = pl.concat([f.select(uid="tracked_entity", below="updated_ms") for f in (enrolments, events)])
    latest = below.group_by("uid").agg(pl.col("below").max()).join(entities, on="uid")
    assert (latest["updated_ms"] >= latest["below"]).all()


@pytest.mark.parametrize("key", PROGRAMMES)
def test_a_deletion_takes_everything_below_with_it(country: World, key: str) -> None:
    entities, enrolments, events = (frame(country, key, kind).select(pl.exclude("_seq")) for kind in KINDS)
    gone = entities.filter("deleted").select("uid")
    assert enrolments.join(gone, left_on="tracked_entity", right_on="uid", how="semi")["deleted"].all()
    gone = enrolments.filter("deleted").select("uid")
    assert events.join(gone, left_on="enrollment", right_on="uid", how="semi")["deleted"].all()
    deleted = events.filter("deleted")
    assert (deleted["_alive_updated_ms"] < deleted["updated_ms"]).all()


def test_there_are_tombstones_late_entries_and_second_enrolments(country: World) -> None:
    events = frame(country, "hiv", EVENTS)
    assert 0.002 < events["deleted"].mean() < 0.02
    done = events.filter(pl.col("occurred_at").is_not_null(), pl.col("status") == "COMPLETED")
    late = (pl.from_epoch("completed_ms", "ms").dt.date() - pl.col("occurred_at")).dt.total_days()
    waited = done.select(late.alias("days"))["days"]
    assert waited.min() >= 0
    assert (waited == 0).mean() > 0.5
    assert 0.01 < (waited > 20).mean() < 0.08
    assert frame(country, "tb", ENROLLMENTS)["tracked_entity"].is_duplicated().any()
    assert events["updated_ms"].n_unique() > 0.9 * events.height
    assert 0.005 < events["longitude"].is_not_null().mean() < 0.05


@pytest.mark.parametrize("key", PROGRAMMES)
def test_status_and_days_agree(country: World, key: str) -> None:
    events, enrolments = frame(country, key, EVENTS), frame(country, key, ENROLLMENTS)
    assert set(events["status"]) <= {"ACTIVE", "COMPLETED", "VISITED", "SCHEDULE", "OVERDUE", "SKIPPED"}
    ahead = pl.col("status").is_in(["SCHEDULE", "OVERDUE", "SKIPPED"])
    assert events.filter(ahead)["occurred_at"].null_count() == events.filter(ahead).height
    assert (events.filter(ahead)["data_values"].list.len() == 0).all()
    assert events.filter(~ahead)["occurred_at"].null_count() == 0
    assert (events.filter(~ahead)["data_values"].list.len() > 0).all()
    for found in (events, enrolments):
        finished = pl.col("status").is_in(["COMPLETED", "CANCELLED"])
        assert found.filter(finished)["completed_ms"].null_count() == 0
        assert found.filter(~finished)["completed_ms"].is_null().all()


def test_statuses_of_the_programmes(country: World) -> None:
    assert set(frame(country, "crvs", EVENTS)["status"]) == {"COMPLETED"}
    assert {"SCHEDULE", "OVERDUE", "SKIPPED"} <= set(frame(country, "immunization", EVENTS)["status"])
    assert set(frame(country, "tb", ENROLLMENTS)["status"]) == {"ACTIVE", "COMPLETED", "CANCELLED"}
    ahead = frame(country, "immunization", EVENTS).filter(status="SCHEDULE")
    assert (ahead["scheduled_at"] > country.today).sum() > 100


# ---- what is asked


def _is_of_type(kind: str) -> pl.Expr:
    value = pl.col("value")
    if kind == "DATE":
        return value.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    if kind == "TIME":
        return value.str.contains(r"^([01]\d|2[0-3]):[0-5]\d$")
    if kind == "BOOLEAN":
        return value.is_in(["true", "false"])
    if kind == "TRUE_ONLY":
        return value == "true"
    if kind.startswith("INTEGER"):
        low = 1 if kind == "INTEGER_POSITIVE" else 0
        return value.str.contains(r"^(0|[1-9]\d*)$") & (value.cast(pl.Int64, strict=False) >= low)
    if kind in ("NUMBER", "PERCENTAGE"):
        return value.str.contains(r"^(-?0|-?[1-9]\d*)(\.\d+)?$")
    return value.str.len_chars() > 0


def _wrong(rows: pl.DataFrame, field: str, specs: list) -> list[str]:  # type: ignore[type-arg]
    found = []
    for spec in specs:
        mine = rows.filter(pl.col(field) == spec.uid)
        good = _is_of_type(spec.value_type)
        if spec.option_set:
            good = pl.col("value").is_in([code for code, _ in spec.option_set.options])
        if not mine.select(good.all()).item():
            found.append(spec.code)
    return found


@pytest.mark.parametrize("key", PROGRAMMES)
def test_answers_are_of_their_type_and_belong_to_their_stage(country: World, key: str) -> None:
    spec = SPECS[key]
    events = frame(country, key, EVENTS).select("uid", "program_stage", "status", "data_values")
    assert set(events["program_stage"]) <= {s.uid for s in spec.stages}
    for stage in spec.stages:
        mine = events.filter(program_stage=stage.uid)
        rows = mine.explode("data_values").drop_nulls("data_values").unnest("data_values")
        assert not rows.select("uid", "data_element").is_duplicated().any()
        assert set(rows["data_element"]) <= {e.uid for e in stage.data_elements}
        assert _wrong(rows, "data_element", list(stage.data_elements)) == []
        happened = mine.filter(pl.col("data_values").list.len() > 0).height
        for e in stage.data_elements:
            answered = (rows["data_element"] == e.uid).sum()
            assert answered > 0 or happened < 200, e.code
            assert not e.compulsory or answered >= 0.9 * happened, e.code


@pytest.mark.parametrize("key", PROGRAMMES)
def test_attributes_are_of_their_type_and_unique_where_they_must(country: World, key: str) -> None:
    spec = SPECS[key]
    rows = frame(country, key, TRACKED_ENTITIES).select("uid", "attributes").explode("attributes").unnest("attributes")
    assert set(rows["attribute"]) == {a.uid for a in spec.attributes}
    assert _wrong(rows, "attribute", list(spec.attributes)) == []
    for a in spec.attributes:
        mine = rows.filter(attribute=a.uid)
        assert not a.unique or mine["value"].is_unique().all(), a.code
        assert not a.mandatory or mine.height == frame(country, key, TRACKED_ENTITIES).height, a.code


def test_texts_hold_what_breaks_careless_readers(country: World) -> None:
    remarks = element(country, "tb", "TB_REMARK")["value"].str.join("")[0]
    assert "\n" in remarks
    assert '"' in remarks
    assert "à" in remarks
    assert element(country, "tb", "TB_LAB_NO")["value"].str.starts_with("0").any()
    assert element(country, "tb", "TB_SYMPTOMS")["value"].str.contains(",").any()
    assert element(country, "cancer", "CR_SITE_DESCRIPTION")["value"].str.len_chars().unique().to_list() == [3]


# ---- the country


@pytest.mark.parametrize("key", list(ANCHORS))
def test_volumes_lie_at_the_anchors(country: World, key: str) -> None:
    years = ((country.today - START).days + 1) / 365.25
    low, high = ANCHORS[key]
    assert low < frame(country, key, ENROLLMENTS).height / SCALE / years < high


def test_as_many_people_live_with_hiv_as_the_country_has(country: World) -> None:
    active = frame(country, "hiv", ENROLLMENTS).filter(status="ACTIVE").height
    assert 205_000 < active / SCALE < 245_000
    suppressed = (element(country, "hiv", "HIV_VL_SUPPRESSED")["value"] == "true").mean()
    assert 0.88 < suppressed < 0.97
    visits = frame(country, "hiv", EVENTS).filter(program_stage=SPECS["hiv"].stage("visit").uid)
    days = visits.drop_nulls("occurred_at").sort("tracked_entity", "occurred_at")
    gap = days.select(pl.col("occurred_at").diff().over("tracked_entity").dt.total_days())["occurred_at"].drop_nulls()
    assert gap.median() > 60
    assert gap.quantile(0.02) > 15


def test_births_peak_in_may(country: World) -> None:
    births = frame(country, "birth_registration", ENROLLMENTS)["occurred_at"]
    by_month = births.filter(births.dt.year() == 2025).dt.month().value_counts().sort("occurred_at")["count"]
    assert by_month.arg_max() in (3, 4)


def test_tb_is_distributed_as_notified(country: World) -> None:
    assert 0.68 < (attribute(country, "tb", "SEX")["value"] == "M").mean() < 0.8
    assert 0.8 < (element(country, "tb", "TB_SITE")["value"] == "P").mean() < 0.9
    outcome = element(country, "tb", "TB_OUTCOME")["value"]
    assert 0.85 < outcome.is_in(["CURED", "COMPLETED"]).mean() < 0.95
    started = frame(country, "tb", ENROLLMENTS).select(enrollment="uid", day="enrolled_at")
    ended = element(country, "tb", "TB_OUTCOME").join(started, on="enrollment")
    cured = ended.filter(pl.col("value") == "CURED")
    assert (cured["occurred_at"] - cured["day"]).dt.total_days().min() > 150


def test_civil_registration_is_late_and_at_sectors_too(country: World) -> None:
    enrolments = frame(country, "crvs", ENROLLMENTS).filter(pl.col("enrolled_at") > date(2026, 1, 1))
    waited = (enrolments["enrolled_at"] - enrolments["occurred_at"]).dt.total_days()
    assert 0.6 < (waited <= 30).mean() < 0.85
    assert waited.max() > 150
    levels = {geography.by_uid()[u].level for u in set(enrolments["org_unit"]) - {f.uid for f in country.facilities}}
    assert levels == {5}
    both = frame(country, "crvs", EVENTS)["program_stage"].value_counts().sort("count")["count"].to_list()
    assert 25_000 < both[0] / SCALE / 1.69 < 42_000


def test_children_are_vaccinated_by_the_schedule(country: World) -> None:
    old = frame(country, "immunization", ENROLLMENTS).filter(
        ~pl.col("deleted"), pl.col("occurred_at") < date(2025, 5, 1)
    )
    done = element(country, "immunization", "IMM_SCHEDULE").join(old, left_on="enrollment", right_on="uid", how="semi")
    share = {name: done.filter(value=name)["enrollment"].n_unique() / old.height for name in DOSES}
    assert share["W06"] > 0.93
    assert share["W06"] > share["W14"] > share["M09"] > share["M15"] > 0.75
    schedule = element(country, "immunization", "IMM_SCHEDULE").select("uid", at="value")
    codes = {e.uid: e.code for e in SPECS["immunization"].stage("visit").data_elements}
    rows = frame(country, "immunization", EVENTS).select("uid", "data_values").explode("data_values")
    rows = rows.unnest("data_values").join(schedule, on="uid").filter(value="true").select("data_element", "at")
    for own, at in rows.unique().rows():
        assert codes[own] in DOSES[at]
    born = frame(country, "immunization", ENROLLMENTS).select(enrollment="uid", born="occurred_at")
    ages = element(country, "immunization", "IMM_SCHEDULE").join(born, on="enrollment")
    ages = ages.with_columns(age=(pl.col("occurred_at") - pl.col("born")).dt.total_days())
    assert ages.filter(value="W06")["age"].min() >= 27
    assert ages.filter(value="M09")["age"].min() >= 270
    assert 42 <= ages.filter(value="W06")["age"].median() <= 56


def test_nobody_comes_after_dying(country: World) -> None:
    died = pl.concat(
        [
            element(country, "child_death_audit", "CDA_DEATH_DATE"),
            element(country, "perinatal_death_audit", "PDA_DEATH_DATE"),
            element(country, "crvs", "CRV_DEATH_DATE"),
        ]
    )
    died = died.group_by("person").agg(pl.col("value").str.to_date().max().alias("died"))
    for key in ("immunization", "hiv"):
        events = frame(country, key, EVENTS).join(country.tracker(HOME[key]).truth(EVENTS), on="uid")
        visits = events.filter(program_stage=SPECS[key].stage("visit").uid).drop_nulls("occurred_at")
        both = visits.join(died, on="person")
        assert both.height > 5
        assert (both["occurred_at"] <= both["died"]).mean() > 0.99
    audited = element(country, "maternal_death_audit", "MDA_DEATH_DATE")["person"].n_unique()
    registered = element(country, "crvs", "CRV_PREGNANCY").filter(value="true")["person"]
    assert len(set(registered) & people_of(country, "maternal_death_audit")) > 0.6 * audited


# ---- persons


def test_persons_appear_in_several_programmes(country: World) -> None:
    born, vaccinated, registered = (people_of(country, k) for k in ("birth_registration", "immunization", "crvs"))
    assert len(born & vaccinated) > 0.85 * len(vaccinated)
    assert 0.6 * len(born) < len(born & registered) < 0.9 * len(born)
    with_hiv = people_of(country, "hiv")
    tb = people_of(country, "tb")
    assert 0.1 < len(tb & with_hiv) / len(tb) < 0.25
    assert people_of(country, "cancer") & with_hiv
    mothers = set(country.tracker("immunization_tracker").persons()["mother"].drop_nulls())
    assert 0.01 < len(mothers & with_hiv) / len(mothers) < 0.05
    positive = element(country, "tb", "TB_HIV_STATUS")
    assert set(positive.filter(value="POS")["person"]) <= with_hiv | set(positive.filter(value="NEG")["person"])


def test_a_person_has_another_uid_everywhere(country: World) -> None:
    uids = pl.concat([frame(country, k, TRACKED_ENTITIES)["uid"] for k in PROGRAMMES])
    assert uids.is_unique().all()
    truth = country.tracker("hmis_tracker").truth(TRACKED_ENTITIES)
    assert set(truth.columns) == {"uid", "person"}
    assert truth["uid"].is_unique().all()
    assert truth["person"].is_duplicated().any()


def test_persons_are_the_same_in_every_instance(country: World) -> None:
    hmis, other = country.tracker("hmis_tracker").persons(), country.tracker("hiv_tracker").persons()
    both = hmis.join(other, on="person", how="inner", suffix="_there")
    assert both.height > 100
    for column in ("surname", "given_name", "sex", "birth_date", "nid", "phone", "home"):
        assert (both[column] == both[f"{column}_there"]).all()
    assert hmis["person"].is_unique().all()


@pytest.mark.parametrize(
    ("key", "code"),
    [("tb", "NID"), ("hiv", "NID"), ("crvs", "MOTHER_NID"), ("immunization", "PARENT_NID"), ("cancer", "CR_NID")],
)
def test_national_ids_have_their_structure(country: World, key: str, code: str) -> None:
    given = attribute(country, key, code)["value"]
    assert len(given) < 0.95 * frame(country, key, TRACKED_ENTITIES).height
    plain = given.filter(~given.str.contains(" "))
    well_formed = plain.str.contains(NID.pattern)
    assert well_formed.mean() > 0.98
    assert plain.str.len_chars().unique().to_list() == [16]


def test_national_ids_agree_with_the_person_mostly(country: World) -> None:
    persons = country.tracker("hiv_tracker").persons()
    given = attribute(country, "hiv", "NID").join(persons, on="person")
    stable = given["value"].str.replace_all(" ", "").str.slice(0, 13) == given["nid"].str.slice(0, 13)
    assert 0.97 < stable.mean() < 1.0
    reissued = given["value"].str.replace_all(" ", "").str.slice(13, 1) == "1"
    assert 0.005 < reissued.mean() < 0.06
    adults = persons.filter(pl.col("sex") == "F")
    assert (adults["nid"].str.slice(5, 1) == "7").all()
    assert (persons["nid"].str.slice(1, 4) == persons["birth_date"].dt.strftime("%Y")).all()


def test_records_are_written_as_clerks_write(country: World) -> None:
    persons = country.tracker("hiv_tracker").persons()
    family = attribute(country, "hiv", "FAMILY_NAME").join(persons, on="person")
    exact = (family["value"] == family["surname"]).mean()
    assert 0.75 < exact < 0.92
    swapped = (family["value"] == family["given_name"]).mean()
    assert 0.01 < swapped < 0.06
    born = attribute(country, "hiv", "DATE_OF_BIRTH").join(persons, on="person")
    given = born["value"].str.to_date()
    assert 0.85 < (given == born["birth_date"]).mean() < 0.96
    january = (given.dt.month() == 1) & (given.dt.day() == 1)
    assert 0.04 < january.mean() < 0.12
    turned = (given.dt.day() == born["birth_date"].dt.month()) & (given.dt.month() == born["birth_date"].dt.day())
    assert (turned & (given != born["birth_date"])).sum() > 10
    sex = attribute(country, "hiv", "SEX").join(persons, on="person")
    assert 0.99 < (sex["value"].str.slice(0, 1) == sex["sex"]).mean() < 1.0


def test_every_instance_codes_sex_its_own_way(country: World) -> None:
    said = {
        "tb": ("SEX", {"M", "F"}),
        "hiv": ("SEX", {"Male", "Female"}),
        "immunization": ("GENDER", {"Gabo", "Gore"}),
        "cancer": ("CR_SEX", {"1", "2"}),
    }
    for key, (code, expected) in said.items():
        assert set(attribute(country, key, code)["value"]) == expected


def test_names_are_spelt_as_they_sound() -> None:
    assert names.spelt("Karangwa", names.R_L) == "Kalangwa"
    assert names.spelt("Cyiza", names.C_K) == "Kyiza"
    assert names.spelt("Niyonsaba", names.Y_I) == "Nyyonsaba"
    assert names.spelt("Béatrice", names.LETTERS) == "Beatrice"
    assert names.spelt("Uwase", names.RIGHT) == "Uwase"
    assert len(names.ALL_SURNAMES) * len(names.ALL_GIVEN) > 5_000


def test_upis_name_a_day_and_a_facility(country: World) -> None:
    upi = attribute(country, "birth_registration", "UPI")
    assert upi["value"].str.contains(r"^\d{6}-\d{4}-\d{4}$").all()
    assert upi.height < 0.85 * frame(country, "birth_registration", TRACKED_ENTITIES).height
    codes = {(f.code or "0000").zfill(4) for f in country.facilities}
    assert set(upi["value"].str.slice(7, 4)) <= codes


def test_the_truth_is_in_no_record(country: World) -> None:
    hidden = set(country.tracker("cancer_registry").persons()["person"])
    for kind in KINDS:
        text = frame(country, "cancer", kind).write_ndjson()
        assert not any(person in text for person in hidden)
