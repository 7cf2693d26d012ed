"""eFICHE: the contract, and whether its visits, laboratory and inventory are what they should be."""

from __future__ import annotations

import re
from datetime import date

import jsonschema
import numpy as np
import polars as pl
import pytest
import yaml
from clinical_contract import FEW, contract, hold
from clinical_help import efiche_pages, efiche_records, get, headers

from hic_assets.sandbox import Sandbox, World
from hic_assets.sandbox.server.clinical.contract import FOLDER
from hic_assets.sandbox.world.clinical import conditions, efiche, insurance
from hic_assets.sandbox.world.clinical.attendance import YEAR
from hic_assets.sandbox.world.clinical.base import standing
from hic_assets.sandbox.world.clinical.efiche_inventory import products
from hic_assets.sandbox.world.clinical.efiche_laboratory import POSITIVE
from hic_assets.sandbox.world.clinical.efiche_laboratory import tests as lab_tests
from hic_assets.sandbox.world.clinical.known import CHILD, HIV, MOTHER, RESIDENT, TB, everybody
from hic_assets.sandbox.world.clinical.story import Story, month_moments
from hic_assets.sandbox.world.roster import add_months
from hic_assets.sandbox.world.trackers import people
from hic_assets.sandbox.world.trackers.catalogue import instance
from hic_assets.sandbox.world.trackers.schema import TRACKED_ENTITIES

CONTRACT = yaml.safe_load((FOLDER / "efiche.yaml").read_text())
RESOURCES = {
    "visits": "Visit",
    "lab-orders": "LabOrder",
    "stock-movements": "StockMovement",
    "stock-balances": "StockBalance",
}
AUGUST, END = date(2026, 8, 1), date(2026, 8, 31)
MONTHS = [add_months(date(2025, 9, 1), n) for n in range(12)]


@pytest.fixture(scope="module")
def story() -> Story:
    return World(scale=0.05).clinical.story()


@pytest.fixture(scope="module")
def year(story: Story) -> pl.DataFrame:
    """A year of visits as they end up."""
    return pl.concat([efiche.tell_visits(story, m) for m in MONTHS])


# ---- the contract


@pytest.mark.slow
@FEW
@contract("efiche").parametrize()
def test_the_sandbox_keeps_the_contract(case: object, served: Sandbox) -> None:
    hold(case, served, "efiche", headers(served, "efiche"))


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_record_of_a_month_is_as_the_contract_says(sandbox: Sandbox, resource: str) -> None:
    schema = CONTRACT["components"]["schemas"][RESOURCES[resource]]
    judge = jsonschema.Draft202012Validator(schema | {"components": CONTRACT["components"]})
    records = efiche_records(sandbox, resource, AUGUST, END)
    assert len(records) > 300
    for record in records:
        judge.validate(record)
        assert set(record) == set(schema["properties"])
    gone = [r for r in records if r["deleted"]]
    assert 1 <= len(gone) < len(records) / 20
    kept = {"id", "fosa", "facility_name", "created_at", "updated_at", "deleted", "month"}
    kept |= {"visit_date", "ordered_on", "movement_date", "counted_on"}
    assert {name for r in gone for name, value in r.items() if value is not None} <= kept


def test_the_examples_are_as_the_contract_says() -> None:
    for resource, name in RESOURCES.items():
        page = CONTRACT["components"]["schemas"][f"{name}Page"] | {"components": CONTRACT["components"]}
        example = CONTRACT["components"]["examples"]["".join(p.capitalize() for p in resource.split("-"))]
        jsonschema.Draft202012Validator(page).validate(example["value"])


def test_codes_are_in_the_lists(sandbox: Sandbox) -> None:
    lists = {
        n: get(sandbox, "efiche", f"code-lists/{n}").json()["data"] for n in ("diagnoses", "lab-tests", "products")
    }
    codes = {n: {row["code"] for row in rows} for n, rows in lists.items()}
    visits = [v for v in efiche_records(sandbox, "visits", AUGUST, END) if not v["deleted"]]
    used = {d["code"] for v in visits for d in v["diagnoses"]}
    assert used - {None} <= codes["diagnoses"]
    assert None in used
    orders = [o for o in efiche_records(sandbox, "lab-orders", AUGUST, END) if not o["deleted"]]
    assert {r["test_code"] for o in orders for r in o["results"]} <= codes["lab-tests"]
    moves = [m for m in efiche_records(sandbox, "stock-movements", AUGUST, END) if not m["deleted"]]
    assert {m["product_code"] for m in moves} == codes["products"]
    # what only the sandbox knows is not told
    assert set(lists["diagnoses"][0]) == {"code", "label_fr", "label_en", "reference_system", "reference_code"}


