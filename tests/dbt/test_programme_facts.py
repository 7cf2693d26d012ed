"""Facts of tracker programmes, doses, births, deaths and tumours: figures by hand, and what a week landed again changes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from dbt_runner import PSEUDONYM_KEY, Dbt
from programme_fact_rows import (
    AT_FACILITY,
    CANCER,
    CHILDREN,
    CIVIL,
    IMMUNIZATION,
    MOTHERS,
    SPRING,
    VISITS,
    child,
    enrolment,
    event,
    land_rows,
    visit,
)
from small_country import KIBAGABAGA, REMERA
from tracker_rows import LEGACY, empty

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.identity.pseudonym import pseudonym


def key(source: str, record: str) -> str:
    return str(pseudonym(PSEUDONYM_KEY, source, record))


def doses(dbt: Dbt, columns: str, where: str = "true") -> dict[tuple[str, str], Any]:
    """By the visit and the dose's code at the source."""
    found = dbt.query(f"select event_key::text, source_code, {columns} from dwh.fct_immunization_dose where {where}")
    visits = {key("immunization_event", row["event"]): row["event"] for row in VISITS} | {
        key("immunization_event", uid): uid for uid in ("a9",)
    }
    held = {(visits[row[0]], row[1].removeprefix("IMM_")): row[2:] for row in found}
    assert len(held) == len(found)
    return held


def weeks(dbt: Dbt, start: str, end: str) -> dict[str, str]:
    window = ["--event-time-start", start, "--event-time-end", end]
    kinds = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    return dbt.run("build", "--select", "tag:weekly,tag:tracker", *kinds, *window)


def months(dbt: Dbt, start: str, end: str) -> dict[str, str]:
    window = ["--event-time-start", start, "--event-time-end", end]
    return dbt.run("build", "--select", "tag:monthly,tag:tracker", "--exclude-resource-type", "unit_test", *window)


def test_every_record_that_stands_is_in_the_facts_once(country: Dbt) -> None:
    found = country.query(
        "select programme, count(*), count(distinct event_key) from dwh.fct_programme_event group by 1"
    )
    expected = {"immunization": len(VISITS), "crvs": len(CIVIL), "birth_registration": len(AT_FACILITY)}
    assert {row[0]: row[1:] for row in found} == {programme: (n, n) for programme, n in expected.items()}
    enrolments = "select programme, patient_source_key::text, facility_uid from dwh.fct_programme_enrolment"
    assert sorted(country.query(enrolments)) == sorted(
        ("immunization", key("immunization", row["tracked_entity"]), KIBAGABAGA) for row in CHILDREN
    )
    unknown = (
        "select facility_uid, org_unit_uid, status, took_place, partition_start::text from dwh.fct_programme_event"
    )
    assert country.query(f"{unknown} where event_key = '{key('immunization_event', 'f1')}'") == [
        (None, "UnknownUnit", "COMPLETED", True, SPRING)
    ]
    assert country.query(f"{unknown} where not took_place") == [(KIBAGABAGA, KIBAGABAGA, "SKIPPED", False, SPRING)]


def test_doses_by_age_interval_and_time(country: Dbt) -> None:
    columns = "dose_number, age_days, is_age_valid, is_interval_valid, is_valid, is_timely"
    assert doses(country, columns) == {
        ("a1", "PENTA1"): (1, 42, True, None, True, True),
        ("a1", "OPV1"): (1, 42, True, None, True, True),
        # A day before ten weeks, and 27 days after the first.
        ("a2", "PENTA2"): (2, 69, False, False, False, True),
        ("a3", "PENTA3"): (3, 99, True, True, True, True),
        ("b1", "MR1"): (1, 273, True, None, True, True),
        ("b1", "VITAMIN_A"): (None, 273, True, None, True, None),
        ("c1", "MR1"): (1, 272, False, None, False, True),
        # A day more than three months after nine months.
        ("d1", "MR1"): (1, 366, True, None, True, False),
        ("d2", "BCG"): (1, 365, True, None, True, False),
        ("e1", "PENTA1"): (1, None, None, None, None, None),
        ("f1", "NewVaccine1"): (None, 64, None, None, None, None),
        ("f1", "ROTA3"): (None, 64, None, None, None, None),
    }


def test_a_dose_says_vaccine_facility_child_and_birth_month_and_no_more(country: Dbt) -> None:
    columns = "vaccine_code, facility_uid, patient_source_key::text, birth_month::text, sex, previous_dose_on::text"
    found = doses(country, columns)
    assert found["a2", "PENTA2"] == ("PENTA", KIBAGABAGA, key("immunization", "ann"), "2023-01-01", "F", "2023-02-12")
    assert found["f1", "NewVaccine1"] == (None, None, key("immunization", "fay"), "2023-01-01", "M", None)
    assert found["e1", "PENTA1"] == ("PENTA", KIBAGABAGA, key("immunization", "eve"), None, "M", None)


