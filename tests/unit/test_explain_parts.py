"""What `hic explain` is made of, without a warehouse: what is meant by what was typed, which request brought a row, what agrees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.cli.explain_show import value_words
from hic_assets.explain.asked import asked_period
from hic_assets.explain.check import disagreement, number, same
from hic_assets.explain.loads import Sought, may_have_brought, path_of, sought
from hic_assets.explain.model import Indicator, Unit
from hic_assets.explain.project import clean, fact_measures, relation
from hic_assets.explain.resolve import Unknown, indicator_of, unit_of
from hic_assets.periods import NotAPeriod

INDICATORS = [
    Indicator("catalogue", "ANC1_COVERAGE", "ANC1_COVERAGE", "ANC first visit coverage"),
    Indicator("catalogue", "ZERO_DOSE", "ZERO_DOSE", "Zero-dose infants"),
    Indicator("dhis2", "IndAnc1Cove", "ANC1_COVERAGE", "Couverture CPN1"),
    Indicator("dhis2", "IndBedsAver", "BEDS", "Beds"),
]
UNITS = [
    Unit("RwandaRoot1", "Rwanda", "country"),
    Unit("DistGasabo1", "Gasabo District", "district", ("101",), "Gasabo District"),
    Unit("SectGasabo1", "Gasabo", "sector", (), "Gasabo District"),
    Unit("SectRemera1", "Remera", "sector", (), "Gasabo District"),
    Unit("FacRemera01", "Remera", "facility", ("0440",), "Gasabo District", "0440"),
    Unit("FacMuhima01", "Muhima DH", "facility", ("0022", "22"), "Gasabo District", "0022"),
    Unit("FacTwin0001", "Twin HC", "facility", (), "Gasabo District"),
    Unit("FacTwin0002", "twin  hc", "facility", (), "Bugesera"),
    Unit("DistTwins01", "Huye District", "district"),
    Unit("FacHuye0001", "Huye", "facility"),
]


@pytest.mark.parametrize(
    ("text", "kind", "label", "first", "last"),
    [
        ("202610", "month", "2026-10", "2026-10-01", "2026-10-31"),
        (" 2026-10 ", "month", "2026-10", "2026-10-01", "2026-10-31"),
        ("2026Q3", "quarter", "2026Q3", "2026-07-01", "2026-09-30"),
        ("2026q3", "quarter", "2026Q3", "2026-07-01", "2026-09-30"),
        ("2026", "year", "2026", "2026-01-01", "2026-12-31"),
        ("2026July", "fiscal_year", "fy_2026_27", "2026-07-01", "2027-06-30"),
        ("fy_2026_27", "fiscal_year", "fy_2026_27", "2026-07-01", "2027-06-30"),
        ("fy_1999_00", "fiscal_year", "fy_1999_00", "1999-07-01", "2000-06-30"),
    ],
)
def test_a_period_is_named_as_reports_name_it(text: str, kind: str, label: str, first: str, last: str) -> None:
    asked = asked_period(text)
    assert (asked.type, asked.label, str(asked.start), str(asked.end)) == (kind, label, first, last)


@pytest.mark.parametrize("text", ["2026W3", "2026-10-01", "2026S1", "2026April", "202613", "fy_2026_28", "October", ""])
def test_other_periods_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(NotAPeriod, match=r"202610, 2026-10|fy_2026_27"):
        asked_period(text)


def test_the_catalogue_comes_first_and_the_other_of_the_same_code_is_named() -> None:
    meant, note = indicator_of("anc1_coverage", INDICATORS)
    assert meant.kind == "catalogue"
    assert note is not None and "IndAnc1Cove" in note
    assert indicator_of("IndAnc1Cove", INDICATORS) == (INDICATORS[2], None)
    assert indicator_of("beds", INDICATORS) == (INDICATORS[3], None)


@pytest.mark.parametrize(("typed", "near"), [("ANC1_COVRAGE", "ANC1_COVERAGE"), ("zero-dose", "ZERO_DOSE")])
def test_an_unknown_indicator_has_near_matches(typed: str, near: str) -> None:
    with pytest.raises(Unknown, match=f"there is no indicator '{typed}': did you mean .*{near}"):
        indicator_of(typed, INDICATORS)


@pytest.mark.parametrize(
    ("typed", "uid"),
    [
        ("RwandaRoot1", "RwandaRoot1"),
        ("rwanda", "RwandaRoot1"),
        ("gasabo district", "DistGasabo1"),
        ("101", "DistGasabo1"),
        ("22", "FacMuhima01"),
        ("440", "FacRemera01"),
        ("Remera", "FacRemera01"),
        ("SectRemera1", "SectRemera1"),
        ("gasabo", "DistGasabo1"),
        ("Huye", "FacHuye0001"),
        ("Huye district", "DistTwins01"),
    ],
)
def test_a_place_is_meant_by_uid_code_or_name(typed: str, uid: str) -> None:
    assert unit_of(typed, UNITS).uid == uid


def test_a_name_of_several_places_gives_them() -> None:
    with pytest.raises(Unknown, match=r"2 places.*Twin HC.*FacTwin0001.*Bugesera \(FacTwin0002\)"):
        unit_of("twin  HC ", UNITS)
    with pytest.raises(Unknown, match="did you mean Muhima DH"):
        unit_of("Muhimma", UNITS)
    with pytest.raises(Unknown, match="nothing is called like it"):
        unit_of("xyzzyxyzzy", UNITS)


ROWS = Sought(
    frozenset({"DsHmisMonth"}), frozenset({"Fac1"}), frozenset({"Fac1", "Dist1", "Rw"}), frozenset({"202401"})
)


@pytest.mark.parametrize(
    ("query", "brought"),
    [
        ("dataSet=DsHmisMonth&dataSet=X&orgUnit=Dist1&children=true&period=202401", True),
        ("dataSet=DsHmisMonth&orgUnit=Dist1&period=202401", False),
        ("dataSet=DsHmisMonth&orgUnit=Fac1&period=202401", True),
        ("dataSet=DsHmisMonth&orgUnit=Dist2&children=true", False),
        ("dataSet=Another&orgUnit=Dist1&children=true", False),
        ("dataSet=DsHmisMonth&orgUnit=Dist1&children=true&period=202402", False),
        ("fields=id&paging=false", True),
    ],
)
def test_a_request_may_have_brought_what_it_asked_for(query: str, brought: bool) -> None:
    assert may_have_brought(f"https://hmis.example/api/dataValueSets?{query}", ROWS) is brought


def test_what_is_sought_names_data_sets_of_elements_and_the_rest_as_it_is() -> None:
    row = {"items": ["De1", "DsItself"], "units": ["Fac1"], "periods": ["202401"]}
    found = sought(row, {"De1": {"DsA", "DsB"}}, {"Fac1": {"Fac1", "Dist1"}})
    assert found.data_sets == {"DsA", "DsB", "DsItself"}
    assert found.above == {"Fac1", "Dist1"}


def test_a_request_is_shown_without_host_and_secret() -> None:
    shown = path_of("https://user:Very-Secret-1@hmis.example/api/x?orgUnit=A&access_token=Very-Secret-2")
    assert shown == "/api/x?orgUnit=A&access_token=***"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_the_order_of_adding_is_no_disagreement(values: list[float]) -> None:
    assert same(sum(sorted(values)), sum(values)) or abs(sum(values)) < 1e-3
    assert not same(sum(values), sum(values) + 1)


def test_nothing_is_not_zero() -> None:
    assert same(None, None)
    assert not same(None, 0.0)
    assert disagreement("numerator", "the mart", 1, "its parts", 1.0, hide=False) is None
    assert disagreement("numerator", "the mart", 3, "its parts", None, hide=False) == (
        "numerator: the mart says 3, its parts nothing"
    )
    hidden = disagreement("numerator", "the mart", 3, "its parts", 4, hide=True)
    assert hidden is not None and "3" not in hidden and "4" not in hidden
    assert [number(n) for n in (None, 12345.0, 0.5)] == ["nothing", "12,345", "0.5"]


def test_the_value_is_said_with_its_factors_and_the_division_last() -> None:
    found = {
        "indicator": {"is_annualised": True, "value_floor": 0.0},
        "value": 92.8,
        "numerator": 322.0,
        "denominator": 347.0,
        "factor": 100.0,
        "annualization_factor": None,
        "is_kept_back": False,
    }
    words = value_words(found)
    assert words.startswith("value: 92.8 = 322 x 100 / 347")
    assert "twelfth" in words and "not below 0" in words
    annual = value_words({**found, "indicator": {}, "annualization_factor": 365 / 31, "factor": 1.0})
    assert annual == "value: 92.8 = 322 x 11.7742 (365 / days) / 347"
    kept = {**found, "is_kept_back": True, "numerator": None, "denominator": None, "value": None}
    assert value_words(kept) == "value: kept back"


def test_measures_and_casts_are_those_of_the_project() -> None:
    received = fact_measures()["REPORTS_RECEIVED"]
    assert (received.fact, received.where) == ("fct_reporting", "is_expected and is_received")
    assert "staging.stg_hmis__data_set_elements" in fact_measures()["STOCK_REPORTS"].where
    assert relation("fct_reporting") == "dwh.fct_reporting"
    assert relation("measure") == "staging.measure"
    assert "double precision" in clean("number", "r.value")
