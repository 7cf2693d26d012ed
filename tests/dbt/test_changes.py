"""What happens when a month is landed again, a facility moves, or the metadata change."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dbt_runner import JANUARY, Dbt
from raw_tables import replace_month
from small_country import (
    ANC1,
    ANC4,
    BUGESERA,
    COUNTRY,
    DEFAULT,
    FEB,
    GASABO,
    JAN,
    KIBAGABAGA,
    REMERA,
    YOUNG,
    january,
    value,
)

FACTS = ("fct_data_value", "fct_reporting", "fct_indicator_value")


def stored(dbt: Dbt, fact: str, month: str) -> list[tuple[Any, ...]]:
    """The month's rows with the place and transaction PostgreSQL wrote them in: equal only if untouched."""
    return dbt.query(
        f"select ctid::text, xmin::text, t::text from dwh.{fact} t where period_start = '{month}' order by 1"
    )


def content(dbt: Dbt, fact: str, month: str) -> list[tuple[Any, ...]]:
    return dbt.query(f"select t::text from dwh.{fact} t where period_start = '{month}' order by 1")


def ratio(dbt: Dbt, unit: str, month: str = JAN) -> list[tuple[Any, ...]]:
    return dbt.query(
        "select numerator, denominator, value from dwh.fct_indicator_value where indicator_uid = 'IndAnc4Anc1'"
        f" and org_unit_uid = '{unit}' and period_start = '{month}'"
    )


def test_a_month_landed_again_replaces_that_month_only(own_country: Dbt) -> None:
    before = {fact: stored(own_country, fact, FEB) for fact in FACTS}
    kept = [row for row in january() if not (row["org_unit"] == REMERA and row["data_element"] == ANC4)]
    kept = [{**row, "value": "12"} if row["value"] == "10" else row for row in kept]
    with own_country.warehouse.connect() as connection:
        replace_month(connection, "hmis_data_values", JAN, kept, load_id=9)
    own_country.monthly(*JANUARY)

    assert {fact: stored(own_country, fact, FEB) for fact in FACTS} == before
    assert own_country.query(
        f"select data_element_uid, value, load_id from dwh.fct_data_value where org_unit_uid = '{REMERA}'"
        f" and data_element_uid in ('{ANC1}', '{ANC4}') order by 2"
    ) == [(ANC1, 4, 9), (ANC1, 6, 9)]
    assert own_country.query(
        "select values_present from dwh.fct_reporting where data_set_uid = 'DsHmisMonth'"
        f" and org_unit_uid = '{REMERA}' and period_start = '{JAN}'"
    ) == [(5,)]
    assert ratio(own_country, REMERA) == [(None, 10, None)]
    assert ratio(own_country, GASABO) == [(9, 30, 30)]
    assert ratio(own_country, COUNTRY) == [(17, 50, 34)]

    once = {fact: content(own_country, fact, JAN) for fact in FACTS}
    own_country.monthly(*JANUARY)
    assert {fact: content(own_country, fact, JAN) for fact in FACTS} == once


def test_a_month_emptied_at_the_source_is_emptied(own_country: Dbt) -> None:
    with own_country.warehouse.connect() as connection:
        replace_month(connection, "hmis_data_values", JAN, [], load_id=9)
        replace_month(connection, "hmis_complete_registrations", JAN, [], load_id=9)
    own_country.monthly(*JANUARY)
    assert content(own_country, "fct_data_value", JAN) == content(own_country, "fct_reporting", JAN) == []
    left = own_country.query(f"select count(numerator) from dwh.fct_indicator_value where period_start = '{JAN}'")
    assert left == [(0,)]
    assert content(own_country, "fct_data_value", FEB)


def test_a_view_whose_columns_changed_is_made_anew(own_country: Dbt) -> None:
    own_country.query("alter view reporting.rpt_consistency_breaches rename column rule_code to old_name_of_the_code")
    own_country.run("run", "--select", "rpt_consistency_breaches")
    assert own_country.query("select rule_code from reporting.rpt_consistency_breaches") == [("anc4_le_anc1",)]


