"""The content of modules and packages that no RECORD lists: hashed from their files, within limits."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from capsulestore.capture.python.rows import Row, content, hashed
from capsulestore.capture.watch import noticed, noticed_absence, noticed_names

__all__ = ["MAX_BYTES", "MAX_FILES", "TooLarge", "content_of", "files_below"]

MAX_BYTES: Final = 256 * 2**20
MAX_FILES: Final = 20_000


class TooLarge(Exception):
    """More than `MAX_BYTES` or `MAX_FILES`: what is there is recorded as not hashed."""


@dataclass(slots=True)
class _Budget:
    files: int = MAX_FILES
    directories: int = MAX_FILES
    bytes: int = MAX_BYTES

    def spend(self, *, files: int = 0, directories: int = 0, size: int = 0) -> None:
        self.files -= files
        self.directories -= directories
        self.bytes -= size
        if min(self.files, self.directories, self.bytes) < 0:
            raise TooLarge


def content_of(directory: str, name: str) -> str | None:
    """Return the content digest of a module or package in a directory, None for a package without any file.

    The rows are those of a distribution: path from `directory`, SHA-256 of the bytes; nothing in a `__pycache__`. Links
    are followed, as import follows them. Raise `TooLarge`, or `OSError` for a file that cannot be read.
    """
    rows = [Row(path, hashed(os.path.join(os.fsencode(directory), path))) for path in files_below(directory, name)]
    return content(rows) if rows else None


def files_below(directory: str, name: str) -> list[bytes]:
    """Return the paths, from `directory`, of the regular files at or below a name in it, in no order."""
    base = os.fsencode(directory)
    found: list[bytes] = []
    budget = _Budget()
    # Not by recursion: directories may be nested deeper than Python's stack.
    waiting: list[tuple[bytes, frozenset[tuple[int, int]]]] = [(os.fsencode(name), frozenset())]
    while waiting:
        path, above = waiting.pop()
        full = os.fsdecode(os.path.join(base, path))
        (noticed_names if os.path.isdir(full) else noticed)(full)
        status = os.stat(full)
        identity = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode):
            budget.spend(files=1, size=status.st_size)
            found.append(path)
        elif stat.S_ISDIR(status.st_mode) and identity not in above:  # no link to a directory that holds it
            budget.spend(directories=1)
            for inner in os.listdir(os.path.join(base, path)):
                if inner == b"__pycache__":
                    continue
                if os.path.exists(os.path.join(base, path, inner)):
                    waiting.append((os.path.join(path, inner), above | {identity}))
                else:
                    noticed_absence(os.fsdecode(os.path.join(base, path, inner)))
    return found
