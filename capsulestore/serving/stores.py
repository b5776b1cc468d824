"""The store that is served, opened as often as requests read it at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from capsulestore.errors import DamagedObject, MissingObject, StoreUnreadable
from capsulestore.store import Store

__all__ = ["Stores"]

_NOT_SOUND: Final = (DamagedObject, MissingObject, StoreUnreadable)


class _Free(NamedTuple):
    """An open store that nobody uses, and the directory of objects that it was opened on."""

    store: Store
    objects: os.stat_result


class Stores:
    """Lends the store at a path, each time to one thread alone; what comes back is kept open for the next."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._objects = os.path.join(path, "objects")
        self._free: list[_Free] = []
        self._lock = threading.Lock()

    @contextmanager
    def lent(self) -> Iterator[Store]:
        """Give a store that nobody else uses during the block.

        One in which something turned out to be damaged or missing is not lent again, nor one whose directory was put
        away: whoever comes next sees what lies at the path then. Raise what `Store` raises.
        """
        free = self._taken()
        try:
            yield free.store
        except _NOT_SOUND:
            free.store.close()
            raise
        except BaseException:
            self._give_back(free)
            raise
        self._give_back(free)

    def close(self) -> None:
        """Let go of the files of those that nobody uses."""
        with self._lock:
            free, self._free = self._free, []
        for one in free:
            one.store.close()

    def _taken(self) -> _Free:
        while True:
            with self._lock:
                free = self._free.pop() if self._free else None
            if free is None:
                store = Store(self.path)
                return _Free(store, os.stat(self._objects))
            if self._is_there(free):
                return free
            free.store.close()

    def _give_back(self, free: _Free) -> None:
        with self._lock:
            self._free.append(free)

    def _is_there(self, free: _Free) -> bool:
        try:
            return os.path.samestat(os.stat(self._objects), free.objects)
        except OSError:
            return False
