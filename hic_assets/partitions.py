"""How time is cut for Dagster, in the calendar of Africa/Kigali.

Belongs here: partition definitions and the way from a run's keys to landing partitions. Does not: DHIS2 periods
(``periods``). Keys are the first day of the month, e.g. ``2026-03-01``, or the Monday of the ISO week, ``2026-03-02``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from hic_assets.landing.ledger import Partition
from hic_assets.periods import (
    NotAPeriod,
    month_of_partition,
    month_window,
    partition_of_month,
    partition_of_week,
    week_of_partition,
    week_window,
)
from hic_assets.systems.declare import Cadence

TIMEZONE = "Africa/Kigali"
# Of every system: models that join several have one partition axis.
FIRST_MONTH = date(2020, 1, 1)
# The Monday of the week that holds it: ISO week 1 of 2020.
FIRST_WEEK = date(2019, 12, 30)


def now() -> datetime:
    """The time it is in Kigali."""
    return datetime.now(ZoneInfo(TIMEZONE))


def today() -> date:
    """The day it is in Kigali."""
    return now().date()


def monthly() -> dg.MonthlyPartitionsDefinition:
    """Completed months only: a month is reported after it has ended."""
    return dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), timezone=TIMEZONE)


def weekly() -> dg.WeeklyPartitionsDefinition:
    """Completed ISO weeks, Monday to Sunday."""
    return dg.WeeklyPartitionsDefinition(start_date=FIRST_WEEK.isoformat(), timezone=TIMEZONE, day_offset=1)


def partitions_of(cadence: Cadence) -> dg.TimeWindowPartitionsDefinition | None:
    """How a cadence is cut; None for snapshots."""
    if cadence is Cadence.SNAPSHOT:
        return None
    return weekly() if cadence is Cadence.WEEKLY else monthly()


def landing_partition(cadence: Cadence, key: str) -> Partition:
    """The landing partition of a key."""
    return Partition(key, *(week_window(key) if cadence is Cadence.WEEKLY else month_window(key)))


def month_partition(key: str) -> Partition:
    """The landing partition of a monthly key."""
    return landing_partition(Cadence.MONTHLY, key)


def months_touched(first: date, last: date) -> list[str]:
    """Keys of the months that hold a day from ``first`` to ``last`` (both included): of a week, one or two."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(m // 12, m % 12 + 1, 1).isoformat() for m in months]


def dhis2_period(cadence: Cadence, partition: Partition) -> str:
    """The DHIS2 period of a monthly or weekly partition, e.g. ``202603``, ``2026W7`` (of the ISO year)."""
    if partition.key is None:
        raise ValueError("a snapshot has no period")
    return week_of_partition(partition.key) if cadence is Cadence.WEEKLY else month_of_partition(partition.key)


def key_of_period(cadence: Cadence, period: str) -> str | None:
    """The partition key of a DHIS2 period; None for periods of another type than the cadence's, or none at all."""
    try:
        key = partition_of_week(period) if cadence is Cadence.WEEKLY else partition_of_month(period)
    except NotAPeriod:
        return None
    # Weeks of other start days (2026SunW7) are no partition.
    return None if cadence is Cadence.WEEKLY and date.fromisoformat(key).weekday() else key


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


def range_of(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """The first and the last partition of a run by its tags; None of a run without partitions."""
    first, last = (tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    first, last = first or tags.get("dagster/partition"), last or tags.get("dagster/partition")
    return (first, last) if first and last else None
