"""Small cells of sensitive indicators, attacked: random tables go through the SQL that keeps cells back and the report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from attack import MONTHS, PERIODS, REPORTING, TREE, Attack, Counts, Totals, line
from dbt_runner import Dbt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg_servers import copied_database

from hic_assets.warehouse import Warehouse

THRESHOLD, EXAMPLES = 5, 60
BUILT = "hic_test_country_built"
MONTHLY, QUARTERLY, NOTIFIED = "HIV_POSITIVITY", "TB_HIV_STATUS_KNOWN", "TB_NOTIFICATION"
# indicator -> the measures of its sides
MEASURES = {MONTHLY: ("HIV_POSITIVE", "HIV_TESTED"), QUARTERLY: ("TB_HIV_KNOWN", "TB_NOTIFIED")}

Published = dict[str, dict[tuple[str, str], tuple[float, float]]]

# Small ones often, none sometimes, zeros on either side.
amounts = st.one_of(st.integers(0, 7), st.sampled_from([0, 1, 4, 5, 6, 30]))
tables = st.dictionaries(
    st.tuples(st.sampled_from(REPORTING), st.sampled_from(MONTHS)), st.tuples(amounts, amounts), min_size=3, max_size=28
)
busy = st.fixed_dictionaries(
    {
        (unit, month): st.tuples(st.sampled_from([0, 4, 5, 6, 9, 20]), st.sampled_from([0, 5, 7, 40]))
        for unit in REPORTING
        for month in MONTHS
    }
)
# Nearly all are in the numerator.
near = st.fixed_dictionaries(
    {
        (unit, month): st.tuples(st.sampled_from([0, 3, 9, 20, 60]), st.sampled_from([0, 0, 1, 3, 6]))
        for unit in REPORTING
        for month in MONTHS
    }
)


@pytest.fixture(scope="module")
def connection(country: Dbt, postgres_server: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    """The built country, its tree of places replaced by the one of the attack; never committed further."""
    with copied_database(postgres_server, BUILT) as copy, copy.connect() as connection:
        connection.execute("delete from intermediate.int_org_unit_closure")
        levels = {"country": 1, "province": 2, "district": 3, "facility": 6}
        rows = [(p, a, levels[TREE[a][1]], TREE[a][1], True) for p in TREE for a in line(p)]
        connection.cursor().executemany(
            "insert into intermediate.int_org_unit_closure"
            " (descendant_uid, ancestor_uid, ancestor_level, ancestor_role, is_reporting_level) values (%s, %s, %s, %s, %s)",
            rows,
        )
        connection.commit()
        yield connection


@pytest.fixture(scope="module")
def rule(country: Dbt) -> str:
    """The model's SQL of 2024, as dbt compiled it."""
    compiled = list((country.target / "compiled").rglob("int_disclosure_2024*.sql"))
    assert len(compiled) == 1, compiled
    return re.sub(r'"hic_test_\w+"\.', "", compiled[0].read_text())


