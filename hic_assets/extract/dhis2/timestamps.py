"""DHIS2's timestamps as UTC: zoned in dataValueSets, else server local without offset (contract 1.10).

Raw tables keep the text; these are for `_source_updated_at` and watermarks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"


def utc_expr(column: str, zone: str) -> pl.Expr:
    """A text column as Datetime(us, UTC); text without offset is local time of `zone`; NULL where unreadable.

    In the hour that a zone lives twice the earlier reading is taken: a watermark must not run ahead.
    """
    text = pl.col(column).str.strip_chars().str.replace(" ", "T", literal=True)
    zoned = text.str.replace(r"Z$", "+0000").str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
    with_offset = zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_unit="us")
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    day = text.str.to_datetime("%Y-%m-%d", strict=False, time_unit="us", exact=True)
    in_zone = pl.coalesce(local, day).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return (
        pl.when(text.str.contains(_OFFSET) & text.str.contains("T", literal=True))
        .then(with_offset.dt.convert_time_zone("UTC"))
        .otherwise(in_zone.dt.convert_time_zone("UTC"))
    )


def utc_series(texts: pl.Series, zone: str) -> pl.Series:
    """A text column as Datetime(us, UTC), by the rules of `utc_expr`; cheaper where every text is the usual one."""
    usual = pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f", strict=False, time_unit="us")
    in_zone = usual.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    found = texts.to_frame("t").select(in_zone)["t"]
    if found.null_count() > texts.null_count():
        found = texts.to_frame("t").select(utc_expr("t", zone))["t"]
    return found.alias(texts.name)


def parse_utc(text: str, zone: str) -> datetime | None:
    """One timestamp as an aware datetime in UTC, by the rules of `utc_expr`; None if unreadable."""
    value = pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(utc_expr("t", zone)).item()
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def server_local(moment: datetime, zone: str) -> str:
    """An aware datetime as a query parameter: server local, without offset, as every version parses it."""
    if moment.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")


def known_zone(zone: str | None) -> str | None:
    """The zone if this machine knows it, else None."""
    try:
        return ZoneInfo(zone).key if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
