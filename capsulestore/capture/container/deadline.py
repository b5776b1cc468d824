"""By when an answer has to be there, however slowly it drips."""

from __future__ import annotations

import time

__all__ = ["Deadline"]


class Deadline:
    """A moment so many seconds from now, by the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, more than none; raise `TimeoutError` where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def share(self, among: int) -> Deadline:
        """Return the deadline of the next of so many that are asked in turn: none takes the time of the others."""
        return Deadline(max(0.0, self._end - time.monotonic()) / among)
