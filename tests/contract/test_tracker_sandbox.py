"""The tracker readers against the sandbox: what is read of every programme equals what the sandbox holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from stub_http import Waits

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2 import metadata
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.legacy_tracker import read as legacy
from hic_assets.extract.dhis2.tracker.changes import changes_since
from hic_assets.extract.dhis2.tracker.fields import Kind, columns
from hic_assets.extract.dhis2.tracker.keys import keys
from hic_assets.extract.dhis2.tracker.question import PAGE_ROWS
from hic_assets.extract.dhis2.tracker.read import Expected, records
from hic_assets.extract.errors import EndpointGone
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.systems import SYSTEMS
from hic_assets.systems.dhis2_tracker import REGISTRY_COLUMNS

VERSIONS = ["2.38.7", "2.40.1", "2.40.12", "2.41.9.1", "2.42.5.2", "2.43.1"]
HIV = ("hiv_tracker", "HivPrgRw001")
PROGRAMMES = [(system.name, programme.uid) for system in SYSTEMS for programme in system.programmes]
MONTH = (date(2026, 6, 1), date(2026, 7, 1))
WEEK = (date(2026, 6, 8), date(2026, 6, 15))
CUT = Expected(rows=10 * PAGE_ROWS)
"""As if much were to come, so that it is cut by unit and day."""

Connect = Callable[[str], Dhis2Client]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.faults.clear()
    served.differences.clear()
    yield served
    served.versions.clear()


@pytest.fixture
def connect(sandbox: Sandbox, spool_dir: Path, waits: Waits) -> Iterator[Connect]:
    clients: list[Dhis2Client] = []

    def make(system: str) -> Dhis2Client:
        auth = BasicAuth(sandbox.username, sandbox.password)
        options = waits.options(read_timeout=30.0)
        clients.append(Dhis2Client(sandbox.urls[system], auth, spool_dir=spool_dir, system=system, options=options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def read(stream: BatchStream) -> pl.DataFrame:
    batches = list(stream)
    assert all(batch.rejects is None for batch in batches)
    empty = pl.DataFrame(schema=dict.fromkeys(stream.columns, pl.String))
    return pl.concat([empty, *(batch.frame for batch in batches)]).sort(stream.columns[0])


def canonical(values: list[dict[str, str]] | None, key: str) -> str | None:
    found = {one[key]: one["value"] for one in values or () if one["value"] is not None}
    return json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if found else None


def local(ms: int | None) -> str | None:
    """As the server writes it: Kigali, without offset."""
    if ms is None:
        return None
    moment = datetime(1970, 1, 1) + timedelta(hours=2, milliseconds=ms)
    return moment.isoformat(timespec="milliseconds")


def midnight(day: date | None) -> str | None:
    return None if day is None else f"{day}T00:00:00.000"


def flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def landed(row: dict[str, Any], kind: Kind, version: str) -> dict[str, Any]:
    """A record of the sandbox's store as it must land."""
    # A deletion was no change before 2.40.3 (DHIS2-16320).
    updated = row["_alive_updated_ms" if version == "2.40.1" else "updated_ms"]
    values, key = ("attributes", "attribute") if kind is Kind.TRACKED_ENTITIES else ("data_values", "data_element")
    point = None if row.get("longitude") is None else [row["longitude"], row["latitude"]]
    made = {name: row.get(name) for name in columns(kind)} | {
        columns(kind)[0]: row["uid"],
        "created_at": local(row["created_ms"]),
        "updated_at": f"{datetime(1970, 1, 1) + timedelta(milliseconds=updated):%Y-%m-%dT%H:%M:%S.%f}+0000",
        "deleted": flag(row["deleted"]),
        "geometry": f'{{"coordinates":{json.dumps(point, separators=(",", ":"))},"type":"Point"}}' if point else None,
    }
    if kind is not Kind.ENROLLMENTS:
        made[values] = canonical(row[values], key)
    if kind is Kind.TRACKED_ENTITIES:
        return made | {"inactive": flag(row["inactive"])}
    days = ("enrolled_at", "occurred_at") if kind is Kind.ENROLLMENTS else ("occurred_at", "scheduled_at")
    made |= {name: midnight(row[name]) for name in days}
    return made | {"completed_at": local(row["completed_ms"]), "follow_up": flag(row["follow_up"])}


def held(sandbox: Sandbox, system: str, program: str, kind: Kind, window: tuple[date, date]) -> pl.DataFrame:
    """What the store holds of a window, as it must land."""
    store = sandbox.trackers[system].store
    frame = store.frame(kind.value, program)
    inside = {"closed": "left"}
    if kind is Kind.TRACKED_ENTITIES:
        enrolled = store.frame("enrollments", program).filter(pl.col("enrolled_at").is_between(*window, **inside))  # type: ignore[arg-type]
        frame = frame.filter(pl.col("uid").is_in(enrolled["tracked_entity"].unique().implode()))
    else:
        day = pl.col("enrolled_at") if kind is Kind.ENROLLMENTS else pl.coalesce("occurred_at", "scheduled_at")
        frame = frame.filter(day.is_between(*window, **inside))  # type: ignore[arg-type]
    version = sandbox.versions.get(system, sandbox.world.version)
    rows = [landed(row, kind, version) for row in frame.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns(kind), pl.String)).sort(columns(kind)[0])


def same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    assert found.columns == wanted.columns
    assert found.height == wanted.height
    for name in found.columns:
        assert found[name].equals(wanted[name]), name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", Kind)
