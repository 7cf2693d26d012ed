"""Analysts, officers and districts try to get at what is not theirs: by every way PostgreSQL has that we know of."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
import pytest
from roles_world import World, notices, rows_of

READERS = ["analyst", "officer", "district"]


@pytest.fixture
def world(reader_world: World) -> World:
    """One for all tests: nobody in it should be able to change anything."""
    return reader_world


# What they may


def test_an_analyst_reads_the_marts(world: World) -> None:
    assert world.ask("analyst", "select count(*) from dwh.fct_visit") == [(2000,)]
    assert world.ask("analyst", "select count(*), count(facility) from reporting.rpt_visits") == [(2000, 1600)]
    assert world.ask("analyst", "select sum(amount) from reporting.rpt_of_view") == [(400,)]
    assert world.ask("analyst", "select name from staging.idsr_disease") == [("Malaria",)]
    assert world.ask("analyst", "select count(*) from dwh.fct_person_event") == [(1,)]
    assert world.ask("analyst", "select visits from dwh.fct_frozen where facility_uid = 'F3'") == [(400,)]
    assert len(world.ask("analyst", "select * from reporting.rpt_units")) == 10


def test_an_officer_reads_the_reports(world: World) -> None:
    assert world.ask("officer", "select count(*), count(facility) from reporting.rpt_visits") == [(2000, 1600)]
    assert world.ask("officer", "select sum(amount) from reporting.rpt_of_view") == [(400,)]
    assert world.ask("officer", "select * from reporting.rpt_moved") == [("D3", 7)]
    assert len(world.ask("officer", "select * from reporting.rpt_units")) == 10


def test_a_district_reads_its_rows(world: World) -> None:
    assert rows_of(world, "district", "select distinct facility_uid, note from dwh.fct_visit") == [("F1", "of F1")]
    assert world.ask("district", "select count(*) from dwh.fct_visit") == [(400,)]
    assert rows_of(world, "district", "select distinct facility, disease from reporting.rpt_visits") == [
        ("Health 1", "Malaria")
    ]
    assert world.ask("district", "select * from reporting.rpt_of_view") == [("Health 1", 400)]
    assert rows_of(world, "district", "select org_unit_uid from reporting.rpt_units") == [("D1",), ("F1",), ("RW",)]
    assert rows_of(world, "district", "select facility_uid from dwh.dim_facility") == [("F1",)]
    assert rows_of(world, "district", "select district_code from dwh.dim_patient") == [("101",)]
    assert world.ask("district", "select period_start::text from dwh.dim_period") == [("2024-01-01",)]


def test_a_place_is_ones_own_when_all_of_it_is(world: World) -> None:
    """The country's figures are everybody's; a province's are whose all its districts are, for one less one is another."""
    query = "select org_unit_uid from dwh.fct_programme_month"
    assert rows_of(world, "district", query) == [("D1",), ("F1",), ("RW",)]
    assert rows_of(world, "province", query) == [("D1",), ("D2",), ("F1",), ("F2",), ("P1",), ("RW",)]


# What they may not

CLOSED = [
    "raw.cemr_patients",
    "ops.quarantine",
    "ops.load",
    "ops.load_slice",
    "ops.pseudonym_key",
    "ops.parity_difference",
    "identity.person",
    "intermediate.int_org_unit",
    "intermediate.int_patient_link",
    "intermediate.int_patients",
    "staging.stg_cemr__patients",
    "reporting.rpt_patients",
    "reporting.rpt_patients_deep",
    "access.user_district",
    "access.place",
    "access.role_set",
    "pg_catalog.pg_statistic",
    "pg_catalog.pg_authid",
    "pg_catalog.pg_statistic_ext_data",
    "pg_catalog.pg_largeobject",
]


@pytest.mark.parametrize("relation", CLOSED)
@pytest.mark.parametrize("role", READERS)
def test_closed_relations(world: World, role: str, relation: str) -> None:
    world.refused(role, f"select * from {relation}")
    world.refused(role, f"select count(*) from {relation}")
    world.refused(role, f"copy {relation} to stdout")


BELOW_REPORTS = ["dwh.fct_visit", "dwh.dim_facility", "dwh.fct_moved", "dwh.fct_person_event", "staging.idsr_disease"]


@pytest.mark.parametrize("relation", BELOW_REPORTS)
def test_an_officer_reads_nothing_below_the_reports(world: World, relation: str) -> None:
    world.refused("officer", f"select * from {relation}")
    world.refused("officer", f"copy {relation} to stdout")
    number = world.admin(f"select '{relation}'::regclass::oid")[0][0]
    world.refused("officer", f"select table_to_xml({number}::regclass, false, false, '')")
    world.refused("officer", f"select query_to_xml('select * from {relation}', false, false, '')")
    table = relation.partition(".")[2]
    assert world.ask("officer", f"select * from pg_stats where tablename = '{table}' and schemaname = 'dwh'") == []


