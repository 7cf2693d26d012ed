"""A twelfth system takes one declaration and one mapping file, and nothing else: no line of the code, no list to be kept.

The blood bank, imagined: OAuth2, cursors, moments in milliseconds, a status for a tombstone, nested donors and tests.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pg_servers import rows
from stub_http import Answer, Asked, Stub, as_json

from hic_assets.assets import raw
from hic_assets.assets.raw import asset_key
from hic_assets.cli.status import loaded
from hic_assets.cli.systems import line_of
from hic_assets.definitions import build_defs
from hic_assets.extract.rest.moments import midnight
from hic_assets.partitions import range_tags
from hic_assets.resources import SourcesResource, WarehouseResource
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import System
from hic_assets.systems.national import national_systems
from hic_assets.warehouse import Warehouse

DECLARATION = '''
"""The blood bank: donations and their screening."""

from blood_bank.tables import DONATIONS
from hic_assets.extract.rest.api import ClientCredentials, RestApi
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.rest import rest_feed

BLOOD_BANK = System(
    name="blood_bank",
    title="Blood bank",
    description="Donations of blood and their screening.",
    owners=("team:data-engineering",),
    api=RestApi(ClientCredentials("connect/token", scope="donations.read"), requests_per_second=1_000),
    feeds=(rest_feed("blood_bank", DONATIONS, Cadence.MONTHLY),),
)
'''
MAPPING = '''
"""What the blood bank's resource holds, and the columns it lands in."""

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Cursor
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.systems.mapping import HEALTH, PERSON, always, codes, listed, marked

