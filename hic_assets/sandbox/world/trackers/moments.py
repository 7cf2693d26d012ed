"""When things are typed in: shortly after they happened mostly, some weeks later, corrections later still.

Belongs here: from local days to milliseconds UTC. Source: domain trap 6.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from hic_assets.sandbox.world.hashing import F64, U64, mix, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers.packing import I64, Bools

DAY_MS = 86_400_000
KIGALI_MS = 2 * 3_600_000
OPENS, CLOSES = 7.5 * 3_600_000, 17.5 * 3_600_000
_SIZE = 4096


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def midnight(days: I64) -> I64:
    """The moment a local day begins in Kigali."""
    return days * DAY_MS - KIGALI_MS


def _delays() -> I64:
    u = (np.arange(_SIZE) + 0.5) / _SIZE
    edges = [0.0, 0.68, 0.86, 0.95, 0.988, 1.0]
    days = [(0, 0), (1, 6), (7, 20), (21, 55), (56, 110)]
    result = np.zeros(_SIZE, dtype=np.int64)
    for (low, high), start, end in zip(days, edges, edges[1:], strict=False):
        part = (u >= start) & (u < end)
        result[part] = low + np.floor((u[part] - start) / (end - start) * (high - low + 1)).astype(np.int64)
    return result


_DELAYS = _delays()


def typed_in(days: I64, hashes: U64, *, late: bool = True) -> I64:
    """When what happened on these local days was entered: working hours of that day or, if ``late``, a later one."""
    h = salted(hashes, "typed in")
    delay = _DELAYS[(h & np.uint64(_SIZE - 1)).astype(np.intp)] if late else 0
    time = OPENS + uniform(mix(h)) * (CLOSES - OPENS)
    result: I64 = midnight(days + delay) + time.astype(np.int64)
    return result


def later(moments: I64, hashes: U64, salt: str, share: float, mean_days: float) -> I64:
    """For a share of these moments one later (exponential), NEVER for the rest."""
    h = salted(hashes, salt)
    wait = -np.log1p(-uniform(salted(h, "wait"))) * mean_days * DAY_MS + 60_000
    result: I64 = np.where(uniform(h) < share, moments + wait.astype(np.int64), NEVER)
    return result


def only(moments: I64, kept: Bools) -> I64:
    """NEVER where not kept."""
    result: I64 = np.where(kept, moments, NEVER)
    return result


def spread_days(hashes: U64, salt: str, mean: float) -> I64:
    """Whole days, exponential with this mean."""
    wait: F64 = -np.log1p(-uniform(salted(hashes, salt))) * mean
    result: I64 = np.floor(wait).astype(np.int64)
    return result
