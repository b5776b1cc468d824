"""How far an exchange with another store has come: a line on the terminal, gone when it ends, and nothing elsewhere."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from .output import safe

if TYPE_CHECKING:
    from capsulestore.sync.remote import Progress

__all__ = ["size", "watched"]

_BETWEEN_SECONDS: Final = 0.1
"""So often a line can be read; to write it more often costs time."""
_UNITS: Final = ("KB", "MB", "GB")
_LINE: Final = re.compile(r"([^\r\n]*)(\r?\n|\r)")
_LONGEST: Final = 1_000
_COUNTED_BY_GIT: Final = re.compile(r"(?:[A-Z][a-z]+ )+(?:objects|deltas): |Total \d")
"""What git says of its own progress on the other side: it goes with ours. All else it says is for people."""


@contextmanager
def watched() -> Iterator[Progress]:
    """Give what shows the progress of an exchange on standard error, where that is a terminal."""
    from capsulestore.sync.remote import SILENT

    if not (sys.stderr and sys.stderr.isatty()):
        yield SILENT
        return
    shown = _Shown()
    try:
        yield shown
    finally:
        shown.end()


def size(count: int) -> str:
    """Return so many bytes as people read them, in thousands: `312 bytes`, `18.2 KB`."""
    if count < 1_000:
        return f"{count} {'byte' if count == 1 else 'bytes'}"
    amount = count / 1_000
    for unit in _UNITS:
        # What would be rounded up to a thousand of them is one of the next.
        if amount < 999.95 or unit == _UNITS[-1]:
            break
        amount /= 1_000
    return f"{amount:.1f} {unit}"


class _Shown:
    """A line that is written over; above it stays what the remote says to people."""

    def __init__(self) -> None:
        self._bytes = self._done = self._total = 0
        self._remark = self._begun = ""
        self._width = 0
        self._next = time.monotonic() + _BETWEEN_SECONDS

    def bytes(self, count: int) -> None:
        """Count bytes."""
        self._bytes += count
        self._draw()

    def objects(self, done: int, total: int) -> None:
        """Show objects."""
        self._done, self._total = done, total
        # After the last, the other side may take its time.
        self._draw(at_once=done == total)

    def said(self, text: str) -> None:
        """Show what the remote says, line by line; a line that it writes over is written over here."""
        text, end = self._begun + text, 0
        for found in _LINE.finditer(text):
            self._say(found[1], passing=found[2] == "\r")
            end = found.end()
        self._begun = text[end:][:_LONGEST]
        # It is said seldom enough.
        self._draw(at_once=end > 0)

    def end(self) -> None:
        """Leave nothing on the terminal but what the remote said."""
        self._say(self._begun)
        self._over("")

    def _say(self, line: str, *, passing: bool = False) -> None:
        if passing or _COUNTED_BY_GIT.match(line):
            self._remark = line
        elif line.strip():
            self._over("")
            self._write(f"remote: {safe(line[:_LONGEST].rstrip())}\n")

    def _draw(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + _BETWEEN_SECONDS
        counted = [f"{self._done} of {self._total} objects"] if self._total else []
        line = ", ".join([*counted, size(self._bytes)])
        self._over(f"{line}  remote: {safe(self._remark)}" if self._remark else line)

    def _over(self, line: str) -> None:
        """Write a line where the last one stands, so short that the terminal does not break it."""
        line = line[: _columns() - 1]
        if line or self._width:
            self._write(f"\r{line}{' ' * (self._width - len(line))}{'' if line else chr(13)}")
        self._width = len(line)

    @staticmethod
    def _write(text: str) -> None:
        # A terminal that is gone must not end the exchange.
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _columns() -> int:
    with suppress(OSError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    return 80
