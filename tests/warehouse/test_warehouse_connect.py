"""Opening a warehouse by URL: what is checked, what is told, and that no password is ever shown."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from pg_servers import rows
from psycopg import conninfo, sql
from pydantic import SecretStr

from hic_assets.settings import Settings
from hic_assets.warehouse import SCHEMAS, Warehouse, WarehouseError, binaries, open_warehouse
from hic_assets.warehouse.connect import ensure_dagster_database, version_problem
from hic_assets.warehouse.url import make_url, parse_url

SECRET = "Tr0ub4dor&3/%@:"


def settings(url: str, dagster: str | None = None) -> Settings:
    return Settings(warehouse_url=SecretStr(url), dagster_url=SecretStr(dagster or url))


def refusal(url: str) -> str:
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(settings(url))
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.fixture
def limited(warehouse: Warehouse) -> Iterator[Warehouse]:
    """The test's database as seen by a role that owns nothing."""
    role, password = f"limited_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    with warehouse.connect() as connection:
        create = sql.SQL("create role {} login password {}")
        connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
    yield Warehouse({**warehouse.params, "user": role, "password": password})
    with warehouse.connect() as connection:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(role)))


def test_opens_and_completes_the_schemas(warehouse_on_both: Warehouse) -> None:
    rows(warehouse_on_both, "drop schema snapshots")
    opened = open_warehouse(settings(warehouse_on_both.url))
    assert not opened.embedded
    found = rows(opened, "select count(*) from pg_namespace where nspname = any(%s)", [list(SCHEMAS)])
    assert found == [(len(SCHEMAS),)]


def test_connections_have_name_zone_and_timeouts(warehouse_on_both: Warehouse) -> None:
    with warehouse_on_both.connect(application_name="test", lock_timeout=1.5, statement_timeout=0.1) as connection:
        names = ("TimeZone", "application_name", "lock_timeout", "statement_timeout")
        found = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        assert found == [("UTC",), ("test",), ("1500ms",), ("100ms",)]
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(5)")


def test_children_reach_the_warehouse(warehouse_on_both: Warehouse) -> None:
    opened = open_warehouse(settings(warehouse_on_both.url))
    assert set(opened.env()) >= {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"}
    command = [str(binaries.client_directory() / "psql"), "-XAtc", "select current_database()"]
    child = subprocess.run(command, env=opened.env(), capture_output=True, text=True, check=True)
    assert child.stdout.strip() == opened.database
    engine = sqlalchemy.create_engine(opened.env()["HIC_DAGSTER_URL"])
    assert engine.driver == "psycopg2"
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select current_database()")).scalar() == opened.database
    engine.dispose()


def test_nobody_answers() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = make_url("postgresql", {"user": "u", "password": SECRET, "host": "127.0.0.1", "port": str(port)})
    message = refusal(url)
    assert message.startswith(
        f"cannot connect to the warehouse at postgresql://u@127.0.0.1:{port}/. It does not answer"
    )


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hic_assets.warehouse.connect._CONNECT_SECONDS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "does not answer" in refusal(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/hic")


def test_wrong_password(warehouse: Warehouse) -> None:
    message = refusal(Warehouse({**warehouse.params, "password": SECRET}).url)
    assert 'refused user "hic" or the password' in message


def test_missing_database(warehouse_on_both: Warehouse) -> None:
    message = refusal(warehouse_on_both.with_database("no_such_database").url)
    assert 'has no database "no_such_database": create it' in message


@pytest.mark.parametrize("url", [f"postgresql://u:{SECRET}@h:port/d", "mysql://u:p@h/d", "not a url"])
def test_not_a_url(url: str) -> None:
    with pytest.raises(WarehouseError, match=r"^HIC_WAREHOUSE_URL is not a PostgreSQL URL") as caught:
        parse_url(url)
    assert SECRET not in str(caught.value)


def test_role_that_may_not_create(limited: Warehouse) -> None:
    assert f'grant create on database "{limited.database}"' in refusal(limited.url)


def test_schemas_of_another_role(warehouse: Warehouse, limited: Warehouse) -> None:
    with warehouse.connect() as connection:
        grant = sql.SQL("grant create on database {} to {}")
        names = (warehouse.database, limited.params["user"])
        connection.execute(grant.format(*map(sql.Identifier, names)))
    assert "may not write to the schemas" in refusal(limited.url)


def test_read_only_server(warehouse: Warehouse) -> None:
    rows(warehouse, f"alter database {warehouse.database} set default_transaction_read_only = on")
    assert "read-only" in refusal(warehouse.url)


def test_other_encoding(warehouse: Warehouse, postgres_server: Warehouse) -> None:
    name = f"{warehouse.database}_ascii"
    with postgres_server.connect(autocommit=True) as connection:
        connection.execute(
            f"create database {name} template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'".encode()
        )
        try:
            assert "encoding SQL_ASCII" in refusal(warehouse.with_database(name).url)
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


def test_dagster_database_that_may_not_be_created(limited: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = limited.with_database("no_dagster")
    monkeypatch.setattr(Warehouse, "dagster_url", make_url("postgresql+psycopg2", missing.params))
    with pytest.raises(WarehouseError, match=r'create database "no_dagster" owner .*HIC_DAGSTER_URL'):
        ensure_dagster_database(limited)


def test_dagster_url_of_its_own_is_checked(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"^Dagster's storage: cannot connect"):
        open_warehouse(settings(warehouse.url, warehouse.with_database("no_such_database").url))


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        (150020, None),
        (180004, None),
        (140011, "it is PostgreSQL 14.11, and the oldest supported is 15: upgrade it."),
        (90624, "it is PostgreSQL 9, and the oldest supported is 15: upgrade it."),
    ],
)
def test_version(version: int, problem: str | None) -> None:
    assert version_problem(version) == problem


plain = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=12)


@given(
    user=plain,
    password=plain,
    database=plain,
    host=st.sampled_from(["db.example", "::1", "/var/run/pg", "a,b"]),
)
def test_a_url_means_what_it_was_made_of(user: str, password: str, database: str, host: str) -> None:
    params = {"user": user, "password": password, "dbname": database, "host": host, "port": "5433"}
    params["sslmode"] = "require"
    assert parse_url(make_url("postgresql", params)) == params
    assert parse_url(make_url("postgresql+psycopg2", params)) == params
    shown = parse_url(Warehouse(params).redacted)
    assert shown == {k: v for k, v in params.items() if k != "password"}


def test_secrets_are_not_in_repr() -> None:
    warehouse = Warehouse({"host": "h", "user": "u", "password": SECRET, "dbname": "d"}, f"postgresql://u:{SECRET}@h/x")
    assert repr(warehouse) == "Warehouse('postgresql://u@h/d', embedded=False)"
    assert SECRET not in str(warehouse) + repr([warehouse]) + warehouse.redacted


def test_ssl_settings_reach_children() -> None:
    warehouse = Warehouse(parse_url("postgresql://u:p@h:1/d?sslmode=verify-full&sslrootcert=/ca.pem"))
    environment = warehouse.env()
    assert (environment["PGSSLMODE"], environment["PGSSLROOTCERT"]) == ("verify-full", "/ca.pem")
    assert conninfo.conninfo_to_dict(environment["HIC_WAREHOUSE_URL"])["sslmode"] == "verify-full"
    assert "PATH" not in environment
    assert "HIC_DAGSTER_URL" not in os.environ or environment["HIC_DAGSTER_URL"].startswith("postgresql+psycopg2://")
