"""People in HIV care and TB cases for their marts.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marts_rows import Row, key, measured, monday, months
from small_country import COUNTRY, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA


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
    ],
    # Of a month of which nobody in care is counted.
    "dwh.fct_measure_month": [*measured("POPD_PLHIV", "2024-08-01", {KIBAGABAGA: 860})],
}


def tb(case: str, registered: str, outcome: str | None, unit: str = KIBAGABAGA, **more: Any) -> Iterator[Row]:
    """A TB case, by default new, confirmed, pulmonary, susceptible and HIV negative; its outcome half a year later."""
    first: Row = {
        "event_key": key("tb", case),
        "enrolment_key": key("tb case", case),
        "org_unit_uid": unit,
        "kind": "registration",
        "day": registered,
        "patient_type": "NEW",
        "site": "P",
        "basis": "BC",
        "resistance": "DS",
        "hiv_status": "NEG",
        "week_start": monday(registered),
        "load_id": 1,
    }
    yield first | more
    if outcome:
        day = months(registered, 7)
        last = {
            "event_key": key("tb out", case),
            "kind": "outcome",
            "day": day,
            "week_start": monday(day),
            "outcome": outcome,
        }
        yield {name: first[name] for name in ("enrolment_key", "org_unit_uid", "load_id")} | last


TB: dict[str, list[Row]] = {
    "intermediate.int_tb_event": [
        *(row for n in range(6) for row in tb(f"a{n}", "2023-02-01", "CURED", hiv_status="POS")),
        *(row for n in range(6) for row in tb(f"b{n}", "2023-02-01", "COMPLETED", basis="CD", site="EP")),
        *(row for n in range(5) for row in tb(f"c{n}", "2023-02-01", "DIED", patient_type="RELAPSE", hiv_status="UNK")),
        *(row for n in range(5) for row in tb(f"d{n}", "2023-03-31", "FAILED", patient_type="OTHER", site="EP")),
        *(row for n in range(5) for row in tb(f"e{n}", "2023-02-01", None, resistance="RR")),
        *tb("f", "2023-02-01", "COMPLETED", NYAMATA, basis="CD"),
        # Of the next quarter; and the last week that is landed, not yet a year after it.
        *(row for n in range(6) for row in tb(f"g{n}", "2023-04-01", None)),
        *tb("h", "2023-11-02", "CURED", patient_type="RELAPSE"),
    ],
    "dwh.fct_measure_month": [
        row
        for month in ("2023-01-01", "2023-02-01", "2023-03-01")
        for row in measured("POPD_TOTAL", month, {KIBAGABAGA: 400_000})
    ],
}


def month_of_programme(programme: str, unit: str, level: str, records: int) -> Row:
    """So many visits in March 2024, all of them made, by different people."""
    row = dict.fromkeys(("active", "visited", "scheduled", "overdue", "skipped", "cancelled"), 0)
    named = {"programme": programme, "stage_key": f"Stage of {programme}", "org_unit_uid": unit, "level": level}
    counted = dict.fromkeys(("records", "took_place", "people", "completed"), records)
    return {"period_start": "2024-03-01", "is_complete": True, **named, **row, **counted}


PROGRAMME_MONTHS: dict[str, list[Row]] = {
    "dwh.fct_programme_month": [
        month_of_programme(programme, unit, level, records)
        for programme in ("tb", "immunization")
        for unit, level, records in (
            (KIBAGABAGA, "facility", 20),
            (REMERA, "facility", 3),
            (GASABO, "district", 23),
            (KIGALI, "province", 23),
            (COUNTRY, "country", 23),
        )
    ]
}
