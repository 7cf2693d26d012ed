"""Rows of facts for the programme marts, made by hand: few enough that every figure is worked out in the tests.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA

Row = dict[str, Any]
LEVELS = {COUNTRY: "country", KIGALI: "province", EAST: "province", GASABO: "district", BUGESERA: "district"}
ABOVE = {KIBAGABAGA: (GASABO, KIGALI), REMERA: (GASABO, KIGALI), NYAMATA: (BUGESERA, EAST)}


def key(*words: object) -> str:
    """A pseudonym: the same for the same words."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(words)))


def monday(day: str) -> str:
    """The Monday of a day's week."""
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()


def months(day: str, number: int) -> str:
    """The first day of the month so many months after the month of a day."""
    when = date.fromisoformat(day)
    total = when.year * 12 + when.month - 1 + number
    return f"{total // 12}-{total % 12 + 1:02d}-01"


def dose(child: str, code: str, day: str, unit: str = KIBAGABAGA, **more: Any) -> Row:
    """A dose given on a day."""
    return {
        "dose_key": key("dose", child, code, day),
        "event_key": key("visit", child, day),
        "patient_source_key": key("child", child),
        "vaccine_code": code.rstrip("0123456789"),
        "dose_code": code,
        "source_code": f"IMM_{code}",
        "org_unit_uid": unit,
        "facility_uid": unit if unit in ABOVE else None,
        "given_on": day,
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def birth(uid: str, source: str, day: str, unit: str | None, **more: Any) -> Row:
    """A live birth that a source knows of."""
    return {
        "birth_key": key(source, uid),
        "source": source,
        "org_unit_uid": unit,
        "facility_uid": unit if unit in ABOVE else None,
        "birth_date": day,
        "place": "FACILITY",
        "outcome": "LIVE",
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def measured(measure: str, month: str, values: dict[str, float]) -> Iterator[Row]:
    """A measure of the HMIS at facilities, and what it adds up to above them."""
    totals: dict[str, float] = {}
    for unit, value in values.items():
        for place in (unit, *ABOVE[unit], COUNTRY):
            totals[place] = totals.get(place, 0) + value
    for place, value in totals.items():
        level = LEVELS.get(place, "facility")
        yield {
            "period_start": month,
            "measure_code": measure,
            "org_unit_uid": place,
            "level": level,
            "value": value,
            "is_estimated": False,
        }


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


def hiv(who: str, kind: str, day: str, unit: str = KIBAGABAGA, **more: Any) -> Row:
    """An event of the HIV tracker."""
    return {
        "event_key": key("hiv", who, kind, day),
        "patient_source_key": key("hiv", who),
        "org_unit_uid": unit,
        "kind": kind,
        "day": day,
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def hiv_person(kind: str, copy: int) -> Iterator[Row]:
    """One of six alike. All but G and H started on 15 March 2023, G elsewhere."""
    who = f"{kind}{copy}"
    started = {
        "art_started_on": None if kind == "H" else "2023-03-15",
        "entry_point": "TRANSFER" if kind == "G" else "VCT",
    }
    yield hiv(who, "enrolment", "2023-03-15", **started)
    for day, days in HIV_VISITS[kind]:
        yield hiv(who, "visit", day, drug_days=days)
    for day, reason in HIV_EXITS.get(kind, []):
        yield hiv(who, "exit", day, exit_reason=reason)
    for day, suppressed in HIV_LOADS.get(kind, []):
        yield hiv(who, "viral_load", day, is_suppressed=suppressed)


HIV_VISITS: dict[str, list[tuple[str, int | None]]] = {
    # Ran out on 1 March, 29 February, 31 January and 30 January: 30, 31, 60 and 61 days before the end of March.
    "A": [("2024-02-01", 29)],
    "B": [("2024-01-31", 29)],
    "C": [("2024-01-01", 30)],
    "D": [("2023-12-31", 30)],
    "E": [("2024-03-01", 30)],
    # Came back; and a visit without drugs says nothing of drugs.
    "F": [("2023-12-10", 30), ("2024-03-10", 60), ("2024-03-20", None)],
    "G": [("2024-03-01", 60)],
    "H": [("2024-03-01", 60)],
}
HIV_EXITS = {"E": [("2024-03-15", "DIED")], "F": [("2024-01-10", "TRANSFER_OUT")], "G": [("2024-03-02", "LTFU")]}
HIV_LOADS = {
    # Twelve months before the end of March to the day: too old.
    "F": [("2023-03-31", True)],
    "G": [("2023-04-01", True)],
    "H": [("2023-05-01", True), ("2024-01-05", False)],
}
HIV: dict[str, list[Row]] = {
    "intermediate.int_hiv_event": [
        *(row for kind in HIV_VISITS for copy in range(6) for row in hiv_person(kind, copy)),
        hiv("mover", "enrolment", "2023-01-01"),
        hiv("mover", "visit", "2024-03-26", REMERA, drug_days=60),
    ]
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


def death(uid: str, day: str, unit: str = KIBAGABAGA, **more: Any) -> Row:
    """A registered death."""
    return {
        "death_key": key("death", uid),
        "org_unit_uid": unit,
        "facility_uid": unit if unit in ABOVE else None,
        "death_date": day,
        "is_registered_on_time": True,
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def audit_event(case: str, day: str, is_audit: bool, programme: str, unit: str = KIBAGABAGA) -> Row:
    """The case of a death, or its audit."""
    return {
        "event_key": key(case, is_audit),
        "enrolment_key": key(case),
        "programme": f"{programme}_death_audit",
        "is_audit": is_audit,
        "took_place": True,
        "status": "COMPLETED",
        "org_unit_uid": unit,
        "facility_uid": unit,
        "event_day": day,
        "death_date": None if is_audit else day,
        "audit_date": day if is_audit else None,
        "partition_start": months(day, 0),
    }


def audited(case: str, died: str, on: str | None, programme: str, unit: str = KIBAGABAGA) -> Iterator[Row]:
    """A death, and its audit unless there was none."""
    yield audit_event(case, died, False, programme, unit)
    if on:
        yield audit_event(case, on, True, programme, unit)


SUMMER = ("2024-07-01", "2024-08-01", "2024-09-01")
CIVIL: dict[str, list[Row]] = {
    "dwh.fct_birth": [
        *(birth(f"r{n}", "crvs", "2024-07-02", KIBAGABAGA, is_registered_on_time=True) for n in range(6)),
        *(birth(f"l{n}", "crvs", "2024-09-30", KIBAGABAGA, is_registered_on_time=False) for n in range(3)),
        birth("home", "crvs", "2024-08-01", "SectRemera1", place="HOME", is_registered_on_time=True),
        # Of the next quarter, however early.
        birth("october", "crvs", "2024-10-01", KIBAGABAGA, is_registered_on_time=True),
    ],
    "dwh.fct_death": [
        *(death(f"d{n}", "2024-07-03", cause_icd10="I21.9") for n in range(6)),
        *(death(f"e{n}", "2024-08-03", is_registered_on_time=False) for n in range(5)),
        death("f", "2024-11-03", NYAMATA),
        *(death(f"g{n}", "2024-11-03", cause_icd10="I21.9") for n in range(9)),
    ],
    "dwh.fct_measure_month": [
        row
        for month in SUMMER
        for row in (
            *measured("POP_BIRTHS", month, {KIBAGABAGA: 48}),
            *measured("LIVE_BIRTHS", month, {KIBAGABAGA: 100, NYAMATA: 20}),
            *measured("DELIVERIES", month, {KIBAGABAGA: 105, NYAMATA: 20}),
            *measured("STILLBIRTHS_FRESH", month, {KIBAGABAGA: 2}),
            *measured("STILLBIRTHS_MACERATED", month, {KIBAGABAGA: 4}),
            *measured("NEONATAL_DEATHS_AT_BIRTH", month, {KIBAGABAGA: 1}),
            *measured("NEONATAL_DEATHS_LATER", month, {KIBAGABAGA: 2}),
            *measured("MATERNAL_DEATHS", month, {KIBAGABAGA: 3, NYAMATA: 1}),
        )
    ],
    "intermediate.int_death_audit_event": [
        # Seven days are in time, eight are not.
        *(row for n in range(5) for row in audited(f"in time {n}", "2024-07-10", "2024-07-17", "perinatal")),
        *(row for n in range(5) for row in audited(f"late {n}", "2024-07-10", "2024-07-18", "perinatal")),
        *(row for n in range(10) for row in audited(f"none {n}", "2024-07-10", None, "perinatal")),
        *audited("mother", "2024-07-10", "2024-07-17", "maternal"),
    ],
}


def fill(connection: psycopg.Connection[Any]) -> None:
    """Put all rows into the facts."""
    for rows in (RECONCILED, HIV, VACCINATED, CIVIL):
        for table, its in rows.items():
            put(connection, table, its)


def put(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows into a fact as they are told; what is not told is NULL."""
    for row in rows:
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        places = sql.SQL(", ").join(sql.Placeholder() * len(row))
        into = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(*table.split(".")), names, places)
        connection.execute(into, list(row.values()))
