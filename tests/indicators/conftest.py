from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from .helpers import PG_URL


@pytest.fixture(scope="session")
def postgres() -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(PG_URL, connect_timeout=3, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at HIC_TEST_PG_URL: {error}")
    with connection:
        yield connection
