"""Something that happens while somebody reads: after so many requests of a path, before the next is answered.

Belongs here: counting and calling. Does not belong here: what happens (a callable).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Interruption:
    """``do`` is called once, before the request that follows ``left`` more matching ones is answered."""

    pattern: re.Pattern[str]
    left: int
    do: Callable[[], object]
    done: bool = False


class Interruptions:
    """The interruptions of one sandbox; thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[Interruption] = []
        self._lock = threading.Lock()

    def during(self, path_pattern: str, *, after_requests: int, do: Callable[[], object]) -> Interruption:
        """Call ``do`` between two requests whose path and query match a regular expression.

        It is called once, after ``after_requests`` of them were answered and before the next one is looked at; never
        when there is no next one.
        """
        made = Interruption(re.compile(path_pattern), after_requests, do)
        with self._lock:
            self._waiting.append(made)
        return made

    def clear(self) -> None:
        """Forget those that have not happened."""
        with self._lock:
            self._waiting.clear()

    def due(self, path_and_query: str) -> list[Interruption]:
        """Count a request that came in; returns what has to happen before it is answered."""
        found = []
        with self._lock:
            for one in list(self._waiting):
                if one.pattern.search(path_and_query) is None:
                    continue
                if one.left == 0:
                    one.done = True
                    self._waiting.remove(one)
                    found.append(one)
                one.left -= 1
        return found
