"""The warehouse fixtures themselves, on both servers."""

from __future__ import annotations

from pg_servers import rows

from hic_assets.warehouse import SCHEMAS, Warehouse, create_schemas
from hic_assets.warehouse.schema import missing_schemas


def test_has_the_schemas_and_nothing_for_public(warehouse_on_both: Warehouse) -> None:
    found = rows(
        warehouse_on_both,
        "select nspname::text, has_schema_privilege('public', oid, 'usage, create') from pg_namespace "
        "where nspname = any(%s)",
        [list(SCHEMAS)],
    )
    assert sorted(found) == sorted((name, False) for name in SCHEMAS)


def test_creating_schemas_again_changes_nothing(warehouse_on_both: Warehouse) -> None:
    with warehouse_on_both.connect() as connection:
        connection.execute("create table raw.kept (x int)")
        connection.execute("drop schema snapshots")
        assert missing_schemas(connection) == ["snapshots"]
        create_schemas(connection)
        create_schemas(connection)
        assert missing_schemas(connection) == []
    assert rows(warehouse_on_both, "select to_regclass('raw.kept')::text") == [("raw.kept",)]


def test_databases_are_apart(warehouse: Warehouse) -> None:
    assert rows(warehouse, "create table raw.only_here (x int)") == []
    assert rows(warehouse, "select count(*) from pg_class where relname = 'only_here'") == [(1,)]


def test_and_fresh_every_time(warehouse: Warehouse) -> None:
    assert rows(warehouse, "select count(*) from pg_class where relname = 'only_here'") == [(0,)]
