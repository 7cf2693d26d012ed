"""What happens to the clinical facts when a month is landed again."""

from __future__ import annotations

from typing import Any

import clinical_facts_rows
from clinical_facts_rows import card, movement
from clinical_rows import diagnosis, visit
from dbt_runner import BOTH, JANUARY, PSEUDONYM_KEY, Dbt
from raw_tables import replace_month
from small_country import FEB, JAN

from hic_assets.identity.pseudonym import pseudonym

FACTS = ("fct_visit", "fct_diagnosis", "fct_lab_result", "fct_stock_balance")
MODELS = ("int_code_use", "int_facility_crosswalk", *FACTS)
OPENING = (
    "select previous_closing_quantity, is_opening_other from reporting.rpt_stock_balance where month = '2024-02-01'"
)


def build(dbt: Dbt, start: str, end: str) -> None:
    dbt.run("run", "--select", *MODELS, "--event-time-start", start, "--event-time-end", end)


def stored(dbt: Dbt, fact: str, month: str) -> list[tuple[Any, ...]]:
    """The month's rows with the place and transaction PostgreSQL wrote them in: equal only if untouched."""
    return dbt.query(
        f"select ctid::text, xmin::text, t::text from dwh.{fact} t where period_start = '{month}' order by 1"
    )


def content(dbt: Dbt, fact: str) -> list[tuple[Any, ...]]:
    return dbt.query(f"select t::text from dwh.{fact} t order by 1")


def test_a_month_landed_again_replaces_that_month_only(own_country: Dbt) -> None:
    with own_country.warehouse.connect() as connection:
        clinical_facts_rows.land(connection)
    build(own_country, *BOTH)
    before = {fact: stored(own_country, fact, FEB) for fact in FACTS}
    assert {fact: len(rows) for fact, rows in before.items()} == {
        "fct_visit": 2, "fct_diagnosis": 1, "fct_lab_result": 0, "fct_stock_balance": 1,
    }  # fmt: skip
    assert own_country.query(OPENING) == [(30, True)]

    again: dict[str, list[dict[str, Any]]] = {
        "efiche_visits": [visit("x1", "10/01/2024", [diagnosis("D01", "x"), diagnosis("D01", "x")])],
        "efiche_lab_orders": [],
        "efiche_stock_balances": [card("y1", "01/2024", 50, 10, 40)],
        "efiche_stock_movements": [movement("n1", "05/01/2024", 15)],
    }
    with own_country.warehouse.connect() as connection:
        for table, rows in again.items():
            replace_month(connection, table, JAN, rows, load_id=9)
    build(own_country, *JANUARY)

    assert {fact: stored(own_country, fact, FEB) for fact in FACTS} == before
    where = f"where period_start = '{JAN}' and system = 'efiche'"
    assert own_country.query(f"select visit_date::text, load_id from dwh.fct_visit {where}") == [("2024-01-10", 9)]
    assert own_country.query(f"select icd10_code, position from dwh.fct_diagnosis {where} order by position") == [
        ("A09.9", 1),
        ("A09.9", 2),
    ]
    assert own_country.query(f"select count(*) from dwh.fct_lab_result {where}") == [(0,)]
    assert own_country.query(
        f"select moved_issued_quantity, differs_from_movements from dwh.fct_stock_balance {where}"
    ) == [(15, True)]
    # February was not built again, and begins with what January now ends with.
    assert own_country.query(OPENING) == [(40, False)]

    once = {fact: content(own_country, fact) for fact in FACTS}
    build(own_country, *JANUARY)
    assert {fact: content(own_country, fact) for fact in FACTS} == once


def test_a_visit_that_moved_to_another_month_is_told_until_both_are_built(own_country: Dbt) -> None:
    moved = visit("v1", "10/02/2024", _source_updated_at="2024-03-01 10:00+00")
    with own_country.warehouse.connect() as connection:
        replace_month(connection, "efiche_visits", FEB, [moved], load_id=9)
    build(own_country, "2024-02-01", "2024-03-01")
    key = "is_key_fct_visit_visit_key"
    assert own_country.run("test", "--select", key) == {key: "warn"}
    build(own_country, *JANUARY)
    assert own_country.run("test", "--select", key) == {key: "pass"}
    visit_key = pseudonym(PSEUDONYM_KEY, "efiche_visit", "v1")
    assert own_country.query(f"select visit_date::text from dwh.fct_visit where visit_key = '{visit_key}'") == [
        ("2024-02-10",)
    ]
