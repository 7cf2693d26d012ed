"""What a page says of further ones, by version (contract 1.7). Pure.

From 2.42 a reply names its next page exactly when one more row exists. Before, only the count of all rows tells, and
pages may hold fewer than they should (records the account may not see are taken out afterwards): an end that does not
agree with the count is believed only after an empty page.
"""

from __future__ import annotations

from enum import Enum, auto
from math import ceil

from hic_assets.extract.dhis2.tracker.decoding import Paging
from hic_assets.extract.dhis2.tracker.slices import TrackerSlice

LIMITS_ARE_MULTIPLES_OF = 1_000
MOST_PAGES = 1_000
"""Of one slice: more is a server that never comes to an end."""


class After(Enum):
    """What a page calls for."""

    NOTHING = auto()
    """It was the last."""
    MANY = auto()
    """There are more: better smaller slices, and where there are none, the next page."""
    LOOK = auto()
    """It should be the last, but the numbers do not agree: the next page tells."""
    CUT = auto()
    """It was cut at a limit of the server: only smaller slices give the rest."""


def after(slice_: TrackerSlice, records: int, paging: Paging, page_rows: int, *, names_next_page: bool) -> After:
    """`records`: how many this page held; `page_rows`: how many were asked for."""
    # Servers cut what they give without paging at a limit and say nothing of it (KeyTrackedEntityMaxLimit, 50,000).
    cut = records > 0 and records % LIMITS_ARE_MULTIPLES_OF == 0
    if records > page_rows:
        return After.CUT if cut else After.NOTHING
    if names_next_page:
        return After.MANY if paging.has_next else After.NOTHING
    seen, total = slice_.seen + records, total_of(slice_, paging)
    if total is None:
        if records == page_rows:
            return After.MANY
        return After.LOOK if records else After.NOTHING
    if seen >= total:
        return After.NOTHING
    if slice_.page < (pages_of(slice_, paging, page_rows) or 0):
        return After.MANY
    if cut and slice_.page == 1:
        return After.CUT
    return After.LOOK if records else After.NOTHING


def total_of(slice_: TrackerSlice, paging: Paging) -> int | None:
    """Rows of the whole slice, as its first page said."""
    return paging.total if slice_.page == 1 else slice_.total


def pages_of(slice_: TrackerSlice, paging: Paging, page_rows: int) -> int | None:
    """Pages of the whole slice; early patches give only the total (DHIS2-13649)."""
    if slice_.page > 1:
        return slice_.pages
    if paging.page_count is not None:
        return paging.page_count
    return None if paging.total is None else ceil(paging.total / (paging.page_size or page_rows))
