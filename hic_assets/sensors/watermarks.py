"""Asking a system for changes table by table, with a watermark each, by the system's own clock.

Belongs here: what trackers and REST APIs share of it. Does not: asking (``tracker_stale``, ``rest``), requesting runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hic_assets.extract.errors import AuthError, SourceError
from hic_assets.landing.stale import Stale
from hic_assets.systems.declare import Feed
from hic_assets.warehouse import Warehouse

log = logging.getLogger(__name__)
Watermarks = dict[str, str]
PATIENCE = timedelta(days=30)
"""How long, by the source's clock, a watermark waits for what is stale, or what is asked for would grow without end. Until
then it was asked for every day; after that it is found by reading in turn, or by the reconciliation of keys."""


@dataclass(frozen=True)
class Found:
    """Stale partitions of one table, and up to when the source was asked. ``unreadable``: changes that told no record."""

    feed: Feed
    stale: list[Stale]
    watermark: datetime | None = None
    unreadable: int = 0


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

    A watermark stays where it is while something is stale or could not be read, for ``PATIENCE`` at most: a change must
    be seen again until it is loaded. Raises AuthError: the others would be refused too.
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
        kept[name] = _moved(kept, found, since).isoformat()
        if found.stale:
            stale.append(found)
    return kept, stale, errors


def _moved(marks: Watermarks, found: Found, since: datetime) -> datetime:
    """Where the watermark of a table is from now on. Beside it stands from when on it waits, if it does."""
    name, waits = found.feed.table.name, f"{found.feed.table.name} waits"
    if found.unreadable:
        log.warning("raw.%s: %s changes could not be read as records", found.feed.table.relation, found.unreadable)
    if found.watermark is None:
        return since
    if not found.stale and not found.unreadable:
        marks.pop(waits, None)
        return found.watermark
    began = datetime.fromisoformat(marks.setdefault(waits, found.watermark.isoformat()))
    if found.watermark - began < PATIENCE:
        return since
    marks[waits] = found.watermark.isoformat()
    log.warning("%s: changes before %s are not asked for any more, though not all are loaded", name, began)
    return began
