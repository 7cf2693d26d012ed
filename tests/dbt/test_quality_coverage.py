"""Scores within a year and coverage chains against the same formulas written in Python, on random counts."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from statistics import median
from typing import Any

import pytest
import quality_reference as reference
from dbt_runner import PROJECT, Dbt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pg_servers import copied_database
from quality_lab import Lab
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA

from hic_assets.warehouse import Warehouse

BUILT = "hic_test_country_built"
ABOVE = {
    KIBAGABAGA: [(COUNTRY, "country"), (KIGALI, "province"), (GASABO, "district")],
    NYAMATA: [(COUNTRY, "country"), (EAST, "province"), (BUGESERA, "district")],
}
CHAINS = ("anc1", "delivery", "livebirth", "penta1", "bcg")
REACHED = (*CHAINS, "anc4", "penta3", "measles1", "measles2", "vitaminA", "fully_immunized")
slowly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


PARAMETERS = {row["parameter"]: float(row["value"]) for row in seed("quality_parameter")}
RATES = reference.Rates(
    *(PARAMETERS[name] for name in ("pregnancy_loss", "twin", "stillbirth", "nmr", "pnmr", "imr", "u5mr"))
)
SURVEYS = {(row["indicator_id"], int(row["year"])): float(row["value"]) for row in seed("quality_survey")}
PROJECTED = {int(row["year"]): row for row in seed("quality_projection")}
TARGETS = {row["indicator_id"]: row["target"] for row in seed("quality_indicator") if row["target"]}

Volumes = dict[tuple[str, str, date], float]
months = st.builds(date, st.sampled_from([2019, 2021, 2024]), st.integers(1, 12), st.just(1))
volumes = st.dictionaries(
    st.tuples(st.sampled_from(list(ABOVE)), st.sampled_from(REACHED), months),
    st.one_of(st.just(0.0), st.floats(1, 40_000, allow_nan=False)),
    min_size=1,
    max_size=40,
)
FULL: Volumes = {
    (unit, indicator, date(2024, number, 1)): 1000.0 * number + 10 * place
    for unit in ABOVE
    for place, indicator in enumerate(REACHED)
    for number in (1, 2, 3)
}


@pytest.fixture(scope="module")
def lab(country: Dbt, postgres_server: Warehouse) -> Iterator[Lab]:
    with copied_database(postgres_server, BUILT) as warehouse:
        yield Lab(warehouse, country)


def survey(indicator: str, year: int) -> float | None:
    known = [(then, value) for (one, then), value in SURVEYS.items() if one == indicator and then <= year]
    return max(known)[1] if known else None


def to_reach(
    year: int, level: str, known: dict[str, float], share: float
) -> Iterator[tuple[str, dict[str, float], dict[str, float]]]:
    """Chain, the people to reach by it, and those by the published code."""
    for chain in CHAINS:
        carried = survey(chain, year)
        if chain in known and carried and (chain != "bcg" or level == "country"):
            reached = known[chain] / carried
            yield (
                chain,
                reference.people(chain, reached, RATES),
                reference.people(chain, reached, RATES, published=True),
            )
    if level == "country" and year in PROJECTED:
        row = PROJECTED[year]
        live = float(row["births_per_1000"]) / 1000 * float(row["population"])
        infants = float(row["under_1"])
        yield (
            "wpp",
            reference.projected_people(live, infants, share, RATES),
            reference.projected_people(live, infants, share, RATES, published=True),
        )


def best_of(chains: dict[tuple[int, str], dict[str, dict[str, float]]]) -> str:
    """The chain nearest to the projection in the country."""
    ratios = defaultdict(list)
    for (_, unit), by_chain in chains.items():
        if unit == COUNTRY and "wpp" in by_chain:
            for chain in {"anc1", "delivery", "penta1"} & set(by_chain):
                ratios[chain] += [by_chain[chain][t] / by_chain["wpp"][t] for t in ("pregnancy", "livebirth", "dpt")]
    distances = [(abs(median(found) - 1), chain) for chain, found in ratios.items()]
    return min(distances)[1] if distances else "delivery"


@slowly
@given(volumes)
@example(FULL)
def test_coverage_by_chain(lab: Lab, counts: Volumes) -> None:
    head = "period_start, org_unit_uid, indicator_id, completeness_flag, is_outlier, is_adjustable, value_both"
    rows = [(day, unit, indicator, 1, False, True, count) for (unit, indicator, day), count in counts.items()]
    lab.fill("dwh.fct_quality_adjusted", head, rows)
    lab.rebuild("fct_quality_coverage")
    total: dict[tuple[int, str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    seen: dict[tuple[int, str, str, str], set[date]] = defaultdict(set)
    for (unit, indicator, day), count in counts.items():
        for place, level in ABOVE[unit]:
            total[day.year, place, level][indicator] += count
            seen[day.year, place, level, indicator].add(day)
    people, published = {}, {}
    for (year, place, level), known in total.items():
        share = max(len(days) for key, days in seen.items() if key[:3] == (year, place, level)) / 12
        found = list(to_reach(year, level, known, share))
        people[year, place] = {chain: right for chain, right, _ in found}
        published[year, place] = {chain: theirs for chain, _, theirs in found}
    best = best_of(people)
    expected: list[tuple[Any, ...]] = []
    for (year, place, level), known in total.items():
        for chain, by_target in people[year, place].items():
            for indicator in known.keys() & TARGETS.keys():
                target = TARGETS[indicator]
                below, volume = by_target[target], known[indicator]
                expected.append(
                    (
                        year,
                        place,
                        chain,
                        indicator,
                        target,
                        len(seen[year, place, level, indicator]),
                        volume,
                        below,
                        published[year, place][chain][target],
                        volume / below if volume and below else None,
                        survey(indicator, year),
                        chain == best,
                    )
                )
    columns = (
        "year, org_unit_uid, chain, indicator_id, target, months, numerator, denominator, denominator_published,"
        " coverage, survey, is_best_chain"
    )
    agree(lab.rows(columns, "dwh.fct_quality_coverage"), expected)


yearly = st.dictionaries(
    st.tuples(st.sampled_from([KIBAGABAGA, REMERA]), st.integers(1, 12)),
    st.one_of(st.integers(0, 40), st.just(20), st.just(20), st.integers(500, 900)).map(float),
    min_size=1,
    max_size=24,
)


@slowly
@given(yearly)
def test_scores_within_a_year(lab: Lab, counts: dict[tuple[str, int], float]) -> None:
    rows = [(date(2024, number, 1), unit, "anc1", count) for (unit, number), count in counts.items()]
    lab.fill("intermediate.int_quality_value", "period_start, org_unit_uid, indicator_id, value", rows)
    lab.rebuild("fct_quality_who")
    by_unit: dict[str, dict[int, float]] = defaultdict(dict)
    for (unit, number), count in counts.items():
        by_unit[unit][number] = count
        by_unit[GASABO][number] = by_unit[GASABO].get(number, 0.0) + count
    expected = []
    for unit, year in by_unit.items():
        for number, (z, modified) in zip(year, reference.who_scores(list(year.values())), strict=True):
            expected.append((unit, date(2024, number, 1), year[number], z, modified))
    places = ", ".join(f"'{unit}'" for unit in (KIBAGABAGA, REMERA, GASABO))
    found = lab.rows(
        "org_unit_uid, period_start, value, z_score, modified_z_score, is_extreme, is_moderate, is_modified_outlier",
        "dwh.fct_quality_who",
        f"value is not null and org_unit_uid in ({places})",
    )
    agree([row[:5] for row in found], expected, head=2)
    for *_, z, modified, extreme, moderate, odd in found:
        for score, bound, flag in ((z, 3, extreme), (z, 2, moderate), (modified, 3.5, odd)):
            assert flag == (score is not None and abs(score) > bound)


def agree(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]], head: int = 4) -> None:
    """The same rows, numbers to 1e-9."""
    for got, wanted in zip(found, sorted(expected, key=lambda row: row[:head]), strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert a == (pytest.approx(b, rel=1e-9, abs=1e-9) if isinstance(b, float) else b), (got, wanted)
