"""Dagster's events are in PostgreSQL what dagster-postgres makes of them, in fewer transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef
from dagster_postgres.event_log import PostgresEventLogStorage
from pg_servers import fresh_database
from sqlalchemy import event as sql_events

from hic_assets.event_storage import EventStorage
from hic_assets.warehouse import Warehouse

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2024-01-01", end_date="2025-01-01")
CHECKS = [f"check_{n}" for n in range(10)]
ROWS = {
    "event_logs": "select dagster_event_type, step_key, asset_key, partition from event_logs order by 1, 2, 3, 4",
    "asset_keys": "select asset_key, last_run_id is not null, last_materialization is not null from asset_keys order by 1",
    "asset_event_tags": "select asset_key, key, count(*) from asset_event_tags group by 1, 2 order by 1, 2",
    "asset_check_executions": "select asset_key, check_name, execution_status, partition from asset_check_executions order by 1, 2, 4",
}


@dg.multi_asset(
    specs=[dg.AssetSpec(name, partitions_def=MONTHS) for name in ("a", "b")],
    check_specs=[dg.AssetCheckSpec(check, asset=name) for name in ("a", "b") for check in CHECKS],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def tables() -> Iterator[Any]:
    for name in ("a", "b"):
        yield dg.MaterializeResult(asset_key=name, metadata={"rows": 1})
        for check in CHECKS:
            yield dg.AssetCheckResult(asset_key=name, check_name=check, passed=check != CHECKS[0])


@pytest.fixture
def warehouse(postgres_server: Warehouse) -> Iterator[Warehouse]:
    with fresh_database(postgres_server) as made:
        yield made


def instance(kind: type[PostgresEventLogStorage], warehouse: Warehouse, folder: Path) -> dg.DagsterInstance:
    """One that keeps its events in ``warehouse``."""
    config = {"postgres_url": warehouse.url.replace("postgresql://", "postgresql+psycopg2://")}
    overrides = {
        f"{part}_storage": {"module": module, "class": name, "config": config}
        for part, module, name in (
            ("run", "dagster_postgres.run_storage", "PostgresRunStorage"),
            ("event_log", kind.__module__, kind.__name__),
            ("schedule", "dagster_postgres.schedule_storage", "PostgresScheduleStorage"),
        )
    }
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(folder), overrides={**overrides, "telemetry": {"enabled": False}})
    )


def execute(kind: type[PostgresEventLogStorage], warehouse: Warehouse, folder: Path) -> tuple[dict[str, Any], int]:
    """What is in the tables after a run of all months, and how often a connection was asked for."""
    asked = 0

    def count(*_: Any) -> None:
        nonlocal asked
        asked += 1

    with instance(kind, warehouse, folder) as made:
        storage = made.event_log_storage
        assert isinstance(storage, kind)
        sql_events.listen(storage._engine, "checkout", count)
        job = dg.Definitions(assets=[tables], jobs=[dg.define_asset_job("all_of_it")]).resolve_job_def("all_of_it")
        keys = MONTHS.get_partition_keys()
        span = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        assert job.execute_in_process(instance=made, tags=span).success
        with storage._connect() as connection:
            rows = {name: [tuple(r) for r in connection.exec_driver_sql(sql)] for name, sql in ROWS.items()}
    return rows, asked


def test_rows_are_those_of_dagster_postgres(
    warehouse: Warehouse, postgres_server: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    (tmp_path / "plain").mkdir()
    (tmp_path / "ours").mkdir()
    plain, plainly = execute(PostgresEventLogStorage, warehouse, tmp_path / "plain")
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "500")
    with fresh_database(postgres_server) as other:
        ours, together = execute(EventStorage, other, tmp_path / "ours")
    assert len(plain["event_logs"]) > 80
    assert ours == plain
    assert 0 < together < plainly / 2
