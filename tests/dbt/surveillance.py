"""Disease surveillance of the small country: three weeks, both paths, few enough rows to count by hand.

Belongs here: its rows, as landed, and the ledger's word that the weeks are loaded. Does not belong here: what dbt should
make of them (``test_idsr_marts`` says that).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import psycopg
from raw_tables import insert
from small_country import CLOSED, DEFAULT, KIBAGABAGA, NYAMATA, REMERA, Row

# The first straddles January and February; of the second the direct path alone is loaded; the third is week 53 of 2020.
STRADDLING, HALF, WEEK_53 = "2024-01-29", "2024-02-05", "2020-12-28"
ALL_WEEKS = (WEEK_53, "2024-02-12")
FORM, UNDER_5, FROM_5, OTHER_AGE = "DsIdsrWeek1", "CocUnder5yr", "CocFrom5yrs", "CocOtherAge"
MEASLES, MEASLES_DEATHS, MALARIA = "DeMeaslesCa", "DeMeaslesDe", "DeMalariaSi"
_CODES = {MEASLES: "IDSR-015", MEASLES_DEATHS: "IDSR-016", MALARIA: "IDSR-045"}
DIRECT, DHIS2 = ("idsr_notifications",), ("hmis_weekly_values", "hmis_weekly_registrations")


def _metadata() -> dict[str, list[Row]]:
    ages = {UNDER_5: ("0_4", "0-4 years"), FROM_5: ("GE5", "5+ years"), OTHER_AGE: ("GE60", "60+ years")}
    return {
        "hmis_data_sets": [
            {"id": FORM, "code": "IDSR_WEEKLY", "name": "IDSR weekly", "period_type": "Weekly", "timely_days": "3.0"}
        ],
        "hmis_data_elements": [
            {
                "id": uid,
                "code": code,
                "name": code,
                "domain_type": "AGGREGATE",
                "value_type": "INTEGER_ZERO_OR_POSITIVE",
                "aggregation_type": "SUM",
            }
            for uid, code in _CODES.items()
        ],
        "hmis_data_set_elements": [{"data_set": FORM, "data_element": uid} for uid in _CODES],
        "hmis_data_set_org_units": [
            {"data_set": FORM, "org_unit": unit} for unit in (KIBAGABAGA, REMERA, NYAMATA, CLOSED)
        ],
        "hmis_category_option_combos": [
            {"id": uid, "name": name, "category_combo": "CbIdsrAges1"} for uid, (_, name) in ages.items()
        ],
        "hmis_category_option_combo_options": [
            {
                "category_option_combo": uid,
                "category_option": f"Opt{uid[3:]}",
                "category_option_code": code,
                "category_option_name": name,
                "category": "CatIdsrAge1",
                "category_name": "Age",
            }
            for uid, (code, name) in ages.items()
        ],
    }


def notification(
    uid: str, code: str, disease: str, young: tuple[int, int], old: tuple[int, int], reported: str, **more: Any
) -> Row:
    """A notification as landed; (cases, deaths) of each age band."""
    bands = [
        {"ageGroup": band, "cases": c, "deaths": d} for band, (c, d) in zip(("0-4", "5+"), (young, old), strict=True)
    ]
    return {
        "notification_id": uid,
        "facility_code": code,
        "facility_name": "Some HC",
        "disease_code": disease,
        "zero_report": str(young == old == (0, 0)).lower(),
        "age_groups": json.dumps(bands),
        "reported_at": reported,
        "record_state": "ACTIVE",
        "deleted": "false",
        "_source_updated_at": "2024-02-10 12:00+00",
        **more,
    }


def cell(element: str, unit: str, amount: str, combo: str = UNDER_5, **more: Any) -> Row:
    """A weekly value as landed."""
    return {
        "data_element": element,
        "org_unit": unit,
        "category_option_combo": combo,
        "attribute_option_combo": DEFAULT,
        "value": amount,
        **more,
    }


NONE = (0, 0)
IN_TIME, LATE = "2024-02-07T23:30:00+02:00", "2024-02-08T00:10:00+02:00"
"""The Wednesday after the week, and ten minutes into the Thursday (in UTC that is still the Wednesday)."""
NOTIFICATIONS = [
    notification("n1", "F0022", "MEASLES", (2, 0), (1, 1), IN_TIME),
    notification("n2", "F0022", "MALARIA_SIMPLE", NONE, NONE, IN_TIME),
    notification("n3", "F0440", "MEASLES", NONE, NONE, LATE),
    notification("n4", "F0440", "MALARIA_SIMPLE", (5, 0), (7, 0), LATE),
    notification("n5", "F9999", "MEASLES", (4, 0), NONE, IN_TIME),
    # It was entered for the wrong facility, and deleted.
    notification("n6", "F0440", "CHOLERA", (9, 9), NONE, IN_TIME, deleted="true", age_groups=None),
    # It told of the week after, where it stands now: here until this week is loaded again.
    notification("n7", "F0440", "CHOLERA", (8, 0), NONE, IN_TIME, _source_updated_at="2024-02-09 12:00+00"),
    # Entered twice: the later one counts.
    notification("n8", "F0022", "RABIES", (6, 0), NONE, IN_TIME, _source_updated_at="2024-02-09 12:00+00"),
    notification("n9", "F0022", "RABIES", (1, 0), NONE, IN_TIME),
]
HALF_WEEK = [notification("n7", "F0440", "CHOLERA", (1, 0), NONE, "2024-02-14T08:00:00+02:00")]
CELLS = [
    cell(MEASLES, KIBAGABAGA, "3"),
    cell(MEASLES, KIBAGABAGA, "1", FROM_5),
    cell(MEASLES_DEATHS, KIBAGABAGA, "2", FROM_5, deleted="true"),
    cell(MEASLES, REMERA, "0"),
    cell(MEASLES, REMERA, "0", FROM_5),
]


def land(connection: psycopg.Connection[Any]) -> None:
    """Land everything, beside what ``small_country`` has landed."""
    for table, rows in _metadata().items():
        insert(connection, table, rows)
    land_week(connection, STRADDLING, NOTIFICATIONS, CELLS, {KIBAGABAGA: "2024-02-06"})
    land_week(connection, HALF, HALF_WEEK)
    later = {"reported_at": "2021-01-05T08:00:00+02:00"}
    land_week(connection, WEEK_53, [notification("n10", "F0022", "MEASLES", (6, 0), NONE, "") | later], [], {})
    for week, relations in ((STRADDLING, DIRECT + DHIS2), (HALF, DIRECT), (WEEK_53, DIRECT + DHIS2)):
        note_loads(connection, week, relations)


def land_week(
    connection: psycopg.Connection[Any],
    week: str,
    notifications: Iterable[Row],
    cells: Iterable[Row] = (),
    completed: dict[str, str] | None = None,
) -> None:
    """Put rows into a week's partitions; `completed`: unit and the day its form was marked complete."""
    year, number, _ = date.fromisoformat(week).isocalendar()
    told = {"epi_week": f"{year}W{number:02}", "week_start": week}
    insert(connection, "idsr_notifications", [{**told, **row} for row in notifications], month=week)
    period = {"period": f"{year}W{number}"}
    insert(connection, "hmis_weekly_values", [{**period, **row} for row in cells], month=week)
    marks = [
        {
            "data_set": FORM,
            **period,
            "org_unit": unit,
            "attribute_option_combo": DEFAULT,
            "date": day,
            "completed": "true",
        }
        for unit, day in (completed or {}).items()
    ]
    insert(connection, "hmis_weekly_registrations", marks, month=week)


def note_loads(connection: psycopg.Connection[Any], week: str, relations: Iterable[str]) -> None:
    """Say in the ledger that a week of these raw tables is loaded."""
    start = date.fromisoformat(week)
    for relation in relations:
        system, table = relation.split("_", 1)
        connection.execute(
            "insert into ops.load (load_id, system, table_name, partition_key, window_start, window_end, status,"
            " is_current, finished_at) overriding system value"
            " select coalesce(max(load_id), 0) + 1, %s, %s, %s, %s, %s, 'committed', true, '2024-02-20 06:00+00'"
            " from ops.load",
            [system, table, week, start, start + timedelta(weeks=1)],
        )
