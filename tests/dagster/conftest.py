"""Fixtures for tests of the Dagster layer: the sandbox, and databases with its registries landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pg_servers import copied_database, fresh_database

from hic_assets.cli import manifest
from hic_assets.landing.ddl import create_ops
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.warehouse import Warehouse

if TYPE_CHECKING:
    import dagster as dg


@pytest.fixture(scope="session", autouse=True)
def parsed_project() -> None:
    """The manifest that the definitions are made from."""
    manifest.ensure()


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    # Its clock stands shortly after the months of the tests: there is little else it could have to tell.
    with running_sandbox(scale=0.02, today=date(2024, 5, 15)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    """The sandbox without faults."""
    served.faults.clear()
    served.requests.clear()
    yield served
    served.faults.clear()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    import dagster as dg

    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def stored(postgres_server: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of the project's dagster.yaml, with its storage in a PostgreSQL database of its own."""
    import dagster as dg

    with fresh_database(postgres_server) as database:
        monkeypatch.setenv("HIC_DAGSTER_URL", database.url.replace("postgresql://", "postgresql+psycopg2://"))
        monkeypatch.setenv("HIC_DAGSTER_ARTIFACTS", str(tmp_path / "artifacts"))
        monkeypatch.setenv("DAGSTER_HOME", str(Path(__file__).parents[2]))
        with dg.DagsterInstance.get() as instance:
            yield instance


@pytest.fixture(scope="session")
def registry_database(
    postgres_server: Warehouse, served: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The sandbox's registries, landed by a run of Dagster. For copying only."""
    import dagster as dg
    import stubs

    from hic_assets.definitions import build_defs
    from hic_assets.systems import HMIS
    from hic_assets.systems.declare import Cadence

    assets = [f"raw/{f.table.relation}" for f in HMIS.by_cadence(Cadence.SNAPSHOT)]
    with fresh_database(postgres_server) as warehouse, dg.DagsterInstance.ephemeral() as instance:
        with warehouse.connect(autocommit=True) as connection:
            create_ops(connection)
        defs = build_defs(stubs.resources(warehouse, served, tmp_path_factory.mktemp("spool")))
        result = stubs.run(defs, assets, instance)
        assert result.success, stubs.failures(result)
        yield warehouse


@pytest.fixture
def registries(registry_database: Warehouse, postgres_server: Warehouse) -> Iterator[Warehouse]:
    """A copy of `registry_database` to change."""
    with copied_database(postgres_server, registry_database.database) as database:
        yield database


@pytest.fixture
def defs(registries: Warehouse, sandbox: Sandbox, tmp_path: Path) -> dg.Definitions:
    """The definitions on `registries` and the sandbox."""
    import stubs

    from hic_assets.definitions import build_defs

    return build_defs(stubs.resources(registries, sandbox, tmp_path))
