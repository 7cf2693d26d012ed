"""Every system's sandbox and one warehouse that holds two partitions of each: made once a test run, copied by modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pg_servers import copied_database, shared_database

from hic_assets.warehouse import Warehouse
from systems.country import REGISTRIES, Country, definitions, sandboxes
from systems.subjects import SUBJECTS

FEWEST = 10
"""Records that each partition must have, or it would show little."""


@pytest.fixture(scope="session")
def defs() -> dg.Definitions:
    return definitions()


@pytest.fixture(scope="session")
def loaded_systems(
    postgres_server: Warehouse, run_name: str, defs: dg.Definitions, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A database with the registries and two partitions of every subject, loaded by Dagster; tests get copies of it."""

    def load(database: Warehouse, _: Path) -> None:
        with sandboxes() as boxes:
            country = Country(boxes, database, defs, tmp_path_factory.mktemp("systems"))
            assert country.run(REGISTRIES).success
            for subject in SUBJECTS:
                run = country.load(subject, *subject.keys)
                assert run.success, run.failure
                country.assert_tidy(run)
                for key in subject.keys:
                    held = country.held(subject, key)
                    assert held.equals(country.truth(subject, key)) and held.height > FEWEST, (subject.name, key)
            country.close()

    database, _ = shared_database(postgres_server, run_name, "systems", load)
    return database


@pytest.fixture(scope="module")
def country(
    postgres_server: Warehouse,
    loaded_systems: Warehouse,
    defs: dg.Definitions,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Country]:
    """The systems and the warehouse of one module: tests change both, and hold only to what they see themselves."""
    with sandboxes() as boxes, copied_database(postgres_server, loaded_systems.database) as database:
        country = Country(boxes, database, defs, tmp_path_factory.mktemp("systems"))
        try:
            yield country
        finally:
            country.close()
