"""Runs of the real assets against a sandbox and a warehouse, and what is asked of them afterwards."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from pg_servers import rows

from hic_assets.assets import raw
from hic_assets.assets.raw import asset_key, raw_assets
from hic_assets.checks.raw import raw_checks
from hic_assets.extract.auth import BasicAuth, SourceAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpOptions
from hic_assets.partitions import range_tags
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sandbox import Sandbox
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence, System
from hic_assets.warehouse import Warehouse

DATA_VALUES = HMIS.feed("data_values").table
COMPLETE_REGISTRATIONS = HMIS.feed("complete_registrations").table

TODAY = date(2025, 8, 10)
LOADED = (date(2025, 5, 1), date(2025, 6, 1))
UNLOADED = date(2025, 7, 1)
KEY = ["data_element", "period", "org_unit", "category_option_combo", "attribute_option_combo"]
MONTHLY = Cadence.MONTHLY.value
VALUES, REGISTRATIONS = "data_values", "complete_registrations"


def definitions() -> dg.Definitions:
    """The raw assets and checks of the HMIS, run again once after a transient failure, at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "RETRY", dg.RetryPolicy(max_retries=1, delay=0))
        assets = raw_assets(HMIS)
    jobs = {c.value: HMIS.by_cadence(c) for c in Cadence} | {f.table.name: (f,) for f in HMIS.feeds}
    return dg.Definitions(
        assets=assets,
        asset_checks=raw_checks(HMIS),
        jobs=[
            dg.define_asset_job(name, dg.AssetSelection.assets(*(asset_key(HMIS, f) for f in feeds)))
            for name, feeds in jobs.items()
        ],
        resources={"warehouse": WarehouseResource(), "sources": SourcesResource()},
        executor=dg.in_process_executor,
    )


def _key(table: str | dg.AssetKey) -> dg.AssetKey:
    return table if isinstance(table, dg.AssetKey) else asset_key(HMIS, HMIS.feed(table))


@dataclass
class Run:
    """One Dagster run and all that it said."""

    result: dg.ExecuteInProcessResult
    text: str

    @property
    def success(self) -> bool:
        return self.result.success

    @property
    def failure(self) -> str:
        """What the failed steps say, as the UI shows it."""
        failed = [e for e in self.result.all_events if e.is_step_failure]
        assert failed, "no step failed"
        return "\n".join(e.step_failure_data.error_display_string for e in failed)

    def materialised(self, table: str | dg.AssetKey = VALUES) -> dict[str | None, dict[str, Any]]:
        """Metadata of the materialisations of a table (of the HMIS, or any by its key), by partition."""
        key = _key(table)
        found = [e.step_materialization_data.materialization for e in self.result.get_asset_materialization_events()]
        return {
            m.partition: {name: getattr(v, "value", v) for name, v in m.metadata.items()}
            for m in found
            if m.asset_key == key
        }

    def checks(self, table: str | dg.AssetKey = VALUES) -> dict[str, bool]:
        """The checks of a table that ran, and whether they passed."""
        key = _key(table)
        return {c.check_name: c.passed for c in self.result.get_asset_check_evaluations() if c.asset_key == key}


