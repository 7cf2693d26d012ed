"""Records of a tracker programme in a window of days: GET /api/tracker/* in slices (contract 1.7).

Rows that the server repeats (a page boundary, a tracked entity enrolled twice) are handed on: landing keeps the newest
and counts the others. Which partition a record belongs to is decided by the question, not by its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

from hic_assets.extract.batches import Batch, BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.fields import Kind, columns
from hic_assets.extract.dhis2.tracker.frames import record_frame
from hic_assets.extract.dhis2.tracker.keep import Kept
from hic_assets.extract.dhis2.tracker.planning import planned
from hic_assets.extract.dhis2.tracker.question import Question, fields_of, whole_records
from hic_assets.extract.dhis2.tracker.reading import Reader
from hic_assets.extract.dhis2.tracker.slices import Expected, Window
from hic_assets.extract.errors import UnexpectedContent

__all__ = ["Expected", "records"]


def records(
    client: Dhis2Client,
    kind: Kind,
    program: str,
    start: date,
    end: date,
    *,
    split_level: int = 3,
    concurrency: int = 2,
    expected: Expected | None = None,
    keep: Path | None = None,
) -> BatchStream:
    """Every record of the kind in the programme from `start` to before `end`, of the whole tree, tombstones included.

    Grain: a tracked entity, enrolment or event; columns as `fields.columns(kind)`. The day of an event is that on
    which it happened or, while it has not, was due; of an enrolment its own; a tracked entity is in every window that
    it is enrolled in. `program`: UID. `expected`: rows and speed of earlier loads, by which requests are planned;
    without it the server counts once. `keep`: folder in which what was read outlives a crash, until the window has been
    read whole or for six hours: the same question then goes on where it stopped, and `read_at` is when it began.

    Raises SourceError while iterated; then nothing that was yielded is the whole of anything.
    """
    if end <= start:
        raise ValueError("the window must end after it starts")
    window = (start, end)

    def produce(stream: BatchStream) -> Iterator[Batch]:
        question = whole_records(kind, program, client.dialect)
        kept = Kept(keep, _identity(client, question, window)) if keep else None
        if kept and kept.about:
            stream.read_at, slices = kept.about.read_at, kept.plan()
        else:
            stream.read_at = client.server_time()
            slices = planned(client, question, window, expected, split_level)
            if kept:
                kept.begin(slices, stream.read_at)
        frame_of = partial(record_frame, members=question.members, zone=client.time_zone)
        try:
            yield from Reader(client, question, frame_of, kept).batches(stream, slices, concurrency)
        except UnexpectedContent:
            if kept:  # a wrong answer is asked for anew, and not read again from disk
                kept.done()
            raise
        if kept:
            kept.done()

    return BatchStream(f"{client.system} {program} {kind.value} {start} to {end}", columns(kind), produce)


def _identity(client: Dhis2Client, question: Question, window: Window) -> list[str]:
    """What must be the same for bodies read before to answer the question now."""
    info = client.info
    server = [client.system, client.http.base_url, info.system_id or "", info.version]
    return [*server, question.path, question.program, fields_of(question), str(window[0]), str(window[1])]
