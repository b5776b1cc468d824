"""Threads for what touches a disk: so many of each kind, that none waits for those of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from capsulestore.serving.limits import Limits

__all__ = ["Threads"]

_Answer = TypeVar("_Answer")


class Threads:
    """Runs functions in threads, those of a kind at most as many at once as the limits allow."""

    def __init__(self, limits: Limits) -> None:
        self._readers = CapacityLimiter(limits.readers)
        self._writers = CapacityLimiter(limits.writers)
        self._captures = CapacityLimiter(limits.captures)
        self._judges = CapacityLimiter(limits.captures)

    async def read(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what reads the store."""
        return await to_thread.run_sync(function, limiter=self._readers)

    async def write(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what registers capsules."""
        return await to_thread.run_sync(function, limiter=self._writers)

    async def capture(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what looks at the environment here."""
        return await to_thread.run_sync(function, limiter=self._captures)

    async def judge(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what parses and compares an environment that was sent."""
        return await to_thread.run_sync(function, limiter=self._judges)
