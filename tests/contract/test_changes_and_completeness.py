"""Late and edited reports, and completeness registrations (contract 1.3, 1.4, 1.13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_dhis2 import Toy, dumped
from stub_http import Answer, Asked, Connect, Stub, as_json

from hic_assets.extract.dhis2.changes import changes_since
from hic_assets.extract.dhis2.completeness import COLUMNS, completeness
from hic_assets.extract.errors import TruncatedBody, UnexpectedContent

SINCE = datetime(2024, 3, 10, 12, 0, tzinfo=UTC)
VALUES = [
    ("ds1", "202401", "f1", "5", "2024-03-11T08:00:00.000+0000", False),
    ("ds1", "202401", "f2", "6", "2024-03-09T13:00:00.000+0000", False),
    ("ds1", "202402", "f1", "7", "2024-03-10T09:00:00.000+0000", False),
    ("ds1", "202312", "f1", "8", "2024-03-10T13:00:00.000+0000", True),
]


@pytest.mark.parametrize("wire", ["csv", "json"])
@pytest.mark.parametrize("version", ["2.38.1", "2.43.1"])
def test_periods_touched_and_the_servers_watermark(stub: Stub, connect: Connect, version: str, wire: Any) -> None:
    Toy(version, values=VALUES).on(stub)
    found = changes_since(connect(), ["ds1"], SINCE, wire=wire)
    assert found.frame.select("period", "rows", "newer").rows() == [
        ("202312", 1, 1),
        ("202401", 2, 1),
        ("202402", 1, 0),
    ]
    assert found.periods == ["202312", "202401"]
    assert found.watermark == datetime(2024, 3, 11, 8, 0, tzinfo=UTC)


def test_what_is_asked(stub: Stub, connect: Connect) -> None:
    Toy(values=VALUES).on(stub)
    changes_since(connect(), ["ds1", "ds2"], SINCE)
    (asked,) = [asked for asked in stub.asked if asked.path == "/api/dataValueSets"]
    # 24 h before, as the server's clock in Kigali shows it.
    assert asked.one("lastUpdated") == "2024-03-09T14:00:00"
    assert (asked.one("startDate"), asked.one("endDate")) == ("1970-01-01", "2100-12-31")
    assert asked.one("period") is None
    assert asked.one("includeDeleted") == "true"
    assert (asked.all("orgUnit"), asked.one("children")) == (["rw"], "true")


def test_nothing_new_keeps_the_watermark(stub: Stub, connect: Connect) -> None:
    Toy().on(stub)
    found = changes_since(connect(), ["ds1"], SINCE)
    assert found.frame.is_empty()
    assert found.watermark == SINCE
    older = [("ds1", "202402", "f1", "7", "2024-03-10T09:00:00.000+0000", False)]
    Toy(values=older).on(stub)
    assert changes_since(connect(), ["ds1"], SINCE).watermark == SINCE


def test_a_row_without_a_timestamp_counts_as_newer(stub: Stub, connect: Connect) -> None:
    Toy(values=[("ds1", "202402", "f1", "7", "?", False)]).on(stub)
    found = changes_since(connect(), ["ds1"], SINCE)
    assert found.periods == ["202402"]
    assert found.watermark == SINCE


def test_the_overlap_is_at_least_a_day(connect: Connect) -> None:
    with pytest.raises(ValueError, match="overlap"):
        changes_since(connect(), ["ds1"], SINCE, overlap=timedelta(hours=23))
    with pytest.raises(ValueError, match="time zone"):
        changes_since(connect(), ["ds1"], SINCE.replace(tzinfo=None))


def test_changes_too_many_for_one_reply_are_halved(stub: Stub, connect: Connect) -> None:
    toy = Toy(values=VALUES).on(stub)
    toy.refuse = lambda a: Answer(status=504) if a.one("lastUpdated") and "rw" in a.all("orgUnit") else None
    with pytest.raises(Exception, match="504"):
        changes_since(connect(), ["ds1"], SINCE)
    whole = ("rw", "true")
    toy.refuse = lambda a: (
        Answer(status=504) if a.one("lastUpdated") and (a.one("orgUnit"), a.one("children")) == whole else None
    )
    assert changes_since(connect(), ["ds1"], SINCE).frame["rows"].sum() == 4


def registrations(asked: Asked) -> Answer:
    """d1 has some, the rest none: then the body is `{}`."""
    if asked.all("orgUnit") != ["d1"]:
        return as_json({})
    base = {"period": "202401", "dataSet": "ds1", "attributeOptionCombo": "aoc"}
    rows = [
        {**base, "organisationUnit": "f1", "date": "2024-02-03", "storedBy": "x", "completed": True},
        {**base, "organisationUnit": "f2", "date": "2024-02-09", "completed": False},
    ]
    return as_json({"completeDataSetRegistrations": rows})


def test_registrations(stub: Stub, connect: Connect) -> None:
    Toy(refuse=lambda a: registrations(a) if "Registrations" in a.path else None).on(stub)
    source = completeness(connect(), ["ds1", "ds2"], ["202401"])
    rows = [row for batch in source for row in batch.frame.rows()]
    assert COLUMNS == (
        "data_set",
        "period",
        "org_unit",
        "attribute_option_combo",
        "date",
        "stored_by",
        "completed",
    )
    assert rows == [
        ("ds1", "202401", "f1", "aoc", "2024-02-03", "x", "true"),
        ("ds1", "202401", "f2", "aoc", "2024-02-09", None, "false"),
    ]
    assert [stats.rows for stats in source.stats] == [0, 2, 0, 0]
    asked = [asked for asked in stub.asked if "Registrations" in asked.path]
    assert all(one.all("dataSet") == ["ds1", "ds2"] and one.all("period") == ["202401"] for one in asked)
    assert source.unknown_columns == ()


@pytest.mark.parametrize(("body", "error"), [(b"", TruncatedBody), (dumped({"status": "OK"}), UnexpectedContent)])
def test_no_registrations_is_said_by_empty_braces_only(
    stub: Stub, connect: Connect, body: bytes, error: type[Exception]
) -> None:
    Toy(refuse=lambda a: Answer(body) if "Registrations" in a.path else None).on(stub)
    with pytest.raises(error):
        list(completeness(connect(), ["ds1"], ["202401"]))
