"""Weekly data sets: values, registrations and changes as the DHIS2 readers get them of the sandbox, and as recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from stub_http import Waits

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2.changes import changes_since
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.completeness import completeness
from hic_assets.extract.dhis2.data_values import data_values
from hic_assets.partitions import key_of_period
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.world import catalogue
from hic_assets.sandbox.world.reporting import REGISTRATION_COLUMNS
from hic_assets.sandbox.world.roster import KIGALI
from hic_assets.sandbox.world.values import COLUMNS
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence

VERSIONS = ["2.38.7", "2.40.12", "2.42.5.2", "2.43.2"]
IDSR = catalogue.data_set_uid("IDSR_WEEKLY")
WEEKS = [date(2025, 12, 29), date(2026, 1, 5), date(2026, 12, 28)]
"""The first and second week of 2026, and its 53rd."""
CLOCK = date(2027, 1, 20)

Connect = Callable[[str], Dhis2Client]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.01, today=CLOCK) as sandbox:
        yield sandbox


@pytest.fixture
def connect(served: Sandbox, spool_dir: Path, waits: Waits) -> Iterator[Connect]:
    clients: list[Dhis2Client] = []

    def make(version: str) -> Dhis2Client:
        served.world.version = version
        auth = BasicAuth(served.username, served.password)
        clients.append(Dhis2Client(served.url, auth, spool_dir=spool_dir, system="hmis", options=waits.options()))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def frame(source: object, columns: list[str]) -> pl.DataFrame:
    parts = [batch.frame for batch in source]  # type: ignore[attr-defined]
    return pl.concat(parts).select(columns)


@pytest.mark.parametrize("version", VERSIONS)
def test_values_of_weeks_are_those_the_server_holds(served: Sandbox, connect: Connect, version: str) -> None:
    periods = ["2026W1", "2026W2", "2026W53"]
    read = frame(data_values(connect(version), [IDSR], periods), COLUMNS)
    truth = pl.concat([served.world.truth_weekly(week) for week in WEEKS])
    assert truth["period"].unique().sort().to_list() == periods
    assert read.sort(COLUMNS[:5]).equals(truth.sort(COLUMNS[:5]))
    assert read.height > 1000


def test_as_json_they_are_the_same(served: Sandbox, connect: Connect) -> None:
    read = frame(data_values(connect("2.43.2"), [IDSR], ["2026W53"], wire="json"), COLUMNS)
    truth = served.world.truth_weekly(WEEKS[2])
    keys = [*COLUMNS[:6], "last_updated"]
    assert read.select(keys).sort(keys).equals(truth.select(keys).sort(keys))


@pytest.mark.parametrize("version", VERSIONS)
def test_registrations_of_weeks_are_those_the_server_holds(served: Sandbox, connect: Connect, version: str) -> None:
    read = frame(completeness(connect(version), [IDSR], ["2026W1", "2026W53"]), REGISTRATION_COLUMNS)
    truth = pl.concat([served.world.truth_weekly_registrations(week) for week in (WEEKS[0], WEEKS[2])])
    assert read.sort(REGISTRATION_COLUMNS).equals(truth.sort(REGISTRATION_COLUMNS))


def test_changes_name_the_weeks_they_touch(served: Sandbox, connect: Connect) -> None:
    world = served.world
    before = world.now
    try:
        world.advance(days=3)
        world.edit_week_values(date(2026, 6, 8), 0.01)
        world.delete_week_values(date(2024, 12, 30), 0.01)
        found = changes_since(connect("2.42.5.2"), [IDSR], (world.now - timedelta(minutes=1)).astimezone(UTC))
        assert found.periods == ["2025W1", "2026W24"]
        keys = [key_of_period(Cadence.WEEKLY, period) for period in found.periods]
        assert keys == ["2024-12-30", "2026-06-08"]
        assert found.watermark == world.now.astimezone(UTC)
        # asked of the months' data sets, nothing was changed
        months = [catalogue.data_set_uid(code) for code in catalogue.MONTHLY]
        assert changes_since(connect("2.42.5.2"), months, world.now.astimezone(UTC)).periods == []
    finally:
        world.set_now(before)


def test_a_report_that_comes_late_is_a_change_of_its_week(served: Sandbox, connect: Connect) -> None:
    world = served.world
    path = world.idsr_week(WEEKS[2]).reports.dhis2.arrived
    late = datetime.fromtimestamp(int(path[path < 2**61].max()) / 1000, KIGALI)
    before = world.now
    try:
        world.set_now(late + timedelta(seconds=1))
        found = changes_since(connect("2.42.5.2"), [IDSR], late.astimezone(UTC) - timedelta(seconds=1))
        assert "2026W53" in found.periods
    finally:
        world.set_now(before)


def test_the_feeds_hold_what_the_readers_give() -> None:
    values, registrations = HMIS.feed("weekly_values"), HMIS.feed("weekly_registrations")
    assert list(values.table.column_names) == COLUMNS
    assert list(registrations.table.column_names) == REGISTRATION_COLUMNS
    for feed, reader in ((values, "data_values"), (registrations, "completeness")):
        assert (feed.reader, feed.cadence, feed.period_types, feed.optional) == (
            reader,
            Cadence.WEEKLY,
            ("Weekly",),
            True,
        )
        assert feed.table.period_column == "period"
    assert values.table.relation == "hmis_weekly_values"
    monthly = HMIS.feed("data_values").table
    assert values.table.references == monthly.references and values.table.keys == monthly.keys
