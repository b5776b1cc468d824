"""What is kept in memory because it does not change: so much of it, and what was asked for longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

__all__ = ["Memory"]

_Value = TypeVar("_Value")


_OVERHEAD_BYTES: Final = 300
"""What it takes to keep a value, beside its bytes and its key's."""


class Memory(Generic[_Value]):
    """Values by a key, for all threads, in `most_bytes`; `size` is what a value has of them beside the key."""

    def __init__(self, most_bytes: int, size: Callable[[_Value], int] = lambda _: 0) -> None:
        self._most_bytes = most_bytes
        self._size = size
        self._held_bytes = 0
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
            self._held_bytes += self._bytes(key, value)
            while self._held_bytes > self._most_bytes:
                self._held_bytes -= self._bytes(*self._kept.popitem(last=False))

    def forget(self) -> None:
        """Keep nothing of what was kept."""
        with self._lock:
            self._kept.clear()
            self._held_bytes = 0

    def _bytes(self, key: str, value: _Value) -> int:
        return len(key) + self._size(value) + _OVERHEAD_BYTES
