"""Births, deaths and audits for the marts of mothers, newborns and civil registration.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marts_rows import ABOVE, Row, birth, key, measured, monday, months
from small_country import KIBAGABAGA, NYAMATA


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
        # The cases of these are not loaded.
        *(audit_event(f"alone {n}", "2024-07-20", True, "perinatal") for n in range(5)),
        *audited("mother", "2024-07-10", "2024-07-17", "maternal"),
    ],
}
