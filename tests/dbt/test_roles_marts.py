"""Roles on the marts as dbt builds them: no mark of a person is readable, a district reads its own, and dbt runs as its role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import clinical_rows
import psycopg
import pytest
import small_country
import surveillance
from dbt_runner import BOTH, Dbt
from pg_servers import fresh_database, rows
from planted import MARK, plant
from psycopg import sql
from roles_world import World, roles_on

from hic_assets.warehouse import SCHEMAS, Warehouse
from hic_assets.warehouse.grants import catalogue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

READERS = ("analyst", "officer", "district")
CLOSED_TO_ANALYSTS = {
    # A row a child.
    "reporting.rpt_zero_dose",
    # Its cells are not kept back one by one.
    "reporting.rpt_cancer_incidence",
}
CLOSED_TO_OFFICERS = CLOSED_TO_ANALYSTS | {
    # True counts of what other reports keep back.
    "reporting.rpt_unmapped_codes",
    "reporting.tracker_cutover",
    "reporting.tracker_parity",
}
CLOSED_TO_DISTRICTS = CLOSED_TO_ANALYSTS | {
    # Records of persons, who may have been anywhere: dim_patient says of what district each is.
    "dwh.dim_patient_source",
    # Facilities as other systems call them, which are of no district yet.
    "reporting.rpt_unmapped_codes",
    # About pipelines, not places.
    "reporting.tracker_cutover",
    "reporting.tracker_parity",
}
WITHOUT_TESTS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")


def build(dbt: Dbt, *selected: str) -> None:
    """Models alone: whether their data are right is asked elsewhere."""
    window = ("--event-time-start", BOTH[0], "--event-time-end", BOTH[1])
    dbt.run("build", "--select", *selected, *WITHOUT_TESTS, *window)


@pytest.fixture(scope="module")
def world(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small country with marks planted, built, and its roles."""
    with fresh_database(postgres_server) as warehouse:
        with warehouse.connect() as connection:
            small_country.land(connection)
            surveillance.land(connection)
            clinical_rows.land(connection)
            assert plant(connection, small_country.KIBAGABAGA) > 200
        dbt = Dbt(warehouse, tmp_path_factory.mktemp("dbt_roles"))
        build(dbt, "tag:reference")
        build(dbt, "tag:weekly", "tag:monthly")
        dbt.identity()
        with roles_on(warehouse) as made:
            made.apply()
            made.add("analyst", "analyst")
            made.add("officer", "officer")
            made.add("transformer", "transformer")
            made.add("district", "district", *first_district(warehouse))
            yield made


def first_district(warehouse: Warehouse) -> list[str]:
    found = rows(warehouse, "select min(district) from access.place where kind = 'district_code'")
    assert found[0][0] is not None
    return [found[0][0]]


def readable(world: World, role: str) -> list[sql.Identifier]:
    """Every relation of which a login may read a column, in whatever schema."""
    found = world.ask(
        role,
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S') and n.nspname not in ('pg_toast', 'information_schema')"
        " and (has_any_column_privilege(c.oid, 'SELECT') or has_table_privilege(c.oid, 'SELECT'))",
    )
    return [sql.Identifier(*name) for name in found]


def test_the_marks_are_there_to_be_found(world: World) -> None:
    staged = [one for one in marked(world) if one.startswith("staging.")]
    assert len(staged) > 30, staged
    assert {"identity.person_record", "identity.record", "identity.assignment"} <= set(marked(world))
    for fact in ("fct_data_value", "fct_idsr_weekly", "fct_programme_month", "fct_indicator_value", "dim_patient"):
        assert world.ask("analyst", f"select count(*) > 0 from dwh.{fact}") == [(True,)], fact


def marked(world: World) -> list[str]:
    """Relations in which a mark stands, as whoever may read all sees it."""
    with world.warehouse.connect() as connection:
        found = [one.relation for one in catalogue(connection)]
        return [
            str(relation)
            for relation in found
            if connection.execute(
                sql.SQL("select exists (select from {} as r where r::text ilike {})").format(
                    sql.Identifier(relation.schema, relation.name), sql.Literal(f"%{MARK}%")
                )
            ).fetchone()
            == (True,)
        ]


