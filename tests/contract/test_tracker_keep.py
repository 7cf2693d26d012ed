"""A reading that was killed goes on where it stopped: nothing is asked twice, and the rows are those of one reading."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from fake_tracker import PROGRAM, WEEK, Tracker, event, spread
from stub_http import PASSWORD, Answer, Asked, Connect, Stub
from test_tracker_planning import too_many
from test_tracker_read import asked_for, read

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.keep import KEEP_SECONDS, forget_old
from hic_assets.extract.dhis2.tracker.question import PAGE_ROWS
from hic_assets.extract.dhis2.tracker.read import Expected, records
from hic_assets.extract.errors import ServerFault

MANY = Expected(PAGE_ROWS * 14 // 10)
"""Six slices of the toy's tree."""


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    return tmp_path / "home" / "kept"


def stream_of(client: Dhis2Client, keep: Path | None, expected: Expected | None = MANY) -> BatchStream:
    return records(client, Kind.EVENTS, PROGRAM, *WEEK, expected=expected, keep=keep, concurrency=1)


def pages(stub: Stub) -> list[str]:
    return [str(one.params) for one in asked_for(stub)]


def killed_after(stream: BatchStream, batches: int) -> pl.DataFrame:
    """Some batches, and then nothing more is done, not even leaving the iteration."""
    reading: Iterator[object] = iter(stream)
    found = [next(reading).frame for _ in range(batches)]  # type: ignore[attr-defined]
    reading.close()  # type: ignore[attr-defined]
    return pl.concat(found)


def test_what_was_read_is_not_asked_again(stub: Stub, connect: Connect, keep: Path) -> None:
    tracker = Tracker(records={"events": spread(55)}).on(stub)
    whole = read(stream_of(connect(), None))
    stub.asked.clear()
    killed = stream_of(connect(), keep)
    killed_after(killed, 3)
    first = pages(stub)
    stub.asked.clear()
    tracker.server_date = "2025-03-10T09:00:00.000"
    again = stream_of(connect(), keep)
    frame = read(again)
    assert frame.sort("event").equals(whole.sort("event"))
    second = pages(stub)
    assert first and second and not set(first) & set(second)
    assert len(first) + len(second) == 6
    # Not planned anew either, and read when the first one was.
    assert not [one for one in stub.asked if "organisationUnits" in one.path]
    assert again.read_at == killed.read_at
    assert [one.slice for one in again.stats] == [one.slice for one in read_stats(connect(), stub)]
    assert all(one.rows and one.bytes and one.attempts for one in again.stats)


def read_stats(client: Dhis2Client, stub: Stub) -> list[object]:
    stream = stream_of(client, None)
    read(stream)
    return list(stream.stats)


def test_a_reading_that_failed_goes_on_too(stub: Stub, connect: Connect, keep: Path) -> None:
    tracker = Tracker(records={"events": spread(55)}).on(stub)
    tracker.refuse = lambda asked: Answer(status=503) if asked.one("orgUnit") == "d3" else None
    with pytest.raises(ServerFault):
        read(stream_of(connect(max_attempts=2), keep))
    stub.asked.clear()
    tracker.refuse = lambda _: None
    assert sorted(read(stream_of(connect(), keep))["event"]) == [f"ev{n:09d}" for n in range(55)]
    assert [one.one("orgUnit") for one in asked_for(stub)] == ["d3"]


def test_what_was_divided_is_not_tried_whole_again(stub: Stub, connect: Connect, keep: Path) -> None:
    tracker = Tracker(records={"events": spread(55)}).on(stub)
    tracker.refuse = too_many(tracker, 20)
    killed_after(stream_of(connect(), keep, Expected(1)), 4)
    first = {params for params in pages(stub) if "'rw'" in params}
    stub.asked.clear()
    assert sorted(read(stream_of(connect(), keep, Expected(1)))["event"]) == [f"ev{n:09d}" for n in range(55)]
    assert first and not first & set(pages(stub))


def test_nothing_stays_once_the_window_was_read_whole(stub: Stub, connect: Connect, keep: Path) -> None:
    Tracker(records={"events": spread(55)}).on(stub)
    killed_after(stream_of(connect(), keep), 2)
    assert bodies(keep)
    read(stream_of(connect(), keep))
    assert list(keep.iterdir()) == []
    stub.asked.clear()
    read(stream_of(connect(), keep))
    assert len(asked_for(stub)) == 6


def bodies(keep: Path) -> list[Path]:
    return [path for path in keep.rglob("*") if path.is_file()]


