"""How much of the files below a directory is looked at before it counts as too large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_BYTES", "MAX_FILES", "Budget", "TooLarge"]

MAX_BYTES: Final = 256 * 2**20
MAX_FILES: Final = 20_000


class TooLarge(Exception):
    """More than `MAX_BYTES` or `MAX_FILES`: what is there is recorded as not hashed."""


@dataclass(slots=True)
class Budget:
    """What may still be looked at: entries of directories, directories where they are counted apart, bytes to hash."""

    entries: int = MAX_FILES
    directories: int = MAX_FILES
    bytes: int = MAX_BYTES

    def spend(self, *, entries: int = 0, directories: int = 0, size: int = 0) -> None:
        """Take from it; raise `TooLarge` where that is more than there is."""
        self.entries -= entries
        self.directories -= directories
        self.bytes -= size
        if min(self.entries, self.directories, self.bytes) < 0:
            raise TooLarge
