"""Fixtures for tests of the dbt project: a database with the small country landed and built, and dbt on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import clinical_rows
import indicator_rows
import marts_lab
import programme_fact_rows
import pytest
import small_country
import surveillance
from dbt_runner import BOTH, BUILT, Dbt
from pg_servers import copied_database, copy_database, shared_database

from hic_assets.warehouse import Warehouse

FILES = "target"
MARTS_BUILT = "hic_test_marts_built"


@pytest.fixture(scope="session")
def country(postgres_server: Warehouse, run_name: str, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The small country landed, its weeks and both months built, once for all workers. Shared by all tests: for reading only."""
    target = tmp_path_factory.mktemp("dbt")

    def build(warehouse: Warehouse, folder: Path) -> None:
        with warehouse.connect() as connection:
            small_country.land(connection)
            surveillance.land(connection)
            clinical_rows.land(connection)
            programme_fact_rows.land(connection)
            indicator_rows.land(connection)
        dbt = Dbt(warehouse, target)
        (folder / "first_reference.json").write_text(json.dumps(dbt.reference(tests=True)))
        dbt.weekly(*surveillance.ALL_WEEKS, tests=True)
        dbt.monthly(*BOTH, tests=True)
        dbt.identity(tests=True)
        copy_database(postgres_server, warehouse.database, BUILT)
        shutil.copytree(target, folder / FILES)

    warehouse, folder = shared_database(postgres_server, run_name, "country", build)
    # Each worker has dbt's files of its own: dbt writes into them.
    shutil.copytree(folder / FILES, target, dirs_exist_ok=True)
    first = json.loads((folder / "first_reference.json").read_text())
    return Dbt(warehouse, target, first_reference=first)


@pytest.fixture
def own_country(country: Dbt, postgres_server: Warehouse, tmp_path: Path) -> Iterator[Dbt]:
    """A copy of `country` to change."""
    with copied_database(postgres_server, BUILT) as warehouse:
        yield Dbt(warehouse, tmp_path / "dbt")


@pytest.fixture(scope="session")
def marts(postgres_server: Warehouse, run_name: str, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The programme marts over facts made by hand (marts_lab), once for all workers. Shared by all tests: for reading only."""
    target = tmp_path_factory.mktemp("dbt_marts")

    def build(warehouse: Warehouse, folder: Path) -> None:
        marts_lab.build(warehouse, Dbt(warehouse, target))
        copy_database(postgres_server, warehouse.database, MARTS_BUILT)
        shutil.copytree(target, folder / FILES)

    warehouse, folder = shared_database(postgres_server, run_name, "marts", build)
    shutil.copytree(folder / FILES, target, dirs_exist_ok=True)
    return Dbt(warehouse, target)


@pytest.fixture
def own_marts(marts: Dbt, postgres_server: Warehouse, tmp_path: Path) -> Iterator[Dbt]:
    """A copy of `marts` to change."""
    with copied_database(postgres_server, MARTS_BUILT) as warehouse:
        yield Dbt(warehouse, tmp_path / "dbt")
