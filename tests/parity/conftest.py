"""A tracker's tables, one database a file, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pg_servers import fresh_database, rows

from hic_assets.warehouse import Warehouse
from parity.builders import HIV_TRACKER, declare, prepare

OPS = ("load_slice", "quarantine", "parity_difference", "parity", "cutover", "load")


@pytest.fixture(scope="module")
def tracker_database(postgres_server: Warehouse) -> Iterator[Warehouse]:
    """Every table of the HIV tracker, and what parity keeps."""
    with fresh_database(postgres_server) as database:
        prepare(database)
        yield database


@pytest.fixture
def tracker(tracker_database: Warehouse) -> Warehouse:
    """The tables, empty."""
    emptied = [f"ops.{name}" for name in OPS] + [f"raw.{feed.table.relation}" for feed in HIV_TRACKER.feeds]
    rows(tracker_database, ";".join(f"delete from {name}" for name in emptied))
    declare(tracker_database, HIV_TRACKER)
    return tracker_database
