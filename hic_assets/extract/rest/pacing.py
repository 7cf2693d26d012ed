"""No more requests a second than a system allows, over all sessions of this process with it.

Evenly spaced, so that no burst meets a limit that counts finer than ours. A library (pyrate-limiter 4.5 was tried) would
bring a background thread, sleeps that tests cannot take its place in, and bursts, for one addition under a lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_lock = threading.Lock()
_next: dict[str, float] = {}


def pace_of(
    system: str,
    per_second: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], None]:
    """A function that returns when the next request to the system may be sent; from several threads too.

    Raises ValueError for a rate that is not above 0.
    """
    if not per_second > 0:
        raise ValueError("requests per second must be more than 0")

    def pace() -> None:
        with _lock:
            now = clock()
            turn = max(_next.get(system, now), now)
            _next[system] = turn + 1 / per_second
        if turn > now:
            sleep(turn - now)

    return pace