def test_every_version_gives_what_is_held(sandbox: Sandbox, connect: Connect, version: str, kind: Kind) -> None:
    sandbox.versions[HIV[0]] = version
    wanted = held(sandbox, *HIV, kind, MONTH)
    assert wanted.height > 10
    client = connect(HIV[0])
    same(read(records(client, kind, HIV[1], *MONTH)), wanted)
    same(read(records(client, kind, HIV[1], *MONTH, expected=CUT, concurrency=3)).unique(maintain_order=True), wanted)
    assert client.dialect.version == version


@pytest.mark.parametrize(("system", "program"), PROGRAMMES)
def test_every_programme(sandbox: Sandbox, connect: Connect, system: str, program: str) -> None:
    client = connect(system)
    total = 0
    for kind in Kind:
        wanted = held(sandbox, system, program, kind, MONTH)
        same(read(records(client, kind, program, *MONTH)), wanted)
        total += wanted.height
    assert total


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", Kind)
def test_the_old_endpoints_give_the_same_or_are_gone(
    sandbox: Sandbox, connect: Connect, version: str, kind: Kind
) -> None:
    sandbox.versions[HIV[0]] = version
    client = connect(HIV[0])
    stream = legacy.records(client, kind, HIV[1], *MONTH, programme="hiv")
    if not client.dialect.has_legacy_tracker:
        with pytest.raises(EndpointGone, match="hic cutover hiv"):
            read(stream)
        return
    found, wanted = read(stream), held(sandbox, *HIV, kind, MONTH)
    assert wanted.height > 10
    same(found.rename(dict(zip(found.columns, wanted.columns, strict=True))), wanted)


@pytest.mark.parametrize("version", ["2.38.7", "2.41.9.1", "2.43.1"])
@pytest.mark.parametrize("kind", Kind)
def test_keys_are_those_of_the_records(sandbox: Sandbox, connect: Connect, version: str, kind: Kind) -> None:
    sandbox.versions[HIV[0]] = version
    wanted = held(sandbox, *HIV, kind, MONTH)
    frame = pl.concat([batch.frame for batch in keys(connect(HIV[0]), kind, HIV[1], *MONTH)])
    assert sorted(set(frame["key"])) == wanted[columns(kind)[0]].to_list()
    assert frame["deleted"].sum() == (wanted["deleted"] == "true").sum()


def test_edits_insertions_and_deletions_show_among_the_changes(sandbox: Sandbox, connect: Connect) -> None:
    system, program = "hmis_tracker", "TbPrgRw0001"
    client, store = connect(system), sandbox.trackers[system].store
    since = client.server_time()
    before = {kind: store.frame(kind.value, program) for kind in Kind}
    sandbox.world.advance(minutes=1)
    event = before[Kind.EVENTS].filter(~pl.col("deleted")).sort("uid").row(5, named=True)
    gone = before[Kind.EVENTS].filter(~pl.col("deleted")).sort("uid").row(9, named=True)
    store.edit_event(event["uid"], status="SKIPPED")
    store.delete("events", gone["uid"])
    changes = changes_since(client, Kind.EVENTS, program, since)
    found = {key: (day, deleted) for key, day, _, deleted in changes.frame.rows()}
    assert found[event["uid"]] == (event["occurred_at"] or event["scheduled_at"], False)
    assert found[gone["uid"]] == (gone["occurred_at"] or gone["scheduled_at"], True)
    assert changes.watermark >= since
    after = store.frame("events", program).filter(pl.col("updated_ms") >= int((since.timestamp() - 86_400) * 1000))
    assert set(found) == set(after["uid"])
    people = changes_since(client, Kind.TRACKED_ENTITIES, program, since)
    assert {event["tracked_entity"], gone["tracked_entity"]} <= set(people.frame["key"])


def test_events_pushed_over_page_boundaries_while_reading_are_handed_on(sandbox: Sandbox, connect: Connect) -> None:
    """What changed after reading began is the next run's; what did not is there."""
    system, program = "immunization_tracker", "ImmPrgRw001"
    store = sandbox.trackers[system].store
    before = held(sandbox, system, program, Kind.EVENTS, WEEK)
    stream = records(connect(system), Kind.EVENTS, program, *WEEK, expected=CUT, concurrency=1)
    found = []
    for batch in stream:
        found.append(batch.frame)
        if len(found) == 2:
            store.drift(30, np.random.default_rng(1))
    after = held(sandbox, system, program, Kind.EVENTS, WEEK)
    unchanged = before.join(after, on=["event", "updated_at"], how="semi")
    assert unchanged.join(pl.concat(found), on="event", how="anti").is_empty()


@pytest.mark.parametrize("table", REGISTRY_COLUMNS)
def test_the_registries_explain_every_value(sandbox: Sandbox, connect: Connect, table: str) -> None:
    for system in ("hmis_tracker", "cancer_registry"):
        frame = read(getattr(metadata, table)(connect(system)))
        assert tuple(frame.columns) == REGISTRY_COLUMNS[table]
        assert frame.height
        programs = {uid for name, uid in PROGRAMMES if name == system}
        if "program" in frame.columns:
            assert set(frame["program"]) == programs
        named = {"program_stage_data_elements": "data_element", "program_attributes": "attribute", "options": "code"}
        if table in named:
            assert frame[named[table]].null_count() == 0


def test_a_server_that_times_out_on_much_is_read_in_pieces(sandbox: Sandbox, connect: Connect) -> None:
    wanted = held(sandbox, *HIV, Kind.EVENTS, MONTH)
    sandbox.faults.set("timeout_over", rows=max(20, wanted.height // 10))
    same(read(records(connect(HIV[0]), Kind.EVENTS, HIV[1], *MONTH, expected=Expected(1))), wanted)
