"""How time is cut for Dagster, in the calendar of Africa/Kigali.

Belongs here: partition definitions and the way from a run's keys to landing partitions. Does not: DHIS2 periods
(``periods``). Keys are the first day of the month, e.g. ``2026-03-01``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from hic_assets.landing.ledger import Partition
from hic_assets.periods import month_of_partition, month_window

TIMEZONE = "Africa/Kigali"
# Of every system: models that join several have one partition axis.
FIRST_MONTH = date(2020, 1, 1)


def now() -> datetime:
    """The time it is in Kigali."""
    return datetime.now(ZoneInfo(TIMEZONE))


def today() -> date:
    """The day it is in Kigali."""
    return now().date()


def monthly() -> dg.MonthlyPartitionsDefinition:
    """Completed months only: a month is reported after it has ended."""
    return dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), timezone=TIMEZONE)


def month_partition(key: str) -> Partition:
    """The landing partition of a monthly key."""
    return Partition(key, *month_window(key))


def dhis2_month(partition: Partition) -> str:
    """The DHIS2 period of a monthly partition, e.g. ``202603``."""
    if partition.key is None:
        raise ValueError("a snapshot has no month")
    return month_of_partition(partition.key)


def contiguous_ranges(keys: Iterable[str], definition: dg.PartitionsDefinition) -> list[tuple[str, str]]:
    """Group keys into (first, last) ranges without gaps, so that each can be one run."""
    order = {key: i for i, key in enumerate(definition.get_partition_keys())}
    ranges: list[tuple[str, str]] = []
    for key in sorted((k for k in set(keys) if k in order), key=lambda k: order[k]):
        if ranges and order[key] == order[ranges[-1][1]] + 1:
            ranges[-1] = (ranges[-1][0], key)
        else:
            ranges.append((key, key))
    return ranges


def range_tags(first: str, last: str) -> dict[str, str]:
    """Run tags that make one run materialise a range of partitions."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
