"""Names that nobody lists, as the files that they are: what lies in a directory that nobody lists is named too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["files_of"]

_MOST: Final = 1000
"""A directory with more entries, in all, is named itself: somebody keeps data there."""


def files_of(directory: bytes, names: Iterable[tuple[bytes, bool]]) -> Iterator[bytes]:
    """Yield the files at or below some names in a directory, which say whether they are directories themselves.

    A directory without a file is nothing, and so is bytecode in a `__pycache__`. One that is too large, or cannot be
    read, is yielded itself, with a slash at its end. Links are not followed.
    """
    for name, is_directory in names:
        path = os.path.join(directory, name)
        if not is_directory:
            yield path
            continue
        try:
            yield from _below(path)
        except (OSError, _TooMany):
            yield path + b"/"


class _TooMany(Exception):
    pass


def _below(directory: bytes) -> list[bytes]:
    found: list[bytes] = []
    waiting = [directory]
    left = _MOST
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    raise _TooMany
                if not entry.is_dir(follow_symlinks=False):
                    found.append(entry.path)
                elif entry.name != b"__pycache__":
                    waiting.append(entry.path)
    return found