def test_the_schedule_in_force_on_the_day_counts(country: Dbt) -> None:
    third = (
        "select count(*) from dwh.dim_vaccine_schedule where dose_code = 'ROTA3'"
        " and date '{}' between coalesce(valid_from, '-infinity') and coalesce(valid_to, 'infinity')"
    )
    assert country.query(third.format("2015-01-01")) == [(1,)]
    assert country.query(third.format("2023-01-01")) == [(0,)]
    assert country.query("select doses_now from dwh.dim_vaccine where vaccine_code = 'ROTA'") == [(2,)]


def test_a_week_landed_again_costs_that_week_and_judges_later_doses_anew(own_country: Dbt) -> None:
    """The first dose was given three days later, in the next week; the second dose is in a week that is not built again."""
    where = "week_start not in ('2023-02-06', '2023-02-13')"
    before = doses(own_country, "xmin::text", where)
    with own_country.warehouse.connect() as connection:
        empty(connection, IMMUNIZATION, Kind.EVENTS, "2023-02-06", LEGACY)
        land_rows(connection, IMMUNIZATION, Kind.EVENTS, [visit("a9", "ann", "2023-02-15", "IMM_PENTA1")], load_id=2)
    weeks(own_country, "2023-02-06", "2023-02-20")
    found = doses(
        own_country, "given_on - previous_dose_on, week_start::text, load_id", "source_code like 'IMM_PENTA%'"
    )
    assert found == {
        ("a9", "PENTA1"): (None, "2023-02-13", 2),
        ("a2", "PENTA2"): (24, SPRING, 1),
        ("a3", "PENTA3"): (30, "2023-04-10", 1),
        ("e1", "PENTA1"): (None, SPRING, 1),
    }
    after = doses(own_country, "xmin::text", where)
    assert {dose for dose in before if before[dose] != after[dose]} == {("a2", "PENTA2")}
    assert before.keys() == after.keys()


def test_a_dose_that_vanished_is_no_dose_before_another(own_country: Dbt) -> None:
    with own_country.warehouse.connect() as connection:
        empty(connection, IMMUNIZATION, Kind.EVENTS, "2023-02-06", LEGACY)
    weeks(own_country, "2023-02-06", "2023-02-13")
    found = doses(own_country, "previous_dose_on::text, is_valid", "source_code like 'IMM_PENTA%'")
    assert found == {
        ("a2", "PENTA2"): (None, False),
        ("a3", "PENTA3"): ("2023-03-11", True),
        ("e1", "PENTA1"): (None, None),
    }


def test_a_birth_date_that_is_corrected_reaches_the_doses_of_all_weeks(own_country: Dbt) -> None:
    """It is landed again with the week of the enrolment, in which no dose was given."""
    with own_country.warehouse.connect() as connection:
        corrected = [child("ann", "2022-12-31", "Gore", updated="2023-06-01")]
        land_rows(connection, IMMUNIZATION, Kind.TRACKED_ENTITIES, corrected, "2023-01-02", load_id=2)
    weeks(own_country, "2023-01-02", "2023-01-09")
    found = doses(own_country, "age_days, is_age_valid, birth_month::text", "source_code like 'IMM_PENTA%'")
    assert found["a1", "PENTA1"] == (43, True, "2022-12-01")
    assert found["a2", "PENTA2"] == (70, True, "2022-12-01")


def test_a_record_that_moved_stands_in_its_new_week_alone(own_country: Dbt) -> None:
    """Its old week is not landed again yet."""
    with own_country.warehouse.connect() as connection:
        moved = [visit("a2", "ann", "2023-03-14", "IMM_PENTA2", updated="2023-06-01")]
        land_rows(connection, IMMUNIZATION, Kind.EVENTS, moved, load_id=2)
    weeks(own_country, "2023-03-13", "2023-03-20")
    assert doses(own_country, "given_on::text, is_valid", "source_code = 'IMM_PENTA2'") == {
        ("a2", "PENTA2"): ("2023-03-14", True)
    }
    event_key = key("immunization_event", "a2")
    held = f"select partition_start::text from dwh.fct_programme_event where event_key = '{event_key}'"
    assert own_country.query(held) == [("2023-03-13",)]