def test_a_facility_is_asked_for_by_its_code_without_zeros(sandbox: Sandbox) -> None:
    everything = efiche_records(sandbox, "visits", AUGUST, END)
    one = everything[0]["fosa"]
    days = {"date_from": "01/08/2026", "date_to": "31/08/2026", "fosa": one}
    found = [r for page in efiche_pages(sandbox, "visits", **days) for r in page.json()["data"]]
    assert found == [r for r in everything if r["fosa"] == one]
    assert 0 < len(found) < len(everything)
    assert get(sandbox, "efiche", "visits", **days | {"fosa": "999999"}).json()["data"] == []
    assert get(sandbox, "efiche", "visits", **days | {"fosa": "x"}).status_code == 422


def test_facilities_are_of_the_registry_but_for_the_zeros(sandbox: Sandbox) -> None:
    codes = {f.code for f in sandbox.world.facilities if f.code}
    served = {r["fosa"] for r in efiche_records(sandbox, "visits", AUGUST, END)}
    assert all(not code.startswith("0") for code in served)
    assert served & {c.lstrip("0") for c in codes}
    # hospitals and health centres only
    kinds = {
        sandbox.world.facilities[i].form for i in efiche.facilities(sandbox.clinical["efiche"].store.shelf.story())
    }
    assert kinds == {"hospital", "centre"}


# ---- visits


def test_a_month_is_of_modest_size_and_larger_where_the_country_is(story: Story, year: pl.DataFrame) -> None:
    sizes = year.group_by(pl.col("day").dt.truncate("1mo")).len()["len"]
    assert len(sizes) == 12
    assert sizes.min() > 2_000  # type: ignore[operator]
    assert sizes.max() < 4_000  # type: ignore[operator]
    for tell in (efiche.tell_laboratory, efiche.tell_movements, efiche.tell_balances):
        assert 300 < tell(story, AUGUST).height < 4_000


def test_most_visitors_are_persons_the_trackers_know(story: Story, year: pl.DataFrame) -> None:
    known = everybody(story)
    at = np.searchsorted(known.persons.key, year["_person"].to_numpy())
    assert (known.persons.key[at] == year["_person"].to_numpy()).all()
    shares = np.bincount(known.kind[at], minlength=6) / year.height
    assert 0.25 < shares[RESIDENT] < 0.5
    assert shares[CHILD] > 0.1
    assert shares[MOTHER] > 0.15
    assert shares[HIV] > 0.05
    assert shares[TB] > 0.002
    # nobody comes before birth or after death
    day = year["day"].to_physical().to_numpy()
    assert (day >= known.persons.born[at]).all()
    assert (day < known.until[at]).all()
    assert (known.until < 2**39).sum() > 100


def test_a_person_is_the_same_in_the_trackers_and_has_the_same_upi_there(sandbox: Sandbox) -> None:
    tracker = sandbox.world.tracker("hmis_tracker")
    programme = next(p for p in instance("hmis_tracker").programmes if p.key == "birth_registration")
    upi = next(a.uid for a in programme.attributes if a.code == "UPI")
    entities = tracker.frame(TRACKED_ENTITIES, programme.uid).select("uid", "attributes").explode("attributes")
    numbers = entities.unnest("attributes").filter(pl.col("attribute") == upi).select("uid", upi="value")
    there = numbers.join(tracker.truth(TRACKED_ENTITIES), on="uid").select("person", "upi")
    store = sandbox.clinical["efiche"].store
    here = store.records("visits").filter(~pl.col("_deleted"), pl.col("upi").is_not_null())
    here = here.select(pl.Series("person", people.person_uid(here["_person"].to_numpy())), here="upi")
    both = here.join(there, on="person").group_by("person").agg((pl.col("here") == pl.col("upi")).any().alias("same"))
    assert both.height > 100
    assert 0.85 < both["same"].mean() < 1.0  # type: ignore[operator]


