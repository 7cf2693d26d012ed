"""Fixtures for tests of the `hic` command: it is run as a process, as people run it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hic_command import HIC, Hic, environment

from hic_assets.landing.ddl import create_ops
from hic_assets.warehouse import Warehouse, embedded


@pytest.fixture
def hic(tmp_path: Path) -> Hic:
    """Run `hic` with arguments, and environment variables as keywords."""

    def run(*arguments: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HIC, *arguments],
            env=environment(tmp_path, **variables),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def own_server(warehouse: Warehouse, postgres_server: Warehouse) -> dict[str, str]:
    """Variables that name `warehouse` as an operator's server, with Dagster's storage in the same database."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
    return {"HIC_WAREHOUSE_URL": warehouse.url, "HIC_DAGSTER_URL": warehouse.url}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder for state with an embedded PostgreSQL, stopped at the end."""
    # Not pytest's own folder: the account that runs PostgreSQL for root cannot enter it.
    with tempfile.TemporaryDirectory(prefix="hic-cli-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        try:
            yield path
        finally:
            embedded.stop(path)
