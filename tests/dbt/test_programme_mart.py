"""The monthly mart of the tracker programmes: weeks feed months by the day, and a week landed again replaces its share."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_runner import Dbt
from small_country import BUGESERA, COUNTRY, GASABO, KIBAGABAGA, NYAMATA, REMERA
from tracker_rows import LEGACY, UNIFIED, empty, note_loads, put, switch, week_of

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.systems import PROGRAMMES
from hic_assets.systems.declare import Programme

TB = next(p for p in PROGRAMMES if p.name == "tb")
CANCER = next(p for p in PROGRAMMES if p.name == "cancer")
JUNE, JULY = "2026-06-01", "2026-07-01"
STRADDLING = "2026-06-29"
WEEKS_OF_JUNE = ["2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22", STRADDLING]
VISIT = "TbStgVis001"


def event(uid: str, who: str, unit: str, day: str, status: str = "COMPLETED", stage: str = VISIT) -> dict[str, Any]:
    day_column = "scheduled_at" if status in ("SCHEDULE", "OVERDUE", "SKIPPED") else "occurred_at"
    row = {"event": uid, "tracked_entity": who, "org_unit": unit, "status": status, "program_stage": stage}
    return {**row, day_column: f"{day}T00:00:00.000", "deleted": "false"}


def enrollment(uid: str, who: str, unit: str, day: str, status: str = "ACTIVE") -> dict[str, Any]:
    row = {"enrollment": uid, "tracked_entity": who, "org_unit": unit, "status": status}
    return {**row, "enrolled_at": f"{day}T00:00:00.000", "deleted": "false"}


EVENT_ROWS = [
    event("e1", "ann", KIBAGABAGA, "2026-06-03"),
    event("e2", "ann", REMERA, "2026-06-30"),
    event("e3", "ben", REMERA, "2026-06-30", "SCHEDULE"),
    event("e4", "ann", KIBAGABAGA, "2026-07-01"),
    event("e5", "cat", NYAMATA, "2026-07-05"),
    event("e6", "dan", "UnknownUnit", "2026-07-05", "ACTIVE"),
]
ENROLLMENT_ROWS = [
    enrollment("n1", "ann", KIBAGABAGA, "2026-06-29"),
    enrollment("n2", "cat", NYAMATA, "2026-07-04", "CANCELLED"),
]


def land(dbt: Dbt, programme: Programme = TB, **more: Any) -> None:
    with dbt.warehouse.connect() as connection:
        for row in EVENT_ROWS:
            day = row.get("occurred_at") or row["scheduled_at"]
            put(connection, programme, Kind.EVENTS, [row], partition=week_of(day[:10]), **more)
        for row in ENROLLMENT_ROWS:
            put(connection, programme, Kind.ENROLLMENTS, [row], partition=week_of(row["enrolled_at"][:10]), **more)


def build(dbt: Dbt, start: str = JUNE, end: str = "2026-08-01", *, tests: bool = False) -> dict[str, str]:
    window = ["--event-time-start", start, "--event-time-end", end]
    kinds = ["unit_test"] if tests else ["unit_test", "test"]
    without = [word for kind in kinds for word in ("--exclude-resource-type", kind)]
    return dbt.run("build", "--select", "tag:tracker,tag:monthly", *without, *window)


def counted(dbt: Dbt, stage: str, month: str) -> dict[str, tuple[Any, ...]]:
    found = dbt.query(
        "select org_unit_uid, records, took_place, people from dwh.fct_programme_month"
        f" where stage_key = '{stage}' and period_start = '{month}'"
    )
    return {row[0]: row[1:] for row in found}


def complete(dbt: Dbt) -> dict[str, bool]:
    found = dbt.query("select distinct period_start::text, is_complete from dwh.fct_programme_month order by 1")
    assert len({month for month, _ in found}) == len(found)
    return dict(found)


def test_a_week_that_straddles_feeds_both_months_each_with_its_own_days(own_country: Dbt) -> None:
    land(own_country, pipeline=LEGACY)
    with own_country.warehouse.connect() as connection:
        note_loads(connection, "hmis_tracker", TB, WEEKS_OF_JUNE, LEGACY)
    results = build(own_country, tests=True)
    assert results["programme_units_are_in_the_registry"] == "warn"
    assert {name for name, status in results.items() if status not in ("success", "pass")} == {
        "programme_units_are_in_the_registry",
        # The registries of the programmes are not landed here.
        "relationships_fct_programme_month_stage_key__stage_key__ref_dim_programme_stage_",
    }
    kigali, east = "ProvKigali1", "ProvEaster1"
    assert counted(own_country, VISIT, JUNE) == {
        KIBAGABAGA: (1, 1, 1),
        REMERA: (2, 1, 1),
        **dict.fromkeys((GASABO, kigali, COUNTRY), (3, 2, 1)),
    }
    assert counted(own_country, VISIT, JULY) == {
        **dict.fromkeys((KIBAGABAGA, GASABO, kigali), (1, 1, 1)),
        **dict.fromkeys((NYAMATA, BUGESERA, east), (1, 1, 1)),
        COUNTRY: (2, 2, 2),
        "UnknownUnit": (1, 1, 1),
    }
    assert counted(own_country, "tb:enrolment", JUNE)[COUNTRY] == (1, 1, 1)
    assert counted(own_country, "tb:enrolment", JULY)[COUNTRY] == (1, 0, 0)
    assert complete(own_country) == {JUNE: True, JULY: False}

    report = (
        "select programme_title, record, stage_name, level, org_unit_name, fosa_code, district, fiscal_year, records,"
        f" is_suppressed, is_complete from reporting.rpt_programme_monthly where month = '{JULY}' and org_unit_uid in"
        f" ('{NYAMATA}', 'UnknownUnit') order by record, level"
    )
    # Of one person with TB the report does not tell.
    tb = "Tuberculosis"
    assert own_country.query(report) == [
        (tb, "enrolment", "Enrolment", "facility", "Nyamata", "0454", "BUGESERA", "fy_2026_27", None, True, False),
        (tb, "event", f"Stage {VISIT}", "facility", "Nyamata", "0454", "BUGESERA", "fy_2026_27", None, True, False),
        (tb, "event", f"Stage {VISIT}", "unmapped", None, None, None, "fy_2026_27", None, True, False),
    ]


def test_a_week_landed_again_replaces_its_share_of_both_months(own_country: Dbt) -> None:
    land(own_country, pipeline=LEGACY)
    build(own_country)
    june_before = counted(own_country, VISIT, JUNE)
    with own_country.warehouse.connect() as connection:
        empty(connection, TB, Kind.EVENTS, STRADDLING, LEGACY)
        again = [event("e4", "ann", REMERA, "2026-07-01"), event("e7", "eve", REMERA, "2026-07-02")]
        put(connection, TB, Kind.EVENTS, again, pipeline=LEGACY, partition=STRADDLING, load_id=2)
    build(own_country, JULY, "2026-08-01")
    assert counted(own_country, VISIT, JULY) == dict.fromkeys((REMERA, GASABO, "ProvKigali1", COUNTRY), (2, 2, 2))
    assert counted(own_country, VISIT, JUNE) == june_before, "June is built when it is asked for"
    build(own_country, JUNE, "2026-08-01")
    assert counted(own_country, VISIT, JUNE)[COUNTRY] == (1, 1, 1)
    assert counted(own_country, VISIT, JULY)[COUNTRY] == (2, 2, 2)


def test_weeks_of_a_year_of_53_and_months_of_a_monthly_programme(own_country: Dbt) -> None:
    """Week 53 of 2026 is 28 December to 3 January 2027."""
    december, january = "2026-12-01", "2027-01-01"
    days = [("2026-12-27", "a"), ("2026-12-28", "b"), ("2026-12-31", "c"), ("2027-01-01", "d"), ("2027-01-04", "e")]
    with own_country.warehouse.connect() as connection:
        for day, uid in days:
            put(connection, TB, Kind.EVENTS, [event(uid, uid, REMERA, day)], pipeline=LEGACY, partition=week_of(day))
        weeks = ["2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]
        note_loads(connection, "hmis_tracker", TB, weeks, LEGACY)
        # A monthly programme whose day is a day before its partition, as an hour's shift makes it, is not lost.
        tumours = [event("t1", "t1", REMERA, "2026-12-31", stage="Y0cWLBEdXzb")]
        put(connection, CANCER, Kind.EVENTS, tumours, pipeline=LEGACY, partition=january)
    build(own_country, december, "2027-02-01")
    assert week_of("2027-01-03") == "2026-12-28"
    assert counted(own_country, VISIT, december)[COUNTRY] == (3, 3, 3)
    assert counted(own_country, VISIT, january)[COUNTRY] == (2, 2, 2)
    assert counted(own_country, "Y0cWLBEdXzb", december)[COUNTRY] == (1, 1, 1)
    tb = own_country.query(
        "select distinct period_start::text, is_complete from dwh.fct_programme_month where programme = 'tb'"
    )
    assert dict(tb) == {december: True, january: False}


def test_after_a_cutover_months_are_computed_from_the_unified_tables(own_country: Dbt) -> None:
    land(own_country, pipeline=LEGACY)
    with own_country.warehouse.connect() as connection:
        put(connection, TB, Kind.EVENTS, [EVENT_ROWS[0]], pipeline=UNIFIED, partition="2026-06-01")
        note_loads(connection, "hmis_tracker", TB, WEEKS_OF_JUNE, LEGACY)
        switch(connection, TB, UNIFIED)
    build(own_country)
    assert counted(own_country, VISIT, JUNE)[COUNTRY] == (1, 1, 1) and counted(own_country, VISIT, JULY) == {}
    assert complete(own_country) == {JUNE: False}, "the weeks of the other pipeline do not count"


@pytest.mark.parametrize(("day", "monday"), [("2026-07-05", "2026-06-29"), ("2027-01-01", "2026-12-28")])
def test_weeks_are_iso_weeks(day: str, monday: str) -> None:
    assert week_of(day) == monday
