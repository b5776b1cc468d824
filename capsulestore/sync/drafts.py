"""Drafts beside what they become, `NAME.HEX.draft`, each held by its process: so one that was left is known.

The lock is that of flock(2), which ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from capsulestore.store.pack import is_at

__all__ = ["draft_beside", "new_directory", "new_file"]


@contextmanager
def draft_beside(path: str, make: Callable[[str], int]) -> Iterator[tuple[str, int]]:
    """Make a draft of what is to be at a path, give its path and descriptor, and remove it when the block ends.

    In the block it, or what is in it, may be moved. `make` makes it at a path, and returns an open descriptor. Those of
    the same name that killed processes left are removed. Raise `OSError`.
    """
    _remove_abandoned(path)
    draft, descriptor = _held(path, make)
    try:
        yield draft, descriptor
    finally:
        with suppress(FileNotFoundError):
            if is_at(draft, descriptor):
                _remove(draft)
        os.close(descriptor)


def new_file(path: str) -> int:
    """Make a file, as `draft_beside` wants it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def new_directory(path: str) -> int:
    """Make a directory, as `draft_beside` wants it."""
    os.mkdir(path)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _held(path: str, make: Callable[[str], int]) -> tuple[str, int]:
    while True:
        draft = f"{path}.{os.urandom(8).hex()}.draft"
        try:
            descriptor = make(draft)
            # Where there are no locks, nobody can take it for abandoned either.
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_at(draft, descriptor):
                return draft, descriptor
        except FileNotFoundError:
            # Until it is held, another process takes it for abandoned.
            os.stat(os.path.dirname(path))


def _remove_abandoned(path: str) -> None:
    """Remove what killed processes left. Best effort: never an error."""
    left = re.compile(rf"{re.escape(os.path.basename(path))}\.[0-9a-f]{{16}}\.draft")
    with suppress(OSError), os.scandir(os.path.dirname(path)) as entries:
        for draft in [entry.path for entry in entries if left.fullmatch(entry.name)]:
            with suppress(OSError):
                descriptor = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(draft)
                finally:
                    os.close(descriptor)


def _remove(draft: str) -> None:
    if os.path.isdir(draft):
        shutil.rmtree(draft, ignore_errors=True)
    else:
        os.unlink(draft)
