"""Small sandboxes of every system, one warehouse they are landed in, and runs of the real assets between them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from fault.country import Run
from pg_servers import rows
from pydantic import SecretStr

from hic_assets.assets import raw
from hic_assets.assets.raw import asset_key, raw_assets
from hic_assets.checks.raw import raw_checks
from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.http import HttpOptions
from hic_assets.extract.rest.client import RestSource
from hic_assets.partitions import range_tags
from hic_assets.prepare import prepare
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.settings import SourceSettings
from hic_assets.systems.declare import Cadence, System
from hic_assets.warehouse import Warehouse
from systems.subjects import SUBJECTS, TODAY, WENT_LIVE, Subject

WRONG = "wrong-Secret-77"
REGISTRIES = "registries"


@contextmanager
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """The sandbox of each system, the same each time: the HMIS of few facilities (it has so many values), all else of more."""
    hmis = World(seed=11, scale=0.005, today=TODAY)
    hmis.facilities = hmis.facilities[::10]
    hmis.refresh()
    world = World(seed=7, scale=0.02, today=TODAY, trackers_from=WENT_LIVE)
    with running_sandbox(world=hmis) as one, running_sandbox(world=world) as other:
        yield {subject.name: one if subject.name == "hmis" else other for subject in SUBJECTS}


def definitions(subjects: Sequence[Subject] = SUBJECTS) -> dg.Definitions:
    """The raw assets and checks of these systems, a job a table; run again once after a transient failure, at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "RETRY", dg.RetryPolicy(max_retries=1, delay=0))
        assets = [asset for subject in subjects for asset in raw_assets(subject.system)]
    jobs = {
        feed.table.relation: [asset_key(subject.system, feed)] for subject in subjects for feed in subject.system.feeds
    }
    jobs[REGISTRIES] = [asset_key(s.system, f) for s in subjects for f in s.system.by_cadence(Cadence.SNAPSHOT)]
    return dg.Definitions(
        assets=assets,
        asset_checks=[check for subject in subjects for check in raw_checks(subject.system)],
        jobs=[dg.define_asset_job(n, dg.AssetSelection.assets(*keys)) for n, keys in jobs.items() if keys],
        resources={"warehouse": WarehouseResource(), "sources": SourcesResource()},
        executor=dg.in_process_executor,
    )


