"""Resources for runs in tests: a warehouse by its URL, and a DHIS2 by its address. Nothing reads the environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpOptions
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sandbox import Sandbox
from hic_assets.systems import System
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

MONTHS = ["2024-01-01", "2024-02-01", "2024-03-01"]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class WarehouseByUrl(WarehouseResource):
    url: str

    def open(self) -> Warehouse:
        return Warehouse(parse_url(self.url))


class SourceByUrl(SourcesResource):
    url: str
    username: str
    password: str
    folder: str
    attempts: int = 2

    def dhis2(self, system: System, expected_system_id: str | None = None) -> Dhis2Client:
        return Dhis2Client(
            self.url,
            BasicAuth(self.username, self.password),
            spool_dir=self.spool(),
            system=system.name,
            expected_system_id=expected_system_id,
            options=HttpOptions(max_attempts=self.attempts, sleep=lambda seconds: None),
        )

    def spool(self) -> Path:
        return Path(self.folder)

    def concurrency(self, system: System) -> int:
        return 2


def resources(warehouse: Warehouse, sandbox: Sandbox, spool: Path) -> dict[str, Any]:
    """What `build_defs` takes in place of the resources of the environment."""
    source = SourceByUrl(url=sandbox.url, username=sandbox.username, password=sandbox.password, folder=str(spool))
    return {"warehouse": WarehouseByUrl(url=warehouse.url), "sources": source}


def run(
    defs: dg.Definitions,
    assets: Sequence[str],
    instance: dg.DagsterInstance,
    months: Sequence[str] = (),
    job: str | None = None,
) -> dg.ExecuteInProcessResult:
    """One run of these assets (`raw/x`) with their checks, over a range of months where some are given."""
    from hic_assets.partitions import range_tags

    if job is None:
        job = "hmis_monthly" if months else "hmis_reference"
    return defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey.from_user_string(a) for a in assets],
        tags=range_tags(months[0], months[-1]) if months else {},
        run_config=QUIET,
        raise_on_error=False,
    )


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """What `hic demo` would say of the failed steps."""
    from hic_assets.cli.demo_run import failure_words

    return [failure_words(e) for e in result.all_events if e.is_step_failure]


def shown(materialization: dg.AssetMaterialization | None) -> dict[str, Any]:
    """The metadata of a materialisation as plain values."""
    assert materialization is not None
    return {key: value.value for key, value in materialization.metadata.items()}