def test_births_of_three_sources(country: Dbt) -> None:
    found = country.query(
        "select source, birth_date::text, days_to_registration, is_registered_on_time, place, sex, outcome, weight_g,"
        " org_unit_uid, facility_uid, source_facility_code from dwh.fct_birth order by source, birth_date, 3, 10"
    )
    sector = "SectRemera1"
    assert found == [
        ("birth_registration", "2023-03-08", None, None, "FACILITY", None, "FSB", 2900, KIBAGABAGA, KIBAGABAGA, None),
        ("crvs", "2023-02-04", 30, True, "FACILITY", "F", "LIVE", 3100, sector, KIBAGABAGA, "22"),
        ("crvs", "2023-02-04", 31, False, "HOME", None, "LIVE", None, sector, None, None),
        ("crvs", "2023-03-10", -1, False, "HOME", None, "LIVE", None, sector, None, None),
        ("ebuzima", "2023-03-12", None, None, "FACILITY", "F", "LIVE", 2500, None, KIBAGABAGA, "0022"),
        ("ebuzima", "2023-03-12", None, None, "FACILITY", "F", "MSB", 2500, None, None, "9999"),
    ]


def test_deaths_by_age_and_unit(country: Dbt) -> None:
    found = country.query(
        "select age, age_unit, age_years, is_neonatal, days_to_registration, is_registered_on_time, cause_icd10, facility_uid"
        " from dwh.fct_death order by age_years, age"
    )
    assert found == [
        (27, "DAYS", 0, True, 3, True, "P21.9", REMERA),
        (28, "DAYS", 0, False, 62, False, None, REMERA),
        (23, "MONTHS", 1, False, 3, True, None, REMERA),
        (60, "YEARS", 60, False, 3, True, None, REMERA),
    ]


def test_a_delivery_and_a_pregnancy(country: Dbt) -> None:
    delivery = (
        "select delivered_on::text, week_start::text, mother_age_years, is_caesarean, is_skilled_attendance, live_births,"
        " stillbirths, complications, complication_codes, mother_condition, facility_uid, patient_source_key::text"
        " from dwh.fct_delivery"
    )
    # Her birthday is tomorrow.
    codes, mother = ["ECLAMPSIA", "NEW_CODE"], key("ebuzima", "m1")
    assert country.query(delivery) == [
        ("2023-03-12", SPRING, 29, True, False, 1, 1, 2, codes, "REFERRED", KIBAGABAGA, mother)
    ]
    # 1 October to 31 January are 122 days.
    booked = (
        "select booked_on::text, gestation_weeks_at_booking, gravida, risk_factors, facility_uid from dwh.fct_pregnancy"
    )
    assert country.query(booked) == [("2024-01-31", 17, 2, 2, KIBAGABAGA)]
    newborn = "select distinct delivery_key from dwh.fct_birth where source = 'ebuzima'"
    assert country.query(f"{newborn} except select delivery_key from dwh.fct_delivery") == []


def test_a_disease_week_is_of_one_path(country: Dbt) -> None:
    found = country.query(
        "select place_key, disease_code, path, cases, deaths, cases_under_5, is_on_time from dwh.fct_disease_week"
        " where week_start = '2024-01-29' and is_reported and disease_code in ('MEASLES', 'MALARIA_SIMPLE', 'RABIES')"
        " and path || cases <> 'dhis20'"
    )
    assert sorted(found) == [
        ("F9999", "MEASLES", "direct", 4, 0, 4, True),
        (KIBAGABAGA, "MEASLES", "direct", 3, 1, 2, True),
        (KIBAGABAGA, "RABIES", "direct", 1, 0, 1, True),
        # Only the other path has a report.
        (REMERA, "MALARIA_SIMPLE", "direct", 12, 0, 5, False),
        (REMERA, "MEASLES", "direct", 0, 0, 0, False),
    ]
    twice = "select week_start, place_key, disease_code from dwh.fct_disease_week group by 1, 2, 3 having count(*) > 1"
    assert country.query(twice) == []
    malaria = "select path, cases from dwh.fct_disease_week where disease_code = 'MALARIA_SIMPLE' and week_start = '2024-01-29'"
    assert country.query(f"{malaria} and place_key = '{KIBAGABAGA}'") == [("dhis2", 0)]


def tumour(uid: str, day: str, **values: str) -> dict[str, Any]:
    uids = {
        "incidence": "qiPi86HJH9D",
        "basis": "VHehFWe512j",
        "site": "kSJoZ3z5hQx",
        "subsite": "I9ync75T47t",
        "behaviour": "HaAWqMzv4uv",
        "stage": "H9sszefWP4e",
        "number": "Rc96fgK7ALB",
        "district": "N00UVdz6e7T",
    }
    return event(uid, "pat", day, "Y0cWLBEdXzb", {uids[name]: value for name, value in values.items()})


