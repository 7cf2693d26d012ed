"""Doses, births and notified cases for rpt_reconciliation and the immunization marts.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

from marts_rows import Row, birth, dose, key, measured
from small_country import KIBAGABAGA, NYAMATA, REMERA


def notified(path: str, week: str, cases: int | None, unit: str = KIBAGABAGA) -> Row:
    """Cases of measles by one path."""
    return {
        "week_start": week,
        "path": path,
        "place_key": unit,
        "facility_uid": unit,
        "disease_code": "MEASLES",
        "age_band": "0-4",
        "is_expected": True,
        "is_reported": cases is not None,
        "cases": cases,
    }


RECONCILED: dict[str, list[Row]] = {
    "dwh.fct_immunization_dose": [
        dose("ann", "PENTA1", "2024-01-10"),
        dose("ben", "PENTA1", "2024-01-11"),
        # One week, two months.
        dose("cat", "PENTA1", "2024-01-31"),
        dose("dan", "PENTA1", "2024-02-01"),
        dose("eve", "BCG", "2024-01-10", REMERA),
        dose("fay", "BCG", "2024-01-10", "NoSuchUnit1"),
    ],
    "dwh.fct_birth": [
        birth("a", "crvs", "2024-01-08", KIBAGABAGA),
        birth("b", "crvs", "2024-01-08", KIBAGABAGA, place="HOME"),
        birth("c", "crvs", "2024-01-08", "SectRemera1"),
        birth("a", "ebuzima", "2024-01-08", KIBAGABAGA),
        birth("d", "ebuzima", "2024-01-09", KIBAGABAGA),
        birth("e", "ebuzima", "2024-01-09", KIBAGABAGA, outcome="FSB"),
    ],
    "dwh.fct_measure_month": [
        *measured("PENTA1", "2024-01-01", {KIBAGABAGA: 4, NYAMATA: 6}),
        *measured("LIVE_BIRTHS", "2024-01-01", {KIBAGABAGA: 0, REMERA: 8}),
    ],
    "dwh.fct_idsr_weekly": [
        # Of 29 January the Thursday is in February.
        notified("direct", "2024-01-29", 4),
        notified("dhis2", "2024-01-29", 5),
        notified("direct", "2024-02-05", 0),
        notified("dhis2", "2024-02-05", None),
    ],
}


def judged(
    child: str, code: str, age: int | None, valid: bool | None, timely: bool | None, unit: str = KIBAGABAGA
) -> Row:
    """A dose of 10 April."""
    return dose(child, code, "2024-04-10", unit, age_days=age, is_valid=valid, is_timely=timely)


def enrolled(child: str, born: str | None) -> Row:
    """A child of the immunization tracker."""
    return {
        "enrolment_key": key("enrolment", child),
        "patient_source_key": key("child", child),
        "org_unit_uid": KIBAGABAGA,
        "enrolled_on": "2024-03-04",
        "birth_date": born,
        "sex": "F",
        "residence_sector": "Remera",
        "week_start": "2024-03-04",
        "load_id": 1,
    }


VACCINATED: dict[str, list[Row]] = {
    "dwh.fct_immunization_dose": [
        judged("c1", "PENTA1", 42, True, True),
        judged("c2", "PENTA1", 50, True, True),
        judged("c3", "PENTA1", 200, True, False),
        # Too young; and of a child whose age nobody knows.
        judged("c4", "PENTA1", 41, False, True),
        judged("c5", "PENTA1", None, None, None),
        judged("c6", "PENTA3", 100, True, True),
        judged("c7", "BCG", 0, True, True),
        judged("c8", "BCG", 100, True, False),
        *(judged(f"c{n}", "MR1", 400, True, True) for n in (10, 11, 12)),
        judged("c13", "OPV1", 42, True, True, REMERA),
        judged("c14", "PENTA1", None, None, None, NYAMATA),
    ],
    "dwh.fct_birth": [birth(f"April{n}", "crvs", "2024-04-02", KIBAGABAGA) for n in range(4)],
    "dwh.fct_measure_month": [
        *measured("POP_INFANTS", "2024-04-01", {KIBAGABAGA: 24, REMERA: 12}),
        *measured("POP_BIRTHS", "2024-04-01", {KIBAGABAGA: 36}),
    ],
    # Six weeks before the 14th of April, the last day of the last week that has doses, is the 3rd of March.
    "intermediate.int_immunization_child": [
        enrolled("due that day", "2024-03-03"),
        enrolled("overdue", "2024-03-02"),
        enrolled("c1", "2024-02-28"),
        enrolled("of five", "2019-04-14"),
        enrolled("not yet five", "2019-04-15"),
        enrolled("of unknown age", None),
    ],
}
