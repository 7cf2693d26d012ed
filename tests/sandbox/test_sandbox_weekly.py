"""The weekly data set of the HMIS: its metadata, its weeks, what arrives when, and how it is asked over HTTP."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
import pytest
import requests

from hic_assets.periods import PeriodType, period_of
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.sandbox.world import catalogue, geography, memo, weekly
from hic_assets.sandbox.world.clinical import idsr
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES
from hic_assets.sandbox.world.roster import KIGALI, NEVER, local_midnight

WEEK = date(2026, 6, 8)
DATA_SET = catalogue.data_set_uid("IDSR_WEEKLY")
KEYS = ["data_element", "org_unit", "category_option_combo"]


@pytest.fixture
def world() -> World:
    return World(scale=0.02)


@pytest.fixture(scope="module")
def country() -> World:
    """For reading only."""
    return World(scale=0.05)


def read(reply: requests.Response) -> pl.DataFrame:
    assert reply.status_code == 200, reply.text[:500]
    return pl.read_csv(BytesIO(reply.content), infer_schema=False)


# ---- the form


def test_the_form_asks_for_cases_and_deaths_of_every_disease_by_two_ages() -> None:
    elements = catalogue.data_set_elements("IDSR_WEEKLY")
    assert [e.code for e in elements] == [f"IDSR-{n:03}" for n in range(1, 2 * len(DISEASES) + 1)]
    assert {e.combo for e in elements} == {"IDSR"} and all(e.zero_is_significant for e in elements)
    assert [c.code for c in catalogue.option_combos("IDSR")] == ["0_4", "GE5"]
    assert catalogue.by_code()["IDSR-001"] == catalogue.by_uid()[elements[0].uid]


def test_no_monthly_form_knows_of_it() -> None:
    weekly_ = {e.uid for e in catalogue.weekly_elements()}
    for code in catalogue.DATA_SETS:
        assert (code == "IDSR_WEEKLY") == bool(weekly_ & {e.uid for e in catalogue.data_set_elements(code)})
    assert not weekly_ & {e.uid for e in catalogue.data_elements()}
    assert catalogue.WEEKLY == ["IDSR_WEEKLY"] and "IDSR_WEEKLY" not in catalogue.MONTHLY


# ---- weeks


@pytest.mark.parametrize(
    ("monday", "period"),
    [
        (date(2026, 2, 9), "2026W7"),
        (date(2024, 12, 30), "2025W1"),
        (date(2026, 12, 28), "2026W53"),
        (date(2020, 12, 28), "2020W53"),
    ],
)
def test_a_week_is_named_by_the_iso_year_and_not_padded(monday: date, period: str) -> None:
    assert weekly.period_of(monday) == period == period_of(PeriodType.WEEKLY, monday).id


def test_the_weeks_of_a_world_begin_on_mondays_and_end_with_the_clock(world: World) -> None:
    weeks = world.weeks()
    assert weeks[0] == date(2022, 1, 3) and weeks[-1] == date(2026, 9, 14)
    assert all(week.weekday() == 0 for week in weeks)
    assert len({weekly.period_of(week) for week in weeks}) == len(weeks)
    assert world.week_values(date(2021, 12, 27)).is_empty() and world.week_values(date(2026, 9, 21)).is_empty()
    assert world.week_registrations(date(2021, 12, 27)).is_empty()


def test_a_year_of_53_weeks_has_53_reports_of_a_facility() -> None:
    world = World(scale=0.02, today=date(2027, 3, 1))
    of_2026 = [week for week in world.weeks() if week.isocalendar().year == 2026]
    assert len(of_2026) == 53 and of_2026[-1] == date(2026, 12, 28)
    last = world.week_values(of_2026[-1])
    assert last.height > 500 and set(last["period"]) == {"2026W53"}


# ---- what is told


def test_a_week_is_the_same_whoever_asks_and_in_whatever_parts(country: World) -> None:
    whole = country.week_values(WEEK, include_deleted=True).sort(KEYS)
    units = [f.uid for f in country.facilities]
    parts = [country.week_values(WEEK, units[i : i + 7], include_deleted=True) for i in range(0, len(units), 7)]
    assert whole.equals(pl.concat(parts).sort(KEYS))
    memo.forget()
    assert whole.equals(World(scale=0.05).week_values(WEEK, include_deleted=True).sort(KEYS))
    one = catalogue.by_code()["IDSR-003"].uid
    narrow = country.week_values(WEEK, elements=frozenset({one}), include_deleted=True)
    assert narrow.sort(KEYS).equals(whole.filter(pl.col("data_element") == one))
    assert not whole.equals(World(scale=0.05, seed=2).week_values(WEEK, include_deleted=True).sort(KEYS))


def test_facilities_that_report_are_those_the_form_is_assigned_to(country: World) -> None:
    units = {f.uid: f.form for f in country.facilities}
    found = country.week_values(WEEK)
    assert {units[u] for u in found["org_unit"].unique()} == {"hospital", "centre", "private"}
    assert found.select(KEYS).is_unique().all()
    assert set(found["category_option_combo"]) == {c.uid for c in catalogue.option_combos("IDSR")}


def test_zeros_are_reported_and_differ_from_no_report(country: World) -> None:
    cases = [e.uid for e in catalogue.weekly_elements()[::2]]
    found = country.week_values(WEEK, elements=frozenset(cases))
    by_unit = found.group_by("org_unit").agg(pl.len(), zeros=(pl.col("value") == "0").sum())
    full = by_unit.filter(pl.col("len") == 2 * len(cases))
    assert full.height > 0.85 * by_unit.height and full["zeros"].min() > len(cases) / 2  # type: ignore[operator]
    # a few leave cells without a case blank
    assert 0 < by_unit.filter(pl.col("zeros") == 0).height < 0.15 * by_unit.height
    silent = {f.uid for f in country.facilities if f.form in ("centre", "hospital")} - set(by_unit["org_unit"])
    assert silent


def test_deaths_never_exceed_cases_and_are_entered_beside_them_only(country: World) -> None:
    code = {e.uid: e.code for e in catalogue.weekly_elements()}
    seen = 0
    for week in (WEEK, WEEK + timedelta(days=7), WEEK + timedelta(days=14)):
        found = country.week_values(week).with_columns(
            number=pl.col("data_element").replace_strict(code).str.slice(5).cast(pl.Int64),
            amount=pl.col("value").cast(pl.Int64),
        )
        found = found.with_columns(disease=(pl.col("number") - 1) // 2, what=(pl.col("number") - 1) % 2)
        wide = found.pivot("what", index=["org_unit", "category_option_combo", "disease"], values="amount")
        deaths = wide.filter(pl.col("1").is_not_null())
        assert deaths.filter(pl.col("0").is_null() | (pl.col("1") > pl.col("0"))).height <= 0.01 * deaths.height
        seen += deaths.filter(pl.col("1") > 0).height
    assert seen > 5


def shares(world: World, *, private: bool) -> tuple[float, float]:
    """Completeness and timeliness of either path together, in twenty weeks."""
    expected = sent = timely = 0
    for number in range(20):
        monday = date(2026, 1, 5) + timedelta(days=7 * number)
        made = world.idsr_week(monday)
        of = made.reports.expected & ((made.roster.form == 3) == private)
        first = np.minimum(made.reports.direct.arrived, made.reports.dhis2.arrived)[of]
        expected += len(first)
        sent += int((first != NEVER).sum())
        timely += int((first < local_midnight(monday + timedelta(days=10))).sum())
    return sent / expected, timely / expected


def test_completeness_and_timeliness_are_those_of_the_country() -> None:
    world = World(scale=0.3)
    complete, timely = shares(world, private=False)
    assert complete == pytest.approx(0.967, abs=0.015) and timely == pytest.approx(0.808, abs=0.03)
    complete, timely = shares(world, private=True)
    assert complete == pytest.approx(0.428, abs=0.05) and timely == pytest.approx(0.253, abs=0.05)


def test_some_facilities_use_one_path_only(country: World) -> None:
    weeks = [country.idsr_week(WEEK + timedelta(days=7 * n)).reports for n in range(8)]
    direct = np.stack([w.direct.arrived != NEVER for w in weeks])
    dhis2 = np.stack([w.dhis2.arrived != NEVER for w in weeks])
    only_direct, only_dhis2 = direct.any(0) & ~dhis2.any(0), dhis2.any(0) & ~direct.any(0)
    assert only_direct.sum() > 0 and only_dhis2.sum() > 0
    assert (direct & dhis2).sum() > 0.75 * (direct | dhis2).sum()


def test_corrections_reach_both_paths_or_one() -> None:
    world = World(scale=0.3)
    made = world.idsr_week(WEEK)
    both = (made.reports.direct.arrived != NEVER) & (made.reports.dhis2.arrived != NEVER)
    direct, dhis2 = made.reports.direct.corrected != NEVER, made.reports.dhis2.corrected != NEVER
    for kind in (direct & dhis2, direct & ~dhis2, ~direct & dhis2):
        assert (kind & both).sum() > 0


def test_the_paths_say_the_same_but_for_a_hundredth_typed_wrongly_and_corrections() -> None:
    world = World(scale=0.3)
    wrong = cells = 0
    for number in range(4):
        monday = date(2026, 1, 5) + timedelta(days=7 * number)
        made = world.idsr_week(monday)
        uncorrected = (made.reports.dhis2.arrived != NEVER) & (made.final.cases == made.first.cases).all(axis=(1, 2))
        entered = made.first.cases[uncorrected]
        true = idsr.true_counts(world.clinical.story(), monday).cases[uncorrected]
        cells += int((true > 0).sum())
        wrong += int(((true != entered) & (true > 0)).sum())
        assert (entered[true == 0] == 0).all()
    assert wrong / cells == pytest.approx(0.01, abs=0.004)


def test_a_correction_changes_the_value_and_its_time_when_it_comes() -> None:
    world = World(scale=0.05, today=WEEK + timedelta(days=200))
    path = world.idsr_week(WEEK).reports.dhis2
    comes = path.corrected[path.corrected != NEVER].min()
    after = world.week_values(WEEK, include_deleted=True)
    world.set_now(datetime.fromtimestamp(int(comes) / 1000 - 60, KIGALI))
    before = world.week_values(WEEK, include_deleted=True)
    pair = before.join(after, on=KEYS, suffix="_after").filter(pl.col("last_updated") != pl.col("last_updated_after"))
    assert pair.height > 0 and (pair["last_updated_after"] > pair["last_updated"]).all()
    assert (pair["value"] != pair["value_after"]).all()
    world.set_now(datetime(2027, 1, 1, tzinfo=KIGALI))
    assert world.week_values(WEEK, since=int(comes), include_deleted=True).height >= pair.height


def test_nothing_of_a_week_comes_later_than_is_said() -> None:
    world = World(scale=0.3)
    for monday in (date(2026, 1, 5), date(2026, 2, 2), WEEK):
        settled = local_midnight(monday + timedelta(days=7 + 110))
        for path in (world.idsr_week(monday).reports.direct, world.idsr_week(monday).reports.dhis2):
            for moments in (path.arrived, path.corrected):
                assert moments[moments != NEVER].max() < settled
        assert world.week_may_have_changed(monday, settled) and not world.week_may_have_changed(monday, settled + 1)


def test_registrations_follow_the_reports(country: World) -> None:
    marks, values = country.week_registrations(WEEK), country.week_values(WEEK)
    reported = set(values["org_unit"])
    both = reported & set(marks["org_unit"])
    assert len(both) > 0.9 * len(reported) and marks["org_unit"].is_unique().all()
    assert set(marks["period"]) == {"2026W24"} and set(marks["data_set"]) == {DATA_SET}
    days = pl.Series(marks["date"]).str.to_date()
    assert (days >= WEEK + timedelta(days=7)).all()
    on_time = (days <= WEEK + timedelta(days=9)).mean()
    assert isinstance(on_time, float) and 0.6 < on_time < 0.95


# ---- changes made on purpose


def test_values_of_a_week_can_be_edited_deleted_and_set(world: World) -> None:
    before = world.week_values(WEEK)
    edited = world.edit_week_values(WEEK, fraction=0.01)
    assert 0 < edited.height < 0.05 * before.height
    now = world.week_values(WEEK, since=world.now_ms)
    assert now.select(KEYS).sort(KEYS).equals(edited.select(KEYS).sort(KEYS))
    deleted = world.delete_week_values(WEEK, fraction=0.01)
    assert world.week_values(WEEK).height == before.height - deleted.height
    facility = before["org_unit"][0]
    world.set_value(before["data_element"][0], "2026W24", facility, "77", before["category_option_combo"][0])
    found = world.week_values(WEEK, [facility])
    assert found.filter(data_element=before["data_element"][0], value="77").height == 1
    # a month that begins on the same Monday is another period
    world.edit_week_values(date(2026, 6, 1), fraction=0.01)
    assert set(world.data_values(date(2026, 6, 1))["period"]) == {"202606"}


def test_a_report_can_be_withheld_sent_late_and_taken_back(world: World) -> None:
    facility = world.week_values(WEEK)["org_unit"][0]
    world.withhold(facility, "IDSR_WEEKLY", WEEK)
    assert world.week_values(WEEK, [facility]).is_empty() and world.week_registrations(WEEK, [facility]).is_empty()
    world.set_arrival(facility, "IDSR_WEEKLY", WEEK)
    assert world.week_values(WEEK, [facility], since=world.now_ms).height > 40
    other = world.week_registrations(WEEK)["org_unit"][0]
    world.uncomplete(other, DATA_SET, WEEK)
    assert other not in world.week_registrations(WEEK)["org_unit"].to_list()
    with pytest.raises(ValueError, match="POP_YEARLY"):
        world.set_arrival(facility, "POP_YEARLY", WEEK)


def test_monthly_values_do_not_heed_a_weekly_arrival(world: World) -> None:
    june = date(2026, 6, 1)  # a Monday, and the first of a month
    before = world.truth(june), world.truth_registrations(june)
    facility = world.week_values(june)["org_unit"][0]
    world.withhold(facility, "IDSR_WEEKLY", june)
    assert world.truth(june).equals(before[0]) and world.truth_registrations(june).equals(before[1])


# ---- over HTTP


def ask(get: Any, **changes: Any) -> requests.Response:
    params = {
        "dataSet": DATA_SET,
        "period": "2026W24",
        "orgUnit": geography.COUNTRY.uid,
        "children": "true",
        "format": "csv",
        **changes,
    }
    reply: requests.Response = get("dataValueSets", params={k: v for k, v in params.items() if v is not None})
    return reply


def renamed(world: World, monday: date) -> pl.DataFrame:
    truth = world.truth_weekly(monday, include_deleted=False)
    return truth.rename({c: c.replace("_", "") for c in truth.columns})


def test_a_week_is_asked_for_padded_or_not(sandbox: Sandbox, get: Any) -> None:
    keys = ["dataelement", "period", "orgunit", "categoryoptioncombo", "attributeoptioncombo", "value", "lastupdated"]
    truth = renamed(sandbox.world, WEEK).select(keys).sort(keys)
    assert read(ask(get)).select(keys).sort(keys).equals(truth)
    padded = read(ask(get, period="2026W07"))
    assert set(padded["period"]) == {"2026W7"} and padded.height == read(ask(get, period="2026W7")).height


def test_a_week_that_is_none_is_no_period(get: Any) -> None:
    assert ask(get, period="2025W53").json()["errorCode"] == "E2002"
    assert ask(get, period="2026SunW7").json()["errorCode"] == "E2002"


def test_dates_select_whole_weeks_only(get: Any) -> None:
    found = read(ask(get, period=None, startDate="2026-06-09", endDate="2026-06-28"))
    assert set(found["period"]) == {"2026W25", "2026W26"}
    found = read(ask(get, period=None, startDate="2026-06-08", endDate="2026-06-27"))
    assert set(found["period"]) == {"2026W24", "2026W25"}


def test_a_data_set_holds_its_own_kind_of_period_only(get: Any) -> None:
    assert read(ask(get, period="202606")).is_empty()
    assert read(ask(get, dataSet=catalogue.data_set_uid("HC_MONTHLY"))).is_empty()


def test_registrations_of_a_week(sandbox: Sandbox, get: Any) -> None:
    params = {"dataSet": DATA_SET, "period": "2026W24", "orgUnit": geography.COUNTRY.uid, "children": "true"}
    rows = get("completeDataSetRegistrations", params=params).json()["completeDataSetRegistrations"]
    truth = sandbox.world.truth_weekly_registrations(WEEK)
    assert sorted(r["organisationUnit"] for r in rows) == sorted(truth["org_unit"])
    assert {r["period"] for r in rows} == {"2026W24"}


def test_metadata_name_the_weekly_form(get: Any) -> None:
    asked = {
        "filter": "periodType:eq:Weekly",
        "fields": "id,code,timelyDays,dataSetElements,organisationUnits",
        "paging": "false",
    }
    (found,) = get("dataSets", params=asked).json()["dataSets"]
    assert (found["id"], found["code"], found["timelyDays"]) == (DATA_SET, "IDSR_WEEKLY", 3.0)
    assert len(found["dataSetElements"]) == 48 and found["organisationUnits"]
    element = get("dataElements", params={"filter": "code:eq:IDSR-001", "fields": ":all"}).json()["dataElements"][0]
    assert element["zeroIsSignificant"] is True


def test_a_single_report_bears_its_keys_at_the_root() -> None:
    with running_sandbox(scale=0.02) as sandbox:
        unit = sandbox.world.week_registrations(WEEK)["org_unit"][0]
        params = {"dataSet": DATA_SET, "period": "2026W24", "orgUnit": unit}
        url, auth = f"{sandbox.url}/api/dataValueSets.json", (sandbox.username, sandbox.password)
        whole = requests.get(url, params=params, auth=auth, timeout=20).json()
        assert (whole["dataSet"], whole["period"], whole["orgUnit"]) == (DATA_SET, "2026W24", unit)
        assert whole["completeDate"] and whole["dataValues"]
        sandbox.world.version = "2.43.2"
        hoisted = requests.get(url, params=params, auth=auth, timeout=20).json()
        assert hoisted["period"] == "2026W24" and "period" not in hoisted["dataValues"][0]