@pytest.mark.parametrize(
    "column", ["note::integer", "1 / amount", "case when note like '%F2%' then note else '1' end::int"]
)
def test_a_condition_sees_no_row_that_a_report_leaves_out(world: World, column: str) -> None:
    """Of rpt_large all rows are of F1, whose notes are no numbers: an error may quote these, and no other's."""
    for role in ("officer", "analyst"):
        _, error = notices(world, role, f"select 1 from reporting.rpt_large where {column} > 0")
        assert "of F2" not in error and "of F3" not in error and "nobody" not in error and "division" not in error


@pytest.mark.parametrize(
    "relation", ["dwh.fct_person_event", "dwh.fct_moved", "dwh.fct_frozen", "reporting.rpt_moved", "access.my_place"]
)
def test_a_mart_without_policy_is_closed_to_districts(world: World, relation: str) -> None:
    world.refused("district", f"select * from {relation}")


WRITES = [
    "insert into dwh.dim_period values ('2024-02-01')",
    "update dwh.fct_visit set facility_uid = 'F1'",
    "delete from dwh.fct_visit",
    "truncate dwh.fct_visit",
    "insert into reporting.rpt_units values ('Z', 'Z')",
    "insert into access.user_district (login, district) values (current_user, '103')",
    "insert into access.place values ('org_unit', 'F3', '101', false)",
    "create table dwh.mine (a int)",
    "create table public.mine (a int)",
    "create view reporting.mine as select 1",
    "create schema mine",
    "create temporary table mine (a int)",
    "create function pg_temp.spy(text) returns boolean language plpgsql cost 0.0001 as $$ begin return true; end $$",
    "create function public.spy(text) returns boolean language sql cost 0.0001 return true",
    "create function dwh.spy(text) returns boolean language sql return true",
    "create policy mine on dwh.fct_visit using (true)",
    'drop policy "{roles.prefix}_district: facility_uid" on dwh.fct_visit',
    "alter table dwh.fct_visit disable row level security",
    "alter table dwh.fct_visit owner to current_user",
    "alter view reporting.rpt_visits set (security_invoker = false)",
    "comment on table dwh.fct_visit is 'mine'",
    "create trigger t before insert on dwh.fct_visit for each row execute function suppress_redundant_updates_trigger()",
    "create publication p for table dwh.fct_visit",
    "create statistics dwh.s on facility_uid, note from dwh.fct_visit",
    "create extension dblink",
    "create role mine",
    "lock table dwh.fct_visit in access exclusive mode",
    "select * from dwh.fct_visit for update",
    "select nextval('identity.person_person_id_seq')",
    "select currval('identity.person_person_id_seq')",
    "select * from identity.person_person_id_seq",
    "select identity.pseudonym('cemr', 'P-1')",
    "select ops.json_member('{}', '{a}')",
    "set session_replication_role = replica",
    "copy dwh.dim_period to program 'cat'",
    "copy dwh.dim_period to '/tmp/out'",
    "select pg_read_file('/etc/hostname')",
    "select pg_read_binary_file('PG_VERSION')",
    "select * from pg_ls_dir('.')",
    "select * from pg_ls_logdir()",
    "select * from pg_stat_file('PG_VERSION')",
    "select lo_import('/etc/hostname')",
    "select lo_export(1, '/tmp/out')",
    "select * from pg_hba_file_rules",
]


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("role", READERS)
def test_nothing_is_made_changed_or_fetched(world: World, role: str, statement: str) -> None:
    world.refused(role, statement.replace("{roles.prefix}", world.roles.prefix))


@pytest.mark.parametrize("role", READERS)
def test_other_sessions_and_the_server_are_left_alone(world: World, role: str) -> None:
    with world.warehouse.connect() as other:
        pid = other.info.backend_pid
        world.refused(role, f"select pg_terminate_backend({pid})")
        world.refused(role, f"select pg_cancel_backend({pid})")
        query = f"select query from pg_stat_activity where pid = {pid}"
        assert world.ask(role, query) == [("<insufficient privilege>",)]
    with world.of(role).connect(autocommit=True) as connection:
        for statement in ("alter system set log_statement = 'all'", "checkpoint", "vacuum pg_authid"):
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                continue
            assert statement.startswith("vacuum")  # skipped with a warning


@pytest.mark.parametrize("role", READERS)
def test_no_other_role_is_taken_on(world: World, role: str) -> None:
    owner = world.warehouse.params["user"]
    others = [world.roles.loader, world.roles.transformer, world.login("province"), owner, "pg_read_all_data"]
    others += {world.roles.analyst, world.roles.officer, world.roles.district} - {f"{world.roles.prefix}_{role}"}
    for other in others:
        world.refused(role, f'set role "{other}"')
        world.refused(role, f'set session authorization "{other}"')
        world.refused(role, f'grant "{other}" to current_user')


