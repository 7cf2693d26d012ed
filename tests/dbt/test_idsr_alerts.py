"""From dbt's weekly counts to alerts and back: the query fits the model, and the view says what people read."""

from __future__ import annotations

from datetime import date

from dbt_runner import Dbt
from surveillance import HALF, STRADDLING

from hic_assets.alerts.warehouse import evaluate_weeks

WEEKS = [date.fromisoformat(STRADDLING), date.fromisoformat(HALF)]
VERDICT = """
insert into dwh.fct_idsr_alert
    (disease_code, district_code, week_start, rule_code, method, measure, cases, deaths, observed, upper, score, has_fired)
select 'MEASLES', '102', date '2024-02-05', rule_code, method, 'cases', 7, 1, observed, upper, score, score > 1
from (values
    ('farrington', 'farrington', 7, 4, 9.5), ('five_in_four_weeks', 'fixed', 9, 4, 1.8), ('ears_c1', 'ears_c1', 7, 3, 2.0),
    ('ears_c2', 'ears_c2', 7, 12, 0.4)
) as said (rule_code, method, observed, upper, score)
"""


def test_alerts_of_the_weekly_counts_are_shown_with_names(own_country: Dbt) -> None:
    evaluate_weeks(own_country.warehouse, WEEKS)
    counts = own_country.query(
        "select disease_code, coalesce(district_code, 'unmapped'), sum(cases)::bigint from reporting.rpt_idsr_weekly"
        f" where week_start = '{STRADDLING}' group by 1, 2"
    )
    held = own_country.query(
        f"select distinct disease_code, district_code, cases from dwh.fct_idsr_alert where week_start = '{STRADDLING}'"
    )
    assert len(counts) > 24
    assert set(counts) <= set(held)
    # A district that had facilities in some week before, and none to report in this one.
    assert {cases for _, _, cases in set(held) - set(counts)} == {None}
    assert ("MEASLES", "unmapped", 4) in held
    # Reported by nobody: not a zero, and no verdict.
    silent = own_country.query("select distinct why_unknown from dwh.fct_idsr_alert where cases is null")
    assert silent == [("not_reported",)]
    shown = own_country.query(
        "select epi_week, week_end::text, district_code, district, province, disease_code, disease, reporting, cases, rules"
        " from reporting.rpt_idsr_alerts"
    )
    assert shown == [
        (
            "2024W06",
            "2024-02-11",
            "102",
            "Gasabo",
            "City of Kigali",
            "CHOLERA",
            "Cholera, suspected",
            "immediate",
            1,
            ["single_case"],
        )
    ]


def test_one_row_with_the_strongest_rule_first(own_country: Dbt) -> None:
    with own_country.warehouse.connect(autocommit=True) as connection:
        connection.execute(VERDICT.encode())
    (row,) = own_country.query(
        "select rules_fired, rules, strongest_rule, observed, upper, score, cases, deaths, rule_note like '5 suspected%'"
        " from reporting.rpt_idsr_alerts"
    )
    # A threshold comes before statistics, whatever their scores.
    rules = ["five_in_four_weeks", "farrington", "ears_c1"]
    assert row == (3, rules, "five_in_four_weeks", 9.0, 4.0, 1.8, 7, 1, True)


def test_the_seed_names_diseases_that_exist(own_country: Dbt) -> None:
    results = own_country.run("test", "--select", "idsr_alert_rule", "stg_alerts__verdicts", "rpt_idsr_alerts")
    assert len(results) >= 8
    assert set(results.values()) == {"pass"}


def test_an_alert_that_later_reports_took_back_is_not_forgotten(own_country: Dbt) -> None:
    evaluate_weeks(own_country.warehouse, WEEKS)
    read = "select disease_code, rules, is_standing, first_fired_at is not null, cases from reporting.rpt_idsr_alerts"
    assert own_country.query(read) == [("CHOLERA", ["single_case"], True, True, 1)]
    own_country.query("update dwh.fct_idsr_district_week set cases = 0 where disease_code = 'CHOLERA' and cases > 0")
    evaluate_weeks(own_country.warehouse, WEEKS)
    assert own_country.query(read) == [("CHOLERA", ["single_case"], False, True, 0)]
    assert own_country.query("select count(*) from dwh.fct_idsr_alert where has_fired") == [(0,)]


def test_completeness_of_the_reports_stands_beside_each_verdict(own_country: Dbt) -> None:
    evaluate_weeks(own_country.warehouse, WEEKS)
    shares = own_country.query(
        "select distinct disease_code, reported_share from dwh.fct_idsr_alert"
        f" where week_start = '{STRADDLING}' and district_code = '102' and disease_code in ('MEASLES', 'RABIES') order by 1"
    )
    assert shares == [("MEASLES", 1.0), ("RABIES", 0.5)]
