"""The magnitudes arithmetic is done on, so that no operation can overflow or underflow.

Belongs here: the two windows and the static bound of a sub-expression. Does not belong here: SQL text.
PostgreSQL raises an error where double precision overflows or underflows, DHIS2 computes with BigDecimal.
Here every operand lies in `OPERAND` and every input of an operation in `ARITHMETIC` (or is 0); anything else
is not a number, hence no value. A bound proves most inputs inside, so the SQL tests only what it cannot
prove.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Window:
    """Values 0 and 2^low <= |v| <= 2^high."""

    low: int
    high: int

    def holds(self, value: float) -> bool:
        """Whether a value is inside; not-a-number is not."""
        return value == 0 or 2.0**self.low <= abs(value) <= 2.0**self.high

    def keep(self, value: float) -> float:
        """The value, or not-a-number when outside."""
        return value if self.holds(value) else math.nan


OPERAND: Final = Window(-40, 60)
"""About 9.1e-13 to 1.15e18: wider than any count, rate or population a facility reports."""
ARITHMETIC: Final = Window(-500, 500)


def for_power(exponent: int) -> Window:
    """The window a base must lie in so that base ^ exponent lies in ARITHMETIC."""
    bits = 500 // max(1, abs(exponent))
    return Window(-bits, bits)


@dataclass(frozen=True)
class Bound:
    """Every finite value is a multiple of 2^grid and at most 2^top in magnitude."""

    grid: float
    top: float

    def within(self, window: Window) -> bool:
        """Whether all values surely lie in the window."""
        return self.grid >= window.low and self.top <= window.high

    def clipped(self, window: Window) -> Bound:
        """The bound after values outside the window are taken out."""
        return Bound(max(self.grid, window.low - 53), min(self.top, window.high))


OPERAND_BOUND: Final = Bound(OPERAND.low - 52, OPERAND.high)
LOG_BOUND: Final = Bound(-120, 10)


def of_number(value: float) -> Bound:
    """The bound of a literal."""
    _, denominator = value.as_integer_ratio()
    return Bound(-math.log2(denominator), math.log2(abs(value)) + 1e-9 if value else 0)


def of_sum(a: Bound, b: Bound) -> Bound:
    """Of a + b and a - b."""
    high, low = max(a.top, b.top), min(a.top, b.top)
    return Bound(min(a.grid, b.grid), high + math.log2(1 + 2.0 ** max(low - high, -1000)) + 1e-9)


def of_product(a: Bound, b: Bound) -> Bound:
    """Of a * b."""
    return Bound(a.grid + b.grid, a.top + b.top)


def of_quotient(a: Bound, b: Bound) -> Bound:
    """Of a / b."""
    return Bound(a.grid - b.top - 54, a.top - b.grid + 1)


def of_remainder(a: Bound, b: Bound) -> Bound:
    """Of a % b, computed on 15 significant decimal digits."""
    return Bound(min(a.grid, b.grid) - 120, a.top + 1)


def of_power(base: Bound, exponent: int) -> Bound:
    """Of base ^ exponent."""
    if exponent >= 0:
        return Bound(base.grid * exponent - 54, max(base.top * exponent, 0) + 1)
    return Bound(base.top * exponent - 108, max(base.grid * exponent, 0) + 1)


def of_either(a: Bound, b: Bound) -> Bound:
    """Of a value that is one or the other."""
    return Bound(min(a.grid, b.grid), max(a.top, b.top))
