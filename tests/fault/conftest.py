"""A sandbox over HTTP, a warehouse that holds its registries and two months, and runs of the real assets on both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from pg_servers import copied_database, shared_database

from fault.country import LOADED, MONTHLY, TODAY, Country, definitions
from hic_assets.landing.ddl import create_ops
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.warehouse import Warehouse


@pytest.fixture(scope="session")
def defs() -> dg.Definitions:
    return definitions()


def new_world() -> World:
    """The same country each time, with a facility in every other district; a test may change it as it likes."""
    world = World(seed=7, scale=0.005, today=TODAY)
    world.facilities = world.facilities[::5]
    world.refresh()
    return world


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    with running_sandbox(world=world) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def loaded_database(
    postgres_server: Warehouse, run_name: str, defs: dg.Definitions, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A database with the registries and the months LOADED, loaded by Dagster; tests get copies of it."""

    def load(database: Warehouse, _: Path) -> None:
        with database.connect(autocommit=True) as connection:
            create_ops(connection)
        with running_sandbox(world=new_world()) as sandbox:
            country = Country(sandbox, database, defs, tmp_path_factory.mktemp("spool"))
            assert country.registries().success
            assert country.months(*LOADED, job=MONTHLY).success
            country.close()

    database, _ = shared_database(postgres_server, run_name, "loaded", load)
    return database


@pytest.fixture
def country(
    sandbox: Sandbox,
    postgres_server: Warehouse,
    loaded_database: Warehouse,
    defs: dg.Definitions,
    tmp_path: Path,
) -> Iterator[Country]:
    """The country with its registries and two months loaded, and nothing wrong with it yet."""
    with copied_database(postgres_server, loaded_database.database) as database:
        country = Country(sandbox, database, defs, tmp_path)
        try:
            yield country
        finally:
            country.close()


@pytest.fixture
def month() -> date:
    """The month that faults strike: it is loaded already."""
    return LOADED[-1]
