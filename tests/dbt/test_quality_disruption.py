"""Disruptions from dbt's adjusted counts to the report: the query fits the models, and each role sees its places."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from dbt_runner import Dbt
from roles_world import roles_on
from small_country import BUGESERA, COUNTRY, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA

from hic_assets.disruption.warehouse import judge_all
from hic_assets.warehouse import Warehouse

MONTHS = 40
FALL = {date(2023, 5, 1): 22, date(2023, 6, 1): 23, date(2023, 7, 1): 24}
ADD = """
insert into dwh.fct_quality_adjusted
    (period_start, org_unit_uid, indicator_id, completeness_flag, is_outlier, is_adjustable, value_none, value_both, judged_by)
values (date '2021-07-01' + make_interval(months => %s), %s, 'opd', 1, false, true, %s, %s, 0)
"""


def add_history(warehouse: Warehouse) -> None:
    """Outpatients of three facilities, 40 months each; Kibagabaga loses half of its thousand in three of them."""
    random = np.random.default_rng(2)
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("delete from dwh.fct_quality_adjusted where indicator_id = 'opd'")
        for unit, size in ((KIBAGABAGA, 1000), (REMERA, 500), (NYAMATA, 800)):
            for month in range(MONTHS):
                count = round(size * (1 + random.normal(0, 0.01)))
                lost = count // 2 if unit == KIBAGABAGA and month in FALL.values() else 0
                connection.execute(ADD, (month, unit, count - lost, count - lost))


@pytest.fixture
def judged(own_country: Dbt) -> Dbt:
    add_history(own_country.warehouse)
    judge_all(own_country.warehouse)
    return own_country


def test_the_report_says_where_when_and_how_much(judged: Dbt) -> None:
    found = judged.query(
        "select level, org_unit_uid, province, array_agg(month order by month), sum(shortfall), sum(shortfall) / sum(expected),"
        " bool_and('sharp' = any(tags) and is_judged and kind = 'flow' and surplus = 0)"
        " from reporting.rpt_quality_disruption where is_disrupted group by 1, 2, 3 order by 1"
    )
    # Half of 1000 in each month; of 1500 that the district has, and 2300 that the country has.
    lost, months = pytest.approx(1500, rel=0.03), list(FALL)
    assert found == [
        ("country", COUNTRY, None, months, lost, pytest.approx(500 / 2300, abs=0.01), True),
        ("district", GASABO, "City of Kigali", months, lost, pytest.approx(500 / 1500, abs=0.01), True),
        ("province", KIGALI, "City of Kigali", months, lost, pytest.approx(500 / 1500, abs=0.01), True),
    ]


def test_what_has_too_few_months_is_there_with_the_reason(judged: Dbt) -> None:
    said = judged.query(
        "select distinct is_judged, why_unknown, expected, shortfall, is_disrupted, is_tagged, tags from reporting.rpt_quality_disruption"
        " where indicator_id = 'anc1'"
    )
    assert said == [(False, "too_few_months", None, None, None, None, [])]
    calm = judged.query(
        f"select count(*), bool_or(is_disrupted), max(shortfall_percent) < 5 from reporting.rpt_quality_disruption"
        f" where org_unit_uid = '{BUGESERA}' and indicator_id = 'opd'"
    )
    assert calm == [(MONTHS, False, True)]


def test_places_are_the_sums_that_the_monthly_report_has(judged: Dbt) -> None:
    different = judged.query(
        "select count(*), count(*) filter (where abs(d.actual - m.value_both) > 1e-6 or abs(d.reported - m.value_none) > 1e-6)"
        " from reporting.rpt_quality_disruption d join reporting.rpt_quality_monthly m using (org_unit_uid, indicator_id, month)"
    )
    rows, wrong = different[0]
    assert rows > 200 and wrong == 0


def test_the_tests_of_the_report_hold(judged: Dbt) -> None:
    results = judged.run("test", "--select", "rpt_quality_disruption", "stg_quality__disruptions")
    assert len(results) >= 6 and set(results.values()) == {"pass"}


def test_the_table_is_replaced_and_not_added_to(judged: Dbt) -> None:
    before = judged.query("select * from dwh.fct_quality_disruption order by 1, 3, 4")
    assert judge_all(judged.warehouse).height == len(before) > 100
    assert judged.query("select * from dwh.fct_quality_disruption order by 1, 3, 4") == before
    with judged.warehouse.connect(autocommit=True) as connection:
        connection.execute("delete from dwh.fct_quality_adjusted where indicator_id <> 'opd'")
    judge_all(judged.warehouse)
    assert judged.query("select distinct indicator_id from dwh.fct_quality_disruption") == [("opd",)]


def test_a_district_sees_its_own_and_the_analyst_all(judged: Dbt) -> None:
    with roles_on(judged.warehouse) as world:
        world.apply()
        world.add("analyst", "analyst")
        world.add("transformer", "transformer")
        # Whoever runs dbt runs the asset.
        assert judge_all(world.of("transformer")).height > 100
        (code,) = world.admin(f"select district from access.place where kind = 'org_unit' and id = '{GASABO}'")[0]
        world.add("district", "district", code)
        for relation in ("reporting.rpt_quality_disruption", "dwh.fct_quality_disruption"):
            asked = f"select org_unit_uid from {relation} where indicator_id = 'opd' group by 1 order by 1"
            seen = {place for (place,) in world.ask("district", asked)}
            # Those above it are whole figures already; Kigali has no other district here.
            assert {GASABO, KIGALI, COUNTRY} == seen
            assert {GASABO, BUGESERA, COUNTRY, KIGALI} <= {place for (place,) in world.ask("analyst", asked)}


def test_no_report_on_quality_tells_counts_of_a_sensitive_programme(judged: Dbt) -> None:
    """People on treatment for HIV, by facility and month: they are counted, and nobody reads how many."""
    told = {
        "rpt_quality_disruption": (
            *("actual", "reported", "expected", "expected_published", "shortfall", "surplus"),
            # Shares of the expected, month by month, and spreads tell the counts too: what is expected is fitted to them.
            *("shortfall_percent", "surplus_percent", "control", "effect_percent", "p_value"),
        ),
        "rpt_quality_monthly": ("value_none", "value_outliers", "value_completeness", "value_both"),
        "rpt_quality_indicators": ("value", "consistency"),
        "rpt_quality_coverage": ("numerator", "coverage", "coverage_published"),
    }
    with judged.warehouse.connect(autocommit=True) as connection:
        # As many as visits, so that there is something to tell.
        connection.execute("delete from dwh.fct_quality_adjusted where indicator_id = 'hiv_art_current'")
        connection.execute(
            "insert into dwh.fct_quality_adjusted (period_start, org_unit_uid, indicator_id, completeness_flag, is_outlier, is_adjustable,"
            " value_none, value_both, judged_by) select period_start, org_unit_uid, 'hiv_art_current', completeness_flag, is_outlier,"
            " is_adjustable, value_none, value_both, judged_by from dwh.fct_quality_adjusted where indicator_id = 'opd'"
        )
    judge_all(judged.warehouse)
    of_visits, of_treatment = (
        {
            report: judged.query(
                f"select count(*), {' + '.join(f'count({column})' for column in columns)} from reporting.{report}"
                f" where indicator_id = '{indicator}'"
            )[0]
            for report, columns in told.items()
        }
        for indicator in ("opd", "hiv_art_current")
    )
    assert all(numbers > 0 for report, (_, numbers) in of_visits.items() if report != "rpt_quality_coverage"), of_visits
    assert of_treatment["rpt_quality_disruption"][0] > 100 and of_treatment["rpt_quality_monthly"][0] > 100
    assert {report: numbers for report, (_, numbers) in of_treatment.items() if numbers} == {}
