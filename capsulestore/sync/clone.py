"""Makes a store of another's: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

from capsulestore.errors import UsageError
from capsulestore.store import Store, layout
from capsulestore.store.durable import sync_directory, unwritable
from capsulestore.store.layout import DIRECTORY
from capsulestore.sync.drafts import draft_beside, new_directory
from capsulestore.sync.pull import Received

__all__ = ["clone"]


def clone(directory: str, fill: Callable[[Store], Received]) -> tuple[str, Received]:
    """Make `directory/.capsules` and return its path, and what `fill` says of having filled it.

    It appears when it is filled. After an error it is not there, nor is a directory that was made for it. Raise
    `UsageError` where there is a store already, `StoreUnwritable`, and what `fill` raises.
    """
    path = os.path.join(os.path.abspath(directory), DIRECTORY)
    if os.path.lexists(path):
        raise UsageError(
            f"there is a store already, `{path}`",
            hint="`capsule pull` takes what another has; or name another directory",
        )
    made = _made_directories(os.path.dirname(path))
    try:
        with ExitStack() as drafts:
            with unwritable(path, doing="make", hint=None):
                draft, _ = drafts.enter_context(draft_beside(path, new_directory))
            inside = os.path.join(draft, DIRECTORY)
            layout.make(inside)
            with Store(inside) as store:
                received = fill(store)
            with unwritable(path, doing="make", hint=None):
                # Where another process was quicker this fails, and theirs stays.
                os.rename(inside, path)
                sync_directory(os.path.dirname(path))
    except BaseException:
        for each in made:
            _remove_if_empty(each)
        raise
    # Keeps a surrounding work tree off the store, which is at its place by now.
    Store.init(os.path.dirname(path)).close()
    return path, received


def _made_directories(directory: str) -> list[str]:
    """Make a directory, and return those that had to be made for it, the innermost first."""
    missing = []
    above = directory
    while not os.path.isdir(above):
        missing.append(above)
        above = os.path.dirname(above)
    with unwritable(directory, doing="make", hint=None):
        os.makedirs(directory, exist_ok=True)
    return missing


def _remove_if_empty(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError:
        return
