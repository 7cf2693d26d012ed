"""What changed since a watermark, by the server's own times and never by ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rest_kit import KINDS, VISITS, Clinic, Opened, resource, visit
from stub_http import Asked, Stub, Waits, as_json

from hic_assets.extract.errors import SourceError, UnexpectedContent
from hic_assets.extract.rest.changes import RestChanges, changes_since
from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.resource import ChangeFilter, Resource

SINCE = datetime(2026, 3, 20, 10, 0, 0, 654321, tzinfo=UTC)
NOON = "2026-03-21T12:00:00+02:00"


@pytest.fixture
def opened(stub: Stub, waits: Waits, spool_dir: Path) -> Iterator[Opened]:
    yield Opened(stub, waits, spool_dir)
    assert list(spool_dir.iterdir()) == []


def ask(opened: Opened, wanted: Resource = VISITS, since: datetime = SINCE, **more: Any) -> RestChanges:
    with opened.source() as source:
        return changes_since(source, wanted, since, **more)


def dated(rows: list[dict[str, Any]], at: str, **more: Any) -> Any:
    meta = {"page": 1, "total_pages": 1, "total": len(rows)}
    return as_json({"meta": meta, "data": rows}, headers={"Date": at}, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_days_touched_with_their_newest_change(opened: Opened, stub: Stub, kind: str) -> None:
    rows = [visit(n, date(2026, 1, 1 + n % 3), updatedAt=f"2026-03-2{1 + n % 2}T12:00:{n:02}+02:00") for n in range(25)]
    rows += [visit(100, updatedAt="2026-03-19T13:00:00+02:00"), visit(101, updatedAt="2026-03-19T11:59:59+02:00")]
    Clinic(kind, rows).on(stub)
    found = ask(opened, resource(kind))
    assert stub.asked[0].one("updatedSince") == "2026-03-19T12:00:00+02:00"
    assert stub.asked[0].one("from") is None
    assert found.frame.height == 26
    assert found.frame.schema == pl.Schema(
        {"id": pl.String, "day": pl.Date, "updated_at": pl.Datetime("us", "UTC"), "deleted": pl.Boolean}
    )
    days = found.days(SINCE)
    assert days["day"].to_list() == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
    assert days["records"].to_list() == [9, 8, 8]
    assert days["updated_at"].to_list() == [
        datetime(2026, 3, 22, 10, 0, 21, tzinfo=UTC),
        datetime(2026, 3, 22, 10, 0, 19, tzinfo=UTC),
        datetime(2026, 3, 22, 10, 0, 23, tzinfo=UTC),
    ]
    assert found.watermark == datetime(2026, 3, 22, 10, 0, 23, tzinfo=UTC)


def test_the_overlap_is_a_day_and_what_it_repeats_touches_no_day(opened: Opened, stub: Stub) -> None:
    Clinic("pages", [visit(1, updatedAt="2026-03-20T11:00:00+02:00")]).on(stub)
    found = ask(opened)
    assert found.frame["id"].to_list() == ["1"]
    assert found.days(SINCE).is_empty()
    assert found.watermark == SINCE
    with pytest.raises(ValueError, match="at least"):
        ask(opened, overlap=timedelta(hours=23))
    with pytest.raises(ValueError, match="time zone"):
        ask(opened, since=SINCE.replace(tzinfo=None))
    with pytest.raises(ValueError, match="cannot be asked for changes"):
        ask(opened, replace(VISITS, changes=None))


def test_a_change_stamped_in_the_future_does_not_push_the_watermark(opened: Opened, stub: Stub) -> None:
    rows = [visit(1, updatedAt=NOON), visit(2, updatedAt="2031-01-01T00:00:00Z")]
    stub.in_turn(dated(rows, "Sat, 21 Mar 2026 11:00:00 GMT"))
    found = ask(opened)
    assert found.watermark == datetime(2026, 3, 21, 11, tzinfo=UTC)
    assert found.days(SINCE)["records"].to_list() == [2]
    # The next call sees what changed since, and the same record again until its time has come.
    again = ask(opened, since=found.watermark)
    assert again.days(found.watermark)["records"].to_list() == [1]
    assert again.watermark == found.watermark


def test_a_server_whose_clock_was_put_back_takes_the_watermark_with_it(opened: Opened, stub: Stub) -> None:
    stub.in_turn(dated([], "Thu, 19 Mar 2026 11:00:00 GMT"))
    assert ask(opened).watermark == datetime(2026, 3, 19, 11, tzinfo=UTC)


def test_the_clock_is_that_of_the_first_reply(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("cursor", [visit(n, updatedAt="2026-03-29T00:00:00Z") for n in range(25)]).on(stub)

    def tick(asked: Asked) -> Any:
        found = clinic._answer(asked)
        found.headers["Date"] = f"Sun, 22 Mar 2026 1{len(stub.asked)}:00:00 GMT"
        return found

    clinic.before = tick
    assert ask(opened, resource("cursor")).watermark == datetime(2026, 3, 22, 11, tzinfo=UTC)
    assert len(stub.asked) == 3


@pytest.mark.parametrize("said", ["", "yesterday", "2026-03-21T11:00:00Z"])
def test_a_server_that_tells_no_time_cannot_be_followed(opened: Opened, stub: Stub, said: str) -> None:
    stub.in_turn(dated([visit(1, updatedAt=NOON)], said))
    with pytest.raises(UnexpectedContent, match="header Date"):
        ask(opened)


def test_tombstones_records_without_a_day_and_times_that_are_none(opened: Opened, stub: Stub) -> None:
    rows = [
        visit(1, voided=True, visitDate=None, updatedAt=NOON),
        visit(2, updatedAt="never"),
        visit(3, visitDate="31/12/2025", updatedAt=NOON),
        "no record",
    ]
    stub.in_turn(dated(rows, "Sat, 21 Mar 2026 11:00:00 GMT"))  # type: ignore[arg-type]
    found = ask(opened)
    assert found.frame.select("id", "day", "deleted").rows() == [
        ("1", None, True), ("2", date(2026, 3, 2), False), ("3", None, False),
    ]  # fmt: skip
    assert found.unreadable == 1
    # Better a day too many: what tells no time of change may have changed now.
    assert found.days(SINCE).rows() == [(date(2026, 3, 2), 1, None)]


def test_of_a_record_that_came_twice_the_newest_counts(opened: Opened, stub: Stub) -> None:
    rows = [
        visit(1, date(2026, 3, 2), updatedAt=NOON),
        visit(1, date(2026, 3, 3), updatedAt="2026-03-20T12:30:00+02:00"),
    ]
    stub.in_turn(dated(rows, "Sat, 21 Mar 2026 11:00:00 GMT"))
    assert ask(opened).frame["day"].to_list() == [date(2026, 3, 2)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (TimeForm.EPOCH_MS, "1773914400000"),
        (TimeForm.SLASHED_TIME, "19/03/2026 12:00:00"),
        (TimeForm.ISO_DAY, "2026-03-19"),
        (TimeForm.SLASHED_DAY, "19/03/2026"),
    ],
)
def test_the_threshold_is_written_as_the_api_wants_it(opened: Opened, stub: Stub, form: TimeForm, text: str) -> None:
    stub.in_turn(dated([], "Sat, 21 Mar 2026 11:00:00 GMT"))
    ask(opened, replace(VISITS, changes=ChangeFilter("since", "updated_at", form)))
    assert stub.asked[0].one("since") == text


def test_a_failure_moves_no_watermark(opened: Opened, stub: Stub) -> None:
    stub.in_turn(as_json({}, status=500))
    with pytest.raises(SourceError):
        ask(opened)
