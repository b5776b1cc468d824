"""What is kept in memory because it does not change: so much of it, and what was asked for longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Memory"]

_Value = TypeVar("_Value")


class Memory(Generic[_Value]):
    """Values by a key, for all threads; `most` is how many, or how much by the `size` of each."""

    def __init__(self, most: int, size: Callable[[_Value], int] = lambda _: 1) -> None:
        self._most = most
        self._size = size
        self._held = 0
        self._kept: OrderedDict[str, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _Value | None:
        """Return what is kept by a key, None where nothing is."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: str, value: _Value) -> None:
        """Keep what a key stands for, now and for ever."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = value
            self._held += self._size(value)
            while self._held > self._most:
                _, dropped = self._kept.popitem(last=False)
                self._held -= self._size(dropped)
