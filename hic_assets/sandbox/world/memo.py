"""What was worked out once in this process, for every world that asks the same: tests make the same small country anew.

Belongs here: remembering answers that follow from their key alone. Does not belong here: anything that a world changes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")
_ALL: WeakSet[Memo[Any]] = WeakSet()


class Memo(Generic[T]):
    """The latest answers whose sizes together are within ``most``, and always the very latest.

    Thread-safe. Two threads that ask the same at once may both work it out.
    """

    def __init__(self, most: int, size: Callable[[T], int] = lambda _: 1) -> None:
        self._most, self._size = most, size
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()
        _ALL.add(self)

    @property
    def total(self) -> int:
        """The sizes of what is kept."""
        return self._total

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is remembered under a key, or else made now. Nobody may change it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._total += self._size(made)
                while self._total > self._most and len(self._kept) > 1:
                    self._total -= self._size(self._kept.popitem(last=False)[1])
        return made

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._total = 0


def forget() -> None:
    """Forget everything everywhere: what is asked next is worked out anew."""
    for memo in list(_ALL):
        memo.forget()
