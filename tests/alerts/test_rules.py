"""The declared rules: what the seed may say, and that it says something of every disease."""

from __future__ import annotations

import csv

import polars as pl
import pytest

from hic_assets.alerts.rules import METHODS, SCHEMA, SEED, Measure, Method, Rule, declared_rules, rules_of
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES


def declared(**changed: object) -> pl.DataFrame:
    row = {"disease_code": "VHF", "rule_code": "single", "method": "fixed", "measure": "cases", "threshold": 1.0}
    return pl.DataFrame([{**row, "weeks": 1, "note": "", **changed}], schema=SCHEMA)


def test_every_disease_is_watched() -> None:
    with SEED.with_name("idsr_disease.csv").open(newline="") as file:
        listed = {row["disease_code"] for row in csv.DictReader(file)}
    watched = {rule.disease for rule in declared_rules()}
    assert watched == listed == {d.code for d in DISEASES}


def test_ears_is_declared_beside_what_it_stands_in_for() -> None:
    farrington = {r.disease for r in declared_rules() if r.method is Method.FARRINGTON}
    for method in (Method.EARS_C1, Method.EARS_C2, Method.EARS_C3):
        assert {r.disease for r in declared_rules() if r.method is method} == farrington
    assert {d.code for d in DISEASES if not d.immediate} <= farrington


def test_what_is_published_wrong_is_not_copied() -> None:
    rules = {(r.disease, r.code): r for r in declared_rules()}
    measles = rules["MEASLES", "five_in_four_weeks"]
    assert (measles.threshold, measles.weeks) == (5, 4)
    assert not [r for r in declared_rules() if r.disease == "BLOODY_DIARRHOEA" and r.method is Method.FIXED]
    # Bites are counted, of which each death is rabies; nowhere else do deaths stand for cases.
    assert [r.disease for r in declared_rules() if r.measure is Measure.DEATHS] == ["RABIES"]


def test_settings_of_the_warehouse() -> None:
    assert (METHODS.farrington.errors, METHODS.farrington.trend_p, METHODS.c3_form) == ("published", 0.05, "published")


@pytest.mark.parametrize(
    "changed",
    [
        {"threshold": None},
        {"threshold": 0.0},
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"weeks": None},
        {"weeks": 0},
        {"method": "rate"},
        {"method": "rate", "weeks": None, "threshold": None},
        {"method": "farrington"},
        {"method": "ears_c1", "threshold": None},
        {"method": "cusum"},
        {"measure": "rumours"},
    ],
)
def test_a_rule_that_cannot_be(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="VHF/single"):
        rules_of(declared(**changed))


def test_a_rule_that_is_declared_twice() -> None:
    with pytest.raises(ValueError, match="twice: VHF/single"):
        rules_of(pl.concat([declared(), declared(threshold=2.0)]))


def test_a_row_becomes_a_rule() -> None:
    rate = declared(method="rate", threshold=2.5, weeks=None)
    assert rules_of(declared()) == (Rule("VHF", "single", Method.FIXED, Measure.CASES, 1.0, 1),)
    assert rules_of(rate) == (Rule("VHF", "single", Method.RATE, Measure.CASES, 2.5, None),)
