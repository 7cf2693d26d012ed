"""Roles: made by one command, again and again; who is in them; relations that nobody knew of; and hic run as each of them."""

from __future__ import annotations

import psycopg
import pytest
from roles_world import PASSWORD, World, roles_on, rows_of

from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse, WarehouseError
from hic_assets.warehouse.grants import Roles, catalogue, grant_reading_if_used
from hic_assets.warehouse.reading import BESIDE_MARTS, OF_NO_PLACE, SEEDS, Relation, decide
from hic_assets.warehouse.roles import AdministratorNeeded, add_login, apply_roles, logins, remove_login


def build(world: World, ddl: str) -> list[str]:
    """What a dbt build does: something new, by the login of the pipeline; then the grants."""
    with world.of("pipeline").connect(autocommit=True) as connection:
        connection.execute(ddl.encode())
        return grant_reading_if_used(connection)


# Made by one command


def test_applied_twice_nothing_changes(world: World) -> None:
    assert world.apply() == []


def test_what_was_granted_by_hand_is_taken_back(world: World) -> None:
    analyst, district = world.roles.analyst, world.roles.district
    world.admin(f"grant select on raw.cemr_patients to {analyst}")
    world.admin(f"grant select (family_name) on staging.stg_cemr__patients to {district}")
    world.admin("grant select on dwh.fct_visit to public")
    world.admin(f"grant insert, select on dwh.fct_moved to {district}")
    world.admin("alter view reporting.rpt_visits set (security_invoker = false)")
    world.admin(f"create policy mine on dwh.fct_visit for select to {district} using (true)")
    world.admin("alter view reporting.rpt_large reset (security_barrier)")
    world.admin(f"grant select on dwh.fct_person_event to {world.roles.officer}")
    assert len(world.apply()) == 8
    world.refused("analyst", "select * from raw.cemr_patients")
    world.refused("district", "select family_name from staging.stg_cemr__patients")
    world.refused("district", "select * from dwh.fct_moved")
    assert world.ask("district", "select count(*) from dwh.fct_visit") == [(400,)]
    assert world.ask("district", "select count(*) from reporting.rpt_visits") == [(400,)]


def test_a_warehouse_keeps_the_prefix_of_its_roles(world: World) -> None:
    with world.warehouse.connect(autocommit=True) as connection:
        with pytest.raises(WarehouseError, match="roles begin with"):
            apply_roles(connection, "other")
        assert apply_roles(connection) == []


def test_a_role_that_came_later_is_missed_by_no_build_and_made_by_the_next_apply(world: World) -> None:
    officer, login = world.roles.officer, world.login("officer")
    world.admin(f'drop owned by "{officer}"; drop owned by "{login}"; drop role "{login}"; drop role "{officer}"')
    build(world, "create table dwh.fct_later (facility_uid text)")
    assert world.ask("analyst", "select * from dwh.fct_later") == []
    with pytest.raises(WarehouseError, match="'hic roles apply' makes it"):
        world.add("officer", "officer")
    world.apply()
    world.add("officer", "officer")
    assert len(world.ask("officer", "select * from reporting.rpt_units")) == 10


def test_without_roles_a_build_grants_nothing(warehouse_on_both: Warehouse) -> None:
    with warehouse_on_both.connect(autocommit=True) as connection:
        assert grant_reading_if_used(connection) == []
        with pytest.raises(WarehouseError, match="hic roles apply"):
            logins(connection)


def test_who_may_not_create_roles_is_told_what_an_administrator_runs(warehouse_on_both: Warehouse) -> None:
    with roles_on(warehouse_on_both) as world:
        # As docker/postgres-init.sh makes it: the owner of the database, who may create no roles.
        name, database = world.login("owner"), warehouse_on_both.database
        world.admin(f"create role {name} login password '{PASSWORD}'")
        for schema in Roles().owners:
            world.admin(f"drop schema {schema}")
        world.admin(f"alter database {database} owner to {name}")
        with world.of("owner").connect(autocommit=True) as connection:
            from hic_assets.warehouse import create_schemas

            create_schemas(connection)
            prepare(connection)
            with pytest.raises(AdministratorNeeded) as caught:
                apply_roles(connection, world.roles.prefix)
            assert world.admin(f"select from pg_roles where rolname like '{world.roles.prefix}%analyst'") == []
            world.admin(caught.value.statements)
            apply_roles(connection, world.roles.prefix)
            assert apply_roles(connection) == []
            with pytest.raises(AdministratorNeeded, match=r"create role .* login") as caught:
                add_login(connection, world.login("analyst"), "analyst")
            world.admin(caught.value.statements)
            assert not add_login(connection, world.login("analyst"), "analyst")
            assert [(one.name, one.role) for one in logins(connection) if one.role == "analyst"] == [
                (world.login("analyst"), "analyst")
            ]


