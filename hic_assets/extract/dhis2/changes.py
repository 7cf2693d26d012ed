"""What changed since a watermark: which periods a late or edited report touched (contract 1.3, 1.13).

Says which partitions to pull again; the values themselves are pulled whole by `data_values.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from hic_assets.extract.batches import BatchStream
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.data_values import COLUMNS, Format, read_slices
from hic_assets.extract.dhis2.org_units import units_to_level
from hic_assets.extract.dhis2.slices import Slice
from hic_assets.extract.dhis2.timestamps import server_local, utc_expr

# Servers before 2.43 move the threshold by their UTC offset, and rows commit later than their timestamp says.
OVERLAP = timedelta(hours=24)
# Any period there is: 2.43.0 and 2.43.1 refuse `lastUpdated` alone, and every version takes it with a window.
WHOLE_TIME = (date(1970, 1, 1), date(2100, 12, 31))
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "period": pl.String,
    "rows": pl.Int64,
    "newer": pl.Int64,
    "last_updated": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Changes:
    """`frame`: one row a period touched, ordered by it: period, rows (updated since the watermark less the
    overlap), newer (of these, updated after the watermark itself), last_updated (greatest, UTC).

    `watermark`: the greatest timestamp the server has given so far; the next call's `since`.
    """

    frame: pl.DataFrame
    watermark: datetime

    @property
    def periods(self) -> list[str]:
        """Periods with a row updated after the watermark that was asked for."""
        return self.frame.filter(pl.col("newer") > 0)["period"].to_list()


def changes_since(
    client: Dhis2Client,
    data_sets: Sequence[str],
    since: datetime,
    *,
    overlap: timedelta = OVERLAP,
    window: tuple[date, date] = WHOLE_TIME,
    wire: Format = "csv",
) -> Changes:
    """Values of the data sets, deleted ones included, that the server updated since `since` (aware).

    `overlap` is at least 24 h. Rows without a readable timestamp count as newer: better one pull too many.
    Raises SourceError, and ValueError for a naive `since` or a smaller overlap.
    """
    if since.tzinfo is None:
        raise ValueError("the watermark needs a time zone")
    if overlap < OVERLAP:
        raise ValueError(f"the overlap must be at least {OVERLAP}")
    zone = client.time_zone
    roots = tuple(unit for unit in units_to_level(client, 1))
    threshold = server_local(since - overlap, zone)
    asked = Slice(tuple(data_sets), roots, True, window=window, last_updated=threshold)
    stream = BatchStream(f"{client.system} changes", COLUMNS, lambda s: read_slices(client, s, [asked], wire=wire))
    parts = [_by_period(batch.frame, zone, since) for batch in stream]
    found = _merge(parts) if parts else pl.DataFrame(schema=SCHEMA)
    greatest = found["last_updated"].max()
    seen = greatest.astimezone(UTC) if isinstance(greatest, datetime) else since
    return Changes(found, max(seen, since.astimezone(UTC)))


def _by_period(frame: pl.DataFrame, zone: str, since: datetime) -> pl.DataFrame:
    updated = frame.select("period", utc_expr("last_updated", zone).alias("last_updated"))
    newer = (pl.col("last_updated") > since.astimezone(UTC)).fill_null(True)
    return updated.group_by("period").agg(
        pl.len().cast(pl.Int64).alias("rows"),
        newer.sum().cast(pl.Int64).alias("newer"),
        pl.col("last_updated").max(),
    )


def _merge(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    together = pl.concat(parts).group_by("period")
    return together.agg(pl.col("rows", "newer").sum(), pl.col("last_updated").max()).sort("period")