def test_who_is_found_to_have_tuberculosis_was_tested_shortly_before(story: Story) -> None:
    orders = pl.concat([efiche.tell_laboratory(story, m) for m in MONTHS]).explode("results").unnest("results")
    positive = orders.filter(
        pl.col("test_code").is_in(["GX", "BK"]),
        pl.col("value_text").str.contains("MTB|1\\+"),
        pl.col("status") == "COMPLETED",
    )
    patients = pl.DataFrame({"_person": story.life.tb.persons.key, "registered": story.life.tb.day.astype(np.int32)})
    found = positive.join(patients.unique("_person", keep="none"), on="_person", how="inner")
    assert positive.height > 15
    assert found.height > 0.6 * positive.height
    wait = (found["registered"].cast(pl.Int32) - found["day"].to_physical()).to_numpy()
    assert (np.isin(wait, range(6))).mean() > 0.9


def test_an_hiv_test_says_what_is_true(story: Story, year: pl.DataFrame) -> None:
    orders = pl.concat([efiche.tell_laboratory(story, m) for m in MONTHS[:6]]).explode("results").unnest("results")
    tested = orders.filter(pl.col("test_code") == "VIH")
    known = everybody(story)
    hiv = known.hiv[np.searchsorted(known.persons.key, tested["_person"].to_numpy())]
    positive = tested["value_text"].is_in(["REACTIF", "Positif"]).to_numpy()
    assert positive.sum() > 50
    assert (positive == hiv).all()


def test_identifiers_are_missing_wrong_and_repeated_as_they_are_in_life(story: Story, year: pl.DataFrame) -> None:
    upi, temp = year["upi"].is_not_null(), year["temp_id"].is_not_null()
    assert not (upi & temp).any()
    assert 0.5 < upi.mean() < 0.8  # type: ignore[operator]
    assert 0.005 < temp.mean() < 0.2  # type: ignore[operator]
    assert year["upi"].drop_nulls().str.contains(r"^\d{6}-\d{4}-\d{4}$").all()
    adults = year.filter(pl.col("age_years") >= 18)
    assert 0.6 < adults["nid"].is_not_null().mean() < 0.85  # type: ignore[operator]
    assert adults["nid"].drop_nulls().str.replace_all(" ", "").str.len_chars().unique().to_list() == [16]
    assert (year["birth_date"] == date(1900, 1, 1)).any()
    assert year["birth_date"].is_null().any()
    # the card of a person says the same at every visit; a few have a second card there
    cards = year.group_by("_person", "place").agg(pl.col("file_number").n_unique(), pl.len()).filter(pl.col("len") > 2)
    assert cards.height > 500
    assert 0.9 < (cards["file_number"] == 1).mean() < 1.0  # type: ignore[operator]


def test_insurance_follows_the_reform_of_july_2026(story: Story, year: pl.DataFrame) -> None:
    cbhi = year.filter(pl.col("insurance_scheme") == "CBHI")
    new = cbhi["insurance_category"].str.starts_with("L")
    assert not new.filter(cbhi["day"] < insurance.IMIBEREHO_FROM).any()
    assert 0.8 < new.filter(cbhi["day"] >= insurance.IMIBEREHO_FROM).mean() < 1.0  # type: ignore[operator]
    assert year.filter(pl.col("insurance_scheme") != "CBHI")["insurance_category"].is_null().all()
    assert (year["member_number"].is_null() == (year["insurance_scheme"] == "NONE")).all()
    shares = cbhi.filter(pl.col("insurance_category").str.starts_with("L"))["insurance_category"].value_counts(
        normalize=True
    )
    found = dict(shares.iter_rows())
    assert all(abs(found[level] - share) < 0.03 for level, share in insurance.IMIBEREHO.items())
    # who pays late is not covered in July, and is in June
    uninsured = {
        month: year.filter(pl.col("day").dt.truncate("1mo") == month)["insurance_scheme"].eq("NONE").mean()
        for month in (date(2026, 6, 1), date(2026, 7, 1))
    }
    assert uninsured[date(2026, 7, 1)] > uninsured[date(2026, 6, 1)] + 0.05  # type: ignore[operator]


