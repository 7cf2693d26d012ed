"""Every key a programme has in a window, with its day and change time: to find what left no trace (contract 1.7, 1.13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

import polars as pl

from hic_assets.extract.batches import Batch, BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import KEY_SCHEMA, key_frame
from hic_assets.extract.dhis2.tracker.planning import planned
from hic_assets.extract.dhis2.tracker.question import keys_only
from hic_assets.extract.dhis2.tracker.reading import Reader


def keys(
    client: Dhis2Client,
    kind: Kind,
    program: str,
    start: date,
    end: date,
    *,
    split_level: int = 3,
    concurrency: int = 2,
) -> BatchStream:
    """Key, day (Date), updated_at (UTC) and deleted of every record of the kind from `start` to before `end`.

    Grain: a record; of tracked entities a record and day of enrolment inside the window. Tombstones are among them as
    long as the server keeps them. Few bytes a record, and memory does not grow with the window. Raises SourceError
    while iterated.
    """
    if end <= start:
        raise ValueError("the window must end after it starts")

    def produce(stream: BatchStream) -> Iterator[Batch]:
        question = keys_only(kind, program, client.dialect)
        stream.read_at = client.server_time()
        slices = planned(client, question, (start, end), None, split_level)
        frame_of = partial(key_frame, kind=kind, program=program, key=question.key, zone=client.time_zone)
        for batch in Reader(client, question, frame_of).batches(stream, slices, concurrency):
            inside = batch.frame
            if kind is Kind.TRACKED_ENTITIES:
                inside = inside.filter(pl.col("day").is_between(start, end, closed="left"))
            yield Batch(inside, batch.slice, batch.rejects, batch.without_nul)

    return BatchStream(f"{client.system} {program} {kind.value} keys", tuple(KEY_SCHEMA), produce)
