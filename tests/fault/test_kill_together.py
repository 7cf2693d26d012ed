"""Two backfills at once: of the same months, and of months that overlap. Both end, and one version is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pg_servers import rows

from fault.kill_stage import MONTHS, Stage, shared_stage
from fault.kill_witness import assert_ledger_is_whole, assert_nothing_is_left, assert_only, content, readers
from hic_assets.warehouse import Warehouse

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def scene(postgres_server: Warehouse, run_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shared_stage(postgres_server, run_name, tmp_path_factory.mktemp("together")) as scene:
        yield scene


@pytest.mark.parametrize(
    ("one", "other"),
    [((MONTHS[0], MONTHS[2]), (MONTHS[0], MONTHS[2])), ((MONTHS[0], MONTHS[1]), (MONTHS[1], MONTHS[2]))],
    ids=["the same months", "overlapping months"],
)
def test_two_backfills_at_once(scene: Stage, one: tuple[str, str], other: tuple[str, str]) -> None:
    with scene.warehouse() as (warehouse, backfills), readers(warehouse, MONTHS) as threads:
        runs = [backfills.months(*one), backfills.months(*other)]
        for run in runs:
            run.wait()
        assert_nothing_is_left(warehouse)
        assert content(warehouse) == scene.expected
        assert_ledger_is_whole(warehouse)
        others = rows(warehouse, "select status from ops.load where status <> 'committed'")
        assert others == [], "none was disturbed by the other"
        overtaken = "select 1 from ops.load a join ops.load b using (table_name, partition_key) where a.load_id < b.load_id and a.finished_at > b.finished_at"
        assert rows(warehouse, overtaken) == []
    assert_only(threads, scene.before, scene.after)


def test_two_first_backfills_at_once(scene: Stage, postgres_server: Warehouse) -> None:
    """With no months there yet, and the ledger alone: both find nothing and create what is missing."""
    with scene.warehouse() as (warehouse, backfills):
        for table in ("hmis_data_values", "hmis_complete_registrations"):
            rows(warehouse, f"drop table raw.{table}")
        rows(warehouse, "drop table ops.source_system")
        months = "select load_id from ops.load where partition_key is not null"
        rows(warehouse, f"delete from ops.quarantine where load_id in ({months})")
        rows(warehouse, "update ops.load set is_current = false where partition_key is not null")
        runs = [backfills.months(MONTHS[0], MONTHS[2]) for _ in range(2)]
        for run in runs:
            run.wait()
        assert_ledger_is_whole(warehouse)
        assert content(warehouse) == scene.expected
