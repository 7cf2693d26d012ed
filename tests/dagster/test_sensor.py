"""The change sensor: what is owed, what the cursor keeps, and what it asks of Dagster when the source says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import stubs
from books import UNITS, VALUES, WEEKLY, WEEKLY_REGISTRATIONS, loaded, open_books, refused
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.partitions import key_of_period, range_tags
from hic_assets.sandbox import Sandbox
from hic_assets.sensors.aggregate import (
    Cursor,
    change_sensor,
    change_sensors,
    loaded_partitions,
    released_partitions,
    still_owed,
    tick,
    values_feeds,
)
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse

T0 = datetime(2024, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
OWED = st.dictionaries(st.sampled_from([f"2024-{m:02}-01" for m in range(1, 13)]), INSTANTS)


@given(st.none() | INSTANTS, OWED)
def test_the_cursor_survives_being_kept(watermark: datetime | None, owed: dict[str, datetime]) -> None:
    assert Cursor.of(Cursor(watermark, owed).text()) == Cursor(watermark, owed)


def test_the_first_cursor_is_empty() -> None:
    assert Cursor.of(None) == Cursor.of("") == Cursor(None, {})


def test_a_month_is_owed_until_the_ledger_holds_its_newest_change() -> None:
    changed = {"a": T0, "b": T0, "c": T0, "never loaded": T0}
    held = {"a": T0 - HOUR, "b": T0, "c": None}
    assert still_owed({}, changed, held) == {"a": T0, "c": T0}


def test_what_was_owed_stays_owed_and_by_its_newest_change() -> None:
    held = {"a": T0, "b": T0}
    owed = still_owed({"a": T0 + HOUR, "b": T0 + 2 * HOUR}, {"b": T0 + HOUR}, held)
    assert owed == {"a": T0 + HOUR, "b": T0 + 2 * HOUR}
    assert still_owed(owed, {}, {"a": T0 + HOUR, "b": T0 + HOUR}) == {"b": T0 + 2 * HOUR}


@given(OWED, OWED, st.dictionaries(st.sampled_from([f"2024-{m:02}-01" for m in range(1, 13)]), st.none() | INSTANTS))
def test_nothing_that_changed_after_its_load_is_forgotten(
    owed: dict[str, datetime], changed: dict[str, datetime], held: dict[str, datetime | None]
) -> None:
    result = still_owed(owed, changed, held)
    for month, at in held.items():
        newest = max((x[month] for x in (owed, changed) if month in x), default=None)
        assert (month in result) is (newest is not None and (at is None or newest > at))
    assert set(result) <= set(held)


@pytest.mark.parametrize(
    ("period", "month", "week"),
    [
        ("202403", "2024-03-01", None),
        ("2024W5", None, "2024-01-29"),
        ("2024W05", None, "2024-01-29"),
        # Weeks belong to the ISO year: these two do not begin in the year they are named after.
        ("2025W1", None, "2024-12-30"),
        ("2026W53", None, "2026-12-28"),
        ("2025W53", None, None),
        ("2024SunW5", None, None),
        ("2024", None, None),
        ("x", None, None),
    ],
)
def test_only_periods_of_its_cadence_are_partitions(period: str, month: str | None, week: str | None) -> None:
    assert key_of_period(Cadence.MONTHLY, period) == month
    assert key_of_period(Cadence.WEEKLY, period) == week


def test_a_sensor_a_cadence_of_reported_values() -> None:
    made = {sensor.name: sensor.job_name for sensor in change_sensors(HMIS)}
    assert made == {"hmis_changes": "hmis_monthly", "hmis_weekly_changes": "hmis_weekly"}


def test_months_are_released_once_the_registry_knows_their_facility(warehouse: Warehouse) -> None:
    open_books(warehouse)
    for month, unit in (("2024-01-01", "new"), ("2024-02-01", "unheard of")):
        load = loaded(warehouse, VALUES, month, quarantined=1)
        refused(warehouse, load, "unknown_facility", {"org_unit": unit})
    assert released_partitions(warehouse, HMIS, Cadence.MONTHLY) == []
    loaded(warehouse, UNITS, None, [{"id": "new"}, {"id": "f1"}])
    assert released_partitions(warehouse, HMIS, Cadence.MONTHLY) == ["2024-01-01"]
    loaded(warehouse, VALUES, "2024-03-01")
    assert released_partitions(warehouse, HMIS, Cadence.MONTHLY) == ["2024-01-01"]


def test_a_release_asks_for_weeks_or_months_by_where_the_rows_wait(warehouse: Warehouse) -> None:
    open_books(warehouse)
    for table, key in ((VALUES, "2024-01-01"), (WEEKLY, "2024-01-29"), (WEEKLY_REGISTRATIONS, "2024-02-05")):
        refused(warehouse, loaded(warehouse, table, key, quarantined=1), "unknown_facility", {"org_unit": "new"})
    loaded(warehouse, UNITS, None, [{"id": "new"}])
    assert released_partitions(warehouse, HMIS, Cadence.MONTHLY) == ["2024-01-01"]
    assert sorted(released_partitions(warehouse, HMIS, Cadence.WEEKLY)) == ["2024-01-29", "2024-02-05"]


def test_an_import_that_ended_after_the_load_is_not_taken_for_loaded(warehouse: Warehouse) -> None:
    """Its values carry the time it began, which may be older than the newest value that the load has seen."""
    open_books(warehouse)
    loaded(warehouse, VALUES, "2024-01-01", watermark=T0)
    with warehouse.connect() as connection:
        connection.execute("update ops.load set started_at = %s", (T0 + timedelta(minutes=5),))
    began = T0 - timedelta(minutes=20)
    assert still_owed({}, {"2024-01-01": began}, loaded_partitions(warehouse, values_feeds(HMIS)[Cadence.MONTHLY])) == {
        "2024-01-01": began
    }
    with warehouse.connect() as connection:
        connection.execute("update ops.load set started_at = %s", (T0 + timedelta(hours=2),))
    assert (
        still_owed({}, {"2024-01-01": began}, loaded_partitions(warehouse, values_feeds(HMIS)[Cadence.MONTHLY])) == {}
    )


class TestThroughDagster:
    def evaluate(
        self, warehouse: Warehouse, sandbox: Sandbox, spool: Path, cursor: str | None = None, **source: Any
    ) -> dg.SensorResult | dg.SkipReason:
        given = stubs.resources(warehouse, sandbox, spool)
        if source:
            fields = given["sources"].model_dump() | source
            given["sources"] = stubs.SourceByUrl(**fields)
        sensor = change_sensor(HMIS, Cadence.MONTHLY)
        with dg.build_sensor_context(cursor=cursor, resources=given) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        return result

    @pytest.fixture
    def two_months(self, registries: Warehouse) -> Warehouse:
        open_books(registries)
        for month in ("2024-01-01", "2024-02-01"):
            loaded(registries, VALUES, month, landed=0, watermark=datetime(2024, 3, 20, tzinfo=UTC))
        return registries

    def test_a_late_report_asks_for_its_month_and_no_other(
        self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        seen = self.evaluate(two_months, sandbox, tmp_path)
        assert isinstance(seen, dg.SensorResult)
        first = Cursor.of(seen.cursor)
        assert first.watermark is not None
        # Both months were touched after 20 March: they are next to each other, so one run.
        (request,) = seen.run_requests or []
        wanted = range_tags("2024-01-01", "2024-02-01")
        assert wanted.items() <= request.tags.items()
        # While they stay owed they are asked for under the same key: Dagster starts no second run that day.
        again = self.evaluate(two_months, sandbox, tmp_path, seen.cursor)
        assert isinstance(again, dg.SensorResult)
        assert [r.run_key for r in again.run_requests or []] == [request.run_key]
        # Loaded at last: nothing is owed, the watermark stays.
        with two_months.connect() as connection:
            connection.execute("update ops.load set source_watermark = now() + interval '9 years' where is_current")
        done = self.evaluate(two_months, sandbox, tmp_path, seen.cursor)
        assert isinstance(done, dg.SensorResult)
        assert not done.run_requests
        assert Cursor.of(done.cursor) == Cursor(first.watermark, {})

    def test_the_first_tick_reaches_back_to_the_month_read_longest_ago(
        self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        """January was loaded in March and changed in April; February, loaded in May, knows newer changes."""
        with two_months.connect() as connection:
            for month, at in (("2024-01-01", datetime(2024, 3, 20)), ("2024-02-01", datetime(2024, 5, 14))):
                connection.execute(
                    "update ops.load set source_watermark = %s, started_at = %s where partition_key = %s",
                    (at.replace(tzinfo=UTC), at.replace(tzinfo=UTC), month),
                )
        seen = self.evaluate(two_months, sandbox, tmp_path)
        assert isinstance(seen, dg.SensorResult)
        (request,) = seen.run_requests or []
        assert range_tags("2024-01-01", "2024-01-01").items() <= request.tags.items()

    def test_before_anything_is_loaded_it_waits(self, warehouse: Warehouse, sandbox: Sandbox, tmp_path: Path) -> None:
        result = self.evaluate(warehouse, sandbox, tmp_path)
        assert isinstance(result, dg.SkipReason)
        assert result.skip_message == "Nothing of HMIS aggregate was loaded yet."

    def test_without_a_month_loaded_the_source_is_not_asked(
        self, registries: Warehouse, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        result = self.evaluate(registries, sandbox, tmp_path)
        assert isinstance(result, dg.SensorResult)
        assert not result.run_requests
        assert not sandbox.requests

    @pytest.mark.parametrize("fault", ["unavailable", "html_login", "wrong_system_id", "reset"])
    def test_a_source_in_trouble_is_a_reason_without_secrets(
        self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path, fault: str
    ) -> None:
        sandbox.faults.set(fault)
        kept = Cursor(T0, {"2024-01-01": T0}).text()
        result = self.evaluate(two_months, sandbox, tmp_path, kept)
        assert isinstance(result, dg.SkipReason)
        assert result.skip_message is not None
        assert result.skip_message.startswith("Could not ask HMIS aggregate: hmis: ")
        assert sandbox.password not in result.skip_message

    def test_a_wrong_password_is_not_shown(self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path) -> None:
        result = self.evaluate(two_months, sandbox, tmp_path, password="Wrong-Secret-1")
        assert isinstance(result, dg.SkipReason)
        assert "401" in str(result.skip_message)
        assert "Wrong-Secret-1" not in str(result.skip_message)

    def test_missing_settings_are_a_reason(self, two_months: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
        from hic_assets.resources import SourcesResource

        monkeypatch.setenv("HIC_HMIS_PASSWORD", "Half-A-Secret")
        for name in ("HIC_HMIS_URL", "HIC_HMIS_USERNAME", "HIC_HMIS_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        given = {"warehouse": stubs.WarehouseByUrl(url=two_months.url), "sources": SourcesResource()}
        with dg.build_sensor_context(resources=given) as context:
            result = change_sensor(HMIS, Cadence.MONTHLY)(context)
        assert isinstance(result, dg.SkipReason)
        assert "HIC_HMIS_URL is not set" in str(result.skip_message)
        assert "Half-A-Secret" not in str(result.skip_message)

    def test_an_empty_registry_is_a_reason(self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path) -> None:
        with two_months.connect() as connection:
            connection.execute("truncate raw.hmis_data_sets")
        result = self.evaluate(two_months, sandbox, tmp_path)
        assert isinstance(result, dg.SkipReason)
        assert "raw.hmis_data_sets names no Monthly data set" in str(result.skip_message)

    def test_a_tick_keeps_what_it_cannot_settle(self, two_months: Warehouse, sandbox: Sandbox, tmp_path: Path) -> None:
        sources = stubs.resources(two_months, sandbox, tmp_path)["sources"]
        far = datetime(2030, 1, 1, tzinfo=UTC)
        cursor, months = tick(HMIS, Cursor(far, {"2024-02-01": far}), two_months, sources)
        assert months == ["2024-02-01"]
        assert json.loads(cursor.text())["watermark"] == far.isoformat()
