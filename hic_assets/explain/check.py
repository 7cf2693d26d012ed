"""Whether numbers that should be the same are: pure."""

from __future__ import annotations

import math
from collections.abc import Sequence


def added(values: Sequence[float]) -> float | None:
    """The sum; None of nothing."""
    return float(sum(values)) if values else None


def same(one: float | None, other: float | None) -> bool:
    """Whether two sums are one number: they may differ in the order in which they were added, and no more."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def disagreement(what: str, mart: str, held: float | None, found: str, made: float | None, hide: bool) -> str | None:
    """What to say where two numbers differ, without them where they are kept back; None where they agree."""
    if same(held, made):
        return None
    if hide:
        return f"{what}: {mart} is not what {found} (numbers kept back)"
    return f"{what}: {mart} says {number(held)}, {found} {number(made)}"


def number(value: float | None) -> str:
    """A number for a sentence."""
    if value is None:
        return "nothing"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"
