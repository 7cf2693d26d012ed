"""A window read whole over HTTP by every kind of paging, and what each does with a list that moves while it is read."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rest_kit import API, END, KINDS, START, VISITS, Clinic, Opened, ndjson, resource, visit, visits
from stub_http import Answer, Asked, Stub, Waits, as_json, packed

from hic_assets.extract.batches import BatchSource
from hic_assets.extract.errors import ChangedWhileRead, QueryRefused, SourceError, TruncatedBody, UnexpectedContent
from hic_assets.extract.rest import bodies
from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Export, Offset, PageNumbers, Whole
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import Happened, Member, Resource
from hic_assets.extract.rest.windows import EpiWeeks


@pytest.fixture
def opened(stub: Stub, waits: Waits, spool_dir: Path) -> Opened:
    return Opened(stub, waits, spool_dir)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
@pytest.mark.parametrize("kind", KINDS)
def test_every_record_comes_once(opened: Opened, stub: Stub, spool_dir: Path, kind: str, count: int) -> None:
    clinic = Clinic(kind, visits(count)).on(stub)
    clinic.rows += [visit(900, START - timedelta(days=1)), visit(901, END)]
    found = opened.read(resource(kind))
    assert found.ids == list(range(count))
    assert found.rejects is None
    assert found.frame.columns == list(VISITS.columns)
    assert set(found.frame.dtypes) <= {pl.String}
    stream = found.stream
    assert isinstance(stream, BatchSource)
    assert sum(one.rows for one in stream.stats) == count
    assert len(stream.stats) == len(stub.asked) == (1 if kind == "export" else max(1, -(-count // 10)))
    assert stream.read_at == datetime(2026, 4, 1, 6, tzinfo=UTC)
    assert stream.notes == ()
    assert list(spool_dir.iterdir()) == []


def test_a_stream_can_be_read_anew(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("pages", visits(12)).on(stub)
    found = opened.read(VISITS)
    clinic.rows.append(visit(50))
    with opened.source() as source:
        stream = records(source, VISITS, START, END)
        assert [sum(batch.rows for batch in stream) for _ in range(2)] == [13, 13]
        assert sum(one.rows for one in stream.stats) == 13
    assert found.frame.height == 12


def test_days_outside_and_no_days_are_rejects_and_unknown_members_are_named(opened: Opened, stub: Stub) -> None:
    rows: list[Any] = [visit(1), visit(2, date(2026, 4, 1)), visit(3, visitDate="2026-02-31"), visit(4, visitDate=None)]
    rows += [7, visit(5, voided=True, visitDate=None), visit(6, phone="x", patient={"upid": "U", "nid": "y"})]
    stub.answer = lambda _: ndjson(rows)
    found = opened.read(resource("export"))
    assert found.ids == [1, 5, 6]
    assert found.rejects is not None
    assert dict(zip(found.rejects["rule"], found.rejects["reason"], strict=True)).keys() == {
        "outside_window", "not_a_date", "not_an_object",
    }  # fmt: skip
    assert found.rejects.height == 4
    assert found.stream.unknown_columns == ("patient.nid", "phone")
    assert [one.rows for one in found.stream.stats] == [len(rows)]


def test_a_week_is_a_request_each(opened: Opened, stub: Stub) -> None:
    weeks = {"2026W10": date(2026, 3, 2), "2026W11": date(2026, 3, 9)}
    wanted = replace(VISITS, window=EpiWeeks("epiWeek"), rows="", paging=Offset(page_size=10))
    # Without a total the list ends with an empty page.
    stub.answer = lambda asked: as_json(
        [visit(int(asked.one("epiWeek")[-2:]), weeks[asked.one("epiWeek")])] if asked.one("offset") == "0" else []
    )
    found = opened.read(wanted, days=(date(2026, 3, 2), date(2026, 3, 16)))
    assert found.ids == [10, 11]
    assert [(a.one("epiWeek"), a.one("offset")) for a in stub.asked] == [
        ("2026W10", "0"), ("2026W10", "1"), ("2026W11", "0"), ("2026W11", "1"),
    ]  # fmt: skip


def test_a_registry_is_read_whole_and_without_days(opened: Opened, stub: Stub) -> None:
    members = (Member("code", "code", "Local code.", key=True), Member("label", "label.fr", "In French."))
    rows = [{"code": n, "label": {"fr": f"maladie {n}"}} for n in range(30)]
    codes = Resource("codes", "api/codes", Whole("total"), None, None, members, rows="data")
    stub.in_turn(as_json({"data": rows, "total": 30}))
    with opened.source() as source:
        (batch,) = list(records(source, codes))
        assert batch.frame["label"].to_list() == [f"maladie {n}" for n in range(30)]
        assert batch.rejects is None
        assert stub.asked[0].params == []
        stub.in_turn(as_json({"data": rows[:29], "total": 30}))
        with pytest.raises(ChangedWhileRead, match="29 records of a total of 30"):
            list(records(source, codes))
        with pytest.raises(ValueError, match="without days"):
            records(source, codes, START, END)
        with pytest.raises(ValueError, match="by days"):
            records(source, VISITS)
    with pytest.raises(ValueError, match="go together"):
        replace(VISITS, window=None)


def test_numbers_as_text_and_back(opened: Opened, stub: Stub) -> None:
    rows = [visit("1", fee="1.50"), visit(2, fee=1.50), visit(3, fee=None), visit(4, updatedAt=5, voided="false")]
    meta = {"page": "1", "total_pages": "1", "total": "4"}
    body = as_json({"meta": meta, "data": rows})
    body.body = body.body.replace(b'"fee": 1.5,', b'"fee": 1.50,')
    stub.in_turn(body)
    found = opened.read(VISITS)
    assert found.frame["id"].to_list() == ["1", "2", "3", "4"]
    assert found.frame["fee"].to_list() == ["1.50", "1.50", None, "200"]
    assert found.frame["updated_at"][3] == "5"
    assert found.frame["deleted"].to_list() == ["false"] * 4


def test_a_server_that_gives_smaller_pages_than_asked_for_loses_nothing(opened: Opened, stub: Stub) -> None:
    rows = visits(23)
    stub.answer = lambda asked: as_json(
        {"data": rows[int(asked.one("offset") or 0) :][:4]}, headers={"X-Total-Count": "23"}
    )
    assert opened.read(resource("offset")).ids == list(range(23))
    stub.answer = lambda asked: as_json({"data": rows[(int(asked.one("page") or 1) - 1) * 4 :][:4]})
    assert opened.read(replace(VISITS, paging=PageNumbers())).ids == list(range(23))


def test_a_page_of_more_than_asked_for_hides_nothing(opened: Opened, stub: Stub) -> None:
    """A record that comes twice on a page would be taken for the one behind it, which the next page leaves out."""
    rows = visits(11)
    stub.answer = lambda _: as_json({"data": [*rows[:10], rows[0]]}, headers={"X-Total-Count": "11"})
    with pytest.raises(UnexpectedContent, match="the page holds 11 records where 10 were asked for"):
        opened.read(resource("offset"))


# -- Lists that move --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pages", "offset", "link"])
def test_rows_that_come_and_go_meanwhile_are_read_again(opened: Opened, stub: Stub, spool_dir: Path, kind: str) -> None:
    clinic = Clinic(kind, visits(25)).on(stub)

    def meddle(_: Asked) -> None:
        if len(stub.asked) == 2:
            clinic.rows.insert(0, visit(100))

    clinic.before = meddle
    found = opened.read(resource(kind))
    assert sorted(found.ids) == [*range(25), 100]
    assert found.stream.notes == (READ_TWICE,)
    assert sum(one.rows for one in found.stream.stats) == 26
    assert list(spool_dir.iterdir()) == []


def test_a_row_in_and_a_row_out_keep_the_total_and_are_seen_by_the_keys(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("pages", visits(25)).on(stub)

    def meddle(_: Asked) -> None:
        if len(stub.asked) == 2:
            clinic.rows.insert(0, visit(100))
            clinic.rows.remove(next(row for row in clinic.rows if row["id"] == 24))

    clinic.before = meddle
    found = opened.read(VISITS)
    assert sorted(found.ids) == [*range(24), 100]


NOW = "2026-04-01T08:00:00+02:00"
"""The second of the clock in the replies."""
READ_TWICE = "visits: read 2 times, since the list may have changed while it was read"


@pytest.mark.parametrize("kind", ["pages", "offset", "link"])
def test_a_row_out_and_a_row_in_behind_it_lose_none_at_a_page_border(opened: Opened, stub: Stub, kind: str) -> None:
    """Record 5 is corrected to another month, and one is entered: record 10 moves to the page that was read already."""
    clinic = Clinic(kind, visits(40)).on(stub)

    def meddle(_: Asked) -> None:
        if len(stub.asked) == 2:
            clinic.rows = [row for row in clinic.rows if row["id"] != 5] + [visit(100, updatedAt=NOW)]

    clinic.before = meddle
    found = opened.read(resource(kind))
    assert sorted(found.ids) == [*range(5), *range(6, 40), 100]
    # The third time, since the first still had record 5 and so does not tell whether the second lacks others.
    assert (len(stub.asked), found.stream.notes) == (12, (READ_TWICE.replace("2", "3"),))


def test_records_edited_in_their_places_meanwhile_are_read_twice_and_no_more(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("pages", visits(40)).on(stub)

    def meddle(_: Asked) -> None:
        clinic.rows[-5] = visit(35, fee=len(stub.asked), updatedAt=NOW)
        if len(stub.asked) == 5:  # the first of the second time
            clinic.rows.insert(0, visit(100, updatedAt=NOW))

    clinic.before = meddle
    found = opened.read(VISITS)
    assert sorted(found.ids) == [*range(40), 100]
    assert (len(stub.asked), found.stream.notes) == (9, (READ_TWICE,))


def test_one_page_is_of_one_state_whatever_changes(opened: Opened, stub: Stub) -> None:
    Clinic("pages", [visit(n, updatedAt=NOW) for n in range(10)]).on(stub)
    assert opened.read(VISITS).stream.notes == ()
    assert len(stub.asked) == 1


def test_where_no_clock_tells_whether_it_moved_a_list_of_pages_is_read_twice(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("pages", visits(40)).on(stub)
    clinic.before = lambda asked: dated(clinic._answer(asked), "soon")
    assert len(opened.read(VISITS).ids) == 40
    assert len(stub.asked) == 8


def test_a_list_that_lacks_other_records_each_time_is_an_error(opened: Opened, stub: Stub, spool_dir: Path) -> None:
    clinic = Clinic("pages", visits(40)).on(stub)

    def meddle(_: Asked) -> None:
        if len(stub.asked) % 4 == 2:
            clinic.rows = [*clinic.rows[1:], visit(100 + len(stub.asked), updatedAt=NOW)]

    clinic.before = meddle
    with pytest.raises(ChangedWhileRead, match="each time it was read others were missing"):
        opened.read(VISITS)
    assert len(stub.asked) == 12
    assert list(spool_dir.iterdir()) == []


def dated(answer: Answer, date: str) -> Answer:
    answer.headers["Date"] = date
    return answer


@pytest.mark.parametrize("kind", ["pages", "offset", "link"])
def test_a_list_that_never_stands_still_is_an_error(opened: Opened, stub: Stub, spool_dir: Path, kind: str) -> None:
    clinic = Clinic(kind, visits(25)).on(stub)
    clinic.before = lambda _: clinic.rows.append(visit(1000 + len(stub.asked)))
    with pytest.raises(ChangedWhileRead, match=r"the total was 26 and became 27|the total was 30 and became 31"):
        opened.read(resource(kind))
    assert len(stub.asked) == 6
    assert list(spool_dir.iterdir()) == []


def test_keys_shuffled_over_page_borders_for_ever_are_an_error(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("pages", visits(40)).on(stub)
    rng = random.Random(1)
    clinic.before = lambda _: rng.shuffle(clinic.rows)
    with pytest.raises(ChangedWhileRead, match="on more than one page"):
        opened.read(VISITS)
    assert len(stub.asked) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_duplicates_that_are_the_sources_own_are_handed_on(opened: Opened, stub: Stub, kind: str) -> None:
    clinic = Clinic(kind, visits(25)).on(stub)
    clinic.rows[15] = visit(3, fee=999)
    found = opened.read(resource(kind))
    assert len(found.ids) == 25
    assert found.ids.count(3) == 2
    if kind in ("pages", "offset", "link"):
        assert found.stream.notes == ("visits: 1 records stand on more than one page, at the source itself",)


@pytest.mark.parametrize("kind", ["cursor", "link"])
def test_a_total_that_changes_under_a_cursor_is_an_error(opened: Opened, stub: Stub, kind: str) -> None:
    clinic = Clinic(kind, visits(25)).on(stub)
    clinic.before = lambda _: clinic.rows.append(visit(1000 + len(stub.asked)))
    wanted = resource("link") if kind == "link" else replace(VISITS, paging=replace(KINDS["cursor"], total="total"))
    if kind == "cursor":
        clinic.before = lambda asked: as_json(
            {"data": [visit(len(stub.asked))], "next_cursor": "x", "total": 20 + len(stub.asked)}
        )
    with pytest.raises(ChangedWhileRead, match="became"):
        opened.read(wanted)


@pytest.mark.parametrize("said", [24, 26, 0])
@pytest.mark.parametrize("kind", ["pages", "offset", "link"])
def test_a_total_that_is_not_what_came_is_an_error(opened: Opened, stub: Stub, kind: str, said: int) -> None:
    clinic = Clinic(kind, visits(25)).on(stub)

    def lie(asked: Asked) -> Answer:
        found = clinic._answer(asked)
        found.body = found.body.replace(b'"total": 25', b'"total": %d' % said)
        found.headers = found.headers | {"X-Total-Count": str(said)}
        return found

    clinic.before = lie
    with pytest.raises(ChangedWhileRead, match="of a total of"):
        opened.read(resource(kind))


def test_a_link_taken_away_by_a_proxy_is_noticed_by_the_total(opened: Opened, stub: Stub) -> None:
    clinic = Clinic("link", visits(25)).on(stub)

    def without(asked: Asked) -> Answer:
        found = clinic._answer(asked)
        found.headers.pop("Link", None)
        return found

    clinic.before = without
    with pytest.raises(ChangedWhileRead, match="after 10 records of a total of 25"):
        opened.read(resource("link"))


@pytest.mark.parametrize(
    ("kind", "answer", "words"),
    [
        ("pages", as_json({"data": []}), "does not tell meta.page"),
        ("pages", as_json({"meta": {"page": 1, "total_pages": 1, "total": -1}, "data": []}), "meta.total is no count"),
        (
            "pages",
            as_json({"meta": {"page": 1, "total_pages": 1, "total": True}, "data": []}),
            "meta.total is no count",
        ),
        ("pages", as_json({"meta": {"page": 1, "total_pages": "9" * 30, "total": 1}, "data": []}), "is no count"),
        ("pages", as_json({"meta": {"page": 7, "total_pages": 9, "total": 1}, "data": []}), "page 7 came"),
        ("pages", as_json({"meta": [], "data": []}), "no list at data"),
        ("pages", as_json({"meta": {"page": 1, "total_pages": 1, "total": 0}}), "no list at data"),
        ("pages", as_json({"meta": {"page": 1, "total_pages": 1, "total": 0}, "data": {}}), "no list at data"),
        ("offset", as_json({"data": []}), "no header X-Total-Count"),
        ("offset", as_json({"data": []}, headers={"X-Total-Count": "many"}), "X-Total-Count is no count"),
        ("cursor", as_json({"data": []}), "no next_cursor"),
        ("cursor", as_json({"data": [], "next_cursor": {"a": 1}}), "neither text nor a number"),
        ("cursor", as_json({"data": [], "next_cursor": True}), "neither text nor a number"),
        ("cursor", as_json({"data": [], "next_cursor": "c" * 5000}), "longer than"),
        ("link", as_json({"data": []}, headers={"X-Total-Count": "0", "Link": "garbage"}), "cannot be read"),
    ],
)
def test_replies_that_do_not_tell_what_they_must(
    opened: Opened, stub: Stub, kind: str, answer: Answer, words: str
) -> None:
    stub.in_turn(answer)
    with pytest.raises(UnexpectedContent, match=words):
        opened.read(resource(kind))
    assert len(stub.asked) == 1


# -- Exports ----------------------------------------------------------------------------------------------------


def test_an_export_is_read_in_blocks_and_gzip_is_welcome(
    opened: Opened, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BLOCK_BYTES", 1000)
    stub.answer = lambda _: packed(ndjson(visits(100)))
    with opened.source() as source:
        stream = records(source, resource("export"), START, END)
        batches = list(stream)
    assert len(batches) > 10
    assert [int(i) for batch in batches for i in batch.frame["id"]] == list(range(100))
    assert [one.rows for one in stream.stats] == [100]


@pytest.mark.parametrize("block", [1, 7, 64, 10_000])
def test_lines_are_the_same_however_they_are_cut(
    opened: Opened, stub: Stub, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(bodies, "BLOCK_BYTES", block)
    answer = ndjson(visits(5))
    answer.body = b"\n\r\n" + answer.body.replace(b"\n", b"\r\n\n").rstrip() + b"  "
    stub.in_turn(answer)
    assert opened.read(resource("export")).ids == list(range(5))


@pytest.mark.parametrize("cut", [1, 2, 15, 40, 300])
def test_an_export_cut_before_its_closing_line_is_fetched_again(opened: Opened, stub: Stub, cut: int) -> None:
    whole, broken = ndjson(visits(5)), ndjson(visits(5))
    broken.body = broken.body.rstrip()[:-cut]
    stub.in_turn(broken, whole)
    assert opened.read(resource("export")).ids == list(range(5))
    assert len(stub.asked) == 2
    stub.in_turn(broken)
    with pytest.raises(TruncatedBody, match="without the one that says it is whole after 5 attempts"):
        opened.read(resource("export"))


@pytest.mark.parametrize("said", [4, 6, 0, -1])
def test_an_export_that_counts_wrongly_is_an_error(opened: Opened, stub: Stub, said: int) -> None:
    stub.in_turn(ndjson(visits(5), count=said))
    with pytest.raises(UnexpectedContent, match="holds 5 records and says that it has"):
        opened.read(resource("export"))
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "last",
    ['{"end": true}', '{"end": true, "count": "5"}', '{"end": true, "count": true}', '{"end": 1, "count": 5}', "[]"],
)
def test_a_closing_line_must_close(opened: Opened, stub: Stub, last: str) -> None:
    answer = ndjson(visits(5))
    answer.body = b"\n".join([*answer.body.splitlines()[:-1], last.encode()])
    stub.in_turn(answer)
    with pytest.raises((UnexpectedContent, TruncatedBody)):
        opened.read(resource("export"))


def test_nothing_follows_the_closing_line(opened: Opened, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ndjson(visits(5))
    answer.body += answer.body
    stub.in_turn(answer)
    with pytest.raises(UnexpectedContent, match="holds 11 records and says that it has 5"):
        opened.read(resource("export"))
    monkeypatch.setattr(bodies, "BLOCK_BYTES", len(answer.body) // 2)
    with pytest.raises(UnexpectedContent, match="more lines follow"):
        opened.read(resource("export"))


def test_an_empty_export_says_so(opened: Opened, stub: Stub) -> None:
    stub.in_turn(ndjson([]))
    assert opened.read(resource("export")).ids == []
    stub.in_turn(Answer(b"", "application/x-ndjson"))
    with pytest.raises(TruncatedBody):
        opened.read(resource("export"))


# -- Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (422, {"type": "about:blank", "title": "Invalid", "detail": "from is no date"}, "from is no date"),
        (400, {"error": {"code": "E17", "message": "unknown parameter"}}, "E17: unknown parameter"),
        (400, {"error": "invalid_request"}, "invalid_request"),
        (422, [], "without a message"),
        (422, {"error": {"message": {"nested": 1}}}, "nested"),
    ],
)
def test_refusals_in_every_dialect(opened: Opened, stub: Stub, status: int, body: Any, words: str) -> None:
    stub.in_turn(as_json(body, status=status))
    with pytest.raises(QueryRefused, match=words):
        opened.read(VISITS)
    assert len(stub.asked) == 1


def test_429_waits_as_long_as_the_server_says(opened: Opened, stub: Stub, waits: Waits) -> None:
    clinic = Clinic("pages", visits(3)).on(stub)
    clinic.before = lambda _: Answer(status=429, headers={"Retry-After": "17"}) if len(stub.asked) == 1 else None
    assert opened.read(VISITS).ids == [0, 1, 2]
    assert [wait for wait in waits.slept if wait >= 1] == [17.0]


@pytest.mark.parametrize(
    "date", ["soon", "Wed, 01 Apr 2026 06:00:00 +99999999999999", "Fri, 31 Dec 9999 23:59:59 -0100"]
)
def test_a_header_date_that_is_none_tells_nothing_and_ends_nothing(opened: Opened, stub: Stub, date: str) -> None:
    clinic = Clinic("pages", visits(3)).on(stub)
    clinic.before = lambda asked: dated(clinic._answer(asked), date)
    found = opened.read(VISITS)
    assert (found.ids, found.stream.read_at) == ([0, 1, 2], None)


def test_declarations_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="have nowhere"):
        replace(VISITS, happened=Happened("nowhere", TimeForm.ISO_DAY))
    with pytest.raises(ValueError, match="unique"):
        replace(VISITS, members=(*VISITS.members, VISITS.members[0]))
    with pytest.raises(ValueError, match="an instant"):
        replace(VISITS, members=tuple(replace(m, instant=None) for m in VISITS.members))
    with pytest.raises(ValueError, match="no path"):
        replace(VISITS, paging=Export())
    with pytest.raises(ValueError, match="with a key"):
        replace(VISITS, members=tuple(replace(m, key=False) for m in VISITS.members))


def test_a_failure_in_the_middle_hands_on_no_numbered_page(opened: Opened, stub: Stub, spool_dir: Path) -> None:
    clinic = Clinic("pages", visits(25)).on(stub)
    clinic.before = lambda asked: Answer(status=500) if asked.one("page") == "3" else None
    with opened.source(API) as source:
        iterator = iter(records(source, VISITS, START, END))
        with pytest.raises(SourceError):
            next(iterator)
    assert list(spool_dir.iterdir()) == []


def test_leaving_early_leaves_nothing_on_disk(opened: Opened, stub: Stub, spool_dir: Path) -> None:
    Clinic("pages", visits(25)).on(stub)
    with opened.source(API) as source:
        for kind in ("pages", "link", "export"):
            Clinic(kind, visits(25)).on(stub)
            iterator = iter(records(source, resource(kind), START, END))
            next(iterator)
            assert list(spool_dir.iterdir()) != []
            iterator.close()  # type: ignore[attr-defined]
            assert list(spool_dir.iterdir()) == []
