"""The catalogue as data: whole, and fit for the rule that keeps small cells back."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import yaml

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
FACTS = SEEDS.parent / "macros" / "fact_measures.sql"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


CATALOGUE = {row["indicator_code"]: row for row in seed("indicator_catalogue")}
MEASURES = {row["measure_code"]: row for row in seed("measure")}
TERMS = seed("indicator_measure")


def measures_of(code: str) -> set[str]:
    """Measures of an indicator that count people or events, not populations."""
    named = {t["measure_code"] for t in TERMS if t["indicator_code"] == code}
    return {m for m in named if MEASURES[m]["kind"] != "population"}


def test_the_core_list_is_whole() -> None:
    assert {int(row["core_number"]) for row in CATALOGUE.values() if row["core_number"]} == set(range(1, 45))


def test_an_indicator_has_both_sides_or_a_reason() -> None:
    sides = defaultdict(set)
    for term in TERMS:
        sides[term["indicator_code"]].add(term["side"])
    for code, row in CATALOGUE.items():
        assert (sides[code] == {"numerator", "denominator"}) != bool(row["no_value_reason"]), code


def test_every_measure_comes_from_somewhere_and_is_used() -> None:
    counted = set(re.findall(r"'measure': '(\w+)'", FACTS.read_text()))
    reported = {row["measure_code"] for row in seed("measure_source")}
    assert counted & reported == set()
    assert counted | reported == set(MEASURES) == {term["measure_code"] for term in TERMS}


def test_a_side_is_a_flow_or_a_stock_and_not_both() -> None:
    """Of a longer period a sum and a last month cannot be added."""
    sides = defaultdict(set)
    for term in TERMS:
        kind = MEASURES[term["measure_code"]]["kind"]
        annualised = CATALOGUE[term["indicator_code"]]["is_annualised"] == "true"
        last = not term["times"] and (kind == "stock" or (kind == "population" and not annualised))
        sides[term["indicator_code"], term["side"]].add(last)
    assert [side for side, found in sides.items() if len(found) > 1] == []


def test_sensitive_indicators_that_share_a_measure_are_kept_back_together() -> None:
    groups = defaultdict(set)
    for code, row in CATALOGUE.items():
        for measure in measures_of(code):
            groups[measure].add(row["suppression_group"])
    shared = {measure: found for measure, found in groups.items() if len(found) > 1}
    # But a total that is counted for itself, and is the denominator of one other indicator that is alone in its group.
    assert shared == {"TB_NOTIFIED": {"tb_notified", "tb_hiv_status"}}
    members = defaultdict(list)
    for code, row in CATALOGUE.items():
        members[row["suppression_group"]].append(code)
    assert members["tb_hiv_status"] == ["TB_HIV_STATUS_KNOWN"]
    sides = {(t["side"], t["measure_code"]) for t in TERMS if t["indicator_code"] == "TB_HIV_STATUS_KNOWN"}
    assert sides == {("numerator", "TB_HIV_KNOWN"), ("denominator", "TB_NOTIFIED")}
    assert {m for code in members["tb_notified"] for m in measures_of(code)} == {"TB_NOTIFIED"}
    periods = defaultdict(set)
    for row in CATALOGUE.values():
        if row["is_sensitive"] == "true":
            periods[row["suppression_group"]].add(row["periodicity"] == "monthly")
    assert [group for group, found in periods.items() if len(found) > 1] == []
    # A share and its total are compared over the same stretches of time.
    assert periods["tb_hiv_status"] == periods["tb_notified"]


def test_programmes_that_are_sensitive_are_marked() -> None:
    for code, row in CATALOGUE.items():
        sensitive = row["domain"] in ("hiv", "tb", "gbv", "cancer", "mental health")
        assert (row["is_sensitive"] == "true") == sensitive, code


def test_a_reason_names_what_there_is() -> None:
    """Relations that answer instead exist, with the column that is named; and none is said to be missing that was built since."""
    models = {file.stem: file for file in (SEEDS.parent / "models").rglob("*.sql")}
    described = {}
    for file in (SEEDS.parent / "models").rglob("*.yml"):
        for model in yaml.safe_load(file.read_text()).get("models", []):
            described[model["name"]] = {column["name"] for column in model["columns"]}
    named = 0
    for code, row in CATALOGUE.items():
        reason = row["no_value_reason"]
        assert "no fact of" not in reason and " yet" not in reason, code
        relations = re.findall(r"\b((?:rpt|fct|dim)_\w+)", reason)
        assert set(relations) <= models.keys(), (code, reason)
        for schema, relation in re.findall(r"(\w+)\.(\w+)", reason):
            assert models[relation].parent.name == schema, (code, reason)
        for column, relation in re.findall(r"see (\w+) of \w+\.(\w+)", reason):
            assert column in described[relation], (code, reason)
        named += bool(relations)
    assert named >= 13
