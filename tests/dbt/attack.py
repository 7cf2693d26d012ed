"""An attack on published tables: what can be known of a hidden count from everything that is shown.

Belongs here: a made-up tree of places and months, and the bounds that linear programming gives. Does not: what is published.
``Attack`` is on shares, ``WideAttack`` on reports of many columns.
The attacker knows every shown number, that counts are not negative, and which facility has no case in which month.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]

# place -> (the place above it, role)
TREE = {
    "Country0001": (None, "country"),
    "Province001": ("Country0001", "province"),
    "Province002": ("Country0001", "province"),
    "District001": ("Province001", "district"),
    "District002": ("Province001", "district"),
    "District003": ("Province002", "district"),
    "Facility001": ("District001", "facility"),
    "Facility002": ("District001", "facility"),
    "Facility003": ("District001", "facility"),
    "Facility004": ("District002", "facility"),
    "Facility005": ("District003", "facility"),
    "Facility006": ("District003", "facility"),
}
# A district may report by itself, beside its facilities.
REPORTING = [*(place for place, (_, role) in TREE.items() if role == "facility"), "District001"]
MONTHS = ["2024-05-01", "2024-06-01", "2024-07-01", "2024-08-01"]
PERIODS: dict[str, list[str]] = {
    "2024-05": MONTHS[:1],
    "2024-06": MONTHS[1:2],
    "2024-07": MONTHS[2:3],
    "2024-08": MONTHS[3:],
    "2024Q2": MONTHS[:2],
    "2024Q3": MONTHS[2:],
    "2024": MONTHS,
    "fy_2023_24": MONTHS[:2],
    "fy_2024_25": MONTHS[2:],
}
# (place that reports, month) -> (in the numerator, in the denominator only)
Counts = Mapping[tuple[str, str], tuple[int, int]]
# (place, period) -> (numerator, denominator)
Shown = Mapping[tuple[str, str], tuple[float, float]]
# (place, period) -> denominator, where another report shows it
Totals = Mapping[tuple[str, str], float]


def line(place: str) -> list[str]:
    """A place and all above it."""
    above = TREE[place][0]
    return [place, *(line(above) if above else [])]


@dataclass(frozen=True)
class Cell:
    """A count that somebody might be after: of a place and period, of cases, of the rest, or of both."""

    place: str
    period: str
    what: str
    value: int


def ends(row: np.ndarray, equations: np.ndarray, totals: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    """The least and the most that a sum of unknown counts (`row`) can be, given the equations."""
    known = {"A_eq": equations, "b_eq": totals} if len(totals) else {}
    found = []
    for sign in (1, -1):
        solved = linprog(sign * row, bounds=(0, 10_000), method="highs", **known)
        assert solved.status == 0, solved.message
        found.append(float(row @ solved.x))
    return found[0], found[1]


class Attack:
    """The equations that what is shown makes of what is hidden."""

    def __init__(self, counts: Counts, shown: Shown, also: Totals | None = None) -> None:
        self.counts = counts
        # A count that is 0 is known to be, so only the others are variables.
        cells = [(unit, month, i) for (unit, month), pair in counts.items() for i in (0, 1) if pair[i]]
        self.at = {cell: n for n, cell in enumerate(cells)}
        rows, totals = [], []
        for (place, period), (numerator, denominator) in shown.items():
            rows += [self._row(place, period, (0,)), self._row(place, period, (0, 1))]
            totals += [numerator, denominator]
        for (place, period), total in (also or {}).items():
            rows.append(self._row(place, period, (0, 1)))
            totals.append(total)
        self.equations = np.array(rows).reshape(len(rows), len(cells))
        self.totals = np.array(totals, dtype=float)

    def _row(self, place: str, period: str, parts: Iterable[int]) -> np.ndarray:  # type: ignore[type-arg]
        row = np.zeros(len(self.at))
        for unit, month in self.counts:
            if place in line(unit) and month in PERIODS[period]:
                for part in parts:
                    if (unit, month, part) in self.at:
                        row[self.at[unit, month, part]] = 1
        return row

    def small(self, below: int) -> list[Cell]:
        """Every count from 1 to less than `below`, at every place and period, shown or not."""
        found = []
        for place in TREE:
            for period, months in PERIODS.items():
                for what, parts in (("cases", (0,)), ("rest", (1,)), ("both", (0, 1))):
                    value = sum(
                        pair[part]
                        for (unit, month), pair in self.counts.items()
                        for part in parts
                        if place in line(unit) and month in months
                    )
                    if 0 < value < below:
                        found.append(Cell(place, period, what, value))
        return found

    def bounds(self, cell: Cell) -> tuple[float, float]:
        """The least and the most that a count can be, given all that is known."""
        parts = {"cases": (0,), "rest": (1,), "both": (0, 1)}[cell.what]
        return ends(self._row(cell.place, cell.period, parts), self.equations, self.totals)


# (place that reports, atom of time) -> persons of each class; columns of a report are sums of classes
Persons = Mapping[tuple[str, str], Mapping[str, int]]
Classes = tuple[str, ...]
# (place, atoms of time, classes) -> how many there are, as some report says
Said = Mapping[tuple[str, tuple[str, ...], Classes], float]


class WideAttack:
    """What reports of many columns tell together. ``alike``: sums that are the same of whomever, as by sex and by age.

    The attacker knows where nobody was. Somebody is of one class of each sum that is alike, so classes need not be crossed.
    """

    def __init__(self, persons: Persons, alike: Iterable[tuple[Classes, Classes]], said: Said) -> None:
        self.persons = {key: its for key, its in persons.items() if any(its.values())}
        self.at = {cell: n for n, cell in enumerate((*key, name) for key, its in self.persons.items() for name in its)}
        same = [(self._row(p, (t,), a) - self._row(p, (t,), b), 0.0) for p, t in self.persons for a, b in alike]
        told = [(self._row(*key), total) for key, total in said.items()]
        self.equations = np.array([row for row, _ in same + told]).reshape(len(same + told), len(self.at))
        self.totals = np.array([total for _, total in same + told])

    def _row(self, place: str, atoms: Iterable[str], classes: Iterable[str]) -> np.ndarray:  # type: ignore[type-arg]
        row = np.zeros(len(self.at))
        for unit, atom in self.persons:
            if place in line(unit) and atom in atoms:
                for name in classes:
                    row[self.at[unit, atom, name]] = 1
        return row

    def exposed(self, cells: Iterable[tuple[str, tuple[str, ...], Classes]], below: int) -> tuple[int, list[str]]:
        """How many of the cells are small, and those of which an attacker learns that they are small, or that they are not 0."""
        truth = np.array([self.persons[place, atom][name] for place, atom, name in self.at])
        rows = {tuple(row): cell for cell in cells if 0 < (row := self._row(*cell)) @ truth < below}
        found = []
        for row, cell in rows.items():
            least, most = ends(np.array(row), self.equations, self.totals)
            if most < below - 1e-6 or least > 1e-6:
                found.append(f"{cell}, which is {np.array(row) @ truth:g}, is within {least:g} and {most:g}")
        return len(rows), found
