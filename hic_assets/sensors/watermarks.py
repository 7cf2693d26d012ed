"""Asking a system for changes table by table, with a watermark each, by the system's own clock.

Belongs here: what trackers and REST APIs share of it. Does not: asking (``tracker_stale``, ``rest``), requesting runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from hic_assets.extract.errors import AuthError, SourceError
from hic_assets.landing.stale import Stale
from hic_assets.systems.declare import Feed
from hic_assets.warehouse import Warehouse

log = logging.getLogger(__name__)
Watermarks = dict[str, str]


@dataclass(frozen=True)
class Found:
    """Stale partitions of one table, and up to when the source was asked."""

    feed: Feed
    stale: list[Stale]
    watermark: datetime | None = None

    @property
    def days(self) -> set[date]:
        """First days of the stale partitions."""
        return {stale.partition for stale in self.stale}


def first_reading(warehouse: Warehouse, feed: Feed) -> datetime | None:
    """By the server's clock, when the partition that was read longest ago was read; None when none is loaded."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """select min(source_read_at) from ops.load where system = %s and table_name = %s and is_current""",
            (feed.table.system, feed.table.name),
        ).fetchone()
    return found[0] if found else None


def ask_each(
    warehouse: Warehouse, feeds: Iterable[Feed], marks: Watermarks, ask: Callable[[Feed, datetime], Found]
) -> tuple[Watermarks, list[Found], list[SourceError]]:
    """Ask about each table that is loaded; the new watermarks, what is stale, and the trouble with single tables.

    A watermark stays where it is while something is stale: a change must be seen again until it is loaded. Raises
    AuthError: the others would be refused too.
    """
    kept, stale, errors = dict(marks), [], []
    for feed in feeds:
        name = feed.table.name
        since = datetime.fromisoformat(marks[name]) if name in marks else first_reading(warehouse, feed)
        if since is None:
            continue
        try:
            found = ask(feed, since)
        except AuthError:
            raise
        except SourceError as error:
            log.warning("Not asked for changes: %s", error)
            errors.append(error)
            continue
        kept[name] = (since if found.stale or found.watermark is None else found.watermark).isoformat()
        if found.stale:
            stale.append(found)
    return kept, stale, errors
