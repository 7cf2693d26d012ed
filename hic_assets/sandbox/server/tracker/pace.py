"""How fast a server gives records, whoever asks: the sandbox by itself is many times faster than a DHIS2."""

from __future__ import annotations

import threading
import time


class Pace:
    """One worker: seconds of work one after the other, whichever request has them to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self, began: float, seconds: float) -> None:
        """Until work of so many seconds is done that `began` (`time.monotonic`), or when the worker was free for it."""
        with self._lock:
            self._free_at = max(self._free_at, began) + seconds
            until = self._free_at
        time.sleep(max(0.0, until - time.monotonic()))