# Who is in them


def test_a_login_is_in_one_role(world: World) -> None:
    assert world.ask("district", "select count(*) from dwh.fct_visit") == [(400,)]
    world.add("district", "district", "102", "103")
    assert rows_of(world, "district", "select distinct facility_uid from dwh.fct_visit") == [("F2",), ("F3",)]
    world.add("district", "analyst")
    assert world.ask("district", "select count(*) from dwh.fct_visit") == [(2000,)]
    assert world.admin(f"select * from access.user_district where login = '{world.login('district')}'") == []
    with world.warehouse.connect(autocommit=True) as connection:
        remove_login(connection, world.login("district"))
        with pytest.raises(WarehouseError, match="there is no login"):
            remove_login(connection, f"{world.roles.prefix}_nobody")
    with pytest.raises(WarehouseError, match="permission denied for database"):
        world.ask("district", "select 1")


def test_logins_that_cannot_be_held_to_a_policy_are_refused(world: World) -> None:
    world.admin(f"create role {world.roles.prefix}_past login bypassrls")
    with world.warehouse.connect(autocommit=True) as connection:
        for name in (f"{world.roles.prefix}_past", world.warehouse.params["user"], world.roles.analyst):
            with pytest.raises(WarehouseError, match=r"cannot be used|is one of the roles"):
                add_login(connection, name, "analyst")
        for role, districts in (("district", ()), ("district", ("999",)), ("analyst", ("101",))):
            with pytest.raises(WarehouseError, match="district"):
                add_login(connection, world.login("new"), role, districts)
    assert world.admin(f"select from pg_roles where rolname = '{world.login('new')}'") == []


# Relations nobody knew of


NEW = """
create table dwh.fct_new (district_code text, patient_source_key uuid, n integer);
insert into dwh.fct_new values ('101', gen_random_uuid(), 1), ('102', gen_random_uuid(), 2), (null, gen_random_uuid(), 3);
create table dwh.fct_elsewhere (place_of_event text, n integer);
create table dwh.dim_person (person_key uuid);
create table dwh.dim_vaccine (vaccine_code text, facility_type text);
create view reporting.rpt_new as select district_code, n from dwh.fct_new;
create view reporting.rpt_elsewhere as select n from dwh.fct_elsewhere;
create view reporting.rpt_links as select * from intermediate.int_patient_link;
create table staging.stg_new__patients (family_name text);
create table raw.new_patients (family_name text);
"""
NEW_NAMES = [
    *("dwh.fct_new", "dwh.fct_elsewhere", "dwh.dim_person", "dwh.dim_vaccine", "reporting.rpt_new"),
    *("reporting.rpt_elsewhere", "reporting.rpt_links", "staging.stg_new__patients", "raw.new_patients"),
]


def test_what_is_new_is_denied_until_it_is_granted_and_then_as_it_should_be(world: World) -> None:
    with world.of("pipeline").connect(autocommit=True) as connection:
        connection.execute(NEW.encode())
    for role in ("analyst", "officer", "district"):
        for name in NEW_NAMES:
            world.refused(role, f"select * from {name}")
    build(world, "select 1")
    may = {role: {n for n in NEW_NAMES if _may(world, role, n)} for role in ("analyst", "officer", "district")}
    assert may["district"] == {"dwh.fct_new", "dwh.dim_vaccine", "reporting.rpt_new"}
    assert may["officer"] == {"reporting.rpt_new", "reporting.rpt_elsewhere"}
    assert may["analyst"] == may["district"] | {"dwh.fct_elsewhere", "dwh.dim_person", "reporting.rpt_elsewhere"}
    assert world.ask("district", "select n from dwh.fct_new") == [(1,)]
    assert world.ask("district", "select n from reporting.rpt_new") == [(1,)]
    assert world.ask("transformer", "select * from raw.new_patients") == []


def test_what_is_dropped_and_made_anew_is_denied_until_it_is_granted(world: World) -> None:
    again = "create table dwh.fct_old as select * from dwh.fct_visit; drop table dwh.fct_visit cascade;"
    with world.of("pipeline").connect(autocommit=True) as connection:
        connection.execute(f"{again} alter table dwh.fct_old rename to fct_visit".encode())
    world.refused("district", "select * from dwh.fct_visit")
    build(world, "create view reporting.rpt_visits as select facility_uid, note from dwh.fct_visit")
    assert world.ask("district", "select distinct note from reporting.rpt_visits") == [("of F1",)]


