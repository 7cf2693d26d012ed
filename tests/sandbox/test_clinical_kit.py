"""The clinical systems read by the REST kit (``extract/rest``) over HTTP: every record of a month, and what changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hic_assets.extract.rest.api import ApiKeyHeader, ClientCredentials, RestApi
from hic_assets.extract.rest.changes import changes_since
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Cursor, PageNumbers
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import ChangeFilter, Form, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.world.roster import local_midnight
from hic_assets.settings import SourceSettings

START, END = date(2026, 8, 1), date(2026, 9, 1)
APIS = {
    "efiche": RestApi(ApiKeyHeader("X-Api-Key"), requests_per_second=1_000),
    "hpemr": RestApi(ClientCredentials("oauth/token", "hpemr.read"), requests_per_second=1_000),
}
RESOURCES = {
    "efiche": Resource(
        name="visits",
        path="api/v1/visits",
        rows="data",
        paging=PageNumbers(page_size=100, total="meta.total", pages="meta.total_pages", number="meta.page"),
        window=Window("date_from", "date_to", TimeForm.SLASHED_DAY, last_included=True),
        happened=Happened("visit_date", TimeForm.SLASHED_DAY),
        members=(
            Member("id", "id", "Visit.", key=True),
            Member("visit_date", "visit_date", "Day."),
            Member("upi", "patient.upi", "Who.", identifying="identifies a person"),
            Member("diagnoses", "diagnoses", "What.", form=Form.JSON),
            Member("updated_at", "updated_at", "Change time.", instant=TimeForm.SLASHED_TIME),
            Member("deleted", "deleted", "Tombstone."),
        ),
        changes=ChangeFilter("updated_since", "updated_at", TimeForm.SLASHED_TIME),
        deleted="deleted",
    ),
    "hpemr": Resource(
        name="encounters",
        path="api/v1/encounters",
        rows="items",
        paging=Cursor(page_size=100),
        window=Window("from", "to", TimeForm.EPOCH_MS),
        happened=Happened("started_at", TimeForm.EPOCH_MS),
        members=(
            Member("id", "encounterId", "Encounter.", key=True),
            Member("started_at", "startedAt", "When."),
            Member("upi", "patient.upid", "Who.", identifying="identifies a person"),
            Member("diagnoses", "diagnoses", "What.", form=Form.JSON),
            Member("updated_at", "lastModified", "Change time.", instant=TimeForm.EPOCH_MS),
            Member("deleted", "state", "Tombstone.", true_when=frozenset({"VOIDED"})),
        ),
        changes=ChangeFilter("updatedSince", "updated_at", TimeForm.EPOCH_MS),
        deleted="deleted",
    ),
}


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


@contextmanager
def opened(sandbox: Sandbox, name: str, folder: Path) -> Iterator[RestSource]:
    settings = SourceSettings(system=name, url=sandbox.urls[name], **sandbox.credentials[name])
    with RestSource(APIS[name], settings, folder) as source:
        yield source


@pytest.mark.parametrize("name", sorted(APIS))
def test_a_month_is_read_whole(own: Sandbox, name: str, tmp_path: Path) -> None:
    store, resource = own.clinical[name].store, RESOURCES[name]
    there = store.records(resource.name, local_midnight(START), local_midnight(END))
    with opened(own, name, tmp_path) as source:
        stream = records(source, resource, START, END)
        batches = list(stream)
    frame = pl.concat([b.frame for b in batches])
    assert len(batches) > 3
    assert not [b for b in batches if b.rejects is not None]
    assert frame["id"].to_list() == there["id"].to_list()
    assert (frame["deleted"] == "true").to_list() == there["_deleted"].to_list()
    assert frame["deleted"].n_unique() == 2
    assert stream.read_at == own.world.now.astimezone(UTC)
    named = there["upi" if name == "efiche" else "upid"]
    alive = ~there["_deleted"]
    assert frame["upi"].filter(alive).to_list() == named.filter(alive).to_list()


@pytest.mark.parametrize("name", sorted(APIS))
def test_what_changed_is_found_with_its_days(own: Sandbox, name: str, tmp_path: Path) -> None:
    store, resource = own.clinical[name].store, RESOURCES[name]
    own.world.advance(days=2)
    before = own.world.now_ms
    own.world.advance(hours=1)
    store.drift(60, np.random.default_rng(5))
    stamped = store.records(resource.name, since=before)
    since = datetime.fromtimestamp(before / 1000, UTC)
    with opened(own, name, tmp_path) as source:
        changes = changes_since(source, resource, since)
    drifted = stamped.filter(pl.col("_updated") == own.world.now_ms)
    assert drifted.height >= 10
    found = changes.frame.filter(pl.col("updated_at") >= since)
    assert set(found["id"]) == set(stamped["id"])
    assert found["deleted"].any()
    assert changes.watermark == own.world.now.astimezone(UTC)
    local = ((stamped["_happened"] + 7_200_000) // 86_400_000).cast(pl.Int32).cast(pl.Date)
    newer = stamped["_updated"] > before
    assert set(changes.days(since)["day"]) == set(local.filter(newer))
