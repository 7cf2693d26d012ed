"""Pages of a slice by each version's rule, and everything a server may get wrong about them (contract 1.7)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import polars as pl
import pytest
from fake_tracker import MONDAY, PROGRAM, WEEK, Record, Tracker, enrollment, entity, event, midnight, spread
from stub_http import Answer, Asked, Connect, Stub, as_json
from test_tracker_read import DAY, SOME, VERSIONS, asked_for, read

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.slices import OrgUnit
from hic_assets.extract.dhis2.tracker.decoding import Paging
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import record_frame
from hic_assets.extract.dhis2.tracker.paging import After, after
from hic_assets.extract.dhis2.tracker.question import PAGE_ROWS, whole_records
from hic_assets.extract.dhis2.tracker.read import records
from hic_assets.extract.dhis2.tracker.reading import Reader
from hic_assets.extract.dhis2.tracker.slices import TrackerSlice
from hic_assets.extract.errors import AuthError, QueryRefused, SourceError, TruncatedBody, UnexpectedContent

WHOLE = TrackerSlice(OrgUnit("rw", "Rwanda", 1), True, WEEK)
# One unit and day: nothing to divide, so that pages are walked.
SMALLEST = TrackerSlice(OrgUnit("f1", "Facility", 4), False, (MONDAY, MONDAY + DAY))


def paged(client: Dhis2Client, slice_: TrackerSlice, rows: int, kind: Kind = Kind.EVENTS) -> BatchStream:
    """A slice read in pages of so many rows."""
    question = replace(whole_records(kind, PROGRAM, client.dialect), page_rows=rows)
    frame_of = partial(record_frame, members=question.members, zone=client.time_zone)
    names = tuple(member.column for member in question.members)
    return BatchStream("paged", names, lambda stream: Reader(client, question, frame_of).batches(stream, [slice_], 2))


def numbers(frame: pl.DataFrame) -> list[int]:
    return [int(key[2:]) for key in frame[frame.columns[0]]]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_slice_of_several_pages_is_divided(stub: Stub, connect: Connect, version: str) -> None:
    """Between two pages rows move; one reply is one state of the server."""
    Tracker(version, {"events": spread(50)}).on(stub)
    frame = read(paged(connect(), WHOLE, 10))
    assert sorted(numbers(frame)) == list(range(50))
    assert {one.one("page") for one in asked_for(stub)} == {"1"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("rows", "pages"), [(25, 3), (30, 3), (7, 1), (10, 1), (0, 1)])
def test_what_cannot_be_divided_is_walked_to_its_end(
    stub: Stub, connect: Connect, version: str, rows: int, pages: int
) -> None:
    Tracker(version, {"events": [event(n, "f1") for n in range(rows)]}).on(stub)
    frame = read(paged(connect(), SMALLEST, 10))
    assert numbers(frame) == list(range(rows))
    # No page more than needed: where count and rows agree there is no need to look behind the last.
    assert [one.one("page") for one in asked_for(stub)] == [str(n + 1) for n in range(pages)]
    assert [one.one("totalPages") for one in asked_for(stub)[1:]] == [None] * (pages - 1)


@pytest.mark.parametrize("version", ["2.38.7", "2.40.12"])
def test_the_total_alone_tells_the_pages_of_early_patches(stub: Stub, connect: Connect, version: str) -> None:
    """DHIS2-13649: total without pageCount."""
    tracker = Tracker(version, {"events": [event(n, "f1") for n in range(25)]}).on(stub)
    tracker.spoil = lambda _, body: {key: value for key, value in body.items() if key != "pageCount"}
    assert numbers(read(paged(connect(), SMALLEST, 10))) == list(range(25))
    assert len(asked_for(stub)) == 3


def test_without_any_count_pages_are_walked_to_an_empty_one(stub: Stub, connect: Connect) -> None:
    tracker = Tracker("2.40.12", {"events": [event(n, "f1") for n in range(25)]}).on(stub)
    tracker.spoil = lambda _, body: {"instances": body["instances"]}
    assert numbers(read(paged(connect(), SMALLEST, 10))) == list(range(25))
    assert [one.one("page") for one in asked_for(stub)] == ["1", "2", "3", "4"]


def hide(*numbers_: int) -> Callable[[Asked, Record], Record]:
    """Rows taken out of pages after the query, as for an account that may not see them."""
    hidden = {f"ev{n:09d}" for n in numbers_}

    def spoil(_: Asked, body: Record) -> Record:
        name = "instances" if "instances" in body else "events"
        return body | {name: [one for one in body[name] if one["event"] not in hidden]}

    return spoil


@pytest.mark.parametrize("version", VERSIONS)
def test_pages_may_hold_fewer_rows_than_they_should(
    stub: Stub, connect: Connect, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = Tracker(version, {"events": [event(n, "f1") for n in range(35)]}).on(stub)
    tracker.spoil = hide(3, *range(10, 20), 34)
    stream = paged(connect(), SMALLEST, 10)
    with caplog.at_level(logging.WARNING):
        frame = read(stream)
    assert numbers(frame) == [n for n in range(34) if n != 3 and not 10 <= n < 20]
    # Counted by the server, so that it shows; and a whole empty page in between is not the end.
    assert ("23 of 35 records came" in caplog.text) == (tracker.minor <= 41)
    assert [note.split(",")[0] for note in stream.notes] == (
        ["2025-03-03 · Facility alone: 23 of 35 records came"] if tracker.minor <= 41 else []
    )


@pytest.mark.parametrize("version", ["2.38.7", "2.41.9.1"])
def test_hidden_rows_do_not_divide_a_slice(stub: Stub, connect: Connect, version: str) -> None:
    tracker = Tracker(version, {"events": spread(50)}).on(stub)
    tracker.spoil = hide(3, 4)
    assert len(numbers(read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME)))) == 48
    assert [one.one("page") for one in asked_for(stub)] == ["1", "2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_that_come_twice_are_handed_on(stub: Stub, connect: Connect, version: str) -> None:
    """New records push rows over a page boundary (DHIS2-17671): landing keeps the newest and counts the others."""
    rows = [event(n, "f1") for n in range(25)]
    tracker = Tracker(version, {"events": rows}).on(stub)

    def push(asked: Asked) -> None:
        if asked.one("page") == "2":
            rows.insert(0, event(99, "f1"))

    tracker.refuse = push
    assert numbers(read(paged(connect(), SMALLEST, 10))) == [*range(10), *range(9, 25)]


def test_the_server_may_cap_the_page_silently(stub: Stub, connect: Connect) -> None:
    """Up to 2.40: fewer rows than asked for, and the count says that there are more."""
    tracker = Tracker("2.40.12", {"events": spread(50)}).on(stub)
    whole = tracker.modern

    def capped(asked: Asked, name: str) -> Record:
        asked.params = [(k, "4" if k == "pageSize" else v) for k, v in asked.params]
        return whole(asked, name)

    tracker.modern = capped  # type: ignore[method-assign]
    assert sorted(numbers(read(paged(connect(), WHOLE, 10)))) == list(range(50))


@pytest.mark.parametrize(
    ("message", "then"),
    [
        (f"Page size {PAGE_ROWS} is larger than the limit of 500", "500"),
        ("pageSize must not exceed the maximum", str(PAGE_ROWS // 4)),
    ],
)
def test_a_refused_page_size_is_made_smaller(stub: Stub, connect: Connect, message: str, then: str) -> None:
    tracker = Tracker(records={"events": spread(5)}).on(stub)

    def refuse(asked: Asked) -> Answer | None:
        too_large = int(asked.one("pageSize") or 0) > int(then)
        return as_json({"message": message, "httpStatusCode": 400}, status=400) if too_large else None

    tracker.refuse = refuse
    assert read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME)).height == 5
    assert asked_for(stub)[-1].one("pageSize") == then


def test_any_other_refusal_is_final(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": spread(5)}).on(stub)
    refused = as_json({"message": "Program is specified but does not exist", "errorCode": "E1"}, status=400)
    tracker.refuse = lambda asked: refused if "/tracker/" in asked.path else None
    with pytest.raises(QueryRefused, match="does not exist"):
        read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert len(asked_for(stub)) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_tried_once(stub: Stub, connect: Connect, status: int) -> None:
    tracker = Tracker(records={"events": spread(50)}).on(stub)
    tracker.refuse = lambda asked: as_json({}, status=status) if "/tracker/" in asked.path else None
    with pytest.raises(AuthError):
        read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, concurrency=1))
    assert len(asked_for(stub)) == 1


def without_paging(rows: int) -> Callable[[Asked, Record], Record]:
    """A server that ignores pages and gives everything up to its limit."""
    return lambda _, body: {"pager": {"page": 1}, "events": [event(n, "f1") for n in range(rows)]}


def test_a_list_cut_at_the_servers_limit_is_no_list(stub: Stub, connect: Connect) -> None:
    """KeyTrackedEntityMaxLimit: what is not paged is cut there, silently."""
    tracker = Tracker().on(stub)
    tracker.spoil = without_paging(2_000)
    with pytest.raises(UnexpectedContent, match="cut at 2,000 records"):
        read(paged(connect(), SMALLEST, 100))
    tracker.spoil = without_paging(1_999)
    assert read(paged(connect(), SMALLEST, 100)).height == 1_999


def test_a_list_that_looks_cut_is_read_in_smaller_pieces(stub: Stub, connect: Connect) -> None:
    """A count of 1,200, but exactly 1,000 came on the only page."""
    tracker = Tracker("2.40.12", {"events": spread(1_200)}).on(stub)
    cut = tracker.spoil = lambda _, body: body | {"instances": body["instances"][:1_000]}
    assert cut is tracker.spoil
    assert sorted(numbers(read(paged(connect(), WHOLE, 5_000)))) == list(range(1_200))


def test_a_server_that_ignores_pages_is_refused(stub: Stub, connect: Connect) -> None:
    tracker = Tracker().on(stub)
    same = [event(n, "f1") for n in range(10)]
    tracker.spoil = lambda _, body: {"pager": {"nextPage": "http://more"}, "events": same}
    with pytest.raises(UnexpectedContent, match="came again for another unit or page"):
        read(paged(connect(), SMALLEST, 10))


def test_a_server_without_end_is_refused(stub: Stub, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hic_assets.extract.dhis2.tracker.reading.MOST_PAGES", 20)
    Tracker(spoil=lambda _, body: {"pager": {"nextPage": "http://more"}, "events": []}).on(stub)
    with pytest.raises(UnexpectedContent, match="no end after 20 pages"):
        read(paged(connect(), SMALLEST, 10))


FAR = midnight(MONDAY - 40 * DAY)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (Kind.EVENTS, [event(1, "f1"), event(2, "f1", occurredAt=FAR)]),
        (Kind.EVENTS, [event(1, "f1", None, scheduledAt=FAR)]),
        (Kind.EVENTS, [event(1, "f1", program="OtherPrg001")]),
        (Kind.ENROLLMENTS, [enrollment(1, "f1", MONDAY + 9 * DAY)]),
        (Kind.ENROLLMENTS, [enrollment(1, "f1", program="OtherPrg001")]),
        (Kind.TRACKED_ENTITIES, [entity(n, "f1", MONDAY - 40 * DAY) for n in range(5)]),
        (Kind.TRACKED_ENTITIES, [entity(n, "f1") for n in range(5)]),
    ],
)
def test_rows_that_were_not_asked_for_are_an_error(
    stub: Stub, connect: Connect, kind: Kind, rows: list[Record]
) -> None:
    """A server that ignores a parameter answers another question, with 200."""
    name = {"tracked_entities": "trackedEntities"}.get(kind.value, kind.value)
    Tracker(spoil=lambda _, body: body | {name: rows}).on(stub)
    with pytest.raises(UnexpectedContent, match="the server ignores the programme or the days") as caught:
        read(records(connect(), kind, PROGRAM, *WEEK, expected=SOME))
    # Said without anything of a person.
    assert not any(word in str(caught.value) for word in ("Uwase", "te00000000", "ev00000000"))


def test_a_day_beside_the_window_is_handed_on(stub: Stub, connect: Connect) -> None:
    """A shifted clock makes another date of it: to be compared and not to be lost."""
    late = "2025-03-02T23:00:00.000"
    Tracker(spoil=lambda _, body: body | {"events": [event(1, "f1", occurredAt=late)]}).on(stub)
    assert read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))["occurred_at"].to_list() == [late]


def test_an_entity_that_says_no_enrolment_is_put_aside(stub: Stub, connect: Connect) -> None:
    people = [entity(n, "f1", MONDAY) for n in range(5)] + [entity(7, "f1")]
    Tracker(spoil=lambda _, body: body | {"trackedEntities": people}).on(stub)
    (batch,) = list(records(connect(), Kind.TRACKED_ENTITIES, PROGRAM, *WEEK, expected=SOME))
    assert batch.frame.height == 5
    assert batch.rejects is not None
    assert batch.rejects["rule"].to_list() == ["no_enrollment_in_window"]
    assert "te000000007" in batch.rejects["line"][0]


CUT = b'{"pager":{"page":1},"events":[{"event":"ev1","program":"HivPrgRw001","occurredAt":"2025-03-03"}'


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (CUT, TruncatedBody, "stops before its end"),
        (CUT[:-1], TruncatedBody, "stops before its end"),
        (b"", TruncatedBody, "empty"),
        (CUT + b"}}", UnexpectedContent, "broken"),
        (b'{"status":"ERROR","message":"x"}', UnexpectedContent, "no list instances or events; it has message, status"),
        (b"{}", UnexpectedContent, "it has nothing"),
        (b"[]", UnexpectedContent, "of another shape|broken"),
        (b'{"events":"none"}', UnexpectedContent, "another shape"),
    ],
)
def test_a_body_that_is_no_whole_answer(
    stub: Stub, connect: Connect, spool_dir: object, body: bytes, error: type[SourceError], said: str
) -> None:
    """Servers that stream leave cut JSON under 200; it is asked for again, and never taken for all there is."""
    tracker = Tracker().on(stub)
    tracker.refuse = lambda asked: Answer(body) if "/tracker/" in asked.path else None
    with pytest.raises(error, match=said):
        read(paged(connect(max_attempts=3), SMALLEST, 10))
    assert len(asked_for(stub)) == (3 if error is TruncatedBody else 1)


def test_a_body_that_was_cut_once_is_read_the_second_time(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": [event(n, "f1") for n in range(3)]}).on(stub)
    tracker.refuse = lambda asked: Answer(CUT) if len(asked_for(stub)) == 1 and "/tracker/" in asked.path else None
    stream = paged(connect(), SMALLEST, 10)
    assert numbers(read(stream)) == [0, 1, 2]
    assert [one.attempts for one in stream.stats] == [2]


def test_text_that_is_no_utf8_is_read_with_marks(stub: Stub, connect: Connect) -> None:
    row = b'{"event":"ev000000001","program":"HivPrgRw001","occurredAt":"2025-03-03","storedBy":"a\xffb",'
    row += b'"dataValues":[{"dataElement":"x","value":"\\ud83d \\\\ud83d \\ud83d\\ude00"}]}'
    body = b'\xef\xbb\xbf{"pager":{"page":1},"events":[' + row + b"]}"
    tracker = Tracker().on(stub)
    tracker.refuse = lambda asked: Answer(body) if "/tracker/" in asked.path else None
    (found,) = read(paged(connect(), SMALLEST, 10)).to_dicts()
    assert found["stored_by"] == "a\ufffdb"
    assert found["data_values"] == '{"x":"\ufffd \\\\ud83d 😀"}'


PAGE, ASKED = TrackerSlice(OrgUnit("f", "f", 4), True, WEEK), 100


@pytest.mark.parametrize(
    ("slice_", "came", "paging", "named", "then"),
    [
        (PAGE, 100, Paging(has_next=True), True, After.MANY),
        (PAGE, 0, Paging(has_next=True), True, After.MANY),
        (PAGE, 100, Paging(), True, After.NOTHING),
        (PAGE, 1000, Paging(), True, After.CUT),
        (PAGE, 1001, Paging(), True, After.NOTHING),
        (PAGE, 100, Paging(100, 100, 1), False, After.NOTHING),
        (PAGE, 100, Paging(100, 101, 2), False, After.MANY),
        (PAGE, 99, Paging(100, 100, 1), False, After.LOOK),
        (PAGE, 50, Paging(50, 100, None), False, After.MANY),
        (replace(PAGE, page=2, seen=99, total=100, pages=1), 0, Paging(), False, After.NOTHING),
        (replace(PAGE, page=2, seen=100, total=150, pages=2), 50, Paging(), False, After.NOTHING),
        (replace(PAGE, page=2, seen=100, total=300, pages=3), 0, Paging(), False, After.MANY),
        (PAGE, 100, Paging(), False, After.MANY),
        (PAGE, 99, Paging(), False, After.LOOK),
        (PAGE, 0, Paging(), False, After.NOTHING),
    ],
)
def test_what_a_page_calls_for(slice_: TrackerSlice, came: int, paging: Paging, named: bool, then: After) -> None:
    assert after(slice_, came, paging, ASKED, names_next_page=named) is then