def test_a_facility_that_moves_keeps_its_history(own_country: Dbt) -> None:
    """Two versions in the registry; months follow today's hierarchy, as in DHIS2, once they are built again."""
    with own_country.warehouse.connect() as connection:
        connection.execute(
            "update raw.hmis_organisation_units set parent = 'SectNyamat1', path = replace(path,"
            " 'ProvKigali1/DistGasabo1/SubGasabo01/SectRemera1', 'ProvEaster1/DistBugese1/SubBugese01/SectNyamat1')"
            f" where id = '{REMERA}'"
        )
    first_key = own_country.query(f"select facility_key from dwh.dim_facility where facility_uid = '{REMERA}'")
    own_country.reference()
    versions = own_country.query(
        "select facility_key, district_uid, sub_district_uid, is_current, valid_to is null, valid_from::date::text"
        f" from dwh.dim_facility where facility_uid = '{REMERA}' order by valid_from"
    )
    assert [row[1:5] for row in versions] == [
        (GASABO, "SubGasabo01", False, False),
        (BUGESERA, "SubBugese01", True, True),
    ]
    assert (versions[0][0], versions[0][5]) == (first_key[0][0], "2000-01-01")
    assert versions[0][0] != versions[1][0]
    assert ratio(own_country, GASABO) == [(16, 28, pytest.approx(1600 / 28))]

    results = own_country.run("test", "--select", "indicator_values_follow_the_current_hierarchy")
    assert results == {"indicator_values_follow_the_current_hierarchy": "warn"}
    own_country.monthly("2024-01-01", "2024-03-01")
    assert ratio(own_country, GASABO) == [(9, 18, 50)]
    assert ratio(own_country, BUGESERA) == [(15, 30, 50)]
    assert ratio(own_country, COUNTRY) == [(24, 48, 50)]
    results = own_country.run("test", "--select", "indicator_values_follow_the_current_hierarchy")
    assert results == {"indicator_values_follow_the_current_hierarchy": "pass"}


def test_changed_metadata_are_taken_up_in_place(own_country: Dbt) -> None:
    """An indicator is evaluated as it is now; a unit that is gone is no longer current; and what an analyst built on
    the marts outlives the builds, with no report gone in between (dbt's own tables and views would be dropped)."""
    own_country.query(
        "create view public.mine as select f.name, r.value from dwh.dim_facility f"
        " join reporting.rpt_indicator_monthly r on r.org_unit_uid = f.facility_uid"
    )
    relations = "select relname, oid from pg_class where relname ~ '^(rpt|int|dim|fct|stg)_' and relkind in ('r', 'v')"
    before = sorted(own_country.query(relations))
    with own_country.warehouse.connect() as connection:
        connection.execute(
            "update ops.indicator_sql set sql = 'o1 - o2', operands = %s"
            " where indicator = 'IndAnc4Anc1' and side = 'numerator'",
            [[f"de:{ANC1}", f"de:{ANC4}"]],
        )
        connection.execute("update raw.hmis_indicators set factor = '1000' where id = 'IndAnc4Anc1'")
        connection.execute("delete from raw.hmis_organisation_units where id = %s", ["FacClosed01"])
    own_country.reference()
    assert sorted(own_country.query(relations)) == before
    own_country.monthly(*JANUARY)
    assert sorted(own_country.query(relations)) == before
    assert ("Remera", 300) in own_country.query("select name, value from public.mine")
    assert ratio(own_country, GASABO) == [(12, 28, pytest.approx(12000 / 28))]
    assert own_country.query(
        "select valid_to is not null, is_current from dwh.dim_facility where facility_uid = 'FacClosed01'"
    ) == [(True, False)]


def test_a_row_that_breaks_the_key_stops_the_month_and_keeps_the_old_one(own_country: Dbt) -> None:
    before = content(own_country, "fct_data_value", JAN)
    with own_country.warehouse.connect() as connection:
        twice = [value(ANC1, KIBAGABAGA, amount, YOUNG, attribute_option_combo=DEFAULT) for amount in ("1", "2")]
        replace_month(connection, "hmis_data_values", JAN, twice, load_id=9)
    with pytest.raises(AssertionError, match="duplicate key value violates unique constraint"):
        own_country.monthly(*JANUARY)
    assert content(own_country, "fct_data_value", JAN) == before


def test_two_builds_at_once_leave_the_rows_of_one(own_country: Dbt) -> None:
    """The second does not see what the first inserts; it has to wait, and then delete it."""
    table = "intermediate.int_org_unit_closure"
    (before,) = own_country.query(f"select count(*) from {table}")
    waiting = (
        "select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as pool, own_country.warehouse.connect() as first:
        first.execute(f"create temporary table made as select * from {table}")
        first.execute(f"delete from {table}")
        first.execute(f"insert into {table} select * from made")
        second = pool.submit(own_country.run, "run", "--select", "int_org_unit_closure")
        while not second.done() and own_country.query(waiting) == [(False,)]:
            time.sleep(0.1)
        first.commit()
        assert second.result() == {"int_org_unit_closure": "success"}
    assert own_country.query(f"select count(*) from {table}") == [before]
