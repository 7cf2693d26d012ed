"""What the surveillance marts say of the small country's weeks, against figures counted by hand (see surveillance)."""

from __future__ import annotations

from typing import Any

import psycopg
from dbt_runner import Dbt
from small_country import GASABO, KIBAGABAGA, NYAMATA, REMERA
from surveillance import (
    ALL_WEEKS,
    CELLS,
    DHIS2,
    HALF,
    IN_TIME,
    MALARIA,
    MEASLES,
    NONE,
    OTHER_AGE,
    STRADDLING,
    WEEK_53,
    cell,
    land_week,
    note_loads,
    notification,
)

NOTHING = (None, None, "none", False)


def told(dbt: Dbt, path: str, place: str, disease: str, week: str = STRADDLING) -> dict[str, tuple[Any, ...]]:
    found = dbt.query(
        "select age_band, cases, deaths, report, is_on_time from dwh.fct_idsr_weekly"
        f" where (week_start, path, place_key, disease_code) = ('{week}', '{path}', '{place}', '{disease}')"
    )
    return {band: tuple(rest) for band, *rest in found}


def test_cases_zero_reports_and_no_report_are_told_apart(country: Dbt) -> None:
    assert told(country, "direct", KIBAGABAGA, "MEASLES") == {"0-4": (2, 0, "cases", True), "5+": (1, 1, "cases", True)}
    assert told(country, "direct", REMERA, "MEASLES") == dict.fromkeys(("0-4", "5+"), (0, 0, "zero", False))
    assert told(country, "direct", KIBAGABAGA, "CHOLERA") == dict.fromkeys(("0-4", "5+"), NOTHING)
    assert told(country, "dhis2", KIBAGABAGA, "MEASLES") == {"0-4": (3, 0, "cases", True), "5+": (1, 0, "cases", True)}


def test_a_blank_cell_is_zero_only_on_a_form_that_is_complete_and_says_something(country: Dbt) -> None:
    assert told(country, "dhis2", KIBAGABAGA, "MALARIA_SIMPLE") == dict.fromkeys(("0-4", "5+"), (0, 0, "blank", True))
    assert told(country, "dhis2", REMERA, "MALARIA_SIMPLE") == dict.fromkeys(("0-4", "5+"), NOTHING)
    # The form is complete, and does not ask for cholera.
    assert told(country, "dhis2", KIBAGABAGA, "CHOLERA") == dict.fromkeys(("0-4", "5+"), NOTHING)
    # Values are a report of what they tell, mark or no mark; in time nobody can say.
    assert told(country, "dhis2", REMERA, "MEASLES") == dict.fromkeys(("0-4", "5+"), (0, 0, "zero", False))


def test_only_facilities_that_must_report_and_are_open_are_expected(country: Dbt) -> None:
    """Nyamata opened on 15 February, another closed in 2023."""
    found = country.query(
        "select week_start::text, path, array_agg(place_key order by place_key) from dwh.fct_idsr_report"
        " where is_expected group by 1, 2 order by 1, 2"
    )
    both = sorted([KIBAGABAGA, REMERA])
    assert found == [
        (WEEK_53, "dhis2", sorted([*both, "FacClosed01"])),
        (WEEK_53, "direct", sorted([*both, "FacClosed01"])),
        (STRADDLING, "dhis2", both),
        (STRADDLING, "direct", both),
        (HALF, "direct", both),
    ]


def test_a_report_is_late_by_the_day_in_kigali(country: Dbt) -> None:
    found = country.query(
        "select path, place_key, is_received, has_values, received_on::text, due_on::text, is_on_time"
        f" from dwh.fct_idsr_report where week_start = '{STRADDLING}' order by 1, 2"
    )
    assert found == [
        ("dhis2", KIBAGABAGA, True, True, "2024-02-06", "2024-02-07", True),
        ("dhis2", REMERA, False, True, None, "2024-02-07", False),
        ("direct", "F9999", True, True, "2024-02-07", "2024-02-07", True),
        ("direct", KIBAGABAGA, True, True, "2024-02-07", "2024-02-07", True),
        ("direct", REMERA, True, True, "2024-02-08", "2024-02-07", False),
    ]


