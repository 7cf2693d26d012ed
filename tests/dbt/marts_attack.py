"""Attacks on programme marts: a report's rows as equations, and what has been seen so far.

Belongs here: what they have in common. Does not: the rows, columns and periods of a mart (``test_marts_disclosure``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from attack import TREE, Classes, Persons, Said, WideAttack, line
from hypothesis import HealthCheck, Phase, settings

THRESHOLD = 5

Connection = psycopg.Connection[Any]
Columns = Mapping[str, Classes]
# period of a report -> its atoms of time
Periods = Mapping[str, tuple[str, ...]]


@dataclass
class Attacked:
    """One attack after another on a mart. ``targets``: what somebody might be after of a place, in a column or left of columns."""

    alike: Sequence[tuple[Classes, Classes]]
    targets: Sequence[tuple[tuple[str, ...], Classes]]
    shown: int = 0
    small: int = 0

    def exposed(self, persons: Persons, told: Said) -> list[str]:
        """Small counts that what is told gives away."""
        cells = [(place, atoms, classes) for place in TREE for atoms, classes in self.targets]
        for (place, atoms, classes), number in told.items():
            assert number == total(persons, place, atoms, classes), (place, atoms, classes)
        small, found = WideAttack(persons, self.alike, told).exposed(cells, THRESHOLD)
        self.small += small
        self.shown += sum(1 for number in told.values() if number)
        return found

    def had_much_to_show_and_to_hide(self) -> None:
        """Neither by showing nothing, nor for want of anything to hide."""
        assert min(self.shown, self.small) > 200, (self.shown, self.small)


def every(columns: Iterable[Classes], periods: Periods) -> list[tuple[tuple[str, ...], Classes]]:
    """Each column in each period."""
    return [(atoms, classes) for atoms in periods.values() for classes in columns]


def total(persons: Persons, place: str, atoms: Iterable[str], classes: Classes) -> int:
    """How many there are in truth."""
    return sum(
        its[name] for (unit, atom), its in persons.items() for name in classes if atom in atoms and place in line(unit)
    )


def said(rows: Iterable[tuple[Any, ...]], columns: Columns, periods: Periods) -> dict[Any, float]:
    """Rows of a report (place, period, and its columns in their order) as equations."""
    return {
        (place, periods[period], classes): number
        for place, period, *numbers in rows
        for classes, number in zip(columns.values(), numbers, strict=True)
        if number is not None
    }


def naive(persons: Persons, columns: Columns, periods: Periods) -> Said:
    """What would be told if small counts alone were kept back."""
    every = {
        (p, a, c): float(total(persons, p, a, c)) for p in TREE for a in periods.values() for c in columns.values()
    }
    return {key: number for key, number in every.items() if not 0 < number < THRESHOLD}


def added_up(persons: Persons, columns: Columns) -> list[dict[str, Any]]:
    """Rows of a table of true numbers: of every place with anybody, and each atom."""
    keys = {(place, atom) for (unit, atom), its in persons.items() if any(its.values()) for place in line(unit)}
    return [
        {"org_unit_uid": place, "level": TREE[place][1], "period_start": atom}
        | {name: total(persons, place, (atom,), classes) for name, classes in columns.items()}
        for place, atom in sorted(keys)
    ]


def tried(examples: int) -> Callable[[Any], Any]:
    """The settings of all searches: always the same examples."""
    checks = list(HealthCheck)
    # Not made smaller: of such tables that takes minutes, and any says what leaked.
    phases = (Phase.explicit, Phase.generate)
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=checks,
    )