def rolled_up(counts: Counts) -> dict[tuple[str, str], tuple[int, int]]:
    """(place, month) -> numerator and denominator, at every place."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for (unit, month), (cases, rest) in counts.items():
        for place in line(unit):
            old = found.get((place, month), (0, 0))
            found[place, month] = (old[0] + cases, old[1] + cases + rest)
    return found


def fill(connection: psycopg.Connection[Any], counts: Counts) -> None:
    """Put the counts where the facts are, as both indicators."""
    measured, indicators = [], []
    for (place, month), (numerator, denominator) in rolled_up(counts).items():
        level = TREE[place][1]
        for code, names in MEASURES.items():
            measured += [(month, names[0], place, level, numerator), (month, names[1], place, level, denominator)]
            if code == MONTHLY or level != "facility":
                indicators.append((code, place, level, month, numerator, denominator))
        if level != "facility":
            indicators.append((NOTIFIED, place, level, month, denominator, 1000))
    connection.execute("truncate dwh.fct_measure_month, dwh.fct_core_indicator, intermediate.int_disclosure")
    cursor = connection.cursor()
    cursor.executemany("insert into dwh.fct_measure_month values (%s, %s, %s, %s, %s, false)", measured)
    cursor.executemany(
        "insert into dwh.fct_core_indicator (indicator_code, org_unit_uid, level, period_start, numerator, denominator,"
        " has_missing_term, has_estimated_target) values (%s, %s, %s, %s, %s, %s, false, false)",
        indicators,
    )


def publish(connection: psycopg.Connection[Any], rule: str, counts: Counts) -> Published:
    """What the report shows of the counts, by indicator."""
    fill(connection, counts)
    connection.execute(f"insert into intermediate.int_disclosure {rule}".encode())
    shown: Published = {MONTHLY: {}, QUARTERLY: {}, NOTIFIED: {}}
    rows = connection.execute(
        "select indicator_code, org_unit_uid, period, numerator, denominator, value, is_suppressed, quality_flags"
        " from reporting.rpt_core_indicators"
    ).fetchall()
    for code, place, period, numerator, denominator, value, is_suppressed, flags in rows:
        if is_suppressed:
            assert (numerator, denominator, value) == (None, None, None)
            assert {*flags} <= {"suppressed", "completeness_unknown", "months_missing"}
        else:
            shown[code][place, period] = (numerator, denominator)
    # What is shown with its part is shown without it too, and more than that.
    assert {key: d for key, (_, d) in shown[QUARTERLY].items()}.items() <= totals(shown).items()
    connection.rollback()
    return shown


def totals(shown: Published) -> dict[tuple[str, str], float]:
    """Denominators of the one indicator that are numerators of the other."""
    return {key: notified for key, (notified, _) in shown[NOTIFIED].items()}


def recovered(
    counts: Counts, shown: dict[tuple[str, str], tuple[float, float]], also: Totals | None = None
) -> list[str]:
    """Small counts of which an attacker learns that they are small, or that they are not 0."""
    attack = Attack(counts, shown, also)
    found = []
    for cell in attack.small(THRESHOLD):
        least, most = attack.bounds(cell)
        if most < THRESHOLD - 1e-6 or least > 1e-6:
            found.append(f"{cell} is within {least:g} and {most:g}")
    return found


def test_no_small_count_can_be_recovered(connection: psycopg.Connection[Any], rule: str) -> None:
    shown_cells = {MONTHLY: 0, QUARTERLY: 0, NOTIFIED: 0}
    hidden = {MONTHLY: 0, QUARTERLY: 0}

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(tables | busy | near)
    def attacked(counts: Counts) -> None:
        published = publish(connection, rule, counts)
        shown_cells[NOTIFIED] += len(published[NOTIFIED].keys() - published[QUARTERLY].keys())
        truth = rolled_up(counts)
        for code, also in ((MONTHLY, None), (QUARTERLY, totals(published))):
            shown = published[code]
            assert recovered(counts, shown, also) == [], code
            for (place, period), numbers in shown.items():
                cells = [truth.get((place, month), (0, 0)) for month in PERIODS[period]]
                assert numbers == tuple(map(sum, zip(*cells, strict=True)))
            shown_cells[code] += len(shown)
            hidden[code] += len(Attack(counts, shown).small(THRESHOLD))

    attacked()
    # Neither by showing nothing, nor for want of anything to hide.
    assert min(shown_cells.values()) > 200, shown_cells
    assert min(hidden.values()) > 200, hidden


# Two facilities of a district; three cases in one in May.
THREE_CASES: Counts = {
    ("Facility005", "2024-05-01"): (3, 30),
    ("Facility006", "2024-05-01"): (20, 30),
    ("Facility005", "2024-06-01"): (8, 30),
    ("Facility006", "2024-06-01"): (9, 30),
    ("Facility004", "2024-05-01"): (9, 30),
}


def test_hiding_the_small_cells_alone_would_not_do() -> None:
    """The attack works: the district less its other facility, and the quarter less its other month, give it away."""
    truth = rolled_up(THREE_CASES)
    naive = {}
    for place in TREE:
        for period, months in PERIODS.items():
            numerator, denominator = (sum(truth.get((place, m), (0, 0))[i] for m in months) for i in (0, 1))
            if not 0 < numerator < THRESHOLD:
                naive[place, period] = (float(numerator), float(denominator))
    found = recovered(THREE_CASES, naive)
    assert "Cell(place='Facility005', period='2024-05', what='cases', value=3) is within 3 and 3" in found


def test_it_is_kept_back_with_its_neighbour_and_in_every_longer_period(
    connection: psycopg.Connection[Any], rule: str
) -> None:
    shown = publish(connection, rule, THREE_CASES)[MONTHLY]
    facilities = {key for key in shown if key[0] in ("Facility005", "Facility006")}
    assert facilities == {(f, "2024-06") for f in ("Facility005", "Facility006")}
    assert shown["District003", "2024Q2"] == (40, 160)


@pytest.mark.parametrize(
    ("counts", "place", "why"),
    [
        ({("Facility005", MONTHS[0]): (20, 2)}, "Country0001", "two of them are negative: total less part"),
        (
            {("District001", MONTHS[0]): (2, 30), ("Facility001", MONTHS[0]): (9, 30)},
            "Facility001",
            "the district has two of its own, which it less its facility would tell",
        ),
    ],
)
def test_what_is_left_of_a_total_is_a_cell_too(
    connection: psycopg.Connection[Any], rule: str, counts: Counts, place: str, why: str
) -> None:
    assert (place, "2024-05") not in publish(connection, rule, counts)[MONTHLY], why


DISTRICTS = ("District001", "District002", "District003")


def districts(*pairs: tuple[int, int]) -> Counts:
    """(in the numerator, in the denominator only) of each district, in May."""
    return {(f"Facility00{unit}", MONTHS[0]): pair for unit, pair in zip((1, 4, 5), pairs, strict=True)}


def test_a_total_is_shown_where_what_is_missing_of_it_is_small(connection: psycopg.Connection[Any], rule: str) -> None:
    """213 of 216 notified have a known status, so three have not: which share that is is kept back, the 216 are no secret."""
    shown = publish(connection, rule, districts((100, 1), (60, 2), (53, 0)))
    assert shown[QUARTERLY] == {}
    assert totals(shown)["Country0001", "2024"] == 216
    assert {totals(shown)[unit, "2024Q2"] for unit in DISTRICTS} == {101, 62, 53}
    # Where five have not, the country's share is shown; in whose district they are stays open.
    shown = publish(connection, rule, districts((100, 1), (60, 2), (53, 2)))
    assert shown[QUARTERLY]["Country0001", "2024Q2"] == (213, 218)
    assert {place for place, _ in shown[QUARTERLY]} == {"Country0001"}
    assert {(unit, "2024Q2") for unit in DISTRICTS} <= totals(shown).keys()


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (
            districts((3, 10), (20, 0), (20, 10)),
            "all 20 of the one are known to be in the numerator, so 3 of 23 are of the other",
        ),
        (districts((10, 3), (0, 20), (20, 10)), "none of the 20 is in the numerator, so 10 of 13 are"),
        (districts((4, 9), (30, 2), (20, 10)), "at most 11 of the province are not in it, so 2 of the 13 are"),
        (districts((9, 4), (2, 30), (20, 10)), "at most 11 of the province are in it, so 2 of the 13 are not"),
    ],
)
def test_a_total_is_kept_back_where_it_would_tell_of_a_small_part(
    connection: psycopg.Connection[Any], rule: str, counts: Counts, why: str
) -> None:
    shown = publish(connection, rule, counts)
    assert shown[QUARTERLY].keys() >= {("Province001", "2024Q2"), ("District003", "2024Q2")}
    kept_back = {(unit, "2024Q2") for unit in DISTRICTS[:2]}
    assert not kept_back & totals(shown).keys(), why
    # Shown, they would tell: the attack finds it.
    told = {key: rolled_up(counts)[key[0], MONTHS[0]][1] for key in kept_back}
    assert recovered(counts, shown[QUARTERLY], totals(shown)) == []
    assert recovered(counts, shown[QUARTERLY], {**totals(shown), **told}) != [], why
