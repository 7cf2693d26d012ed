"""Records of a resource that the server changed since a watermark: keys and days, to know what to pull again.

The records themselves are pulled by partition (`read.py`). Only the server's own times count; our clock is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from hic_assets.extract.errors import UnexpectedContent
from hic_assets.extract.rest.bodies import RawRecord
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.decode import decode
from hic_assets.extract.rest.moments import KIGALI, TimeForm, instants, write_day, write_moment
from hic_assets.extract.rest.placing import TOMBSTONE, day_of
from hic_assets.extract.rest.resource import Resource
from hic_assets.extract.rest.walk import Walker, server_date
from hic_assets.extract.spool import Spooled

# Rows commit later than their timestamps say.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class RestChanges:
    """What changed. `frame`: one row a record, the newest of it: its key columns (text), day (Date, NULL where it tells
    none), updated_at (UTC, NULL where unreadable), deleted (Boolean).

    `watermark`: the next call's `since`: the greatest change time the server has given so far, and never later than its
    own clock said before the first row was read. `unreadable`: records that were none. `notes`: of the reading.
    """

    frame: pl.DataFrame
    watermark: datetime
    unreadable: int = 0
    notes: tuple[str, ...] = ()

    def days(self, since: datetime) -> pl.DataFrame:
        """One row a day with a record changed after `since` or at a time that cannot be read, ordered: day, records,
        updated_at (the newest).
        """
        newer = (pl.col("updated_at") > since).fill_null(True) & pl.col("day").is_not_null()
        touched = self.frame.filter(newer).group_by("day")
        return touched.agg(pl.len().cast(pl.Int64).alias("records"), pl.col("updated_at").max()).sort("day")


def changes_since(
    source: RestSource, resource: Resource, since: datetime, *, overlap: timedelta = OVERLAP
) -> RestChanges:
    """Records that the server changed since `since` (aware) less the overlap, tombstones included.

    Memory grows with the number of changes. Raises SourceError (UnexpectedContent where the server tells no time), and
    ValueError for a naive `since`, an overlap under 24 hours or a resource that cannot be asked so.
    """
    if since.tzinfo is None:
        raise ValueError("the watermark needs a time zone")
    if overlap < OVERLAP:
        raise ValueError(f"the overlap must be at least {OVERLAP}")
    if resource.changes is None:
        raise ValueError(f"{resource.name} cannot be asked for changes")
    threshold = _threshold(since - overlap, resource.changes.form)
    notes: list[str] = []
    parts, unreadable, clock = [_frame([], resource)[0]], 0, None
    for fetched in Walker(source, resource, notes.append).replies(((resource.changes.param, threshold),)):
        clock = clock or _clock(source, fetched.body)
        for some in fetched.records():
            part, bad = _frame(some, resource)
            parts.append(part)
            unreadable += bad
    found = pl.concat(parts)
    newest = found.sort("updated_at", nulls_last=True, maintain_order=True).unique(resource.keys, keep="last")
    return RestChanges(newest.sort(resource.keys), _watermark(found, since, clock), unreadable, tuple(notes))


def _threshold(moment: datetime, form: TimeForm) -> str:
    """In whole seconds, or days, before: fewer servers read more."""
    if form.is_day:
        return write_day(moment.astimezone(ZoneInfo(KIGALI)).date(), form)
    return write_moment(moment.replace(microsecond=0), form)


def _frame(some: list[RawRecord], resource: Resource) -> tuple[pl.DataFrame, int]:
    """The rows of a reply, and how many records were none."""
    assert resource.changes is not None  # noqa: S101  (asked before)
    changed = resource.changes.column
    day = resource.happened.column if resource.happened else None
    wanted = {*resource.keys, day, changed, resource.deleted}
    decoded = decode(some, [member for member in resource.members if member.column in wanted])
    frame = decoded.frame
    deleted = frame[resource.deleted] == TOMBSTONE if resource.deleted else pl.Series([False] * frame.height)
    rows = frame.select(resource.keys).with_columns(
        day_of(frame, resource).alias("day"),
        instants(frame[changed], TimeForm.ISO_TIME).alias("updated_at"),
        deleted.cast(pl.Boolean).fill_null(False).alias("deleted"),
    )
    return rows, len(decoded.rejects)


def _clock(source: RestSource, body: Spooled) -> datetime:
    said = server_date(body)
    if said is None:
        raise UnexpectedContent(source.system, body.url, "the reply has no readable header Date, the server's own time")
    return said


def _watermark(found: pl.DataFrame, since: datetime, clock: datetime | None) -> datetime:
    greatest = found["updated_at"].max()
    seen = max(since.astimezone(UTC), greatest.astimezone(UTC) if isinstance(greatest, datetime) else since)
    return min(seen, clock) if clock else seen
