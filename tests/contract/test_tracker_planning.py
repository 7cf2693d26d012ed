"""How a tracker pull is cut: few requests where little is expected, smaller ones where the server cannot cope."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from fake_tracker import MONDAY, PROGRAM, WEEK, Tracker, enrollment, event, spread
from hypothesis import given
from hypothesis import strategies as st
from stub_http import Answer, Asked, Connect, Stub, Waits, as_json
from test_tracker_read import asked_for, read

from hic_assets.extract.dhis2.slices import OrgUnit
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.question import PAGE_ROWS
from hic_assets.extract.dhis2.tracker.read import Expected, records
from hic_assets.extract.dhis2.tracker.slices import (
    SECONDS_PER_REQUEST,
    TrackerSlice,
    divide,
    plan,
    rows_a_request,
)
from hic_assets.extract.errors import ServerFault, UnexpectedContent

DAY = timedelta(days=1)
SOME = Expected(rows=1)


def where(asked: Asked) -> str:
    mode = asked.one("orgUnitMode") or ""
    return f"{asked.one('orgUnit') or asked.one('orgUnits')}{'*' if mode == 'DESCENDANTS' else ''}"


def test_little_is_asked_for_in_one_request(stub: Stub, connect: Connect) -> None:
    Tracker(records={"events": spread(20)}).on(stub)
    stream = records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(rows=20))
    read(stream)
    assert [where(one) for one in asked_for(stub)] == ["rw*"]
    assert [one.slice for one in stream.stats] == ["2025-03-03 to 2025-03-09 · RW"]


@pytest.mark.parametrize(
    ("expected", "asked"),
    [
        (Expected(PAGE_ROWS * 9 // 10), ["rw", "p1*", "p2*"]),
        (Expected(PAGE_ROWS * 14 // 10), ["rw", "p1", "p2", "d1*", "d2*", "d3*"]),
        (Expected(400, rows_per_second=10.0), ["rw", "p1*", "p2*"]),
    ],
)
def test_much_is_cut_by_unit_down_to_the_level_that_suffices(
    stub: Stub, connect: Connect, expected: Expected, asked: list[str]
) -> None:
    """Half a page a request, or what the server gives in the time a request may take."""
    Tracker(records={"events": spread(20)}).on(stub)
    frame = read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=expected))
    assert frame.height == 20
    assert sorted(where(one) for one in asked_for(stub)) == sorted(asked)


def test_more_than_units_can_part_is_cut_by_days_too(stub: Stub, connect: Connect) -> None:
    Tracker(records={"events": spread(60)}).on(stub)
    frame = read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(4 * PAGE_ROWS), split_level=3))
    assert frame["event"].n_unique() == frame.height == 60
    below = [one for one in asked_for(stub) if where(one).endswith("*")]
    days = Counter((one.one("occurredAfter"), one.one("occurredBefore")) for one in below)
    assert sorted(days) == [("2025-03-03", "2025-03-04"), ("2025-03-05", "2025-03-06"), ("2025-03-07", "2025-03-09")]
    assert set(days.values()) == {3}


def test_without_earlier_loads_the_server_counts_once(stub: Stub, connect: Connect) -> None:
    Tracker(records={"enrollments": [enrollment(n, "f1") for n in range(30)]}).on(stub)
    assert read(records(connect(), Kind.ENROLLMENTS, PROGRAM, *WEEK)).height == 30
    probe, whole = asked_for(stub, "enrollments")
    assert (probe.one("totalPages"), probe.one("pageSize"), probe.one("fields")) == ("true", "1", "enrollment")
    assert (whole.one("totalPages"), whole.one("pageSize")) == (None, str(PAGE_ROWS))


@pytest.mark.parametrize("answer", [Answer(status=504), as_json({"pager": {"page": 1}, "events": []})])
def test_a_server_that_cannot_count_is_cut_as_far_as_is_planned_for(
    stub: Stub, connect: Connect, answer: Answer
) -> None:
    tracker = Tracker(records={"events": spread(22)}).on(stub)
    tracker.refuse = lambda asked: answer if asked.one("pageSize") == "1" else None
    assert read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, split_level=2)).height == 22
    assert {where(one) for one in asked_for(stub) if one.one("pageSize") != "1"} == {"rw", "p1*", "p2*"}


def too_many(tracker: Tracker, most: int) -> Any:
    """504 for whatever would give more than so many rows, as a proxy does."""

    def refuse(asked: Asked) -> Answer | None:
        if "/tracker/" not in asked.path or len(tracker.chosen(asked, asked.path.rsplit("/", 1)[1])) <= most:
            return None
        return Answer(b"<html><title>504 Gateway Time-out</title></html>", "text/html", 504)

    return refuse


@pytest.mark.parametrize(("version", "most"), [("2.38.7", 9), ("2.41.9.1", 40), ("2.42.5.2", 9), ("2.43.1", 5)])
def test_what_times_out_is_divided_by_unit_then_days_and_every_row_arrives_once(
    stub: Stub, connect: Connect, waits: Waits, version: str, most: int
) -> None:
    tracker = Tracker(version, {"events": spread(80)}).on(stub)
    tracker.refuse = too_many(tracker, most)
    stream = records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME)
    frame = read(stream)
    assert sorted(frame["event"]) == [f"ev{n:09d}" for n in range(80)]
    assert sum(one.rows for one in stream.stats) == 80
    assert max(one.rows for one in stream.stats) <= most
    # Units first; days only of a unit that has none below it, or of one alone.
    assert any("RW alone" in one.slice for one in stream.stats)
    cut = [one.slice for one in stream.stats if "03-03 to 2025-03-09" not in one.slice]
    assert bool(cut) == (most < 9)
    assert all("alone" in one for one in cut)


def test_what_cannot_be_divided_any_more_is_an_error(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": [event(n, "f1", MONDAY) for n in range(9)]}).on(stub)
    tracker.refuse = too_many(tracker, 5)
    with pytest.raises(ServerFault) as caught:
        read(records(connect(max_attempts=3), Kind.EVENTS, PROGRAM, *WEEK, expected=SOME))
    assert caught.value.status == 504
    # The last one is tried as often as any request that nothing smaller can replace.
    assert caught.value.attempts == 3


def test_never_more_requests_at_once_than_allowed(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": spread(120)}, seconds=0.01).on(stub)
    tracker.refuse = too_many(tracker, 20)
    for limit in (1, 3):
        tracker.most_at_once = 0
        stream = records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(4 * PAGE_ROWS), concurrency=limit)
        assert read(stream).height == 120
        assert tracker.most_at_once == limit


def test_memory_is_that_of_a_few_pages_however_many_come(stub: Stub, connect: Connect) -> None:
    """Python's own memory while seven times as many slices are read as before, at the same size."""
    many = [event(n, f"f{n % 5 + 1}", MONDAY + n // 5 % 7 * DAY, storedBy="x" * 4_000) for n in range(1_050)]

    def peak(days: int) -> int:
        Tracker(records={"events": [e for e in many if e["occurredAt"] < str(MONDAY + days * DAY)]}).on(stub)
        stream = records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(10**6))
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        rows = sum(batch.rows for batch in stream)
        found = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        assert rows == 150 * days
        return found

    peak(1)
    assert peak(7) < 2 * peak(1)


def test_a_server_that_ignores_units_is_refused(stub: Stub, connect: Connect) -> None:
    tracker = Tracker(records={"events": spread(30)}).on(stub)
    everything = [dict(one) for one in tracker.records["events"]]
    tracker.spoil = lambda _, body: body | {"events": everything}
    with pytest.raises(UnexpectedContent, match="came again for another unit"):
        read(records(connect(), Kind.EVENTS, PROGRAM, *WEEK, expected=Expected(PAGE_ROWS * 14 // 10)))


UNITS = [
    OrgUnit("rw", "rw", 1),
    *(OrgUnit(f"p{n}", "", 2) for n in range(3)),
    *(OrgUnit(f"d{n}", "", 3) for n in range(9)),
]


def children(unit: OrgUnit) -> list[OrgUnit]:
    below = [one for one in UNITS if one.level == unit.level + 1]
    place = int(unit.id[1:]) if unit.id != "rw" else 0
    return below if unit.id == "rw" else below[place * 3 : place * 3 + 3] if unit.level == 2 else []


def cells(one: TrackerSlice) -> Counter[tuple[str, int]]:
    """Unit and day of everything a slice covers."""
    todo, units = [one.unit], []
    while todo:
        unit = todo.pop()
        units.append(unit.id)
        todo += children(unit) if one.below else []
    assert one.window
    return Counter((unit, day) for unit in units for day in range(one.window[0].toordinal(), one.window[1].toordinal()))


WHOLE = cells(TrackerSlice(UNITS[0], True, WEEK))


@given(st.none() | st.integers(0, 10**7), st.integers(1, 10**5))
def test_a_plan_covers_every_unit_and_day_once(expected: int | None, most: int) -> None:
    slices = plan(WEEK, UNITS, expected, most)
    assert sum((cells(one) for one in slices), Counter()) == WHOLE
    whole = expected is not None and expected <= most
    assert (len(slices) == 1) == whole


@given(st.lists(st.integers(0, 20), max_size=12))
def test_dividing_covers_every_unit_and_day_once(choices: list[int]) -> None:
    parts = [TrackerSlice(UNITS[0], True, WEEK)]
    for choice in choices:
        one = parts.pop(choice % len(parts))
        smaller = divide(one, children)
        parts += smaller or [one]
        assert smaller or one.days == 1
    assert sum((cells(one) for one in parts), Counter()) == WHOLE


def test_rows_a_request() -> None:
    assert rows_a_request(None, 10_000) == 5_000
    assert rows_a_request(Expected(1, None), 10_000) == 5_000
    assert rows_a_request(Expected(1, 10**6), 10_000) == 5_000
    assert rows_a_request(Expected(1, 100.0), 10_000) == 100 * SECONDS_PER_REQUEST
    assert rows_a_request(Expected(1, 0.001), 10_000) == 50
