"""Fixtures of the contract tests: stub servers, sessions with them, the recorded responses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import REAL
from stub_http import PASSWORD, Connect, Stub, Waits

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpSource


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[Stub]:
    """A second server, at another address."""
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def source(stub: Stub, waits: Waits, spool_dir: Path) -> Iterator[HttpSource]:
    with HttpSource("hmis", stub.url, BasicAuth("etl", PASSWORD), spool_dir, waits.options()) as session:
        yield session


@pytest.fixture
def connect(stub: Stub, waits: Waits, spool_dir: Path) -> Iterator[Connect]:
    """A client of the stub; keyword arguments go to HttpOptions, `expected_system_id` to the client."""
    clients: list[Dhis2Client] = []

    def make(expected_system_id: str | None = None, **more: Any) -> Dhis2Client:
        client = Dhis2Client(
            stub.url,
            BasicAuth("etl", PASSWORD),
            spool_dir=spool_dir,
            expected_system_id=expected_system_id,
            options=waits.options(**more),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def real() -> Path:
    """The folder of recorded real responses; skips where there is none."""
    folder = REAL / "dhis2"
    if not folder.is_dir():
        pytest.skip("no recorded responses here")
    return folder
