"""Records of a programme that the server changed since a watermark: keys and days, to know what to pull again.

The records themselves are pulled by partition (`read.py`). What changed without a trace (tombstones that were erased,
deletions on servers before 2.38.7, 2.39.5 and 2.40.3) is found by `keys.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.org_units import units_to_level
from hic_assets.extract.dhis2.timestamps import server_local
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import KEY_SCHEMA, key_frame
from hic_assets.extract.dhis2.tracker.question import keys_only
from hic_assets.extract.dhis2.tracker.reading import Reader
from hic_assets.extract.dhis2.tracker.slices import TrackerSlice

# Rows commit later than their timestamps say, and the hour that a zone lives twice is read as the earlier.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class TrackerChanges:
    """`frame`: key, day (Date, NULL where there is none), updated_at (UTC), deleted; each key and day once, the newest.

    Of tracked entities one row an enrolment day. `watermark`: the greatest change time the server has given so far; the
    next call's `since`.
    """

    frame: pl.DataFrame
    watermark: datetime


def changes_since(
    client: Dhis2Client,
    kind: Kind,
    program: str,
    since: datetime,
    *,
    overlap: timedelta = OVERLAP,
    concurrency: int = 2,
) -> TrackerChanges:
    """Records of the kind that the server updated since `since` (aware) less the overlap, tombstones included.

    Memory grows with the number of changes (some 60 bytes each). A tracked entity is changed by what changes in its
    enrolments and events too. Raises SourceError, and ValueError for a naive `since` or an overlap under 24 hours.
    """
    if since.tzinfo is None:
        raise ValueError("the watermark needs a time zone")
    if overlap < OVERLAP:
        raise ValueError(f"the overlap must be at least {OVERLAP}")
    zone = client.time_zone
    question = keys_only(kind, program, client.dialect, server_local(since - overlap, zone))
    frame_of = partial(key_frame, kind=kind, program=program, key=question.key, zone=zone)
    reader = Reader(client, question, frame_of)
    slices = [TrackerSlice(root, True) for root in units_to_level(client, 1)]
    stream = BatchStream(
        f"{client.system} {program} changes", tuple(KEY_SCHEMA), lambda s: reader.batches(s, slices, concurrency)
    )
    found = pl.concat([pl.DataFrame(schema=KEY_SCHEMA), *(batch.frame for batch in stream)])
    newest = found.sort("updated_at", nulls_last=False, maintain_order=True).unique(["key", "day"], keep="last")
    greatest = found["updated_at"].max()
    seen = greatest.astimezone(UTC) if isinstance(greatest, datetime) else since
    return TrackerChanges(newest.sort("key", "day"), max(seen, since.astimezone(UTC)))
