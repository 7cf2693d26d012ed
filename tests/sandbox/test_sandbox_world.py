"""The country: the same every time, of the right size, and wrong in the ways real data is."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from hic_assets.sandbox import World
from hic_assets.sandbox.world import catalogue, geography, indicators, memo, reporting, values
from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.roster import KIGALI, local_midnight

MAY = date(2026, 5, 1)
# what a monthly national total must lie in: domain trap 22 and 2.6 divided by twelve
ANCHORS = {
    "OPD_NEW": (1.7e6, 2.4e6),
    "DEL_TOTAL": (25_000, 33_500),
    "MAL_RDT_POS": (35_000, 75_000),
    "HIV_TESTED": (220_000, 340_000),
    "HIV_ART_CURR": (195_000, 260_000),
    "TB_NOTIFIED": (550, 900),
    "TB_PRESUMPTIVE": (10_000, 15_500),
}


@pytest.fixture(scope="module")
def country() -> World:
    return World(scale=1.0)


@pytest.fixture(scope="module")
def may(country: World) -> pl.DataFrame:
    return country.data_values(MAY)


@pytest.fixture
def small() -> World:
    return World(scale=0.02)


def total(frame: pl.DataFrame, code: str) -> float:
    found = frame.filter(pl.col("data_element") == catalogue.by_code()[code].uid)
    return float(found["value"].cast(pl.Float64).sum())


def test_geography_is_rwandas() -> None:
    levels = pl.Series([u.level for u in geography.tree()]).value_counts().sort("").rows()
    assert dict(levels)[1] == 1
    assert dict(levels)[2] == 5
    assert dict(levels)[3] == 30
    assert dict(levels)[5] == 416
    assert geography.districts()["population_2022"].sum() == 13_246_394
    assert all(u.path.count("/") == u.level for u in geography.tree())
    assert len({u.name for u in geography.tree() if u.level == 5}) == 379


def test_national_scale_has_the_facilities_of_the_country(country: World) -> None:
    assert len(country.facilities) == 1281
    assert len({f.uid for f in country.facilities}) == 1281
    names = pl.Series([f.name for f in country.facilities])
    assert names.is_duplicated().sum() > 20
    codes = [f.code for f in country.facilities]
    assert None in codes
    assert any(c and len(c) < 4 for c in codes)
    assert sum(f.longitude is None for f in country.facilities) > 100
    places = [(f.longitude, f.latitude) for f in country.facilities if f.longitude]
    assert len(set(places)) < len(places)
    assert any(f.closed_date for f in country.facilities)
    assert any(f.opening_date > date(2023, 1, 1) for f in country.facilities)


@pytest.mark.parametrize("scale", [0.001, 0.02, 0.3, 2.0])
def test_every_district_has_a_hospital_and_two_health_centres(scale: float) -> None:
    facilities = World(scale=scale).facilities
    for code in geography.districts()["code"]:
        here = [f for f in facilities if f.district == code]
        assert sum(f.form == "hospital" for f in here) >= 1
        assert sum(f.type == "HC" for f in here) >= 2
    assert len({f.uid for f in facilities}) == len(facilities)


def test_same_seed_same_country_other_seed_another() -> None:
    first, other = World(seed=7, scale=0.02), World(seed=8, scale=0.02)
    month, year = first.truth(MAY), first.truth_yearly(2025)
    memo.forget()
    again = World(seed=7, scale=0.02)
    assert month.equals(again.truth(MAY))
    assert first.truth_registrations(MAY).equals(again.truth_registrations(MAY))
    assert year.equals(again.truth_yearly(2025))
    assert not month.equals(other.truth(MAY))
    assert [f.name for f in first.facilities] == [f.name for f in again.facilities]


def test_values_do_not_depend_on_what_they_are_asked_with(small: World) -> None:
    whole = small.truth(MAY)
    parts = [small.data_values(MAY, [f.uid], include_deleted=True) for f in small.facilities]
    assert pl.concat(parts).select(values.COLUMNS).sort(values.COLUMNS[:5]).equals(whole)
    element = small.element("ANC1")
    one = small.data_values(MAY, include_deleted=True, elements=frozenset([element])).select(values.COLUMNS)
    assert one.sort(values.COLUMNS[:5]).equals(whole.filter(pl.col("data_element") == element))


def test_keys_are_unique_and_columns_are_the_raw_ones(may: pl.DataFrame, small: World) -> None:
    assert not may.select(values.COLUMNS[:5]).is_duplicated().any()
    assert small.truth(MAY).columns == values.COLUMNS
    assert set(small.truth(MAY).dtypes) == {pl.String}


def test_a_national_month_has_the_rows_of_a_national_month(may: pl.DataFrame) -> None:
    assert 600_000 < may.height < 900_000


@pytest.mark.parametrize("code", list(ANCHORS))
def test_totals_lie_at_the_anchors(may: pl.DataFrame, code: str) -> None:
    low, high = ANCHORS[code]
    assert low < total(may, code) < high


def test_births_peak_in_may_and_malaria_after_the_rains(country: World) -> None:
    elements = frozenset(country.element(c) for c in ("DEL_LIVE_BIRTHS", "MAL_RDT_POS"))
    months = {m: country.data_values(date(2025, m, 1), elements=elements) for m in range(1, 13)}
    births = {m: total(f, "DEL_LIVE_BIRTHS") for m, f in months.items()}
    malaria = {m: total(f, "MAL_RDT_POS") for m, f in months.items()}
    assert max(births, key=births.__getitem__) == 5
    assert {m for m in malaria if malaria[m] > np.mean(list(malaria.values()))} >= {6, 12}
    assert malaria[3] < malaria[6]


def test_malaria_resurged_and_marburg_kept_people_away(country: World) -> None:
    elements = frozenset(country.element(c) for c in ("OPD_NEW", "MAL_RDT_POS"))
    before, after = (country.data_values(date(y, 7, 1), elements=elements) for y in (2023, 2024))
    assert total(after, "MAL_RDT_POS") > 1.4 * total(before, "MAL_RDT_POS")
    kigali = [f.uid for f in country.facilities if f.district in ("101", "102", "103") and not f.closed_date]
    quiet, usual = (country.data_values(date(y, 10, 1), kigali, elements=elements) for y in (2024, 2025))
    assert total(quiet, "OPD_NEW") < 0.9 * total(usual, "OPD_NEW")


def test_zeros_are_not_stored_and_typed_elements_hold_their_types(may: pl.DataFrame) -> None:
    assert (may["value"] == "0").sum() == 0
    for code, pattern in (("RPT_ELECTRICITY", r"^(true|false)$"), ("RPT_SENT_DATE", r"^\d{4}-\d\d-\d\d$")):
        found = may.filter(pl.col("data_element") == catalogue.by_code()[code].uid)
        assert found.height > 100
        assert found["value"].str.contains(pattern).all()
    spoken = {e.uid for e in catalogue.data_elements() if e.value_type in ("TEXT", "LONG_TEXT", "BOOLEAN", "DATE")}
    numeric = may.filter(~pl.col("data_element").is_in(list(spoken)))
    assert numeric["value"].str.contains(r"^-?\d+$").all()
    assert may["comment"].str.contains('\n|,|"').any()


def test_chains_hold_except_for_the_mistakes_planted(may: pl.DataFrame) -> None:
    codes = {catalogue.by_code()[c].uid: c for c in ("EPI_PENTA1", "EPI_PENTA3", "ANC1", "ANC4")}
    wide = (
        may.filter(pl.col("data_element").is_in(list(codes)))
        .with_columns(pl.col("value").cast(pl.Int64), code=pl.col("data_element").replace(codes))
        .pivot("code", index="org_unit", values="value", aggregate_function="sum")
        .drop_nulls()
    )
    assert (wide["EPI_PENTA3"] <= wide["EPI_PENTA1"]).to_numpy().mean() > 0.98
    above = (wide["ANC4"] > wide["ANC1"]).to_numpy().mean()
    assert 0.001 < above < 0.05


def test_stock_cards_balance_but_for_planted_errors(country: World) -> None:
    element = catalogue.by_code()["STK_ORS"]
    names = {c.uid: c.code for c in catalogue.option_combos("STOCK")}
    frame = country.data_values(MAY, elements=frozenset([element.uid]))
    wide = (
        frame.with_columns(pl.col("value").cast(pl.Int64), move=pl.col("category_option_combo").replace(names))
        .pivot("move", index="org_unit", values="value", aggregate_function="sum")
        .fill_null(0)
    )
    kept = wide["OPENING"] + wide["RECEIVED"] - wide["DISPENSED"] - wide["LOST"] == wide["CLOSING"]
    assert 0.9 < kept.to_numpy().mean() < 1.0
    drugs = frozenset(e.uid for e in catalogue.data_elements() if e.kind in ("stock_movement", "stockout_days"))
    stock = country.data_values(MAY, elements=drugs).with_columns(pl.col("value").cast(pl.Int64))
    assert (stock["value"] < 0).any()
    days = frozenset(e.uid for e in catalogue.data_elements() if e.kind == "stockout_days")
    assert (stock.filter(pl.col("data_element").is_in(list(days)))["value"] > 31).any()


def test_only_what_had_arrived_is_visible() -> None:
    early, late = World(scale=0.05, today=date(2026, 6, 4)), World(scale=0.05, today=date(2026, 9, 1))
    first, then = early.data_values(MAY), late.data_values(MAY)
    assert 0 < first.height < 0.75 * then.height
    assert (first["_ts"] <= early.now_ms).all()
    late.set_now(early.now)
    assert late.truth(MAY).equals(early.truth(MAY))
    assert early.data_values(date(2026, 7, 1)).height == 0


def test_public_facilities_are_on_time_and_private_ones_are_not(country: World) -> None:
    roster, made = country.reports(MAY)
    deadline = local_midnight(date(2026, 6, 1)) + reporting.TIMELY * reporting.DAY
    on_time = made.arrived <= deadline
    sent = made.arrived < 2**61
    private = roster.private[:, None] & made.expected & sent
    public = ~roster.private[:, None] & made.expected & sent
    assert 0.75 < on_time[public].mean() < 0.9
    assert 0.15 < on_time[private].mean() < 0.4
    assert sent[made.expected & ~roster.private[:, None]].mean() > 0.93


def test_expected_reports_follow_type_and_opening(country: World) -> None:
    roster, made = country.reports(MAY)
    posts = np.array([f.type == "HP" for f in country.facilities])
    assert not made.expected[posts][:, catalogue.MONTHLY.index("EPI_MONTHLY")].any()
    closed = np.array([f.closed_date is not None and f.closed_date < MAY for f in country.facilities])
    assert closed.any()
    assert not made.expected[closed].any()
    delivered = country.data_values(MAY, elements=frozenset([country.element("DEL_TOTAL")]))
    assert not set(delivered["org_unit"]) & {f.uid for f in country.facilities if f.form == "post"}
    assert len(roster) == 1281


def test_registrations_mostly_follow_the_data(country: World) -> None:
    found = country.registrations(MAY)
    assert (found["completed"] == "false").sum() > 0
    data_set = catalogue.data_set_uid("HC_MONTHLY")
    registered = set(found.filter(data_set=data_set)["org_unit"])
    with_data = set(country.data_values(MAY, elements=frozenset([country.element("ANC1")]))["org_unit"].to_list()) & {
        f.uid for f in country.facilities if f.form == "centre"
    }
    assert 0.96 < len(with_data & registered) / len(with_data) < 1.0
    roster, made = country.reports(MAY)
    assert ((made.registered <= country.now_ms) & (made.arrived > country.now_ms)).any()
    assert len(roster) == 1281


def test_one_value_is_seen_through_two_data_sets() -> None:
    bcg = catalogue.by_code()["EPI_BCG"]
    assert bcg in catalogue.data_set_elements("EPI_MONTHLY")
    assert bcg in catalogue.data_set_elements("DH_MONTHLY")


def test_catalogue_has_the_sections_and_uids_of_a_national_system() -> None:
    elements = catalogue.data_elements()
    assert len(elements) >= 80
    assert {e.section for e in elements} >= {
        "OPD", "ANC", "DELIVERY", "PNC", "EPI", "MALARIA", "HIV", "TB", "NUTRITION", "FP", "STOCK",
    }  # fmt: skip
    everything = [e.uid for e in elements]
    everything += [c.uid for combo in catalogue.COMBOS for c in catalogue.option_combos(combo)]
    everything += [i.uid for i in indicators.indicators()]
    assert len(set(everything)) == len(everything)
    assert all(len(u) == 11 and u[0].isalpha() and u.isalnum() for u in everything)
    assert catalogue.option_combos("DEFAULT")[0].uid == "BNTdWBe0N1F"


def test_indicators_hold_uids_of_the_catalogue() -> None:
    found = indicators.indicators()
    assert len(found) >= 45
    elements = {e.uid for e in catalogue.data_elements()}
    combos = {c.uid for combo in catalogue.COMBOS for c in catalogue.option_combos(combo)}
    for text in [i.numerator + " " + i.denominator for i in found]:
        for operand in pl.Series([text]).str.extract_all(r"#\{[^}]+\}").item():
            element, _, combo = operand[2:-1].partition(".")
            assert element in elements
            assert not combo or combo in combos
    assert set(indicators.UNCOMPILABLE) < {i.code for i in found}
    assert {i.type for i in found} == set(indicators.TYPES)


def test_population_is_yearly_and_adds_up(country: World) -> None:
    frame = country.year_values(2025)
    assert set(frame["period"]) == {"2025"}
    people, projected = total(frame, "POP_TOTAL"), total(frame, "POPD_TOTAL")
    assert 13.3e6 < people < 15e6
    assert people == pytest.approx(projected, rel=0.05)
    assert total(country.year_values(2023), "POP_TOTAL") > 1.04 * total(country.year_values(2022), "POP_TOTAL")


def test_edits_bump_last_updated_and_keep_the_key(small: World) -> None:
    before = small.truth(MAY)
    small.advance(days=1)
    edited = small.edit_values(MAY, fraction=0.001)
    after = small.truth(MAY)
    assert edited.height >= 1
    assert after.height == before.height
    changed = after.join(before, on=values.COLUMNS, how="anti", nulls_equal=True)
    assert changed.select(values.COLUMNS[:5]).equals(edited.select(values.COLUMNS[:5]).sort(values.COLUMNS[:5]))
    assert changed["last_updated"].str.starts_with("2026-09-16T10:00:00").all()
    since = small.data_values(MAY, since=small.now_ms)
    assert since.height == edited.height


def test_deletes_leave_tombstones_with_the_old_value(small: World) -> None:
    before = small.data_values(MAY)
    gone = small.delete_values(MAY, fraction=0.001)
    assert small.data_values(MAY).height == before.height - gone.height
    stones = small.data_values(MAY, include_deleted=True).filter(deleted="true")
    joined = stones.join(before, on=values.COLUMNS[:5], how="inner")
    assert joined.height == gone.height
    assert (joined["value"] == joined["value_right"]).all()


def test_reports_can_be_withheld_and_arrive_late(small: World) -> None:
    facility = next(f.uid for f in small.facilities if f.type == "HC")
    small.withhold(facility, "HC_MONTHLY", MAY)
    elements = frozenset([small.element("ANC1")])
    assert small.data_values(MAY, [facility], elements=elements).height == 0
    small.set_arrival(facility, "HC_MONTHLY", MAY, datetime(2026, 9, 20, 9, 0, tzinfo=KIGALI))
    assert small.data_values(MAY, [facility], elements=elements).height == 0
    small.advance(days=7)
    arrived = small.data_values(MAY, [facility], elements=elements)
    assert arrived.height > 0
    assert arrived["last_updated"].str.starts_with("2026-09-20T").all()


def test_uncompletion_removes_the_registration(small: World) -> None:
    row = small.truth_registrations(MAY).row(0, named=True)
    small.uncomplete(row["org_unit"], row["data_set"], MAY)
    left = small.truth_registrations(MAY).filter(data_set=row["data_set"], org_unit=row["org_unit"])
    assert left.height == 0


def test_a_move_changes_the_path_and_not_the_values(small: World) -> None:
    facility = next(f for f in small.facilities if f.district == "102" and f.type == "HC")
    before, there = small.truth(MAY), geography.sectors_of("507")[0]
    small.move_facility(facility.uid, there.uid)
    assert small.path(facility).startswith(there.path)
    assert small.truth(MAY).equals(before)
    assert facility.uid in small.inside(there.uid)


def test_a_new_facility_reports_before_it_is_listed(small: World) -> None:
    sector = geography.sectors_of("101")[0].uid
    own = small.add_facility("Nyabugogo HC", sector, "HC", code="9001", listed=False)
    assert own in small.truth(MAY)["org_unit"].to_list()
    assert not small.facilities[small.position[own]].listed
    with pytest.raises(ValueError, match="is not a sector"):
        small.move_facility(own, uid("nowhere"))


def test_big_months_come_in_bounded_pieces() -> None:
    country = World(scale=4.0)
    assert len(country.facilities) > 5000
    piece = country.data_values(MAY, country.inside(geography.by_uid()[geography.tree()[0].uid].uid)[:250])
    assert 50_000 < piece.height < 500_000
