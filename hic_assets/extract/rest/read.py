"""Records of a resource in a window of days.

Records that the server repeats are handed on: landing keeps the newest and counts the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from hic_assets.extract.batches import Batch, BatchStream, SliceStats, rejects_of
from hic_assets.extract.rest.bodies import RawRecord
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.decode import MOST_UNKNOWN, decode
from hic_assets.extract.rest.placing import placed
from hic_assets.extract.rest.resource import Resource
from hic_assets.extract.rest.walk import Fetched, Walker, server_date

Days = tuple[date, date] | None


def records(source: RestSource, resource: Resource, start: date | None = None, end: date | None = None) -> BatchStream:
    """Every record of the resource that happened from `start` to before `end` (days in Kigali), tombstones included.

    Without days: every record there is of a resource that has no window, a registry.

    Grain: a record; columns as `resource.columns`, all text. What is no record, has no day, or is of other days is in
    the batches' rejects. `read_at`: what the server's clock (header `Date`) said in its first reply; None where it does
    not tell. Memory: one page, or some megabytes of an export.

    Raises ValueError for a window that the API cannot be asked for; SourceError while iterated: then nothing that was
    yielded is the whole of anything.
    """
    days = None if start is None or end is None else (start, end)
    if (days is None) != (resource.window is None):
        raise ValueError(f"{resource.name} is read {'without' if resource.window is None else 'by'} days")
    questions = resource.window.asked(*days) if resource.window and days else ((),)
    label = f"{days[0]} to {days[1] - timedelta(days=1)}" if days else "all"

    def produce(stream: BatchStream) -> Iterator[Batch]:
        walker = Walker(source, resource, stream.note)
        for asked in questions:
            # Of a question, not of a page: slices are compared with those of the last load, and what a page holds depends
            # on how many records come before it, and on how many fit on one.
            slice_ = label if len(questions) == 1 else f"{label} · {', '.join(value for _, value in asked)}"
            for fetched in walker.replies(asked):
                stream.read_at = stream.read_at or server_date(fetched.body)
                yield from _batches(stream, resource, fetched, days, slice_)

    return BatchStream(f"{source.system} {resource.name} {label}", resource.columns, produce)


def _batches(stream: BatchStream, resource: Resource, fetched: Fetched, days: Days, label: str) -> Iterator[Batch]:
    rows = 0
    for some in fetched.records():
        batch = _batch(stream, resource, some, days, label)
        rows += batch.rows
        yield batch
    body = fetched.body
    stream.record(SliceStats(label, body.url, rows, body.bytes, body.seconds, body.attempts))


def _batch(stream: BatchStream, resource: Resource, some: list[RawRecord], days: Days, label: str) -> Batch:
    decoded = decode(some, resource.members)
    if len(stream.unknown_columns) < MOST_UNKNOWN:
        stream.note_unknown_columns(decoded.unknown)
    frame, rejects = decoded.frame, rejects_of(decoded.rejects, decoded.reject_keys)
    if days is not None:
        frame, elsewhere = placed(frame, resource, *days)
        rejects = elsewhere if rejects is None else pl.concat([rejects, elsewhere])
    return Batch(frame, label, None if rejects is None or rejects.is_empty() else rejects, decoded.without_nul)
