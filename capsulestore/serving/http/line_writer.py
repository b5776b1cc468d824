"""Writes a log from a thread of its own, so that nothing waits for who reads it, nor for who has stopped to."""

from __future__ import annotations

import os
import select
import threading
from types import TracebackType
from typing import Final, Self

__all__ = ["LineWriter"]

_LINES: Final = 10_000
_LAST_SECONDS: Final = 2.0


class LineWriter:
    """Writes lines to a descriptor, whole and in order; to none, where it is None.

    As many as `most` wait to be written. Those beyond are left out, and where they would stand a line says how many
    they were. At the end of the block what waits is written, unless that takes longer than `last_seconds`. What cannot
    be written, as to a pipe that nobody reads any more, is lost.
    """

    def __init__(self, descriptor: int | None, *, most: int = _LINES, last_seconds: float = _LAST_SECONDS) -> None:
        self._most = most
        self._last_seconds = last_seconds
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._left_out = 0
        self._ended = False
        # As a daemon: the process ends also where the thread does not come back from writing.
        self._thread = (
            None
            if descriptor is None
            else threading.Thread(target=self._run, args=(descriptor,), name="log", daemon=True)
        )

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread:
            self._thread.join(self._last_seconds)

    def write(self, line: str) -> None:
        """Have a line written, which has no line break; from any thread, and without waiting."""
        if not self._thread:
            return
        with self._changed:
            if len(self._lines) < self._most:
                self._lines.append(line)
            else:
                self._left_out += 1
            self._changed.notify()

    def _run(self, descriptor: int) -> None:
        while lines := self._next():
            # Not by `sys.stderr`: whoever waits within that holds its lock, for which the end of the process waits.
            _write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"), descriptor)

    def _next(self) -> list[str]:
        """Return all lines that wait, as soon as there are some; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._ended)
            lines, self._lines = self._lines, []
            if self._left_out:
                lines.append(f"{self._left_out} lines are left out here: they came faster than they were read")
                self._left_out = 0
            return lines


def _write(data: bytes, descriptor: int) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Whoever started this process made the pipe so, and shares it.
            room = select.poll()
            room.register(descriptor, select.POLLOUT)
            room.poll()
        except OSError:
            return
