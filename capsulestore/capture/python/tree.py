"""The content of modules and packages that no RECORD lists: hashed from their files, within limits."""

from __future__ import annotations

import os
import stat

from capsulestore.capture.budget import Budget
from capsulestore.capture.python.rows import Row, content, hashed
from capsulestore.capture.watch import noticed, noticed_absence, noticed_names

__all__ = ["content_of", "files_below"]


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
    budget = Budget()
    # Not by recursion: directories may be nested deeper than Python's stack.
    waiting: list[tuple[bytes, frozenset[tuple[int, int]]]] = [(os.fsencode(name), frozenset())]
    while waiting:
        path, above = waiting.pop()
        full = os.fsdecode(os.path.join(base, path))
        (noticed_names if os.path.isdir(full) else noticed)(full)
        status = os.stat(full)
        identity = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode):
            budget.spend(entries=1, size=status.st_size)
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
