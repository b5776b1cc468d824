"""The directory in which what comes from outside lies until it has been checked, and the way from there into the store.

    .capsules/capsulestore/incoming-*/lock      held by the process that the directory is of
    .capsules/capsulestore/incoming-*/...       a pack and its index, by names of their own; a push has a directory

To nobody is anything in it an object of the store. By its lock a directory in use is told from one that a killed
process left.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO, Final

from capsulestore.store.durable import unwritable
from capsulestore.store.pack import is_at, placed_pack, release_abandoned
from capsulestore.sync.packs.received import ReceivedPack

__all__ = ["Incoming", "quarantine", "remove_abandoned"]

_PREFIX: Final = "incoming-"
_LOCK: Final = "lock"


class Incoming:
    """What is coming into a store; its files lie in `directory`."""

    def __init__(self, store: str, directory: str, published: ExitStack) -> None:
        self.directory = directory
        self._store = store
        self._published = published

    def publish(self, pack: ReceivedPack) -> None:
        """Make a checked pack one of the store's, durably, and keep git from dropping it until the block ends.

        So the refs that need its objects are set in the block. A pack without objects stays where it is. Raise
        `StoreUnwritable`; then the store has nothing of it.
        """
        if not pack.ids:
            return
        with unwritable(self._store):
            packs = os.path.join(self._store, "objects", "pack")
            os.makedirs(packs, exist_ok=True)
            self._published.enter_context(placed_pack(packs, pack.path, pack.index_path, pack.checksum))


@contextmanager
def quarantine(store: str) -> Iterator[Incoming]:
    """Give a directory for what comes into the store at that path; when the block ends, it is gone with all in it.

    Those that killed processes left go first. Raise `StoreUnwritable`.
    """
    with ExitStack() as published:
        with unwritable(store):
            own = os.path.join(store, "capsulestore")
            os.makedirs(own, exist_ok=True)
            remove_abandoned(store)
            directory = published.enter_context(_locked_directory(own))
        yield Incoming(store, directory, published)


def remove_abandoned(store: str) -> None:
    """Remove what killed processes left: quarantines, and the `.keep` of packs. Best effort: never an error."""
    with suppress(OSError), os.scandir(os.path.join(store, "capsulestore")) as entries:
        for directory in [entry.path for entry in entries if entry.name.startswith(_PREFIX) and _is_directory(entry)]:
            with suppress(OSError), _lock_file(directory) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_in_place(directory, lock):
                    _remove(directory)
    release_abandoned(os.path.join(store, "objects", "pack"))


@contextmanager
def _locked_directory(parent: str) -> Iterator[str]:
    with ExitStack() as held:
        while True:
            directory = os.path.join(parent, f"{_PREFIX}{os.getpid()}-{os.urandom(8).hex()}")
            os.mkdir(directory)
            # Until it is locked, another process takes it for abandoned.
            with suppress(FileNotFoundError):
                lock = held.enter_context(_lock_file(directory))
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _is_in_place(directory, lock):
                    break
        try:
            yield directory
        finally:
            with suppress(OSError):
                _remove(directory)


def _lock_file(directory: str) -> BinaryIO:
    return open(os.path.join(directory, _LOCK), "ab")


def _is_in_place(directory: str, lock: BinaryIO) -> bool:
    try:
        return is_at(os.path.join(directory, _LOCK), lock.fileno())
    except FileNotFoundError:
        return False


def _remove(directory: str) -> None:
    """Remove a directory whose lock is held: that last, and never what another process has made its own since.

    What links in it lead to stays.
    """
    from shutil import rmtree  # noqa: PLC0415

    with os.scandir(directory) as entries:
        for entry in [entry for entry in entries if entry.name != _LOCK]:
            if _is_directory(entry):
                rmtree(entry.path)
            else:
                os.unlink(entry.path)
    os.unlink(os.path.join(directory, _LOCK))
    os.rmdir(directory)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)
