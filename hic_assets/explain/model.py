"""What is known of one value of one indicator, and of what it is made up. Values only; nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Kind = Literal["catalogue", "dhis2"]
SIDES = ("numerator", "denominator")


class NoValue(Exception):
    """There is no value to explain; says why, and what there is."""


@dataclass(frozen=True)
class Indicator:
    """An indicator of the catalogue (``key``: its code) or of DHIS2 (``key``: its uid)."""

    kind: Kind
    key: str
    code: str
    name: str


@dataclass(frozen=True)
class Unit:
    """A place of the registry. ``codes``: everything but the uid by which it may be asked for."""

    uid: str
    name: str
    level: str
    codes: tuple[str, ...] = ()
    district: str | None = None
    fosa_code: str | None = None

    def __str__(self) -> str:
        where = (
            f" in {self.district}" if self.district and self.level not in ("district", "province", "country") else ""
        )
        return f"{self.name}, {self.level}{where} ({self.uid})"


@dataclass(frozen=True)
class Asked:
    """A period as the reports name it: 2026-10, 2026Q3, 2026 or fy_2025_26; first and last day."""

    type: str
    label: str
    start: date
    end: date


@dataclass(frozen=True)
class Part:
    """What is counted on one side: a measure of the catalogue, or an operand of a DHIS2 expression.

    ``weights``: by month that counts, what a month's number is multiplied by before it is added to its side; None of a DHIS2
    operand, which goes through the expression. ``combine``: how the values of facilities become one.
    """

    number: int
    side: str
    key: str
    name: str
    weights: Mapping[date, float]
    combine: str = "sum"
    detail: str = ""
    sign: float = 1.0


@dataclass
class Cell:
    """One value, what the mart says of it, and its parts. ``sides``: the true ones, as the fact has them, month after month.

    ``by_month``: part number and month, to what the mart holds of it. ``closed``: relations the asker may not read.
    """

    indicator: Indicator
    unit: Unit
    asked: Asked
    months: Sequence[date]
    row: Mapping[str, Any]
    sides: Mapping[str, float | None]
    is_kept_back: bool
    is_sensitive: bool
    about: Mapping[str, Any]
    parts: Sequence[Part] = ()
    by_month: Mapping[tuple[int, date], float] = field(default_factory=dict)
    made: Mapping[str, float | None] = field(default_factory=dict)

    def of_side(self, side: str) -> list[Part]:
        """The parts of a side."""
        return [part for part in self.parts if part.side == side]