def test_no_mark_stands_in_a_mart(world: World) -> None:
    """The marts themselves: what nobody has there, nobody can leak."""
    assert [one for one in marked(world) if one.startswith(("dwh.", "reporting."))] == []


@pytest.mark.parametrize("role", READERS)
def test_no_mark_is_readable(world: World, role: str) -> None:
    everything = readable(world, role)
    assert len(everything) > 40
    read = 0
    with world.of(role).connect(autocommit=True) as connection:
        for name in everything:
            query = sql.SQL("select count(*) filter (where r::text ilike {}) from {} as r")
            try:
                found = connection.execute(query.format(sql.Literal(f"%{MARK}%"), name)).fetchone()
            except psycopg.errors.InsufficientPrivilege:
                continue
            # Of itself pg_stat_activity shows the question.
            assert found == (0,) or "pg_stat_activity" in name.as_string(None), name
            read += 1
        assert read > (20 if role == "officer" else 60)
        callable_ = connection.execute(
            "select oid::regprocedure::text from pg_proc where pronamespace::regnamespace::text = any(%s)"
            " and has_function_privilege(oid, 'EXECUTE')",
            ([*SCHEMAS, "access"],),
        ).fetchall()
        assert callable_ == []


def test_an_analyst_reads_every_mart_but_those_that_are_closed_on_purpose(world: World) -> None:
    with world.warehouse.connect() as connection:
        marts = [one for one in catalogue(connection) if one.relation.schema in ("dwh", "reporting")]
    closed = {str(one.relation): one.verdict.why for one in marts if not one.verdict.analyst}
    assert set(closed) == CLOSED_TO_ANALYSTS, closed
    for one in marts:
        if one.verdict.analyst:
            world.ask("analyst", f"select * from {one.relation} limit 1")
        else:
            world.refused("analyst", f"select * from {one.relation} limit 1")


def test_an_officer_reads_every_open_report_and_nothing_else_by_name(world: World) -> None:
    with world.warehouse.connect() as connection:
        held = catalogue(connection)
    for one in held:
        name = str(one.relation)
        if one.relation.schema == "reporting" and name not in CLOSED_TO_OFFICERS:
            assert one.relation.has_barrier_decided, name
            world.ask("officer", f"select * from {name} limit 1")
        else:
            world.refused("officer", f"select * from {name} limit 1")
    without = "select oid::regclass::text from pg_class where 'security_barrier=false' = any(reloptions)"
    assert world.admin(without) == [("reporting.rpt_reconciliation",)]
    below = [one for one in held if one.verdict.officer and one.relation.schema != "reporting"]
    assert 20 < len(below) < sum(one.verdict.analyst for one in held) - 10
    # What pg_stats shows values of: names, calendars, definitions.
    shown = {name for (name,) in world.ask("officer", "select distinct schemaname || '.' || tablename from pg_stats")}
    whole = {
        str(one.relation) for one in below if one.relation.is_table and one.verdict.district and not one.verdict.place
    }
    assert shown & {str(one.relation) for one in held} <= whole


def test_reports_that_officers_read_stand_on_no_rows_of_persons(world: World) -> None:
    """EXPLAIN ANALYZE counts the rows that a report reads: rows of persons would be the numbers it keeps back."""
    with world.warehouse.connect() as connection:
        below = [one.relation for one in catalogue(connection) if one.verdict.officer]
    persons = {str(one) for one in below if any(re.search("patient|person|tracked_entity", c) for c in one.columns)}
    assert persons == set()


def test_marts_closed_to_districts_are_known(world: World) -> None:
    """Whoever adds a mart that a district cannot read decides so here, or gives it a column that says where."""
    with world.warehouse.connect() as connection:
        marts = [one for one in catalogue(connection) if one.relation.schema in ("dwh", "reporting")]
    closed = {str(one.relation): one.verdict.why for one in marts if not one.verdict.district}
    assert set(closed) <= CLOSED_TO_DISTRICTS, closed
    for one in marts:
        if one.verdict.district:
            world.ask("district", f"select * from {one.relation} limit 1")


