"""What a week landed again does to the programme marts, in one dbt call: moved records, months since then, and a cutover."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from marts_rows import monday
from programme_fact_rows import event
from small_country import COUNTRY
from tracker_rows import LEGACY, UNIFIED, put, switch

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.systems import PROGRAMMES

WEEK = "2024-01-29"
HIV = next(programme for programme in PROGRAMMES if programme.name == "hiv")


def counts(dbt: Dbt, columns: str, measure: str = "DOSES", item: str = "PENTA1") -> list[tuple[Any, ...]]:
    where = f"measure_code = '{measure}' and item = '{item}' and level = 'country' and value > 0"
    what = f"select week_start::text, period_start::text, {columns} from dwh.fct_event_count"
    return dbt.query(f"{what} where {where} and period_start < '2024-03-01' order by 1, 2")


def cascade(dbt: Dbt) -> dict[str, tuple[Any, ...]]:
    found = dbt.query(
        "select to_char(period_start, 'YYYY-MM'), on_art_60, on_art_30, xmin::text from intermediate.int_hiv_month"
        f" where org_unit_uid = '{COUNTRY}' and period_start between '2024-01-01' and '2024-03-01'"
    )
    return {row[0]: row[1:] for row in found}


def visit(uid: str) -> dict[str, Any]:
    """A visit to the HIV clinic in that week, with drugs for 60 days."""
    return event(uid, uid, "2024-01-31", "HivStgVis01", {"CHLpxyNyWQp": "60"})


def test_a_week_landed_again(own_marts: Dbt) -> None:
    """The week is A's and B's of the HIV tracker, who are gone; five are in the unified tables, and one in the legacy ones."""
    before, care = counts(own_marts, "value, xmin::text"), cascade(own_marts)
    last = [(WEEK, "2024-01-01", 1), (WEEK, "2024-02-01", 1)]
    assert [row[:3] for row in before] == [("2024-01-08", "2024-01-01", 2), *last]
    # At the end of January B, C and D.
    assert care["2024-01"][:2] == (18, 18) and care["2024-03"][:2] == (37, 25)
    with own_marts.warehouse.connect() as connection:
        # Ann's dose was given a week later: her old week is none of the run's.
        connection.execute(
            "update dwh.fct_immunization_dose set given_on = '2024-01-17', week_start = %s"
            " where given_on = '2024-01-10' and dose_code = 'PENTA1'",
            [monday("2024-01-17")],
        )
        connection.execute("delete from dwh.fct_birth where source = 'ebuzima'")
        put(connection, HIV, Kind.EVENTS, [visit("old")], pipeline=LEGACY, partition=WEEK)
        put(connection, HIV, Kind.EVENTS, [visit(f"new{n}") for n in range(5)], pipeline=UNIFIED, partition=WEEK)
        switch(connection, HIV, UNIFIED)
    window = ("--event-time-start", WEEK, "--event-time-end", "2024-02-05")
    own_marts.run("run", "--select", "int_hiv_event", "int_hiv_month", "fct_hiv_cascade", "fct_event_count", *window)

    after = counts(own_marts, "value, xmin::text")
    moved = [("2024-01-08", "2024-01-01", 1), ("2024-01-15", "2024-01-01", 1)]
    assert [row[:3] for row in after] == [*moved, *last]
    assert counts(own_marts, "value", "LIVE_BIRTHS", "ebuzima") == []

    # Without A's and B's twelve, with the five of the pipeline that is read now: their drugs run out on 31 March.
    again = cascade(own_marts)
    assert again["2024-01"][:2] == (18 - 6 + 5, 18 - 6 + 5)
    assert again["2024-03"][:2] == (37 - 12 + 5, 25 - 6 + 5)
    shown = (
        f"select on_art_30 from dwh.fct_hiv_cascade where org_unit_uid = '{COUNTRY}' and period_start = '2024-03-01'"
    )
    assert own_marts.query(shown) == [(25 - 6 + 5,)]
