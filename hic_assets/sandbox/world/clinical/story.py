"""What the clinical systems' records are told with: the persons, facilities and life of the trackers, further ahead.

Belongs here: the shared ground, and remembering what was worked out from it. Does not belong here: any record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, cast

import numpy as np
import polars as pl

from hic_assets.sandbox.world.facilities import Facility
from hic_assets.sandbox.world.hashing import key, uniform
from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.roster import local_midnight, next_month
from hic_assets.sandbox.world.trackers.life import Life
from hic_assets.sandbox.world.trackers.noise import Noise
from hic_assets.sandbox.world.trackers.packing import I64
from hic_assets.sandbox.world.trackers.places import Places

T = TypeVar("T")
KEPT_ROWS = 1_000_000
"""Told rows kept in memory, of all systems together."""


@dataclass(frozen=True)
class Story:
    """The ground of one world. ``life`` is the trackers' own, told further (a longer story begins with the shorter
    one), so that women pregnant today are in it. Positions in ``facilities`` are positions in ``places``.
    """

    seed: int
    scale: float
    facilities: tuple[Facility, ...]
    places: Places
    life: Life
    noise: Noise
    told: Memo[pl.DataFrame] = field(
        default_factory=lambda: Memo(most=KEPT_ROWS, size=lambda frame: frame.height), repr=False
    )
    """Records by system, resource and month, as they were told; what was forgotten is told again the same."""
    _made: dict[object, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def first_day(self) -> int:
        """The first day of ``life`` (days since 1970)."""
        return self.life.first_day

    @property
    def last_day(self) -> int:
        """The last day of ``life``: the better part of a year after the clock."""
        return self.life.last_day

    def once(self, name: object, make: Callable[[], T]) -> T:
        """Work something out once for this story."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast(T, self._made[name])

    def users(self, system: str, shares: dict[str, float]) -> I64:
        """Positions of the facilities that use a system, by form (hospital, centre, post, private): the share of them.

        At least one of each form that has any; never one that is not listed or has no registry key.
        """
        found: list[int] = []
        for form, share in shares.items():
            of_form = [i for i, f in enumerate(self.facilities) if f.form == form and f.listed]
            if not of_form:
                continue
            draws = uniform(np.array([key(self.seed, system, self.facilities[i].uid) for i in of_form]))
            chosen = [i for i, u in zip(of_form, draws, strict=True) if u < share]
            found += chosen or [of_form[int(np.argmin(draws))]]
        return np.array(sorted(found), dtype=np.int64)

    def open_on(self, positions: I64, days: I64) -> np.ndarray:  # type: ignore[type-arg]
        """Whether these facilities (one a day given) had opened and not yet closed on these days (since 1970)."""
        opened, closed = self.once("open days", self._open_days)
        result: np.ndarray = (opened[positions] <= days) & (days < closed[positions])  # type: ignore[type-arg]
        return result

    def _open_days(self) -> tuple[I64, I64]:
        opened = [(f.opening_date - date(1970, 1, 1)).days for f in self.facilities]
        closed = [(f.closed_date - date(1970, 1, 1)).days if f.closed_date else 2**40 for f in self.facilities]
        return np.array(opened, dtype=np.int64), np.array(closed, dtype=np.int64)


def month_days(month: date) -> tuple[int, int]:
    """First day of a month and of the next one (days since 1970)."""
    return (month - date(1970, 1, 1)).days, (next_month(month) - date(1970, 1, 1)).days


def month_moments(month: date) -> tuple[int, int]:
    """The moments (ms UTC) at which a month begins and ends in Kigali."""
    return local_midnight(month), local_midnight(next_month(month))