def test_a_facility_that_the_registry_lacks_keeps_its_code(country: Dbt) -> None:
    found = country.query(
        "select distinct place_key, facility_uid, source_code, is_expected from dwh.fct_idsr_weekly"
        f" where week_start = '{STRADDLING}' and path = 'direct' order by 1"
    )
    assert found == [
        ("F9999", None, "F9999", False),
        (KIBAGABAGA, KIBAGABAGA, "F0022", True),
        (REMERA, REMERA, "F0440", True),
    ]


def test_deleted_moved_and_doubled_notifications_count_once_where_they_are(country: Dbt) -> None:
    assert told(country, "direct", REMERA, "CHOLERA") == dict.fromkeys(("0-4", "5+"), NOTHING)
    assert told(country, "direct", REMERA, "CHOLERA", HALF)["0-4"] == (1, 0, "cases", True)
    assert told(country, "direct", KIBAGABAGA, "RABIES")["0-4"] == (1, 0, "cases", True)


def test_completeness_and_timeliness_by_district_week_and_path(country: Dbt) -> None:
    found = country.query(
        "select week_start::text, path, district, expected, received, received_on_time, received_late,"
        " received_unexpected, completeness, timeliness from reporting.rpt_idsr_reporting_rates"
        f" where week_start >= '{STRADDLING}' order by 1, 2, 3"
    )
    gasabo = "Gasabo District"
    assert found == [
        (STRADDLING, "dhis2", gasabo, 2, 1, 1, 0, 0, 50.0, 50.0),
        (STRADDLING, "direct", gasabo, 2, 2, 1, 1, 0, 100.0, 50.0),
        (STRADDLING, "direct", None, 0, 0, 0, 0, 1, None, None),
        (STRADDLING, "either", gasabo, 2, 2, 1, 1, 0, 100.0, 50.0),
        (STRADDLING, "either", None, 0, 0, 0, 0, 1, None, None),
        (HALF, "direct", gasabo, 2, 1, 1, 0, 0, 50.0, 50.0),
        (HALF, "either", gasabo, 2, 1, 1, 0, 0, 50.0, 50.0),
    ]


def test_a_week_says_when_it_is_due_and_when_it_was_landed(own_country: Dbt) -> None:
    """The Wednesday after; on that day itself, it is not over."""
    query = (
        "select week_start::text, due_on::text, is_due, (data_as_of at time zone 'UTC')::text"
        f" from reporting.rpt_idsr_reporting_rates where path = 'either' and week_start >= '{STRADDLING}'"
        " and district is not null order by 1"
    )
    landed = "2024-02-20 06:00:00"
    assert own_country.query(query) == [(STRADDLING, "2024-02-07", True, landed), (HALF, "2024-02-14", True, landed)]
    with own_country.warehouse.connect() as connection:
        today = "(now() at time zone 'Africa/Kigali')::date"
        connection.execute(
            f"update dwh.fct_idsr_report set due_on = {today} - case when week_start = '{HALF}' then 0 else 1 end".encode()
        )
    assert [row[2] for row in own_country.query(query)] == [True, False]
    assert own_country.query(
        "select distinct (data_as_of at time zone 'UTC')::text from reporting.rpt_idsr_weekly"
    ) == [(landed,)]


def test_a_district_counts_the_preferred_path_and_the_other_where_that_has_no_report(country: Dbt) -> None:
    """Measles prefers the direct path, malaria DHIS2, by which Remera did not tell of it."""
    found = country.query(
        "select district_code, disease_code, preferred_path, cases, deaths, cases_under_5, facilities_expected,"
        " facilities_reported, facilities_by_other_path, cases_by_other_path from reporting.rpt_idsr_weekly"
        f" where week_start = '{STRADDLING}' and disease_code in ('MEASLES', 'MALARIA_SIMPLE', 'CHOLERA', 'RABIES')"
        " order by 1, 2"
    )
    assert found == [
        ("102", "CHOLERA", "direct", None, None, None, 2, 0, 0, 0),
        ("102", "MALARIA_SIMPLE", "dhis2", 12, 0, 5, 2, 2, 1, 12),
        ("102", "MEASLES", "direct", 3, 1, 2, 2, 2, 0, 0),
        ("102", "RABIES", "direct", 1, 0, 1, 2, 1, 0, 0),
        (None, "CHOLERA", "direct", None, None, None, 0, 0, 0, 0),
        (None, "MALARIA_SIMPLE", "dhis2", None, None, None, 0, 0, 0, 0),
        (None, "MEASLES", "direct", 4, 0, 4, 0, 1, 0, 0),
        (None, "RABIES", "direct", None, None, None, 0, 0, 0, 0),
    ]


