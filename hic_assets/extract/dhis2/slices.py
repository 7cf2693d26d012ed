"""How a pull is cut into requests, and one that asks too much into smaller ones (contract 1.3). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

T = TypeVar("T")
# What is put into one request's URL at most; servers refuse long ones (Tomcat: 8 kB).
UNITS_PER_SLICE = 100


@dataclass(frozen=True)
class OrgUnit:
    """An organisation unit of the tree as slicing needs it."""

    id: str
    name: str
    level: int


@dataclass(frozen=True)
class Slice:
    """One request: data sets by organisation units (with `children`: whole subtrees) by time.

    Time is either one `period` or a `window` of days (both included) with `last_updated`: never both, since
    servers before 2.43 let the period win silently.
    """

    data_sets: tuple[str, ...]
    org_units: tuple[OrgUnit, ...]
    children: bool
    period: str | None = None
    window: tuple[date, date] | None = None
    last_updated: str | None = None

    def __post_init__(self) -> None:
        if (self.period is None) == (self.window is None):
            raise ValueError("a slice has either a period or a window")
        if not self.data_sets or not self.org_units:
            raise ValueError("a slice names data sets and organisation units")

    @property
    def label(self) -> str:
        """For people: when, where, and of which data sets."""
        when = self.period or f"changed since {self.last_updated}"
        first = self.org_units[0].name or self.org_units[0].id
        where = first if len(self.org_units) == 1 else f"{first} and {len(self.org_units) - 1} more"
        below = "" if self.children else " alone"
        what = self.data_sets[0] if len(self.data_sets) == 1 else f"{len(self.data_sets)} data sets"
        return f"{when} · {where}{below} · {what}"

    def params(self) -> list[tuple[str, str]]:
        """Query parameters common to dataValueSets and completeDataSetRegistrations."""
        params = [("dataSet", data_set) for data_set in self.data_sets]
        params += [("orgUnit", unit.id) for unit in self.org_units]
        if self.children:
            params.append(("children", "true"))
        if self.period is not None:
            params.append(("period", self.period))
        if self.window is not None:
            params += [("startDate", str(self.window[0])), ("endDate", str(self.window[1]))]
        if self.last_updated is not None:
            params.append(("lastUpdated", self.last_updated))
        return params


def plan(data_sets: Sequence[str], periods: Sequence[str], units: Iterable[OrgUnit], split_level: int) -> list[Slice]:
    """Slices that cover the whole tree once: every subtree from `split_level`, and the units above it alone.

    `units`: all units down to `split_level`. Order: by period, the units above first, then by unit as given.
    """
    known = list(units)
    above = [unit for unit in known if unit.level < split_level]
    subtrees = [unit for unit in known if unit.level == split_level]
    slices = []
    for period in periods:
        slices += [
            Slice(tuple(data_sets), tuple(above[at : at + UNITS_PER_SLICE]), children=False, period=period)
            for at in range(0, len(above), UNITS_PER_SLICE)
        ]
        slices += [Slice(tuple(data_sets), (unit,), children=True, period=period) for unit in subtrees]
    return slices


def divide(slice_: Slice, children_of: Callable[[OrgUnit], Sequence[OrgUnit]]) -> tuple[Slice, ...]:
    """Smaller slices that together cover the given one, each row once; empty when it cannot be divided.

    Several units: two halves. One subtree: the unit alone, and its children in two halves. Then data sets.
    """
    units = slice_.org_units
    if len(units) > 1:
        return tuple(replace(slice_, org_units=half) for half in _halves(units))
    below = tuple(children_of(units[0])) if slice_.children else ()
    if below:
        parts = [part for part in _halves(below) if part]
        alone = replace(slice_, children=False)
        return alone, *(replace(slice_, org_units=part) for part in parts)
    if len(slice_.data_sets) > 1:
        return tuple(replace(slice_, data_sets=half) for half in _halves(slice_.data_sets))
    return ()


def _halves(items: tuple[T, ...]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]
