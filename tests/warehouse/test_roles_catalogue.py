"""What a reader learns from PostgreSQL's own catalogue, functions and plans."""

from __future__ import annotations

import pytest
from roles_world import NAME, World

from hic_assets.warehouse import Warehouse

READERS = ["analyst", "officer", "district"]


@pytest.fixture
def world(reader_world: World) -> World:
    """One for all tests: nobody in it should be able to change anything."""
    return reader_world


def test_statistics_show_no_value(world: World) -> None:
    for view in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
        everything = [str(row) for role in READERS for row in world.ask(role, f"select s::text from {view} s")]
        assert not [row for row in everything if NAME in row]
    tables = "('fct_visit', 'dim_facility', 'int_org_unit', 'fct_programme_month', 'fct_frozen', 'fct_moved')"
    assert world.ask("district", f"select * from pg_stats where tablename in {tables}") == []
    for role in ("analyst", "officer"):
        assert world.ask(role, "select * from pg_stats where schemaname in ('raw', 'identity', 'intermediate')") == []


def test_information_schema_lists_what_is_readable(world: World) -> None:
    query = "select distinct table_schema from information_schema.columns where table_schema <> all(%s)"
    system = "array['pg_catalog', 'information_schema']"
    for role in READERS:
        seen = world.ask(role, query.replace("%s", system))
        assert {schema for (schema,) in seen} <= {"dwh", "reporting", "staging", "intermediate", "access", "ops"}
        seen = world.ask(role, "select distinct table_name from information_schema.columns where table_schema = 'ops'")
        assert set(seen) <= {("idsr_alert_fired",)}
        seen = world.ask(role, "select table_name from information_schema.columns where table_schema = 'staging'")
        assert set(seen) == {("idsr_disease",)}


def test_comments_definitions_and_settings_hold_nothing(world: World) -> None:
    """Anybody may read them in PostgreSQL: so nothing of a person may stand in them."""
    for role in READERS:
        for query in (
            "select description from pg_description",
            "select pg_get_viewdef(oid) from pg_class where relkind = 'v'",
            "select prosrc from pg_proc where pronamespace <> 'pg_catalog'::regnamespace",
            "select setting from pg_settings",
            "select setconfig::text from pg_db_role_setting",
            "select query from pg_stat_activity where usename <> current_user",
            "select pg_get_expr(adbin, adrelid) from pg_attrdef",
            "select pg_get_constraintdef(oid) from pg_constraint",
            "select relpartbound::text from pg_class",
        ):
            text = str(world.ask(role, query))
            assert NAME not in text and "hic.pseudonym_inner=" not in text, query


def test_no_readable_function_runs_with_other_rights(world: World) -> None:
    for role in READERS:
        assert (
            world.ask(
                role,
                "select oid::regprocedure from pg_proc where prosecdef and has_function_privilege(oid, 'EXECUTE')"
                " and pronamespace <> 'pg_catalog'::regnamespace",
            )
            == []
        )


def test_objects_of_anybody_are_not_read_through_large_objects(world: World) -> None:
    with world.warehouse.connect() as connection:
        made = connection.execute("select lo_from_bytea(0, %s)", (NAME.encode(),)).fetchone()
    assert made is not None
    for role in READERS:
        world.refused(role, f"select lo_get({made[0]})")
        world.refused(role, f"select lo_open({made[0]}, 262144)")


def test_a_search_path_changes_nothing(world: World) -> None:
    """Policies are stored as parsed, and no schema takes objects of a reader that could stand before ours."""
    for path in ("pg_temp, public, dwh", "access, raw, identity, dwh", "'', dwh"):
        with world.of("district").connect() as connection:
            connection.execute(f"set search_path = {path}".encode())
            assert connection.execute("select distinct note from dwh.fct_visit").fetchall() == [("of F1",)]


def test_plans_show_estimates_and_no_values(world: World) -> None:
    """What remains in PostgreSQL: row estimates of a plan come from all rows. They are numbers, never values."""
    with world.of("district").connect() as connection:
        plan = str(
            connection.execute("explain (verbose) select * from dwh.fct_visit where note like 'of F2%'").fetchall()
        )
        assert "of F2" in plan  # the question itself
        plan = str(connection.execute("explain (analyze, costs off) select note from dwh.fct_visit").fetchall())
        assert "of F2" not in plan and "of F3" not in plan


def test_a_district_learns_nothing_of_other_logins(world: World) -> None:
    world.refused("district", "select * from access.user_district")
    world.refused("district", "select * from access.my_place")


def test_a_stranger_does_not_get_in(world: World) -> None:
    name = f"{world.roles.prefix}_stranger"
    world.admin(f"create role {name} login password 'for tests only'")
    stranger = Warehouse({**world.warehouse.params, "user": name, "password": "for tests only"})
    with pytest.raises(Exception, match="permission denied for database"):
        stranger.connect()
