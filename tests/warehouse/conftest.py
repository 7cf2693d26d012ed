"""Fixtures for tests of roles."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pg_servers import SYSTEM_URL, fresh_database, system_server
from roles_world import World, small_world

from hic_assets.warehouse import Warehouse


@pytest.fixture(scope="module", params=["embedded", "system"])
def reader_world(request: pytest.FixtureRequest, postgres_server: Warehouse) -> Iterator[World]:
    """One for all tests of this file: nobody in it should be able to change anything."""
    server: Warehouse | None = postgres_server
    if request.param == "system":
        server = system_server(os.environ.get("HIC_TEST_PG_URL", SYSTEM_URL))
    if server is None:
        pytest.skip("no server at HIC_TEST_PG_URL")
    with fresh_database(server, template=False) as database, small_world(database) as made:
        yield made


@pytest.fixture
def world(warehouse_on_both: Warehouse) -> Iterator[World]:
    with small_world(warehouse_on_both) as made:
        yield made