@dataclass
class Country:
    """A sandbox's country, the warehouse it is landed in, and Dagster between them."""

    sandbox: Sandbox
    warehouse: Warehouse
    defs: dg.Definitions
    spool: Path
    options: HttpOptions = field(
        default_factory=lambda: HttpOptions(max_attempts=3, sleep=lambda _: None, jitter=lambda _, most: most)
    )
    auth: SourceAuth | None = None

    def __post_init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()

    def close(self) -> None:
        self.instance.dispose()

    def limit(self, **options: Any) -> None:
        """Change the limits of later requests."""
        self.options = replace(self.options, **options)

    @property
    def resources(self) -> dict[str, Any]:
        country = self

        class TestWarehouse(WarehouseResource):
            def open(self) -> Warehouse:
                return country.warehouse

        class TestSources(SourcesResource):
            def dhis2(self, system: System, expected_system_id: str | None = None) -> Dhis2Client:
                return Dhis2Client(
                    country.sandbox.url,
                    country.auth or BasicAuth(country.sandbox.username, country.sandbox.password),
                    spool_dir=country.spool,
                    system=system.name,
                    expected_system_id=expected_system_id,
                    options=country.options,
                )

            def concurrency(self, system: System) -> int:
                return 4

        return {"warehouse": TestWarehouse(), "sources": TestSources()}

    def registries(self, job: str = Cadence.SNAPSHOT.value) -> Run:
        """Materialise the registries, or one of them (by its table)."""
        return self._run(job)

    def months(self, first: date, last: date | None = None, job: str = VALUES, *, accept_shrink: bool = False) -> Run:
        """Materialise a range of months in one run: of one table, or (`monthly`) of both."""
        config = {"ops": {f"raw__hmis_{job}": {"config": {"accept_shrink": True}}}} if accept_shrink else None
        return self._run(job, tags=range_tags(str(first), str(last or first)), run_config=config)

    def _run(self, job: str, **options: Any) -> Run:
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, resources=self.resources, raise_on_error=False, **options
        )
        log = self.instance.all_logs(result.run_id)
        return Run(result, "\n".join(dg.serialize_value(entry) for entry in log))

    def held(self, month: date, table: str = VALUES) -> pl.DataFrame:
        """The rows of a month as they stand in the warehouse, sorted by key."""
        declared = COMPLETE_REGISTRATIONS if table == REGISTRATIONS else DATA_VALUES
        names = list(declared.column_names)
        # As the source writes it: the warehouse holds the instant.
        updated = """to_char(_source_updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"')"""
        selected = ", ".join(updated if name == declared.updated_column else name for name in names)
        found = rows(
            self.warehouse,
            f"select {selected} from raw.{declared.relation} where _partition = %s",
            (month,),
        )
        frame = pl.DataFrame(found, schema=dict.fromkeys(names, pl.String), orient="row")
        return frame.sort("data_set", "org_unit") if table == REGISTRATIONS else frame.sort(KEY)

    def truth(self, month: date, table: str = VALUES) -> pl.DataFrame:
        """The rows the month has at the source."""
        world = self.sandbox.world
        return world.truth_registrations(month) if table == REGISTRATIONS else world.truth(month)

    def loads(self, month: date | None, table: str = VALUES) -> list[dict[str, Any]]:
        """The ledger's lines of a partition, oldest first."""
        names = [
            "load_id",
            "status",
            "rows_read",
            "landed",
            "quarantined",
            "duplicates",
            "bytes",
            "is_current",
            "error",
            "source",
            "run_id",
        ]
        found = rows(
            self.warehouse,
            f"""select {", ".join(names)} from ops.load
                where table_name = %s and partition_key is not distinct from %s order by load_id""",
            (table, None if month is None else str(month)),
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def quarantine(self, table: str = VALUES) -> pl.DataFrame:
        """Quarantined rows of the current loads of a table."""
        found = rows(
            self.warehouse,
            """select l.partition_key, q.rule, q.reason, q.row_text from ops.quarantine q join ops.load l using (load_id)
               where l.is_current and l.table_name = %s""",
            (table,),
        )
        names = ["partition", "rule", "reason", "row"]
        return pl.DataFrame(found, schema=dict.fromkeys(names, pl.String), orient="row")

    def secrets(self) -> list[str]:
        """What must be read nowhere."""
        basic = base64.b64encode(f"{self.sandbox.username}:{self.sandbox.password}".encode()).decode()
        return [self.sandbox.password, self.sandbox.token, basic, *(self.auth.secrets if self.auth else ())]

    def written(self) -> str:
        """All texts that loading wrote into the operational tables."""
        tables = ("ops.load", "ops.load_slice", "ops.quarantine", "ops.source_system")
        return "\n".join(str(rows(self.warehouse, f"select * from {table}")) for table in tables)

    def assert_failed(self, run: Run, month: date, *words: str, table: str = VALUES) -> None:
        """A failed run says what, where and what to do, and no secret; its line in the ledger says the same."""
        assert not run.success
        last = self.loads(month, table)[-1]
        assert (last["status"], last["is_current"], last["run_id"]) == ("failed", False, run.result.run_id)
        for word in (*words, str(month)):
            assert word in run.failure, word
        for word in words:
            assert word in last["error"], word
        self.assert_tidy(run)

    def assert_tidy(self, run: Run) -> None:
        """No secret is written anywhere and no body is left on disk."""
        everything = run.text + self.written()
        assert not [secret for secret in self.secrets() if secret in everything]
        assert not list(self.spool.iterdir())


@contextmanager
def struck(country: Country, name: str, **options: Any) -> Iterator[None]:
    """A fault that is on inside the block, and strikes at least once."""
    country.sandbox.faults.set(name, **options)
    try:
        yield
    finally:
        country.sandbox.faults.clear()
    assert country.sandbox.faults.hits.get(name), f"the fault {name} never struck"
