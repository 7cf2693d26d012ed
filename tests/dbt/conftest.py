"""Fixtures for tests of the dbt project: a database with the small country landed and built, and dbt on it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_country
from dbt_runner import BOTH, Dbt
from pg_servers import fresh_database
from psycopg import sql

from hic_assets.warehouse import Warehouse


@pytest.fixture(scope="session")
def country(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """The small country landed and both months built. Shared by all tests: for reading only."""
    with fresh_database(postgres_server) as warehouse:
        with warehouse.connect() as connection:
            small_country.land(connection)
        dbt = Dbt(warehouse, tmp_path_factory.mktemp("dbt"))
        dbt.first_reference = dbt.reference(tests=True)
        dbt.monthly(*BOTH, tests=True)
        yield dbt


@pytest.fixture(scope="session")
def own_name(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Name and target folder of all copies: dbt parses the whole project again when the connection differs."""
    return f"hic_test_{uuid.uuid4().hex[:12]}", tmp_path_factory.mktemp("dbt_own")


@pytest.fixture
def own_country(country: Dbt, postgres_server: Warehouse, own_name: tuple[str, Path]) -> Iterator[Dbt]:
    """A copy of `country` to change."""
    name, source = sql.Identifier(own_name[0]), sql.Identifier(country.warehouse.database)
    with postgres_server.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(name, source))
        try:
            yield Dbt(country.warehouse.with_database(own_name[0]), own_name[1])
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))
