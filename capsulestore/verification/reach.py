"""How far a verification looks on behalf of somebody who could not look there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

__all__ = ["Reach"]

_OUTSIDE: Final = "it does not lie in the directory that holds the store"
_TOO_MUCH: Final = "together that would be more than is looked at for one answer"
_FILE_BYTES: Final = 4 * 2**10
_TREE_BYTES: Final = 32 * 2**20


@dataclass(slots=True)
class Reach:
    """What one verification may still look at: so many bytes of what lies below a directory, a real path.

    A path lies there where it says so, without `..`, and where its links lead there too. Of what lies elsewhere not
    even is it told whether it is there. A file counts as 4 KiB at least, for what it takes to find it; a directory of
    code as 32 MiB, whatever it holds: how much of it is hashed has a bound of its own (`capsulestore.capture.budget`).
    """

    directory: str
    left_bytes: int

    def holds(self, path: str) -> bool:
        """Whether an absolute path lies below the directory, or is it."""
        # Links elsewhere are not followed, not even to see where they lead.
        return self._has(path) and ".." not in path.split(os.sep) and self._has(os.path.realpath(path))

    def keeps_from_file(self, path: str) -> str | None:
        """Return why a file is not looked at, in words; None where it may be, which counts it."""
        if not self.holds(path):
            return _OUTSIDE
        try:
            size = os.stat(path).st_size
        except OSError:
            size = 0
        return self._spend(max(size, _FILE_BYTES))

    def keeps_from_tree(self, directory: str) -> str | None:
        """Return the same for a directory of code."""
        return self._spend(_TREE_BYTES) if self.holds(directory) else _OUTSIDE

    def _has(self, path: str) -> bool:
        return path == self.directory or path.startswith(os.path.join(self.directory, ""))

    def _spend(self, size: int) -> str | None:
        if size > self.left_bytes:
            return _TOO_MUCH
        self.left_bytes -= size
        return None
