"""One small sandbox a module over real HTTP, clean of faults before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from sandbox_help import MONTH, district
from sandbox_tracker_help import HandStore

from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.world import catalogue

Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.faults.clear()
    served.requests.clear()
    served.world.version = "2.40.12"
    yield served
    served.faults.clear()


@pytest.fixture
def store(served: Sandbox) -> HandStore:
    """Records written by hand in place of the HIV tracker's."""
    made = HandStore(served.world)
    served.world.trackers.install(made)  # type: ignore[arg-type]
    return made


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    """GET below /api with good credentials and the headers a careful client sends."""
    with requests.Session() as session:
        session.auth = (sandbox.username, sandbox.password)
        session.headers.update({"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"})

        def ask(path: str, **options: Any) -> requests.Response:
            options.setdefault("timeout", 20)
            options.setdefault("allow_redirects", False)
            return session.get(f"{sandbox.url}/api/{path}", **options)

        yield ask


@pytest.fixture
def values(get: Get) -> Get:
    """GET dataValueSets of every monthly and yearly data set of one district and month; keyword arguments change parameters."""

    def ask(*, headers: dict[str, str] | None = None, stream: bool = False, **changes: Any) -> requests.Response:
        params: dict[str, Any] = {
            "dataSet": [catalogue.data_set_uid(c) for c in catalogue.DATA_SETS if c not in catalogue.WEEKLY],
            "period": MONTH,
            "orgUnit": district("102"),
            "children": "true",
            **changes,
        }
        params = {k: v for k, v in params.items() if v is not None}
        return get("dataValueSets", params=params, headers=headers, stream=stream)

    return ask