def test_a_table_that_loses_its_place_is_closed_to_districts(world: World) -> None:
    build(world, "alter table dwh.fct_visit drop column facility_uid cascade")
    world.refused("district", "select * from dwh.fct_visit")
    assert world.ask("analyst", "select count(*) from dwh.fct_visit") == [(2000,)]


def test_a_facility_that_moves_takes_its_rows_along(world: World) -> None:
    build(world, "update intermediate.int_org_unit set district_uid = 'D2' where org_unit_uid = 'F1'")
    assert world.ask("district", "select * from dwh.fct_visit") == []
    build(world, "delete from intermediate.int_org_unit where org_unit_uid = 'F2'")
    assert rows_of(world, "province", "select distinct facility_uid from dwh.fct_visit") == [("F1",)]


def test_no_relation_with_rows_of_districts_is_open(world: World) -> None:
    """Over the whole catalogue: what a district may read is held to a policy, or stands on what is, or knows no place."""
    build(world, NEW)
    with world.warehouse.connect() as connection:
        held = {one.relation.oid: one for one in catalogue(connection)}
    district = f"{world.roles.district} select"
    readable = [one for one in held.values() if district in one.grants]
    assert {str(one.relation) for one in readable} > {"dwh.fct_visit", "reporting.rpt_visits", "dwh.fct_new"}
    for one in readable:
        relation = one.relation
        if relation.kind == "v":
            assert relation.runs_as_reader, relation
            assert all(district in held[oid].grants for oid in relation.reads), relation
        elif one.verdict.place:
            assert one.has_policies and f"{world.roles.district}: {one.verdict.place}" in one.policies, relation
        else:
            assert relation.name in SEEDS or relation.name.startswith("dim_"), relation
            assert not [c for c in relation.columns if "district" in c or "facility_uid" in c], relation
    for one in held.values():
        assert not any(grant.startswith("public ") for grant in one.grants), one.relation
        reader = {g for g in one.grants if g.startswith(world.roles.readers)}
        assert all(grant.endswith(" select") for grant in reader), one.relation


def _may(world: World, role: str, name: str) -> bool:
    try:
        world.ask(role, f"select * from {name}")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def test_what_the_reports_read_beside_the_marts_is_no_raw_table() -> None:
    """Nor of the ledger, but for the alerts that fired, which are of a district."""
    assert {one for one in BESIDE_MARTS if one[0] not in ("intermediate", "staging")} == {("ops", "idsr_alert_fired")}
    hidden = Relation(1, "staging", "idsr_disease", "v", {"name": "text"})
    assert not decide([hidden])[1].analyst  # a view that is called as a seed is


def test_an_officer_reads_reports_and_what_they_stand_on_alone() -> None:
    relations = [
        Relation(1, "dwh", "fct_counted", "r", {"facility_uid": "text"}),
        Relation(2, "dwh", "fct_unread", "r", {"facility_uid": "text"}),
        Relation(3, "dwh", "fct_view", "v", {"n": "bigint"}, frozenset({1}), runs_as_reader=True),
        Relation(4, "reporting", "rpt_open", "v", {"n": "bigint"}, frozenset({3, 5}), runs_as_reader=True),
        Relation(5, "staging", "stg_ops__parity", "v", {"n": "bigint"}, frozenset({6})),
        Relation(6, "ops", "parity", "r", {"n": "bigint"}),
        Relation(7, "reporting", "rpt_closed", "v", {"n": "bigint"}, frozenset({2, 6}), runs_as_reader=True),
    ]
    assert {oid for oid, verdict in decide(relations).items() if verdict.officer} == {1, 3, 4, 5}


def test_what_districts_read_beside_the_marts_knows_no_place() -> None:
    """Definitions and the state of loads are open, until a column of a place or person says that they are something else."""
    assert {schema for schema, _ in OF_NO_PLACE} == {"intermediate"} and not OF_NO_PLACE & BESIDE_MARTS
    for kind in ("r", "v"):
        plain = Relation(1, "intermediate", "int_source_month", kind, {"source": "text", "period_start": "date"})
        assert decide([plain])[1].district and decide([plain])[1].analyst
        for column in ("org_unit_uid", "district_code", "patient_key", "residence"):
            other = Relation(1, "intermediate", "int_source_month", kind, {"source": "text", column: "text"})
            assert not decide([other])[1].district, column
    report = Relation(2, "reporting", "rpt_x", "v", {"n": "bigint"}, frozenset({1}), runs_as_reader=True)
    assert decide([plain, report])[2].district
    elsewhere = Relation(1, "intermediate", "int_measures", "r", {"source": "text"})
    assert not decide([elsewhere])[1].analyst
