"""Refs: names that point to objects, read and moved as git does, by files below `refs/` and `packed-refs`."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from capsulestore.errors import DamagedObject, StoreBusy
from capsulestore.model.digest import Digest
from capsulestore.store.durable import replace_file, sync_directory, unwritable

__all__ = ["LAST", "LOCK_SECONDS", "MAIN", "TAGS", "Refs"]

MAIN: Final = "refs/heads/main"
LAST: Final = "refs/capsules/last"
TAGS: Final = "refs/tags/"

LOCK_SECONDS: Final = 60.0
"""How long a writer waits for others before it gives up."""

_VALUE: Final = re.compile(r"[0-9a-f]{64}")


class Refs:
    """The refs of a store. Values are durable when a method that sets them returns."""

    def __init__(self, store: str) -> None:
        self._store = store

    def read(self, name: str) -> Digest | None:
        """Return what a ref points to, None where there is no such ref."""
        try:
            with open(self._path(name), encoding="ascii", errors="replace") as file:
                text = file.read(128).strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._packed().get(name)
        if not _VALUE.fullmatch(text):
            raise DamagedObject(
                f"the ref `{self._path(name)}` holds no digest",
                hint=f"see what the store still has with `git -C {self._store} fsck`",
            )
        return Digest(text)

    def below(self, prefix: str) -> dict[str, Digest]:
        """Return the refs whose names begin with `prefix` (`refs/tags/`), by the rest of the name."""
        names = {name for name in self._packed() if name.startswith(prefix)}
        for directory, _, files in os.walk(self._path(prefix)):
            names |= {
                os.path.relpath(os.path.join(directory, file), self._store)
                for file in files
                if not file.endswith(".lock")
            }
        values = {name: self.read(name) for name in sorted(names)}
        return {name.removeprefix(prefix): value for name, value in values.items() if value}

    def put(self, name: str, value: Digest) -> None:
        """Point a ref that only this store's own commands move to an object that is there."""
        with unwritable(self._store):
            os.makedirs(os.path.dirname(self._path(name)), exist_ok=True)
            own = os.path.join(self._store, "capsulestore")
            os.makedirs(own, exist_ok=True)
            # Not drafted below `refs/`, where a file left by a killed process would be a ref.
            replace_file(self._path(name), f"{value}\n".encode(), draft_in=own)

    @contextmanager
    def locked(self, name: str) -> Iterator[Callable[[Digest], None]]:
        """Hold a ref for the block, which gets the function that sets it; without a call it stays as it was.

        For git it is locked too, by git's own lock file. A process that was killed while it held the ref blocks
        nobody: our writers queue at a lock of the kernel's, and a git lock file that one of ours left is known by its
        second name, `capsulestore/draft`. Raise `StoreBusy` after `LOCK_SECONDS`, `StoreUnwritable`.
        """
        path, lock = self._path(name), f"{self._path(name)}.lock"
        draft = os.path.join(self._store, "capsulestore", "draft")
        with unwritable(self._store), self._turn() as deadline:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if _same_file(lock, draft):
                os.unlink(lock)
            with suppress(FileNotFoundError):
                os.unlink(draft)
            with open(draft, "xb") as file:
                try:
                    self._take(draft, lock, deadline)
                    new: list[Digest] = []
                    yield new.append
                    if new:
                        file.write(f"{new[-1]}\n".encode())
                        file.flush()
                        os.fsync(file.fileno())
                        os.rename(lock, path)
                        sync_directory(os.path.dirname(path))
                finally:
                    if _same_file(lock, draft):
                        os.unlink(lock)
                    os.unlink(draft)

    @contextmanager
    def _turn(self) -> Iterator[float]:
        """Wait for this process's turn among ours; give the time by which to have given up."""
        deadline = time.monotonic() + LOCK_SECONDS
        path = os.path.join(self._store, "capsulestore", "lock")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if not any(_flock(descriptor) for _ in _attempts(deadline)):
                raise StoreBusy(
                    f"another process has held the store `{self._store}` for {LOCK_SECONDS:.0f} seconds",
                    hint=f"`fuser {path}` tells which",
                )
            yield deadline
        finally:
            os.close(descriptor)

    def _take(self, draft: str, lock: str, deadline: float) -> None:
        for _ in _attempts(deadline):
            with suppress(FileExistsError):
                os.link(draft, lock)
                return
        raise StoreBusy(
            f"git has held `{lock}` for {LOCK_SECONDS:.0f} seconds",
            hint="where no git command is at work in the store, remove that file",
        )

    def _packed(self) -> dict[str, Digest]:
        try:
            with open(os.path.join(self._store, "packed-refs"), encoding="utf-8", errors="surrogateescape") as file:
                pairs = [line.rstrip("\n").partition(" ") for line in file]
        except FileNotFoundError:
            return {}
        return {name: Digest(value) for value, _, name in pairs if _VALUE.fullmatch(value)}

    def _path(self, name: str) -> str:
        return os.path.join(self._store, name)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _attempts(deadline: float) -> Iterator[None]:
    """Yield until the deadline, waiting twice as long each time, 32 milliseconds at most."""
    for attempt in itertools.count():
        yield
        if time.monotonic() > deadline:
            return
        time.sleep(0.001 * 2 ** min(attempt, 5))


def _same_file(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except FileNotFoundError:
        return False