def test_malaria_has_its_season_and_its_districts(story: Story, year: pl.DataFrame) -> None:
    first = year.select("day", "place", pl.col("diagnoses").list.first().struct.field("code"))
    malaria = first.with_columns(ill=pl.col("code").is_in(["P01", "P02", "P03"]).fill_null(False))
    by_month = dict(malaria.group_by(pl.col("day").dt.month()).agg(pl.col("ill").mean()).iter_rows())
    rain, dry = np.mean([by_month[m] for m in (5, 6, 11, 12)]), np.mean([by_month[m] for m in (2, 8, 9)])
    assert rain > 1.5 * dry
    high = conditions.endemic(story.seed, [f.district for f in story.facilities])
    assert 0.55 < len({f.district for f, h in zip(story.facilities, high, strict=True) if h}) / 30 < 0.7
    by_place = malaria.group_by(pl.Series(high[malaria["place"].to_numpy()])).agg(pl.col("ill").mean())
    shares = dict(by_place.iter_rows())
    assert shares[True] > 2.5 * shares[False]


def test_nobody_has_what_only_others_have(story: Story) -> None:
    came = efiche.month_of_visits(story, AUGUST)
    known, table = came.known(story), conditions.table()
    sex = table["sex"].to_list()
    for position, only in enumerate(sex):
        ill = came.condition == position
        if only:
            assert (known.persons.female[ill] == (only == "F")).all()
    pregnant = came.condition == conditions.position("pregnancy_check")
    assert ((came.day - known.persons.born)[pregnant] > 5 * YEAR).all()


# ---- codes


def test_every_condition_has_a_code_and_some_codes_are_wrong_as_printed() -> None:
    codes = efiche.diagnoses()
    found = conditions.coded(codes)
    assert len(found) == conditions.table().height
    systems = dict(codes["reference_system"].fill_null("none").value_counts().iter_rows())
    assert all(systems[s] >= 8 for s in ("ICD-10", "ICD-11", "none"))
    # what no coding system has, as the printed forms have it (trap 16)
    impossible = codes.filter(
        ~pl.col("reference_code").str.contains(r"^[A-Z]\d{2}(\.\d{1,2})?$|^[0-9A-Z]{2,4}(\.[0-9A-Z]+)?$")
    )
    assert {"B53.8.0", "L??"} <= set(impossible["reference_code"])
    printed = dict(codes.filter(pl.col("defect").is_not_null()).select("code", "reference_code").iter_rows())
    assert (printed["D01"], printed["O02"], printed["N04"], printed["F01"]) == ("A09.1", "H29.9", "F80-F89", "W46")
    assert codes.filter(pl.col("defect").is_null()).height > 30
    with pytest.raises(ValueError, match="malaria_simple"):
        conditions.coded(codes.filter(pl.col("code") != "P01"))


def test_the_right_codes_are_codes() -> None:
    table = conditions.table()
    assert table["icd10"].str.contains(r"^[A-Z]\d{2}(\.\d)?$").all()
    assert table["icd11"].drop_nulls().str.contains(r"^[0-9A-Z]{4}(\.[0-9A-Z]{1,2})?$").all()
    # LOINC numbers end with a check digit (Luhn)
    for code in lab_tests()["loinc"].drop_nulls():
        number, check = code.split("-")
        assert _luhn(number) == int(check), code
    assert products()["atc"].drop_nulls().str.contains(r"^[A-Z]\d{2}[A-Z]{2}(\d{2})?$").all()


def _luhn(number: str) -> int:
    digits = [int(d) for d in reversed(number)]
    total = sum(d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits))
    return -total % 10


# ---- the laboratory


def test_results_come_in_numbers_words_and_more_than_one_unit(story: Story) -> None:
    orders = pl.concat([efiche.tell_laboratory(story, m) for m in MONTHS])
    results = orders.explode("results").unnest("results").filter(pl.col("test_code").is_not_null())
    glucose = results.filter(pl.col("test_code") == "GLY", pl.col("value_numeric").is_not_null())
    means = dict(glucose.group_by("unit").agg(pl.col("value_numeric").mean()).iter_rows())
    assert 120 < means["mg/dL"] < 180
    assert 6.5 < means["mmol/L"] < 10
    # one analyser a facility
    assert glucose.group_by("place").agg(pl.col("unit").n_unique())["unit"].max() == 1
    numeric = results.filter(pl.col("unit").is_not_null())
    assert (numeric["value_numeric"].is_null() == numeric["value_text"].is_not_null()).all()
    typed = numeric["value_text"].drop_nulls()
    assert typed.str.contains(r"^\d+,\d+$").all()
    assert 10 < len(typed) < numeric.height / 10
    words = results.filter(pl.col("unit").is_null())["value_text"]
    assert words.null_count() == 0
    assert {"POSITIF", "NEGATIF", "POS", "NEG"} <= set(words)
    flagged = numeric.filter(pl.col("value_numeric") > pl.col("range_high"))
    assert flagged["flag"].unique().to_list() == ["H"]
    assert set(orders["status"]) == {"COMPLETED", "CANCELLED"}
    assert orders.filter(pl.col("status") == "CANCELLED")["results"].list.len().max() == 0
    assert orders.filter(pl.col("status") == "COMPLETED")["results"].list.len().min() == 1
    assert set(POSITIVE) <= set(lab_tests()["panel"])


