"""How a tracker pull is cut into requests, and one that asks too much into smaller ones (contract 1.7). Pure.

A request is one organisation unit (with all below it, or alone) and some days. It is planned to be answered in one page:
one reply is one state of the server, while between two pages rows move and are lost or come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import ceil

from hic_assets.extract.dhis2.slices import OrgUnit

SECONDS_PER_REQUEST = 20.0
"""What a request is planned to take at most: proxies cut at 30 to 60 s."""
FEWEST_ROWS = 50
"""Of a planned request: a server that is slower than that is not made faster by more requests."""

Window = tuple[date, date]
"""Days from the first to before the last."""


@dataclass(frozen=True)
class Expected:
    """What earlier loads of the table say: rows of a partition, and how many the server gives a second."""

    rows: int
    rows_per_second: float | None = None


@dataclass(frozen=True)
class TrackerSlice:
    """One request. `window`: None where time is bounded otherwise. `page_rows`: rows a page; None before it is asked.

    `seen`, `total`, `pages`: rows that came on the pages before, and what the first page said there is.
    """

    unit: OrgUnit
    below: bool
    window: Window | None = None
    page: int = 1
    page_rows: int | None = None
    seen: int = 0
    total: int | None = None
    pages: int | None = None

    @property
    def days(self) -> int:
        """Days of the window; 1 where it cannot be cut."""
        return (self.window[1] - self.window[0]).days if self.window else 1

    @property
    def label(self) -> str:
        """For people: when and where."""
        when = "changes"
        if self.window:
            first, last = self.window[0], self.window[1] - timedelta(days=1)
            when = f"{first}" if first == last else f"{first} to {last}"
        return f"{when} · {self.unit.name or self.unit.id}{'' if self.below else ' alone'}"


def rows_a_request(expected: Expected | None, page_rows: int) -> int:
    """Rows that a request may be planned to give: half a page, since units differ in size, and by the server's speed."""
    most, speed = page_rows // 2, expected.rows_per_second if expected else None
    return most if speed is None else min(most, max(FEWEST_ROWS, int(speed * SECONDS_PER_REQUEST)))


def plan(window: Window, units: Iterable[OrgUnit], expected: int | None, most: int) -> list[TrackerSlice]:
    """Slices that cover the whole tree and window once, none expected to hold more than `most` rows where that can be.

    `units`: all units down to the deepest level that may be planned for. The shallowest level that suffices is taken;
    where none does, the deepest, and days. `expected`: None where nobody knows: the deepest. Order: the units above
    that level alone, then by day and unit.
    """
    known = list(units)
    levels = sorted({unit.level for unit in known})
    enough = (one for one in levels if expected is not None and expected <= most * _count(known, one))
    at = next(enough, levels[-1])
    above = [TrackerSlice(unit, False, window) for unit in known if unit.level < at]
    pieces = ceil(expected / (most * _count(known, at))) if expected else 1
    subtrees = [unit for unit in known if unit.level == at]
    return [*above, *(TrackerSlice(unit, True, piece) for piece in _pieces(window, pieces) for unit in subtrees)]


def divide(slice_: TrackerSlice, children_of: Callable[[OrgUnit], Sequence[OrgUnit]]) -> tuple[TrackerSlice, ...]:
    """Smaller slices that together cover the given one, each row once; empty when it cannot be divided.

    A subtree: the unit alone and each subtree below it. A unit with none below: its days in two halves. A slice of
    which a page was read already is not divided.
    """
    if slice_.page > 1:
        return ()
    fresh = replace(slice_, page_rows=None)
    below = children_of(slice_.unit) if slice_.below else ()
    if below:
        return replace(fresh, below=False), *(replace(fresh, unit=unit) for unit in below)
    if slice_.days > 1:
        return tuple(replace(fresh, below=False, window=piece) for piece in _pieces(slice_.window, 2))
    return ()


def _count(units: Sequence[OrgUnit], level: int) -> int:
    return sum(unit.level == level for unit in units)


def _pieces(window: Window | None, number: int) -> Iterator[Window | None]:
    """The window in so many runs of days, as even as can be, none empty."""
    if window is None:
        yield None
        return
    first, days = window[0], (window[1] - window[0]).days
    cuts = sorted({days * n // number for n in range(number + 1)})
    for start, end in pairwise(cuts):
        yield first + timedelta(days=start), first + timedelta(days=end)
