"""Threads for what touches a disk: so many of each kind, that none waits for those of another."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread

from capsulestore.serving.limits import Limits
from capsulestore.serving.problems import Problem, Refused

__all__ = ["Threads"]

_Answer = TypeVar("_Answer")


class Threads:
    """Runs functions in threads, those of a kind at most as many at once as the limits allow.

    Each method raises what the function raises, and `Refused` where too many wait already.
    """

    def __init__(self, limits: Limits) -> None:
        self._readers = _Turns(limits.readers, limits.waiting)
        self._writers = _Turns(limits.writers, limits.waiting)
        self._captures = _Turns(limits.captures, limits.waiting_captures)
        self._judges = _Turns(limits.captures, limits.waiting_captures)
        self._watchers = _Turns(1, limits.waiting)

    async def read(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what reads the store."""
        return await self._readers.run(function)

    async def write(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what registers capsules."""
        return await self._writers.run(function)

    async def capture(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what looks at the environment here."""
        return await self._captures.run(function)

    async def judge(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what parses and compares an environment that was sent."""
        return await self._judges.run(function)

    async def watch(self, function: Callable[[], _Answer]) -> _Answer:
        """Run what looks whether all is well, whatever else there is to do."""
        return await self._watchers.run(function)


class _Turns:
    """So many threads at once, and so many that wait: what waits is done even if whoever asked for it has left."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(at_once)
        self._most = at_once + waiting
        self._count = 0

    async def run(self, function: Callable[[], _Answer]) -> _Answer:
        if self._count >= self._most:
            raise Refused(_BUSY)
        self._count += 1
        try:
            return await to_thread.run_sync(function, limiter=self._limiter)
        finally:
            self._count -= 1


_BUSY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_busy",
    "others are waiting for the same, as many as this server lets wait",
    "ask again in a few seconds",
    headers={"Retry-After": "5"},
)
