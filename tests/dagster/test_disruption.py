"""Disruptions of services through Dagster, on a real database with one district."""

from __future__ import annotations

from datetime import date

import dagster as dg
import numpy as np
import pytest
import stubs
from books import execute
from pg_servers import rows

from hic_assets.assets import disruption
from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse

# Columns as the models have them (tests/dbt/test_quality_disruption.py holds the query to the models themselves).
TABLES = """
create table intermediate.int_org_unit_closure (descendant_uid text, ancestor_uid text, ancestor_role text, is_reporting_level boolean);
insert into intermediate.int_org_unit_closure values
    ('f', 'f', 'facility', true), ('f', 'd', 'district', true), ('f', 's', 'sector', false), ('f', 'p', 'province', true), ('f', 'c', 'country', true),
    ('g', 'g', 'facility', true);
create table dwh.fct_quality_adjusted (period_start date, org_unit_uid text, indicator_id text, value_none float8, value_both float8);
"""
LAST = date(2024, 1, 1)


@pytest.fixture
def country(warehouse: Warehouse) -> Warehouse:
    """A facility with 37 months, the last of which has half its visits; and one that is in no country."""
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    execute(warehouse, TABLES)
    counts = 1000 + np.random.default_rng(1).normal(0, 5, 37)
    counts[-1] /= 2
    with warehouse.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into dwh.fct_quality_adjusted values (date '2021-01-01' + make_interval(months => %s), %s, 'opd', %s, %s)",
            [(i, unit, float(count), float(count)) for unit in "fg" for i, count in enumerate(counts)],
        )
    return warehouse


def run(country: Warehouse, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions(
        assets=[disruption.disruption_asset()],
        resources={"warehouse": stubs.WarehouseByUrl(url=country.url)},
        jobs=[dg.define_asset_job("judged", selection=dg.AssetSelection.assets(disruption.KEY))],
        executor=dg.in_process_executor,
    )
    return defs.resolve_job_def("judged").execute_in_process(
        instance=instance,
        run_config=stubs.QUIET,
        raise_on_error=False,
    )


def test_a_run_judges_all_months_there_are(country: Warehouse, instance: dg.DagsterInstance) -> None:
    result = run(country, instance)
    assert result.success, stubs.failures(result)
    found = rows(
        country,
        "select org_unit_uid, level, count(*), count(*) filter (where is_disrupted), max(period_start) filter (where is_disrupted)"
        " from dwh.fct_quality_disruption group by 1, 2 order by 1",
    )
    assert found == [
        (place, level, 37, 1, LAST) for place, level in (("c", "country"), ("d", "district"), ("p", "province"))
    ]
    (record,) = instance.fetch_materializations(disruption.KEY, limit=5).records[:1]
    shown = stubs.shown(record.asset_materialization)
    assert (shown["dagster/row_count"], shown["series"], shown["disrupted_months"]) == (111, 3, 3)
    lines = shown["most_lost"].records
    assert [line.data["org_unit_uid"] for line in lines] == ["c", "d", "p"]
    assert float(lines[0].data["lost"]) == pytest.approx(500, abs=10)


def test_what_was_said_before_stays_when_a_run_fails(country: Warehouse, instance: dg.DagsterInstance) -> None:
    assert run(country, instance).success
    before = rows(country, "select * from dwh.fct_quality_disruption order by 1, 3, 4")
    execute(country, "alter table dwh.fct_quality_disruption add check (expected < 400) not valid")
    assert not run(country, instance).success
    assert rows(country, "select * from dwh.fct_quality_disruption order by 1, 3, 4") == before
