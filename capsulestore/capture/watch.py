"""Which files and directories a reading rests on: collected while it is done, so that none is forgotten.

Whatever opens a file or lists a directory for capture says so here, and best before it does: what was read can then be
kept, and is right for as long as each of them is as it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from capsulestore.capture.stamp import Fact, fact

__all__ = [
    "noticed",
    "noticed_absence",
    "noticed_metadata_names",
    "noticed_more_than_files",
    "noticed_names",
    "watching",
]

_watched: ContextVar[dict[str, Fact] | None] = ContextVar("_watched", default=None)


@contextmanager
def watching() -> Iterator[dict[str, Fact]]:
    """Collect what is noticed in the block, in this thread, each as it was when it was first noticed.

    Of nested blocks each collects all that is in it. Paths are absolute, and of the forms that `fact` knows.
    """
    collected: dict[str, Fact] = {}
    outer = _watched.get()
    token = _watched.set(collected)
    try:
        yield collected
    finally:
        _watched.reset(token)
        if outer is not None:
            outer |= collected | outer


def noticed(path: str) -> None:
    """Say that a reading rests on a file: its bytes, or that there is none; of a directory, on any change of it."""
    _notice(path, "")


def noticed_absence(path: str) -> None:
    """Say that a reading rests on nothing being at a path: its directory would change, or where a link there leads."""
    noticed(path if os.path.islink(path) else os.path.dirname(path))


def noticed_names(directory: str) -> None:
    """Say that a reading rests on which names there are in a directory: not `__pycache__`, which any run may make."""
    _notice(directory, "//")


def noticed_metadata_names(directory: str) -> None:
    """Say that a reading rests on which distributions and start-up modules a directory holds.

    An analysis may write its results into such a directory, and nothing changes by that.
    """
    _notice(directory, "/")


def noticed_more_than_files() -> None:
    """Say that a reading rests on what no file tells: it is not to be kept."""
    watched = _watched.get()
    if watched is not None:
        watched[""] = "", sys.maxsize


def _notice(path: str, ending: str) -> None:
    watched = _watched.get()
    if watched is None:
        return
    if not os.path.isabs(path):
        try:
            # Not `abspath`: a `..` behind a symbolic link leads elsewhere than it looks.
            path = os.path.join(os.getcwd(), path)
        except OSError:
            # The working directory was removed.
            noticed_more_than_files()
            return
    path = (path.rstrip("/") or "/.") + ending
    if path not in watched:
        watched[path] = fact(path)