def test_a_week_in_which_nobody_reported_a_disease_is_null_and_not_zero(country: Dbt) -> None:
    found = country.query(
        "select cases, deaths, cases_under_5, facilities_expected, facilities_reported from reporting.rpt_idsr_weekly"
        f" where week_start = '{HALF}' and disease_code = 'MEASLES' and district_key = '{GASABO}'"
    )
    assert found == [(None, None, None, 2, 0)]


def test_both_paths_stand_side_by_side_in_weeks_that_are_loaded_by_both(country: Dbt) -> None:
    found = country.query(
        "select facility, disease_code, direct_cases, dhis2_cases, direct_deaths, dhis2_deaths, verdict"
        " from reporting.rpt_idsr_paths where week_start >= '2024-01-01'"
        " and disease_code in ('MEASLES', 'MALARIA_SIMPLE', 'CHOLERA') order by 1, 2"
    )
    assert found == [
        ("Kibagabaga", "MALARIA_SIMPLE", 0, 0, 0, 0, "agrees"),
        ("Kibagabaga", "MEASLES", 3, 4, 1, 0, "differs"),
        ("Remera", "MALARIA_SIMPLE", 12, None, 0, None, "only direct"),
        ("Remera", "MEASLES", 0, 0, 0, 0, "agrees"),
        (None, "MEASLES", 4, None, 0, None, "only direct"),
    ]


def test_weeks_are_those_of_iso_8601(country: Dbt) -> None:
    found = country.query(
        "select week_start::text, week_end::text, epi_week, epi_year, epi_week_number, period_start::text"
        " from dwh.dim_epi_week where week_start in ('2020-12-28', '2024-01-29', '2026-12-28', '2027-01-04', '2024-12-30')"
        " order by 1"
    )
    assert found == [
        (WEEK_53, "2021-01-03", "2020W53", 2020, 53, "2020-12-01"),
        (STRADDLING, "2024-02-04", "2024W05", 2024, 5, "2024-02-01"),
        ("2024-12-30", "2025-01-05", "2025W01", 2025, 1, "2025-01-01"),
        ("2026-12-28", "2027-01-03", "2026W53", 2026, 53, "2026-12-01"),
        ("2027-01-04", "2027-01-10", "2027W01", 2027, 1, "2027-01-01"),
    ]
    years = country.query(
        "select epi_year from dwh.dim_epi_week where epi_week_number = 53 and epi_year >= 2020 order by 1"
    )
    assert [year for (year,) in years] == [2020, 2026, 2032]


def test_week_53_is_counted_whole_though_it_ends_in_another_year(country: Dbt) -> None:
    assert told(country, "direct", KIBAGABAGA, "MEASLES", WEEK_53)["0-4"] == (6, 0, "cases", True)