def test_a_district_reads_the_rows_of_its_places(world: World) -> None:
    with world.warehouse.connect() as connection:
        tables = [one for one in catalogue(connection) if one.verdict.place and one.verdict.district]
    assert len(tables) >= 10
    seen = {}
    mine = world.admin(
        "select id from access.place group by id having bool_and(is_national or district in"
        f" (select district from access.user_district where login = '{world.login('district')}'))"
    )
    for one in tables:
        column = f"{one.verdict.place}::text"
        if one.relation.schema in ("dwh", "reporting"):
            got = world.ask("district", f"select {column}, count(*) from {one.relation} group by 1")
            assert {(place,) for place, _ in got} <= set(mine), one.relation
            kept = f"{column} in (select id from unnest(array[{', '.join(repr(i) for (i,) in mine)}]) id)"
            wanted = world.admin(f"select {column}, count(*) from {one.relation} where {kept} group by 1")
            assert sorted(got) == sorted(wanted), one.relation
            seen[str(one.relation)] = len(got)
    assert sum(1 for places in seen.values() if places) >= 5, seen
    hidden = world.admin("select count(distinct district) from access.place")
    assert hidden[0][0] > 1


def test_reporting_rates_of_a_district_are_those_an_analyst_sees(world: World) -> None:
    """Added up from rows that policies leave: of a district all are left, of the country not, so it has no figure there."""
    columns = "org_unit_uid, level, data_set_code, month, expected, received, received_on_time"
    query = f"select {columns} from reporting.rpt_reporting_rates order by 1, 2, 3, 4"
    got, all_rows = world.ask("district", query), world.ask("analyst", query)
    # The province of Kigali has no other district here.
    assert {level for _, level, *_ in got} >= {"facility", "district", "province"}
    assert "country" not in {level for _, level, *_ in got} and "country" in {level for _, level, *_ in all_rows}
    assert got == [row for row in all_rows if row[0] in {unit for unit, *_ in got} and row[1] != "country"]
    assert len(got) < len(all_rows)


@pytest.mark.parametrize("report", ["rpt_visits", "rpt_insurance", "rpt_lab_positivity"])
def test_visits_of_a_district_are_those_an_analyst_sees(world: World, report: str) -> None:
    """Their facts have rows of the country, which all may read: so a district sees the country's true figure beside its own."""
    with world.warehouse.connect() as connection:
        # Of the laboratory the marks have left no result whose test is known.
        connection.execute(
            "insert into dwh.fct_lab_month (period_start, org_unit_uid, level, lab_test_key, results, positive_or_negative, positive)"
            " select distinct period_start, org_unit_uid, level, 'efiche:TDR', 2, 2, 1 from dwh.fct_visit_month"
            " on conflict do nothing"
        )
    query = f"select r.org_unit_uid, r.level, r::text from reporting.{report} as r"
    got, all_rows = world.ask("district", query), world.ask("analyst", query)
    assert {level for _, level, _ in got} >= {"facility", "district", "country"}
    assert sorted(got) == sorted(row for row in all_rows if row[0] in {unit for unit, *_ in got})
    assert len(got) < len(all_rows)


def test_dbt_runs_as_the_transformer_and_what_it_replaces_stays_closed(world: World, tmp_path: Path) -> None:
    before = world.ask("district", "select count(*) from reporting.rpt_reporting_rates")
    dbt = Dbt(world.of("transformer"), tmp_path)
    build(dbt, "district", "snp_facility", "dim_facility", "stg_cemr__patients", "int_code_use", "fct_reporting")
    build(dbt, "rpt_reporting_rates", "rpt_idsr_alerts", "stg_alerts__verdicts", "fct_idsr_report")
    # Before the grants are looked at again: a view that was replaced still asks as its reader.
    assert world.ask("district", "select count(*) from reporting.rpt_reporting_rates") == before
    assert before < world.admin("select count(*) from reporting.rpt_reporting_rates")
    assert world.apply() == []
    dbt.run("build", "--select", "fct_reporting", "--full-refresh", *WITHOUT_TESTS)
    world.refused("analyst", "select * from dwh.fct_reporting")
    world.refused("district", "select * from dwh.fct_reporting")
    world.apply()
    for role in ("analyst", "district"):
        assert world.ask(role, "select count(*) > 0 from dwh.fct_reporting") == [(True,)]
