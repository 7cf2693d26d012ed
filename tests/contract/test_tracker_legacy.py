"""The old endpoints, to be deleted with the folder that reads them: the same records under the old names."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from fake_tracker import MONDAY, PROGRAM, WEEK, Record, Tracker, enrollment, entity, event, midnight, spread
from stub_http import Connect, Stub
from test_tracker_read import DAY, SOME, read

from hic_assets.extract.dhis2.legacy_tracker import read as legacy
from hic_assets.extract.dhis2.legacy_tracker.fields import columns
from hic_assets.extract.dhis2.tracker import read as unified
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.errors import EndpointGone, UnexpectedContent

OLD_VERSIONS = ["2.38.7", "2.40.12", "2.41.9.1"]
PATHS = {Kind.TRACKED_ENTITIES: "trackedEntityInstances", Kind.ENROLLMENTS: "enrollments", Kind.EVENTS: "events"}
DAYS = [MONDAY - DAY, MONDAY, MONDAY + 6 * DAY, MONDAY + 7 * DAY]


def everything() -> dict[str, list[Record]]:
    gone = [{"program": PROGRAM, "enrolledAt": midnight(MONDAY), "deleted": True}]
    return {
        "events": [event(n, "f1", day, deleted=n == 2) for n, day in enumerate(DAYS)] + [event(5, "rw", None)],
        "enrollments": [enrollment(n, "f5", day, deleted=n == 2) for n, day in enumerate(DAYS)],
        "trackedEntities": [
            *(entity(n, "f1", day) for n, day in enumerate(DAYS)),
            entity(5, "f1", enrollments=gone),
            entity(6, "f1", enrollments=gone, deleted=True),
        ],
    }


@pytest.mark.parametrize("version", OLD_VERSIONS)
@pytest.mark.parametrize("kind", Kind)
def test_both_ways_give_the_same_records(stub: Stub, connect: Connect, version: str, kind: Kind) -> None:
    Tracker(version, everything()).on(stub)
    client = connect()
    old = legacy.records(client, kind, PROGRAM, *WEEK)
    then, now = read(old), read(unified.records(client, kind, PROGRAM, *WEEK, expected=SOME))
    assert old.columns == columns(kind)
    assert then.height > 1
    assert then.rename(dict(zip(then.columns, now.columns, strict=True))).equals(now)
    assert old.read_at == datetime(2025, 3, 10, 4, tzinfo=UTC)
    (asked,) = [one for one in stub.asked if one.path == f"/api/{PATHS[kind]}"]
    wanted = {"program": PROGRAM, "ouMode": "DESCENDANTS", "includeDeleted": "true", "totalPages": "true"}
    assert wanted.items() <= dict(asked.params).items()
    assert not {"skipPaging", "paging"} & dict(asked.params).keys()
    # By creation where it can be: by the change time, which is the default, an edit moves a row to a page already read.
    assert asked.one("order") == (None if kind is Kind.ENROLLMENTS else "created:asc")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("version", ["2.42.5.2", "2.43.1"])
def test_from_2_42_on_it_says_that_there_is_nothing_to_ask(
    stub: Stub, connect: Connect, version: str, kind: Kind
) -> None:
    Tracker(version, everything()).on(stub)
    with pytest.raises(EndpointGone) as caught:
        read(legacy.records(connect(), kind, PROGRAM, *WEEK, programme="tb"))
    said = f"DHIS2 {version} has no /api/{PATHS[kind]} any more (removed in 2.42): the legacy pipeline of tb cannot be read"
    assert said in str(caught.value)
    assert "Use the unified tables (hic cutover tb)." in str(caught.value)
    assert [one.path for one in stub.asked] == ["/api/system/info"]


@pytest.mark.parametrize("rows", [0, 9, 10, 25])
def test_pages_are_walked_to_the_count(
    stub: Stub, connect: Connect, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(legacy, "PAGE_ROWS", 10)
    Tracker("2.40.12", {"events": spread(rows)}).on(stub)
    stream = legacy.records(connect(), Kind.EVENTS, PROGRAM, *WEEK)
    assert read(stream)["event"].to_list() == [f"ev{n:09d}" for n in range(rows)]
    assert len(stream.stats) == max(1, -(-rows // 10))


def test_a_page_emptied_afterwards_is_not_the_end(
    stub: Stub, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legacy, "PAGE_ROWS", 10)
    tracker = Tracker("2.40.12", {"events": spread(30)}).on(stub)
    tracker.spoil = lambda asked, body: body | ({"events": []} if asked.one("page") == "2" else {})
    frame = read(legacy.records(connect(), Kind.EVENTS, PROGRAM, *WEEK))
    assert frame["event"].to_list() == [f"ev{n:09d}" for n in [*range(10), *range(20, 30)]]


def test_a_server_without_end_is_refused(stub: Stub, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy, "MOST_PAGES", 5)
    Tracker("2.40.12", spoil=lambda _, body: {"events": [event(1, "f1")]}).on(stub)
    with pytest.raises(UnexpectedContent, match="no end after 5 pages"):
        read(legacy.records(connect(), Kind.EVENTS, PROGRAM, *WEEK))


def test_entities_of_other_days_are_an_error(stub: Stub, connect: Connect) -> None:
    others = [entity(n, "f1", MONDAY - 90 * DAY) for n in range(9)]
    tracker = Tracker("2.40.12", {"trackedEntities": others}).on(stub)
    tracker._then = lambda *_: True  # type: ignore[method-assign]
    stub_body = [one | {"trackedEntityInstance": one["trackedEntity"]} for one in others]
    tracker.spoil = lambda _, body: body | {"trackedEntityInstances": stub_body}
    with pytest.raises(UnexpectedContent, match="ignores the programme or the days"):
        read(legacy.records(connect(), Kind.TRACKED_ENTITIES, PROGRAM, *WEEK))


def test_odd_records_are_put_aside(stub: Stub, connect: Connect) -> None:
    Tracker("2.40.12", spoil=lambda _, body: body | {"events": ["x", {"event": "a", "dataValues": 1}]}).on(stub)
    (batch,) = list(legacy.records(connect(), Kind.EVENTS, PROGRAM, *WEEK))
    assert batch.frame.is_empty()
    assert batch.rejects is not None and batch.rejects["rule"].to_list() == ["not_an_object", "shape"]


def test_a_window_must_have_days(connect: Connect) -> None:
    with pytest.raises(ValueError, match="end after"):
        legacy.records(connect(), Kind.EVENTS, PROGRAM, MONDAY, MONDAY)


def test_no_column_is_lost_between_the_two() -> None:
    assert all(pl.Series(columns(kind)).n_unique() == len(columns(kind)) for kind in Kind)
