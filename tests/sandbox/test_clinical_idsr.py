"""IDSR, the direct path: what happens, the outbreaks put into it, who reports, whose cases they are, and the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import requests
import yaml
from clinical_contract import FEW, contract, hold
from jsonschema import Draft202012Validator
from scipy import stats

from hic_assets.alerts import ears_c2, evaluate, fixed_threshold
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.sandbox.server.clinical.contract import FOLDER
from hic_assets.sandbox.world import catalogue, geography
from hic_assets.sandbox.world.clinical import idsr, idsr_cases, idsr_life, idsr_truth
from hic_assets.sandbox.world.clinical.idsr_counts import Country, Counts, poisson, week_counts
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES, by_code, element_code, position
from hic_assets.sandbox.world.clinical.idsr_outbreaks import DECLARED, FIRST_YEAR, LAST_YEAR, Outbreak, outbreaks
from hic_assets.sandbox.world.clinical.known import RESIDENT, everybody
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.roster import KIGALI, local_midnight
from hic_assets.sandbox.world.trackers import moments, people

WEEK = date(2026, 6, 8)
AT = Country(1, 0.05)
EPI = {"epiWeek": "2026W24"}


@pytest.fixture(scope="module")
def country() -> World:
    """For reading only."""
    return World(scale=0.05)


@pytest.fixture(scope="module")
def story(country: World) -> Story:
    return country.clinical.story()


@pytest.fixture(scope="module")
def store(country: World) -> ClinicalStore:
    return country.clinical.store("idsr")


@pytest.fixture(scope="module")
def three_years(country: World) -> np.ndarray[Any, Any]:
    """True counts by series from the first week of 2023."""
    return idsr_truth.district_counts(country.roster, date(2023, 1, 2), 156, AT)


# ---- the list


def test_there_are_24_diseases_as_in_the_country_immediate_and_weekly() -> None:
    assert len(DISEASES) == len(by_code()) == 24
    assert sorted(d.code for d in DISEASES if not d.immediate) == [
        "DIARRHOEA", "ILI", "MALARIA_SEVERE", "MALARIA_SIMPLE", "PNEUMONIA_SEVERE",
    ]  # fmt: skip
    assert [element_code(0, "cases"), element_code(0, "deaths"), element_code(23, "deaths")] == [
        "IDSR-001", "IDSR-002", "IDSR-048",
    ]  # fmt: skip


# ---- what happens


def test_poisson_counts_are_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    u, mean = rng.random(20_000), np.concatenate([rng.gamma(0.3, 2, 10_000), rng.gamma(2, 60, 10_000)])
    assert (poisson(u, mean) == stats.poisson.ppf(u, mean)).all()
    assert poisson(np.array([0.0, 0.999]), np.zeros(2)).tolist() == [0, 0]


def test_a_week_is_a_function_of_the_country(country: World) -> None:
    one, same = (week_counts(country.roster, WEEK, AT) for _ in range(2))
    assert (one.cases == same.cases).all() and (one.deaths == same.deaths).all()
    assert one.cases.shape == (len(country.facilities), 24, 2)
    assert (one.cases != week_counts(country.roster, WEEK + timedelta(days=7), AT).cases).any()
    assert (one.cases >= one.deaths).all() and (one.deaths >= 0).all()


def test_weekly_diseases_are_frequent_and_immediate_ones_rare(three_years: np.ndarray[Any, Any]) -> None:
    by_disease = three_years.reshape(24, 30, -1).sum(axis=1).mean(axis=1)
    weekly = np.array([not d.immediate for d in DISEASES])
    assert by_disease[[position(c) for c in ("ILI", "DIARRHOEA", "MALARIA_SIMPLE")]].min() > 300
    assert np.median(by_disease[weekly]) > 50 * np.median(by_disease[~weekly])


def test_malaria_and_diarrhoea_have_their_seasons(three_years: np.ndarray[Any, Any]) -> None:
    month = np.array([(date(2023, 1, 5) + timedelta(days=7 * n)).month for n in range(156)])
    whole = three_years.reshape(24, 30, -1).sum(axis=1)
    malaria, diarrhoea = whole[position("MALARIA_SIMPLE")], whole[position("DIARRHOEA")]
    assert malaria[month == 6].mean() > 1.4 * malaria[month == 9].mean()
    assert diarrhoea[month == 8].mean() > 1.3 * diarrhoea[month == 2].mean()


def test_a_closed_facility_has_no_cases(country: World) -> None:
    one = week_counts(country.roster, date(2020, 1, 6), AT)
    later = [i for i, f in enumerate(country.facilities) if f.opening_date > date(2020, 1, 13)]
    assert later and one.cases[later].sum() == 0 and one.cases.sum() > 0


def test_malaria_districts_see_more_of_it(country: World, three_years: np.ndarray[Any, Any]) -> None:
    by_district = three_years.reshape(24, 30, -1)[position("MALARIA_SIMPLE")].sum(axis=1)
    codes = geography.districts()["code"].to_list()
    assert by_district[codes.index("501")] > 2 * by_district[codes.index("404")]


# ---- outbreaks


def test_outbreaks_are_those_declared_and_those_of_the_seed() -> None:
    found = outbreaks(1, 0.05)
    assert set(DECLARED) < set(found) and found == outbreaks(1, 0.05) != outbreaks(2, 0.05)
    drawn = [o for o in found if o not in DECLARED]
    assert len(drawn) > 7 * (LAST_YEAR - FIRST_YEAR + 1)
    assert set(DECLARED) < set(outbreaks(2, 0.3))
    for outbreak in found:
        assert outbreak.first_week.weekday() == 0 and outbreak.weeks > 0 and outbreak.size > 0
        assert outbreak.disease in by_code()


def test_no_two_outbreaks_of_a_disease_and_district_run_into_each_other() -> None:
    for seed in (1, 2, 3):
        last: dict[tuple[str, str], Outbreak] = {}
        for outbreak in outbreaks(seed, 0.05):
            before = last.get((outbreak.disease, outbreak.district))
            assert before is None or before.end + timedelta(days=28) <= outbreak.first_week
            last[outbreak.disease, outbreak.district] = outbreak


@pytest.mark.parametrize("outbreak", DECLARED, ids=lambda o: f"{o.disease}-{o.first_week}")
def test_a_declared_outbreak_happens_in_its_district_and_weeks(country: World, outbreak: Outbreak) -> None:
    usual = idsr_truth.district_counts(country.roster, outbreak.first_week - timedelta(days=7 * 20), 18, AT)
    series = idsr_truth.series().index((outbreak.disease, outbreak.district))
    struck = idsr_truth.district_counts(country.roster, outbreak.first_week, outbreak.weeks, AT)[series]
    extra = struck.sum() - usual[series].mean() * outbreak.weeks
    assert 0.6 * outbreak.size - 12 < extra < 1.5 * outbreak.size + 12
    assert outbreak.curve().sum() == pytest.approx(1) and len(outbreak.curve()) == outbreak.weeks


def test_rules_can_be_judged_by_the_truth(country: World, three_years: np.ndarray[Any, Any]) -> None:
    found = idsr_truth.in_series(outbreaks(1, 0.05), date(2023, 1, 2), 156)
    assert len(found) > 20
    for outbreak in found:
        assert 0 <= outbreak.series < len(three_years) and outbreak.start + outbreak.weeks <= 156
    judged = evaluate(three_years, found, {"c2": ears_c2, "never": lambda c: fixed_threshold(c, 10**9)}, settling=2)
    assert judged["c2"].sensitivity is not None and judged["c2"].sensitivity > 0.3
    assert judged["c2"].false_alarm_rate is not None and judged["c2"].false_alarm_rate < 0.1
    assert judged["never"].sensitivity == 0
    # the same rule on the same weeks finds fewer outbreaks where there are none
    elsewhere = [type(o)((o.series + 7) % len(three_years), o.start, o.weeks) for o in found]
    chance = evaluate(three_years, elsewhere, {"c2": ears_c2}, settling=2)["c2"].sensitivity
    assert chance is not None and judged["c2"].sensitivity > 2 * chance


# ---- the weekly notifications


def week_of(store: ClinicalStore, resource: str = "notifications", week: date = WEEK) -> pl.DataFrame:
    return store.records(resource, local_midnight(week), local_midnight(week + timedelta(days=7)))


def counted(frame: pl.DataFrame) -> pl.DataFrame:
    bands = frame.select("facility", "disease", pl.col("bands")).explode("bands").unnest("bands")
    return bands.select("facility", "disease", "age_group", "cases", "deaths")


def test_a_facility_that_reports_names_every_disease_and_zeros(store: ClinicalStore) -> None:
    found = week_of(store)
    by_facility = found.group_by("facility").agg(pl.len(), pl.col("disease").n_unique())
    assert set(by_facility["len"]) == set(by_facility["disease"]) == {24}
    zero = counted(found).group_by("facility", "disease").agg(pl.col("cases").sum()).filter(cases=0)
    assert zero.height > 0.5 * found.height
    forms = {store.shelf.story().facilities[at].form for at in by_facility["facility"]}
    assert forms == {"hospital", "centre", "private"}
    expected = store.world.idsr_week(WEEK).reports.expected.sum()
    assert by_facility.height < expected, "some do not report, and have no notification at all"


def test_ids_are_unique_and_say_nothing_of_time(store: ClinicalStore) -> None:
    for resource in ("notifications", "cases"):
        found = store.records(resource, local_midnight(date(2026, 1, 1)), local_midnight(date(2026, 3, 1)))
        assert found["id"].is_unique().all()
        order = np.corrcoef(found.sort("id")["_happened"].to_numpy(), np.arange(found.height))[0, 1]
        assert abs(order) < 0.1


def test_what_is_notified_in_the_end_is_true(country: World, story: Story) -> None:
    """But for the reports whose correction never reached this path."""
    told = idsr.tell_notifications(story, date(2026, 6, 1)).filter(week=WEEK)
    true = idsr.true_counts(story, WEEK)
    rows = counted(told)
    band = {"0_4": 0, "GE5": 1}
    said = [
        true.cases[f, position(d), band[b]] == c
        for f, d, b, c in rows.select("facility", "disease", "age_group", "cases").iter_rows()
    ]
    assert 0.99 < np.mean(said) < 1.0
    first = told.select("facility", "disease", bands="_was_bands")
    changed = told.filter(pl.col("_edited") < 2**61)
    assert changed.height > 0
    joined = changed.join(first, on=["facility", "disease"], suffix="_first")
    assert (joined["bands"] != joined["bands_first"]).all()


def test_a_correction_is_seen_when_it_comes(story: Story) -> None:
    world = World(scale=0.05, today=WEEK + timedelta(days=120))
    mine = world.clinical.store("idsr")
    after = week_of(mine)
    edited = after.filter(pl.col("_updated") > pl.col("_created"), ~pl.col("_deleted"))
    assert edited.height > 0
    moment = int(edited["_updated"].min())  # type: ignore[arg-type]
    world.set_now(datetime.fromtimestamp(moment / 1000 - 1, KIGALI))
    before = week_of(mine)
    one = edited.filter(pl.col("_updated") == moment)["id"][0]
    old, new = (f.filter(id=one).row(0, named=True) for f in (before, after))
    assert old["bands"] != new["bands"] and old["_updated"] == old["_created"]


def test_the_two_paths_tell_nearly_the_same_week(country: World, store: ClinicalStore) -> None:
    direct = counted(week_of(store).filter(~pl.col("_deleted")))
    uids = {
        catalogue.by_code()[element_code(at, what)].uid: (at, what)
        for at in range(len(DISEASES))
        for what in ("cases", "deaths")
    }
    combos = {c.uid: c.code for c in catalogue.option_combos("IDSR")}
    place = {f.uid: i for i, f in enumerate(country.facilities)}
    dhis2 = pl.DataFrame(
        [
            (
                place[r["org_unit"]],
                DISEASES[uids[r["data_element"]][0]].code,
                combos[r["category_option_combo"]],
                int(r["value"]),
            )
            for r in country.week_values(WEEK).to_dicts()
            if uids[r["data_element"]][1] == "cases"
        ],
        schema=["facility", "disease", "age_group", "cases"],
        orient="row",
    )
    both = direct.join(dhis2, on=["facility", "disease", "age_group"], suffix="_dhis2")
    positive = both.filter((pl.col("cases") > 0) | (pl.col("cases_dhis2") > 0))
    differ = positive.filter(pl.col("cases") != pl.col("cases_dhis2")).height / positive.height
    assert 0 < differ < 0.05
    assert set(direct["facility"]) - set(dhis2["facility"]) and set(dhis2["facility"]) - set(direct["facility"])


# ---- cases


@pytest.fixture(scope="module")
def cases(store: ClinicalStore) -> pl.DataFrame:
    return store.records("cases")


def test_cases_are_of_immediate_diseases_and_about_as_many_as_are_counted(
    country: World, story: Story, cases: pl.DataFrame
) -> None:
    assert set(cases["disease"]) <= {d.code for d in DISEASES if d.immediate}
    weeks = [date(2026, 1, 5) + timedelta(days=7 * n) for n in range(16)]
    immediate = [i for i, d in enumerate(DISEASES) if d.immediate]
    true = sum(int(idsr.true_counts(story, week).cases[:, immediate].sum()) for week in weeks)
    found = cases.filter(pl.col("day") >= weeks[0], pl.col("day") < weeks[-1] + timedelta(days=7)).height
    assert 0.75 * true < found < true


def test_no_case_is_lost_where_a_week_straddles_two_months(story: Story) -> None:
    week = date(2026, 6, 29)
    told = pl.concat([idsr.tell_cases(story, m) for m in (date(2026, 6, 1), date(2026, 7, 1))])
    inside = told.filter(pl.col("day") >= week, pl.col("day") < week + timedelta(days=7))
    assert {day.month for day in inside["day"]} == {6, 7}
    whole = idsr_cases.week_of(story, idsr.roster(story), week, idsr.true_counts(story, week))
    assert inside.sort("id").equals(whole.sort("id"))
    assert told["id"].is_unique().all()


def test_most_cases_are_notified_within_a_day(cases: pl.DataFrame) -> None:
    waited = (pl.Series(cases["_created"]) - cases["_happened"]) / moments.DAY_MS
    prompt = float((waited < 1).mean())  # type: ignore[arg-type]
    assert prompt == pytest.approx(0.82, abs=0.03) and (waited > 0).all()


def test_most_persons_are_known_to_the_clinical_systems(story: Story, cases: pl.DataFrame) -> None:
    known = everybody(story)
    tracked = np.isin(cases["_person"].to_numpy(), known.persons.key[known.kind != RESIDENT])
    there = np.isin(cases["_person"].to_numpy(), known.persons.key)
    assert there.mean() > 0.85 and tracked.mean() > 0.2


def test_persons_are_of_the_age_that_is_written(country: World, store: ClinicalStore, cases: pl.DataFrame) -> None:
    assert (cases["age_years"] >= 0).all() and (cases["age_months"] < 12).all()
    newborn = cases.filter(pl.col("disease").is_in(["PERINATAL_DEATH", "NEONATAL_TETANUS"]))
    assert newborn.height > 100 and (newborn["age_years"] == 0).all() and (newborn["age_months"] == 0).all()
    mothers = cases.filter(disease="MATERNAL_DEATH")
    assert mothers.height > 10 and (mothers["age_years"] >= 14).all()
    assert (mothers["sex"] == "F").mean() > 0.97  # type: ignore[operator]


def test_children_with_measles_had_no_dose_of_the_vaccine(country: World, store: ClinicalStore) -> None:
    """As the immunization tracker has it: no dose of measles and rubella before they fell ill."""
    tracker = country.tracker("immunization_tracker")
    programme = tracker.instance.programmes[0]
    dose = next(e.uid for s in programme.stages for e in s.data_elements if e.code == "IMM_MR1")
    events = tracker.frame("events", programme.uid).filter(
        pl.col("data_values").list.eval(pl.element().struct.field("data_element") == dose).list.any()
    )
    given = events.join(tracker.truth("events"), on="uid").select("person", vaccinated="occurred_at")
    assert given.height > 1000
    sick = store.records("cases").filter(pl.col("disease") == "MEASLES", pl.col("age_years") < 5)
    sick = sick.join(store.truth("cases"), on="id")
    assert sick.height > 30
    assert sick.join(given, on="person").filter(pl.col("vaccinated") < pl.col("day")).is_empty()
    # once there are enough children of the trackers' time, most are such
    children = pl.Series(people.person_uid(store.shelf.story().life.births.persons.key))
    lately = sick.filter(pl.col("day") >= date(2026, 1, 1))
    assert lately.height > 10 and lately["person"].is_in(children.implode()).mean() > 0.8  # type: ignore[operator]


def test_maternal_and_perinatal_deaths_are_those_of_life(country: World, story: Story, store: ClinicalStore) -> None:
    events = idsr_life.notifiable(story.life)
    born = story.life.births
    mothers = set(people.person_uid(born.persons.mother[events["MATERNAL_DEATH"].row]))
    children = set(people.person_uid(born.persons.key[events["PERINATAL_DEATH"].row]))
    truth = store.records("cases").join(store.truth("cases"), on="id")
    for disease, them in (("MATERNAL_DEATH", mothers), ("PERINATAL_DEATH", children)):
        notified = truth.filter(disease=disease)
        assert set(notified["person"]) <= them and (notified["outcome"] == "DEAD").all()
    # and so the audit of the HMIS tracker is about the same women
    audits = country.tracker("hmis_tracker").truth("tracked_entities")["person"]
    assert audits.is_in(list(mothers)).any()
    weeks = [date(2026, 1, 5) + timedelta(days=7 * n) for n in range(20)]
    at = position("MATERNAL_DEATH")
    told = sum(int(idsr.true_counts(story, week).cases[:, at].sum()) for week in weeks)
    begin, end = moments.day_number(weeks[0]), moments.day_number(weeks[-1]) + 7
    days = events["MATERNAL_DEATH"].day
    assert 0.9 * ((days >= begin) & (days < end)).sum() <= told <= ((days >= begin) & (days < end)).sum()


def test_events_of_life_are_counted_where_and_when_they_were(story: Story) -> None:
    found = idsr_life.in_week(story.life, idsr_life.notifiable(story.life), WEEK)
    assert found is not None
    first = moments.day_number(WEEK)
    for frame in found.values():
        assert frame["day"].is_between(first, first + 6).all()
    assert idsr_life.in_week(story.life, idsr_life.notifiable(story.life), date(2024, 12, 30)) is None
    counts: Counts = week_counts(idsr.roster(story), WEEK, AT, found)
    open_ones = set(idsr.roster(story).uids)
    assert counts.cases[:, position("PERINATAL_DEATH")].sum() == sum(
        f in open_ones for f in found["PERINATAL_DEATH"]["facility"]
    )
    assert (counts.deaths == counts.cases)[:, position("PERINATAL_DEATH")].all()


def test_a_case_notified_twice_is_one_person(store: ClinicalStore) -> None:
    frame = store.records("cases").select("id", "facility", "disease", "_person", "day")
    pairs = frame.group_by("_person", "disease", "day").agg(pl.len(), pl.col("facility").n_unique())
    twice = pairs.filter(pl.col("len") > 1)
    assert 10 < twice.height < 0.03 * frame.height
    assert (twice["facility"] == 2).mean() > 0.95  # type: ignore[operator]


def test_a_classification_is_suspected_until_the_laboratory_answers(story: Story) -> None:
    told = idsr.tell_cases(story, date(2026, 4, 1))
    tested = told.filter(pl.col("specimen").is_not_null())
    assert set(tested["_was_classification"]) == {"SUSPECTED"}
    assert set(tested["classification"]) == {"CONFIRMED", "DISCARDED"} and (tested["_edited"] < 2**61).all()
    assert (told.filter(pl.col("specimen").is_null())["_edited"] > 2**61).all()


# ---- over HTTP


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


def shown(sandbox: Sandbox) -> dict[str, str]:
    return {"Authorization": f"ApiKey {sandbox.credentials['idsr']['token']}"}


def get(sandbox: Sandbox, path: str, given: dict[str, str] | None = None, **params: Any) -> requests.Response:
    url = f"{sandbox.urls['idsr']}/api/v1/{path}"
    return requests.get(url, params=params, headers=shown(sandbox) if given is None else given, timeout=60)


def everything(sandbox: Sandbox, path: str, limit: int = 300, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        reply = get(sandbox, path, offset=len(rows), limit=limit, **params)
        assert reply.status_code == 200, reply.text
        rows += reply.json()
        if len(rows) >= int(reply.headers["X-Total-Count"]):
            return rows


def test_only_the_key_passes(served: Sandbox) -> None:
    for given in (
        {},
        {"Authorization": "ApiKey x"},
        {"Authorization": f"Bearer {served.credentials['idsr']['token']}"},
    ):
        reply = get(served, "notifications", given, **EPI)
        assert reply.status_code == 401 and reply.headers["WWW-Authenticate"] == "ApiKey"
        assert served.credentials["idsr"]["token"] not in reply.text


def test_a_week_is_read_page_by_page(served: Sandbox) -> None:
    rows = everything(served, "notifications", **EPI)
    assert {(r["epiWeek"], r["weekStart"]) for r in rows} == {("2026W24", "2026-06-08")}
    assert len({r["id"] for r in rows}) == len(rows) == week_of(served.clinical["idsr"].store).height
    assert rows == everything(served, "notifications", limit=1000, **EPI)
    one = rows[0]
    assert one["facility"]["code"][0] == "F" and len(one["facility"]["code"]) >= 5
    zero = [r for r in rows if r["zeroReport"]]
    assert zero and all(g["cases"] == g["deaths"] == 0 for r in zero for g in r["ageGroups"])
    assert all(any(g["cases"] for g in r["ageGroups"]) for r in rows if r["zeroReport"] is False)


def test_week_53_and_the_turn_of_the_year() -> None:
    with running_sandbox(scale=0.01, today=date(2027, 2, 1)) as sandbox:
        rows = everything(sandbox, "notifications", epiWeek="2026W53")
        assert rows and {r["weekStart"] for r in rows} == {"2026-12-28"}
        assert {r["epiWeek"] for r in everything(sandbox, "notifications", epiWeek="2027W01")} == {"2027W01"}
        assert get(sandbox, "notifications", epiWeek="2027W53").status_code == 422


def test_cases_are_placed_by_the_day_they_were_seen(served: Sandbox) -> None:
    rows = everything(served, "cases", epiWeek="2026W27")
    assert rows and {r["epiWeek"] for r in rows} == {"2026W27"}
    assert {r["consultationDate"] for r in rows} <= {f"2026-06-{d}" for d in (29, 30)} | {
        f"2026-07-0{d}" for d in range(1, 6)
    }
    assert all(r["disease"]["reporting"] == "IMMEDIATE" for r in rows)


def test_one_disease_can_be_asked_for(served: Sandbox) -> None:
    rows = everything(served, "notifications", disease="MEASLES", **EPI)
    assert {r["disease"]["code"] for r in rows} == {"MEASLES"}
    assert get(served, "notifications", disease="PLAGUE", **EPI).status_code == 422
    listed = get(served, "diseases").json()["data"]
    assert [d["code"] for d in listed] == [d.code for d in DISEASES]


def test_changes_and_deletions_are_seen_by_their_time() -> None:
    with running_sandbox(scale=0.01) as sandbox:
        mine, world = sandbox.clinical["idsr"].store, sandbox.world
        world.advance(hours=6)
        since = f"{world.now:%Y-%m-%dT%H:%M:%S}+02:00"
        rows = week_of(mine).filter(~pl.col("_deleted"))
        mine.edit(
            "notifications",
            rows["id"][0],
            {"bands": [{"age_group": "0_4", "cases": 7, "deaths": 1}, {"age_group": "GE5", "cases": 0, "deaths": 0}]},
        )
        mine.delete("notifications", rows["id"][1])
        found = {r["id"]: r for r in everything(sandbox, "notifications", updatedSince=since)}
        assert set(found) == {rows["id"][0], rows["id"][1]}
        assert found[rows["id"][0]]["ageGroups"][0] == {"ageGroup": "0-4", "cases": 7, "deaths": 1}
        gone = found[rows["id"][1]]
        assert (gone["status"], gone["zeroReport"], gone["ageGroups"]) == ("DELETED", None, None)
        assert gone in everything(sandbox, "notifications", **EPI), "a tombstone stays in its week"
        case = week_of(mine, "cases").filter(~pl.col("_deleted"))["id"][0]
        mine.delete("cases", case)
        tombstone = next(r for r in everything(sandbox, "cases", updatedSince=since) if r["id"] == case)
        assert tombstone["patient"] is None and tombstone["epidNumber"] is None and tombstone["consultationDate"]


def test_every_record_of_two_years_is_as_the_contract_says(served: Sandbox) -> None:
    document = yaml.safe_load((FOLDER / "idsr.yaml").read_text(encoding="utf-8"))
    for path, name in (("notifications", "Notification"), ("cases", "Case")):
        check = Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        weeks = ("2025W02", "2026W24") if path == "notifications" else None
        rows = (
            [r for w in weeks for r in everything(served, path, 1000, epiWeek=w)]
            if weeks
            else everything(served, path, 1000, updatedSince="2025-01-01T00:00:00+02:00")
        )
        assert len(rows) > 1000
        assert [e.message for r in rows for e in check.iter_errors(r)] == []
        assert not any(name.startswith("_") or name == "person" for r in rows for name in r)


def test_the_list_of_the_contract_is_that_of_the_country() -> None:
    document = yaml.safe_load((FOLDER / "idsr.yaml").read_text(encoding="utf-8"))
    assert document["components"]["schemas"]["DiseaseCode"]["enum"] == [d.code for d in DISEASES]


@pytest.mark.slow
@contract("idsr").parametrize()
@FEW
def test_the_server_keeps_its_contract(case: Any, served: Sandbox) -> None:
    # a pattern cannot say which years have 53 weeks
    between = ("is required", "must be of the form ISO 8601 week", "must be of the form yyyy-MM-ddTHH:mm:ss")
    hold(case, served, "idsr", shown(served), between)