def test_a_week_landed_again_is_replaced_and_no_other_is_touched(own_country: Dbt) -> None:
    unchanged = f"select xmin::text, * from dwh.fct_idsr_weekly where week_start <> '{STRADDLING}' order by 1, 2, 3, 4, 5, 6, 7, 8"
    before = own_country.query(unchanged)
    with own_country.warehouse.connect() as connection:
        for table in ("idsr_notifications", "hmis_weekly_values", "hmis_weekly_registrations"):
            connection.execute(f"delete from raw.{table} where _partition = '{STRADDLING}'".encode())
        rows = [
            notification("n1", "F0022", "MEASLES", (7, 0), NONE, IN_TIME),
            notification("n11", "F0022", "NEW_ONE", (1, 0), NONE, IN_TIME),
        ]
        cells = [
            *CELLS[3:],
            cell(MALARIA, NYAMATA, "2"),
            cell(MEASLES, NYAMATA, "1", OTHER_AGE),
            cell(MALARIA, REMERA, "many"),
        ]
        land_week(connection, STRADDLING, rows, cells, {REMERA: "2024-02-06"})
        # A week that DHIS2 had not been read for is read now.
        land_week(connection, HALF, [], [cell(MEASLES, KIBAGABAGA, "5")], {KIBAGABAGA: "2024-02-12"})
        note_loads(connection, HALF, DHIS2)
    results = own_country.weekly(STRADDLING, HALF, tests=True)
    assert own_country.query(unchanged) == before
    assert results["idsr_paths_agree"] == "pass", (
        "it is asked with every week, and nothing that both report differs now"
    )
    assert {name for name, status in results.items() if status == "warn"} == {
        "idsr_age_bands_are_known",
        "relationships_fct_idsr_weekly_disease_code__disease_code__ref_idsr_disease_",
    }
    assert told(own_country, "direct", KIBAGABAGA, "MEASLES")["0-4"] == (7, 0, "cases", True)
    assert told(own_country, "direct", KIBAGABAGA, "RABIES") == dict.fromkeys(("0-4", "5+"), NOTHING)
    assert told(own_country, "direct", KIBAGABAGA, "NEW_ONE")["0-4"] == (1, 0, "cases", True)
    assert told(own_country, "dhis2", NYAMATA, "MALARIA_SIMPLE")["0-4"] == (2, 0, "cases", False)
    assert told(own_country, "dhis2", NYAMATA, "MEASLES")["unknown"] == (1, 0, "cases", False)
    # Text that is no number is no zero, on a complete form either; the other band of it is blank.
    assert told(own_country, "dhis2", REMERA, "MALARIA_SIMPLE") == {"0-4": NOTHING, "5+": (0, 0, "blank", True)}

    own_country.weekly(HALF, ALL_WEEKS[1])
    assert told(own_country, "dhis2", KIBAGABAGA, "MEASLES", HALF)["0-4"] == (5, 0, "cases", True)
    assert own_country.query("select count(*) from dwh.fct_idsr_weekly where week_start = '2020-12-28'")[0][0] > 0


def test_a_form_that_was_not_sent_says_nothing_though_another_was(own_country: Dbt) -> None:
    """Malaria moves to a form of its own: that of measles is complete, and is no zero report of malaria any more."""
    with own_country.warehouse.connect() as connection:
        connection.execute(
            "update staging.stg_hmis__data_set_elements set data_set_uid = 'DsMalariaWk' where data_element_uid = %s",
            [MALARIA],
        )
        rename_facilities(connection)
        land_week(
            connection,
            STRADDLING,
            [
                notification("a", "F0022", "MEASLES", (1, 0), NONE, IN_TIME, facility_name="CS Kibagabaga"),
                notification("b", "F0022", "MEASLES", (2, 0), NONE, IN_TIME, facility_name="Remera Health Centre"),
                notification("c", "F0022", "MEASLES", (4, 0), NONE, IN_TIME, facility_name="Elsewhere HC"),
            ],
        )
    own_country.weekly(STRADDLING, HALF)
    assert told(own_country, "dhis2", KIBAGABAGA, "MALARIA_SIMPLE") == dict.fromkeys(("0-4", "5+"), NOTHING)
    assert told(own_country, "dhis2", KIBAGABAGA, "MEASLES")["0-4"] == (3, 0, "cases", True)
    # Of facilities that share a code each keeps its own cases.
    cases = {place: told(own_country, "direct", place, "MEASLES")["0-4"][0] for place in (KIBAGABAGA, REMERA)}
    assert cases == {KIBAGABAGA: 1, REMERA: 2}
    assert told(own_country, "direct", "F0022 elsewhere", "MEASLES")["0-4"][0] == 4
    assert told(own_country, "direct", "F0022 some", "MEASLES")["0-4"][0] == 2


def rename_facilities(connection: psycopg.Connection[Any]) -> None:
    """The registry holds one code twice."""
    connection.execute(
        "update intermediate.int_facility_name set fosa_code = '0022', is_fosa_unique = false where facility_uid = any(%s)",
        [[KIBAGABAGA, REMERA]],
    )