@dataclass
class Country:
    """The sandboxes, the warehouse they are landed in, and Dagster between them. `wrong`: with credentials nobody gave.

    `urls`: of systems that are asked somewhere else than in a sandbox.
    """

    sandboxes: Mapping[str, Sandbox]
    warehouse: Warehouse
    defs: dg.Definitions
    folder: Path
    options: HttpOptions = field(default_factory=lambda: HttpOptions(max_attempts=3, sleep=lambda _: None))
    wrong: bool = False
    urls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        for name in ("spool", "kept"):
            (self.folder / name).mkdir(exist_ok=True)
        with self.warehouse.connect(autocommit=True) as connection:
            prepare(connection)

    def close(self) -> None:
        self.instance.dispose()

    def limit(self, **options: Any) -> None:
        """Change the limits of later requests."""
        self.options = replace(self.options, **options)

    def sandbox(self, subject: Subject) -> Sandbox:
        return self.sandboxes[subject.name]

    @property
    def resources(self) -> dict[str, Any]:
        country = self

        class TestWarehouse(WarehouseResource):
            def open(self) -> Warehouse:
                return country.warehouse

        class TestSources(SourcesResource):
            def dhis2(self, system: System, expected_system_id: str | None = None) -> Dhis2Client:
                box = country.sandboxes[system.name]
                return Dhis2Client(
                    box.urls[system.name],
                    BasicAuth(box.username, WRONG if country.wrong else box.password),
                    spool_dir=self.spool(),
                    system=system.name,
                    expected_system_id=expected_system_id,
                    options=country.options,
                )

            def rest(self, system: System) -> RestSource:
                assert system.api is not None
                return RestSource(system.api, country.settings(system), self.spool(), country.options)

            def spool(self) -> Path:
                return country.folder / "spool"

            def kept(self) -> Path:
                return country.folder / "kept"

            def concurrency(self, system: System) -> int:
                return 2

        return {"warehouse": TestWarehouse(), "sources": TestSources()}

    def settings(self, system: System) -> SourceSettings:
        """Where a REST API is and who asks."""
        box = self.sandboxes[system.name]
        mine = box.credentials[system.name]
        secrets = {n: SecretStr(WRONG if self.wrong else mine[n]) for n in ("password", "token") if n in mine}
        url = self.urls.get(system.name, box.urls[system.name])
        return SourceSettings(system=system.name, url=url, username=mine.get("username"), **secrets)  # type: ignore[arg-type]

    def load(self, subject: Subject, first: str, last: str | None = None, table: str | None = None) -> Run:
        """Materialise partitions of the subject's table (or another of its system) in one run."""
        feed = subject.feed if table is None else subject.system.feed(table)
        return self.run(feed.table.relation, tags=range_tags(first, last or first))

    def run(self, job: str, **options: Any) -> Run:
        """One run of a job and all that it said."""
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, resources=self.resources, raise_on_error=False, **options
        )
        log = self.instance.all_logs(result.run_id)
        return Run(result, "\n".join(dg.serialize_value(entry) for entry in log))

    def held(self, subject: Subject, key: str) -> pl.DataFrame:
        return subject.held(self.warehouse, key)

    def truth(self, subject: Subject, key: str) -> pl.DataFrame:
        return subject.truth(self.sandbox(subject), key)

    def loads(self, subject: Subject, key: str) -> list[dict[str, Any]]:
        """The ledger's lines of a partition, oldest first."""
        names = ["status", "rows_read", "landed", "quarantined", "duplicates", "is_current", "error", "run_id"]
        found = rows(
            self.warehouse,
            f"""select {", ".join(names)} from ops.load
                where system = %s and table_name = %s and partition_key = %s order by load_id""",
            (subject.name, subject.feed.table.name, key),
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def quarantine(self, subject: Subject, key: str) -> pl.DataFrame:
        """Quarantined rows of the current load of a partition."""
        found = rows(
            self.warehouse,
            """select q.rule, q.reason, q.row_text from ops.quarantine q join ops.load l using (load_id)
               where l.is_current and l.system = %s and l.table_name = %s and l.partition_key = %s""",
            (subject.name, subject.feed.table.name, key),
        )
        return pl.DataFrame(found, schema=dict.fromkeys(("rule", "reason", "row"), pl.String), orient="row")

    def secrets(self) -> set[str]:
        """What must be read nowhere: passwords, tokens, those given out while we asked, and what is made of them."""
        found = {WRONG}
        for box in self.sandboxes.values():
            pairs = [(box.username, box.password)]
            found |= {box.password, box.token}
            for mine in box.credentials.values():
                found |= {mine[name] for name in ("password", "token") if name in mine}
                pairs += [(mine["username"], mine["password"])] if "password" in mine else []
            pairs += [(user, WRONG) for user, _ in pairs]
            found |= {base64.b64encode(f"{user}:{password}".encode()).decode() for user, password in pairs}
            found |= set(getattr(box.clinical["hpemr"].gate, "_issued", {}))
        return found

    def written(self) -> str:
        """All texts that loading wrote into the operational tables."""
        tables = ("ops.load", "ops.load_slice", "ops.quarantine", "ops.source_system")
        return "\n".join(str(rows(self.warehouse, f"select * from {table}")) for table in tables)

    def assert_tidy(self, run: Run) -> None:
        """No secret is written anywhere and no body is left on disk."""
        everything = run.text + self.written()
        assert not [secret for secret in self.secrets() if secret in everything]
        assert not list((self.folder / "spool").iterdir())

    def assert_failed(self, subject: Subject, key: str, run: Run, *words: str) -> None:
        """A failed run says what, where and what to do, and no secret; its line in the ledger says the same."""
        assert not run.success
        last = self.loads(subject, key)[-1]
        assert (last["status"], last["is_current"], last["run_id"]) == ("failed", False, run.result.run_id)
        for word in (*words, key):
            assert word in run.failure, (word, run.failure)
        for word in words:
            assert word in last["error"], (word, last["error"])
        assert not run.materialised(asset_key(subject.system, subject.feed))
        self.assert_tidy(run)


@contextmanager
def struck(sandbox: Sandbox, name: str, **options: Any) -> Iterator[None]:
    """A fault that is on inside the block, and strikes at least once."""
    before = sandbox.faults.hits.get(name, 0)
    sandbox.faults.set(name, **options)
    try:
        yield
    finally:
        sandbox.faults.clear()
    assert sandbox.faults.hits.get(name, 0) > before, f"the fault {name} never struck"