DONATIONS = Resource(
    name="donations",
    path="v2/donations",
    rows="result.donations",
    paging=Cursor(cursor="after", next_path="result.next", page_size=20, total="result.count"),
    window=Window("givenFrom", "givenTo", TimeForm.EPOCH_MS),
    happened=Happened("given_at", TimeForm.EPOCH_MS),
    changes=ChangeFilter("changedSince", "updated_at", TimeForm.EPOCH_MS),
    deleted="deleted",
    description="Donations of blood: one row a donation, by its day.",
    members=(
        Member("donation_id", "id", "Number of the donation.", key=True),
        always("given_at", "givenAt", "When it was given, milliseconds since 1970."),
        always("facility_code", "site.code", "FOSA code of where."),
        *marked(PERSON, Member("donor_number", "donor.number", "Number of the donor.")),
        Member("blood_group", "donor.group", "ABO and rhesus.", allowed=codes("O+ O- A+ A-")),
        *marked(HEALTH, listed("tests", "tests", "Results of screening: list of {code, result}.")),
        Member("deleted", "status", "'true' where it was voided.", true_when=codes("VOID")),
        always("updated_at", "changedAt", "When the record was last changed.", instant=TimeForm.EPOCH_MS),
    ),
)
'''
SECRET = "blood-bank-secret"
MONTHS = ("2026-02-01", "2026-03-01")
NOW = datetime(2026, 4, 6, 6, tzinfo=UTC)
EACH_MONTH = 50


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def donation(number: int) -> dict[str, Any]:
    month = date.fromisoformat(MONTHS[number // EACH_MONTH])
    given = midnight(month + timedelta(days=number % 28)) + timedelta(hours=8)
    return {
        "id": number,
        "givenAt": milliseconds(given),
        "site": {"code": f"{number % 40:04}"},
        "donor": {"number": f"D{number:06}", "group": ["O+", "O-", "A+", "A-"][number % 4]},
        "tests": [{"code": "HIV", "result": "neg"}],
        "status": "VOID" if number == 7 else "RELEASED",
        "changedAt": milliseconds(given + timedelta(hours=3)),
    }


@dataclass
class BloodBank:
    """The server, told by the stub."""

    rows: dict[int, dict[str, Any]] = field(default_factory=lambda: {n: donation(n) for n in range(2 * EACH_MONTH)})

    def answer(self, asked: Asked) -> Answer:
        found = self._answer(asked)
        found.headers["Date"] = NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return found

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/bank/connect/token":
            return as_json({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300})
        if asked.path != "/bank/v2/donations" or asked.headers.get("Authorization") != "Bearer t0ken":
            return as_json({"message": "no"}, status=401)
        chosen = sorted(self._chosen(asked), key=lambda row: row["id"])
        at, size = int(asked.one("after") or 0), int(asked.one("limit") or 0)
        following = str(at + size) if at + size < len(chosen) else None
        return as_json({"result": {"donations": chosen[at : at + size], "next": following, "count": len(chosen)}})

    def _chosen(self, asked: Asked) -> list[dict[str, Any]]:
        if since := asked.one("changedSince"):
            return [row for row in self.rows.values() if row["changedAt"] >= int(since)]
        first, after = int(asked.one("givenFrom") or 0), int(asked.one("givenTo") or 0)
        return [row for row in self.rows.values() if first <= row["givenAt"] < after]


@pytest.fixture
def twelfth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The two files, in a package that nobody has heard of."""
    folder = tmp_path / "package" / "blood_bank"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(DECLARATION)
    (folder / "tables.py").write_text(MAPPING)
    monkeypatch.syspath_prepend(folder.parent)
    yield importlib.import_module("blood_bank").BLOOD_BANK
    for name in ("blood_bank", "blood_bank.tables"):
        sys.modules.pop(name, None)


@pytest.fixture
def bank(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BloodBank]:
    """The server, and an environment in which it is known: what an installation would set."""
    stub, bank = Stub(), BloodBank()
    stub.answer = bank.answer
    told = {"URL": f"{stub.url}/bank", "USERNAME": "hic", "PASSWORD": SECRET}
    for name, value in told.items():
        monkeypatch.setenv(f"HIC_BLOOD_BANK_{name}", value)
    storage = {"HIC_DAGSTER_URL": warehouse.url, "HIC_HOME": str(tmp_path / "home")}
    for name, value in {**warehouse.env(), **storage}.items():
        monkeypatch.setenv(name, value)
    yield bank
    stub.close()


def test_its_two_files_are_short() -> None:
    lines = [line for text in (DECLARATION, MAPPING) for line in text.splitlines() if line.strip()]
    assert len(lines) < 50


def test_two_files_make_a_system(
    twelfth: System, bank: BloodBank, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "RETRY", dg.RetryPolicy(max_retries=0))  # who waits in a test
    systems = (*SYSTEMS, twelfth)
    defs = build_defs(systems=systems)
    (feed,) = twelfth.feeds
    key = asset_key(twelfth, feed)
    repository = defs.get_repository_def()
    assert defs.resolve_assets_def(key).group_names_by_key[key] == "blood_bank"
    checks = {check.name for check in repository.asset_graph.asset_check_keys if check.asset_key == key}
    assert checks == {"accounting", "freshness", "volume"}
    jobs = {job.name for job in repository.get_all_jobs() if key in job.asset_layer.executable_asset_keys}
    assert {"blood_bank_monthly", "records_monthly"} <= jobs
    schedules = {schedule.name for schedule in repository.schedule_defs}
    assert {"blood_bank_monthly", "blood_bank_reconciliation"} <= schedules
    assert repository.has_sensor_def("blood_bank_changes")
    national = national_systems(systems)
    assert len(national) == 12

    def line() -> dict[str, Any]:
        found = {(table["system"], table["table"]): table for table in loaded(warehouse)}
        return line_of(national[-1], found, NOW)

    assert line()["state"] == "never loaded"
    with dg.DagsterInstance.ephemeral() as instance:
        load(defs, instance, feed.table.relation, *MONTHS)
        assert instance.get_materialized_partitions(key) == set(MONTHS)
        assert held(warehouse) == expected(bank)
        shown = line()
        assert (shown["system"], shown["title"], shown["cadence"]) == ("blood_bank", "Blood bank", "monthly")
        assert (shown["state"], shown["rows"], shown["lag_days"]) == ("ok", 2 * EACH_MONTH, 0)

        bank.rows[60] |= {"status": "VOID", "changedAt": milliseconds(NOW - timedelta(minutes=5))}
        resources = {"warehouse": WarehouseResource(), "sources": SourcesResource()}
        with dg.build_sensor_context(instance, resources=resources) as context:
            result = repository.get_sensor_def("blood_bank_changes")(context)
        assert isinstance(result, dg.SensorResult), result
        (request,) = result.run_requests or []
        assert range_tags(MONTHS[1], MONTHS[1]).items() <= request.tags.items()
        load(defs, instance, feed.table.relation, MONTHS[1], MONTHS[1])
        assert held(warehouse) == expected(bank)


def load(defs: dg.Definitions, instance: dg.DagsterInstance, relation: str, first: str, last: str) -> None:
    """A range of its months by its job: the raw table and its checks; no model is built on it yet."""
    result = defs.resolve_job_def("blood_bank_monthly").execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(["raw", relation])],
        tags=range_tags(first, last),
        raise_on_error=False,
    )
    said = [e.step_failure_data.error_display_string for e in result.all_events if e.is_step_failure]
    assert result.success, said
    evaluated = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert evaluated["accounting"]
    text = "\n".join(dg.serialize_value(entry) for entry in instance.all_logs(result.run_id))
    assert SECRET not in text and "t0ken" not in text


def held(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return rows(
        warehouse,
        """select donation_id::int, _partition, donor_number, blood_group, tests, deleted
           from raw.blood_bank_donations order by 1""",
    )


def expected(bank: BloodBank) -> list[tuple[Any, ...]]:
    return [
        (
            number,
            date.fromisoformat(MONTHS[number // EACH_MONTH]),
            row["donor"]["number"],
            row["donor"]["group"],
            '[{"code":"HIV","result":"neg"}]',
            str(row["status"] == "VOID").lower(),
        )
        for number, row in sorted(bank.rows.items())
    ]