def test_only_the_owner_may_look_and_names_say_nothing(stub: Stub, connect: Connect, keep: Path) -> None:
    Tracker(records={"events": spread(55)}).on(stub)
    before = os.umask(0o022)
    try:
        killed_after(stream_of(connect(), keep), 3)
    finally:
        os.umask(before)
    assert stat.S_IMODE(keep.stat().st_mode) == 0o700
    (folder,) = keep.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in bodies(keep)} == {0o600}
    told = " ".join(str(path) for path in [folder, *bodies(keep)])
    assert PROGRAM not in told and "d1" not in [path.stem for path in bodies(keep)]
    assert not any(PASSWORD.encode() in path.read_bytes() or b"s3cret" in path.read_bytes() for path in bodies(keep))


def test_after_six_hours_everything_is_read_anew(stub: Stub, connect: Connect, keep: Path) -> None:
    Tracker(records={"events": spread(55)}).on(stub)
    killed_after(stream_of(connect(), keep), 3)
    (about,) = keep.rglob("about.json")
    old = json.loads(about.read_text())
    about.write_text(json.dumps(old | {"began": old["began"] - KEEP_SECONDS}))
    stub.asked.clear()
    assert read(stream_of(connect(), keep)).height == 55
    assert len(asked_for(stub)) == 6


def test_what_nobody_came_back_to_is_forgotten(stub: Stub, connect: Connect, keep: Path) -> None:
    Tracker(records={"events": spread(55), "enrollments": []}).on(stub)
    killed_after(stream_of(connect(), keep), 3)
    (folder,) = keep.iterdir()
    long_ago = time.time() - KEEP_SECONDS - 1
    os.utime(folder, (long_ago, long_ago))
    read(records(connect(), Kind.ENROLLMENTS, PROGRAM, *WEEK, expected=Expected(1), keep=keep))
    assert list(keep.iterdir()) == []


def test_what_is_old_is_forgotten_without_any_reading_and_what_grows_is_not(
    stub: Stub, connect: Connect, keep: Path
) -> None:
    forget_old(keep)
    assert not keep.exists()
    Tracker(records={"events": spread(55)}).on(stub)
    killed_after(stream_of(connect(), keep), 3)
    forget_old(keep)
    (folder,) = keep.iterdir()
    os.utime(folder, (time.time() - KEEP_SECONDS - 1,) * 2)
    forget_old(keep)
    assert list(keep.iterdir()) == []


@pytest.mark.parametrize("what", ["another system", "another version", "another kind", "another window"])
def test_another_question_reads_for_itself(stub: Stub, connect: Connect, keep: Path, what: str) -> None:
    tracker = Tracker(records={"events": spread(55)}).on(stub)
    killed_after(stream_of(connect(), keep), 3)
    if what == "another system":
        tracker.system_id = "sys-2"
    elif what == "another version":
        tracker.version = "2.43.1"
    kind = Kind.ENROLLMENTS if what == "another kind" else Kind.EVENTS
    window = (WEEK[0], WEEK[0].replace(day=5)) if what == "another window" else WEEK
    stub.asked.clear()
    read(records(connect(), kind, PROGRAM, *window, expected=MANY, keep=keep, concurrency=1))
    assert len([one for one in stub.asked if "/tracker/" in one.path]) == 6


def test_a_kept_body_that_went_bad_is_asked_for_again(stub: Stub, connect: Connect, keep: Path) -> None:
    """The disk was full, say, or somebody looked after it."""
    Tracker(records={"events": spread(55)}).on(stub)
    killed_after(stream_of(connect(), keep), 3)
    for path in keep.rglob("*.body"):
        path.write_bytes(path.read_bytes()[:100])
    assert sorted(read(stream_of(connect(), keep))["event"]) == [f"ev{n:09d}" for n in range(55)]


def test_pages_of_a_slice_are_kept_too(stub: Stub, connect: Connect, keep: Path) -> None:
    """A server that caps its pages so low that they are walked."""
    tracker = Tracker("2.40.12", {"events": [event(n, "f1") for n in range(25)]}).on(stub)
    whole = tracker.modern

    def capped(asked: Asked, name: str) -> dict[str, object]:
        asked.params = [(k, "10" if k == "pageSize" else v) for k, v in asked.params]
        return whole(asked, name)

    tracker.modern = capped  # type: ignore[method-assign]
    day = (WEEK[0], WEEK[0].replace(day=4))

    def stream() -> BatchStream:
        return records(connect(), Kind.EVENTS, PROGRAM, *day, expected=Expected(1), keep=keep, concurrency=1)

    killed_after(stream(), 2)
    seen = set(pages(stub))
    stub.asked.clear()
    assert sorted(read(stream())["event"]) == [f"ev{n:09d}" for n in range(25)]
    assert pages(stub) and not seen & set(pages(stub))
