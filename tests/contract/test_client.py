"""Who the server is: dialects, calendar, system id, time zone (contract 0, 1.1, 1.10)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from stub_http import Connect, Stub, as_json

from hic_assets.extract.dhis2.dialect import UnsupportedVersion, dialect_of
from hic_assets.extract.dhis2.timestamps import parse_utc, server_local, utc_expr
from hic_assets.extract.errors import SystemChanged, UnexpectedContent, UnsupportedSystem

INFO = {"version": "2.42.5.2", "calendar": "iso8601", "systemId": "sys-1", "serverTimeZoneId": "Africa/Kigali"}


@pytest.mark.parametrize(
    ("version", "minor"),
    [
        ("2.38", 38),
        ("2.38.7", 38),
        ("2.40.1-SNAPSHOT", 40),
        ("2.41.8.1", 41),
        ("2.43-SNAPSHOT", 43),
        ("43.1", 43),
    ],
)
def test_versions(version: str, minor: int) -> None:
    assert dialect_of(version).minor == minor


@pytest.mark.parametrize("version", ["2.37.10", "2.27", "1.0", "", "dev", "2.4", "2.400"])
def test_old_versions_and_no_versions(version: str) -> None:
    with pytest.raises(UnsupportedVersion):
        dialect_of(version)


def test_a_newer_version_is_read_as_the_newest_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert dialect_of("2.44.0").minor == 43
    assert "2.44.0" in caplog.text


def test_what_differs() -> None:
    old, new = dialect_of("2.40.0"), dialect_of("2.43.0")
    assert (old.writes_null_text, old.hoists_keys, old.needs_window) == (True, False, False)
    assert (new.writes_null_text, new.hoists_keys, new.needs_window) == (False, True, True)
    assert (old.shifts_last_updated, old.empty_body_is_no_rows) == (True, True)
    assert (new.shifts_last_updated, new.empty_body_is_no_rows) == (False, False)


def test_info_is_asked_once_and_only_when_needed(stub: Stub, connect: Connect) -> None:
    stub.answer = lambda _: as_json(INFO)
    client = connect(expected_system_id="sys-1")
    assert stub.asked == []
    assert (client.info.system_id, client.dialect.minor, client.time_zone) == ("sys-1", 42, "Africa/Kigali")
    assert [asked.path for asked in stub.asked] == ["/api/system/info"]


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"systemId": "sys-2"}, SystemChanged, "sys-2.*was sys-1"),
        ({"calendar": "ethiopian"}, UnsupportedSystem, "ethiopian"),
        ({"version": "2.37.9"}, UnsupportedSystem, "older than 2.38"),
        ({"version": None}, UnexpectedContent, "version"),
    ],
)
def test_a_server_that_must_not_be_read(
    stub: Stub, connect: Connect, changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    stub.answer = lambda _: as_json(INFO | changed)
    with pytest.raises(error, match=said):
        connect(expected_system_id="sys-1").info


def test_a_server_without_a_zone_is_read_as_utc_with_a_warning(
    stub: Stub, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answer = lambda _: as_json(INFO | {"serverTimeZoneId": "Mars/Olympus"})
    caplog.set_level(logging.WARNING)
    assert connect().time_zone == "UTC"
    assert "Mars/Olympus" in caplog.text


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2015-04-05T21:58:12.000+0000", "Africa/Kigali", datetime(2015, 4, 5, 21, 58, 12)),
        ("2015-04-05T21:58:12.000+02:00", "UTC", datetime(2015, 4, 5, 19, 58, 12)),
        ("2015-04-05T21:58:12Z", "Africa/Kigali", datetime(2015, 4, 5, 21, 58, 12)),
        ("2023-05-18T08:04:13.329", "Africa/Kigali", datetime(2023, 5, 18, 6, 4, 13, 329000)),
        ("2023-07-18T08:04:13.329", "Europe/Oslo", datetime(2023, 7, 18, 6, 4, 13, 329000)),
        # 02:30 came twice that night: the earlier one.
        ("2023-10-29T02:30:00.000", "Europe/Oslo", datetime(2023, 10, 29, 0, 30)),
        ("2023-05-18", "Africa/Kigali", datetime(2023, 5, 17, 22, 0)),
    ],
)
def test_timestamps_with_and_without_offset(text: str, zone: str, utc: datetime) -> None:
    assert parse_utc(text, zone) == utc.replace(tzinfo=UTC)


def test_timestamps_column_wise() -> None:
    frame = pl.DataFrame({"t": ["2015-04-05T21:58:12.000+0000", None, "soon", "2015-04-05T21:58:12.000"]})
    moments = frame.select(utc_expr("t", "Africa/Kigali"))["t"]
    assert moments.to_list() == [
        datetime(2015, 4, 5, 21, 58, 12, tzinfo=UTC),
        None,
        None,
        datetime(2015, 4, 5, 19, 58, 12, tzinfo=UTC),
    ]


def test_a_moment_as_a_parameter() -> None:
    moment = datetime(2024, 1, 31, 23, 0, 1, 999, tzinfo=UTC)
    assert server_local(moment, "Africa/Kigali") == "2024-02-01T01:00:01"
    with pytest.raises(ValueError, match="time zone"):
        server_local(datetime(2024, 1, 1), "UTC")
