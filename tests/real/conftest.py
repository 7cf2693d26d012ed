"""Fixtures of the tests on real material, which is not part of the repository: they skip where it is absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import REAL
from recorded_server import Recorded, client_of, serving

from hic_assets.extract.dhis2.client import Dhis2Client


@pytest.fixture(scope="session")
def real_dir() -> Path:
    """The folder of real material: HIC_REAL_DIR, else `shared/real` beside the checkout."""
    folder = REAL
    if not folder.is_dir():
        pytest.skip("no real material here (HIC_REAL_DIR)")
    return folder


@pytest.fixture
def recorded(real_dir: Path) -> Iterator[Recorded]:
    """A server that answers as a real 2.40 did to `system/info`; tests add the rest."""
    with serving(Recorded(real_dir / "dhis2")) as server:
        server.file("/api/system/info", "system_info_v40.json")
        yield server


@pytest.fixture
def client(recorded: Recorded, tmp_path: Path) -> Iterator[Dhis2Client]:
    """The production client of that server."""
    with client_of(recorded, tmp_path) as session:
        yield session
