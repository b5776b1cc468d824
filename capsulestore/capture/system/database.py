"""The database of a package manager: the interface that each module for one has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from capsulestore.model.canonical import Json

__all__ = ["MAX_BYTES", "Database", "Packages", "Unreadable"]

MAX_BYTES = 64 * 2**20
"""The largest database in text that is read: ten times that of a system with 10,000 packages."""

Packages = dict[str, Json]
"""Version by `name:architecture`; a sorted list of versions where several are installed side by side."""


class Unreadable(Exception):
    """A database that is there and cannot be read: where it lies, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class Database(Protocol):
    """A package manager's database. Reading it starts none of its programs and loads none of its libraries."""

    def files(self, root: str) -> list[str]:
        """Return the paths of its files under `root`, all that a change of it would change; empty where none is."""
        ...

    def read(self, files: Sequence[str]) -> Packages:
        """Return the packages that these files say are installed; raise `Unreadable`."""
        ...