def test_the_role_of_districts_itself_has_none(world: World) -> None:
    with world.of("district").connect() as connection:
        connection.execute("declare before cursor for select facility_uid from dwh.fct_visit")
        connection.execute("prepare asked as select distinct facility_uid from dwh.fct_visit")
        connection.execute(f"set role {world.roles.district}".encode())
        assert connection.execute("execute asked").fetchall() == []
        assert connection.execute("select count(*) from dwh.fct_visit").fetchone() == (0,)
        connection.execute("reset role")
        assert connection.execute("execute asked").fetchall() == [("F1",)]
        assert connection.execute("fetch before").fetchall() == [("F1",)]


def test_a_statement_prepared_by_who_sees_all_sees_little_after(world: World) -> None:
    """A plan and a function's cached plan are made anew when the role changes."""
    with world.warehouse.connect() as connection:
        connection.execute("prepare asked as select count(*) from dwh.fct_visit")
        assert connection.execute("execute asked").fetchone() == (2000,)
        connection.execute(f"set role {world.login('district')}".encode())
        assert connection.execute("execute asked").fetchone() == (400,)


def test_row_security_cannot_be_switched_off(world: World) -> None:
    with world.of("district").connect() as connection:
        connection.execute("set row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="would be affected by row-level security"):
            connection.execute("select * from dwh.fct_visit")


def _copied(connection: psycopg.Connection[Any], statement: str) -> bytes:
    with connection.cursor().copy(statement.encode()) as copy:
        return b"".join(bytes(part) for part in copy)


def test_copy_and_cursors_keep_to_the_policy(world: World) -> None:
    with world.of("district").connect() as connection:
        copied = _copied(connection, "copy dwh.fct_visit (note) to stdout")
        assert set(copied.split(b"\n")) == {b"of F1", b""}
        copied = _copied(connection, "copy (table reporting.rpt_visits) to stdout")
        assert b"Health 1" in copied and b"Health 2" not in copied
        with suppress(psycopg.errors.FeatureNotSupported):  # a server may be built without XML
            xml = connection.execute("select table_to_xml('dwh.fct_visit', false, false, '')::text").fetchone()
            assert xml is not None and "of F1" in xml[0] and "of F2" not in xml[0]


SPYING = [
    # Each would fail, or say so, at the first row of another district that it is shown.
    "select 1 from {relation} where 1 / amount > 0",
    "select 1 from {relation} where note::integer > 0 and note <> 'of F1'",
    "select 1 from {relation} where (case when note <> 'of F1' then note else '1' end)::integer > 0",
    "select 1 from {relation} where note ~ case when note = 'of F1' then '.' else '(' end",
    "select 1 from {relation} where format(case when note = 'of F1' then '' else '%' end) = ''",
    "select 1 from {relation} where 1 / (case when note like '%F2%' then 0 else 1 end) = 1",
    "select 1 from {relation} tablesample system (100) where 1 / amount > 0",
    "select 1 from {relation} where set_config('spy.notes', current_setting('spy.notes', true) || note, false) is null",
    "select * from {relation} a join {relation} b on 1 / a.amount = 1 / b.amount and a.note < b.note limit 1",
    "select sum(1 / amount) filter (where note <> '') from {relation}",
    "select 1 from {relation} group by 1 / amount having min(1 / amount) > 0",
    "select 1 from {relation} order by 1 / amount limit 1",
]


@pytest.mark.parametrize("relation", ["dwh.fct_visit", "reporting.rpt_visits"])
@pytest.mark.parametrize("query", SPYING)
def test_conditions_that_fail_see_no_row_of_others(world: World, relation: str, query: str) -> None:
    if "tablesample" in query and relation.startswith("reporting"):
        pytest.skip("of tables only")
    _, error = notices(world, "district", query.format(relation=relation))
    assert "of F2" not in error and "of F3" not in error
    # Rows of F1 have amount 1, all others 0: a division by zero would be theirs. Notes of F1 are no numbers either.
    assert error == "" or "of F1" in error, error


def test_spied_settings_hold_own_notes_only(world: World) -> None:
    with world.of("district").connect() as connection:
        connection.execute("set spy.notes = ''")
        connection.execute(
            "select count(*) from dwh.fct_visit where"
            " set_config('spy.notes', current_setting('spy.notes') || ',' || note, false) is null"
        )
        seen = connection.execute("select current_setting('spy.notes')").fetchone()
        assert seen is not None and set(seen[0].split(",")) == {"", "of F1"}


def test_do_blocks_have_no_more_rights(world: World) -> None:
    for role in READERS:
        world.refused(role, "do $$ begin perform family_name from raw.cemr_patients; end $$")
    said, error = notices(
        world,
        "district",
        "do $$ declare n text; begin for n in select distinct note from dwh.fct_visit loop raise notice '%', n; end loop; end $$",
    )
    assert (said, error) == (["of F1"], "")