def test_tumours_by_month(own_country: Dbt) -> None:
    first = tumour(
        "t1", "2023-03-20", incidence="2023-01-05", basis="7", site="50", subsite="509", behaviour="3", stage="3B"
    )
    with own_country.warehouse.connect() as connection:
        rows = [
            first,
            # Its zeros were lost, and its number is typed with one.
            tumour("t2", "2023-03-21", basis="0", site="0", subsite="0", number="0012", district="gasabo district"),
            tumour(
                "t3",
                "2023-03-22",
                basis="9",
                site="X",
                behaviour="2",
                stage="Unkwown",
                number="RW/12",
                district="Elsewhere",
            ),
        ]
        land_rows(connection, CANCER, Kind.EVENTS, rows, "2023-03-01")
    results = months(own_country, "2023-03-01", "2023-04-01")
    assert "fail" not in results.values() and "error" not in results.values(), results
    found = own_country.query(
        "select topography_group, topography, is_malignant, basis_of_diagnosis, is_morphologically_verified, is_dco, stage,"
        " is_late_stage, residence_district_code, tumour_number_key::text, incidence_date, period_start::text"
        " from dwh.fct_tumour order by recorded_on"
    )
    march = "2023-03-01"
    assert found == [
        ("C50", "C50.9", True, 7, True, False, "3B", True, None, None, date(2023, 1, 5), march),
        ("C00", "C00.0", None, 0, False, True, None, None, "102", key("cancer_tumour_number", "pat/12"), None, march),
        (None, None, False, 9, False, False, None, None, None, None, None, march),
    ]
    events = "select programme, count(*) from dwh.fct_programme_event where programme = 'cancer' group by 1"
    assert own_country.query(events) == [("cancer", 3)], "the view shows the months without being built"

    with own_country.warehouse.connect() as connection:
        empty(connection, CANCER, Kind.EVENTS, march, LEGACY)
        land_rows(connection, CANCER, Kind.EVENTS, [first], march, load_id=2)
    months(own_country, "2023-03-01", "2023-04-01")
    assert own_country.query("select load_id from dwh.fct_tumour") == [(2,)]
    assert own_country.query(events) == [("cancer", 1)]


@pytest.mark.parametrize(
    ("typed", "code"), [("o72.1", "O72.1"), ("Mukamana Alice", None), ("O72.1 and she was called Alice", None)]
)
def test_an_audit_finds_its_case_of_another_month(own_country: Dbt, typed: str, code: str | None) -> None:
    case = {"RWTINZIYhS3": "2023-03-30", "TKAqnSEiSz5": "31", "utBlbWAFUFk": "PPH", "jcBH0K4Wdzr": "POSTPARTUM"}
    audit = {"G0Rt3qPJnRM": "2023-04-10", "R94GOejbjtE": "AVOIDABLE", "FbjJTd75nO8": "3", "YLdc382GcKJ": typed}
    with own_country.warehouse.connect() as connection:
        land_rows(
            connection, MOTHERS, Kind.EVENTS, [event("c1", "mum", "2023-03-31", "MdaStgCas01", case)], "2023-03-01"
        )
    months(own_country, "2023-03-01", "2023-04-01")
    said = (
        "select age_years, presumed_cause, is_audited, audited_on::text, days_to_audit, is_avoidable, delay, cause_icd10,"
        " partition_start::text from dwh.fct_death_audit"
    )
    assert own_country.query(said) == [(31, "PPH", False, None, None, None, None, None, "2023-03-01")]
    with own_country.warehouse.connect() as connection:
        land_rows(
            connection, MOTHERS, Kind.EVENTS, [event("c2", "mum", "2023-04-10", "MdaStgAud01", audit)], "2023-04-01"
        )
        alone = event("c3", "who", "2023-04-11", "MdaStgAud01", {}, status="SCHEDULE", occurred_at=None)
        land_rows(connection, MOTHERS, Kind.EVENTS, [{**alone, "scheduled_at": "2023-04-11"}], "2023-04-01")
    months(own_country, "2023-04-01", "2023-05-01")
    assert sorted(own_country.query(said), key=str) == [
        (31, "PPH", True, "2023-04-10", 11, True, "3", code, "2023-03-01"),
        (None, None, False, None, None, None, None, None, "2023-04-01"),
    ]


def test_no_fact_holds_what_tells_who_somebody_is(country: Dbt) -> None:
    """No source's own id of anybody or anything of theirs stands in these tables."""
    ids = {row["event"] for row in [*VISITS, *CIVIL, *AT_FACILITY]} | {row["tracked_entity"] for row in CHILDREN}
    for table in (
        "programme_event",
        "programme_enrolment",
        "immunization_dose",
        "birth",
        "death",
        "delivery",
        "pregnancy",
    ):
        for (row,) in country.query(f"select to_jsonb(f) from dwh.fct_{table} as f"):
            assert not ids & {str(value) for value in row.values()}, table


def test_the_enrolment_of_a_person_is_found_from_a_dose(country: Dbt) -> None:
    one = "select count(*) from dwh.fct_immunization_dose d join dwh.fct_programme_event e using (event_key)"
    assert country.query(f"{one} join dwh.fct_programme_enrolment n using (enrolment_key)") == [(12,)]
    assert enrolment("ann", "2023-01-04")["enrollment"] == "n-ann"