def test_orders_belong_to_visits_of_the_same_person_and_day(story: Story, year: pl.DataFrame) -> None:
    orders = efiche.tell_laboratory(story, MONTHS[3])
    joined = orders.join(year, left_on="visit_id", right_on="id", how="left")
    for column in ("_person", "place", "day", "file_number", "upi"):
        assert joined[column].equals(joined[f"{column}_right"], null_equal=True), column


# ---- the inventory


def test_cards_sum_up_the_movements_and_carry_over_with_the_defects_of_cards(story: Story) -> None:
    key = ["place", "product_code"]
    cards, moved = [], []
    for month in MONTHS:
        cards.append(efiche.tell_balances(story, month).with_columns(month=pl.lit(month)))
        moved.append(efiche.tell_movements(story, month).with_columns(month=pl.lit(month)))
    card, move = pl.concat(cards), pl.concat(moved)
    sums = move.group_by([*key, "month"]).agg(
        received_=pl.col("quantity").filter(pl.col("kind") == "RECEIPT").sum(),
        issued_=pl.col("quantity").filter(pl.col("kind") == "ISSUE").sum(),
        lost_=pl.col("quantity").filter(pl.col("kind") == "LOSS").sum(),
        adjusted_=pl.col("quantity").filter(pl.col("kind") == "ADJUSTMENT").sum(),
    )
    joined = card.join(sums, on=[*key, "month"], how="left").fill_null(0)
    for name in ("received", "issued", "lost", "adjusted"):
        assert (joined[name] == joined[f"{name}_"]).all(), name
    balance = pl.col("opening") + pl.col("received") + pl.col("adjusted") - pl.col("issued") - pl.col("lost")
    balanced = card.select((balance == pl.col("closing")).mean()).item()
    assert 0.95 < balanced < 1.0
    before = card.select(*key, pl.col("month").dt.offset_by("1mo"), previous="closing")
    carried = card.join(before, on=[*key, "month"]).select((pl.col("opening") == pl.col("previous")).mean()).item()
    assert 0.95 < carried < 1.0
    # trap 17
    days = pl.col("month").dt.month_end().dt.day()
    assert card.filter(pl.col("closing") < 0).height > 3
    assert card.filter(pl.col("days_out") > days).height > 0
    assert card.filter((pl.col("closing") > 0) & (pl.col("days_out") > 0)).height == 0
    assert move.filter((pl.col("kind") != "ADJUSTMENT") & (pl.col("quantity") <= 0)).height == 0


def test_a_facility_that_is_closed_records_nothing() -> None:
    world = World(scale=0.02)
    story = world.clinical.story()
    used = efiche.facilities(story)
    shut = int(used[0])
    assert shut in efiche.tell_visits(story, AUGUST)["place"]
    world.facilities[shut].closed_date = date(2026, 8, 11)
    again = World(scale=0.02)
    again.facilities[shut].closed_date = date(2026, 8, 11)
    later = again.clinical.story()
    visits = efiche.tell_visits(later, AUGUST).filter(pl.col("place") == shut)
    assert visits.height > 0
    assert visits["day"].max() < date(2026, 8, 11)  # type: ignore[operator]
    for tell in (efiche.tell_visits, efiche.tell_balances, efiche.tell_movements):
        assert shut not in tell(later, date(2026, 9, 1))["place"]


def test_days_of_visits_are_days_of_the_month_and_few_are_sundays(year: pl.DataFrame) -> None:
    for month in MONTHS:
        begin, end = month_moments(month)
        part = year.filter(pl.col("_happened") >= begin, pl.col("_happened") < end)
        assert part["day"].dt.truncate("1mo").unique().to_list() == [month]
        assert (part["_entered"] >= part["_happened"]).all()
    assert (year["day"].dt.weekday() == 7).mean() < 0.02  # type: ignore[operator]
    assert not re.search("^_was", " ".join(standing(year, 2**60).columns))
