"""Refs: names that point to objects, read and moved as git does, by files below `refs/` and `packed-refs`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import unquote_to_bytes

from capsulestore.errors import DamagedObject, StoreBusy
from capsulestore.model.digest import Digest
from capsulestore.model.names import escape
from capsulestore.store.durable import replace_file, sync_directory, unwritable
from capsulestore.store.queue import LOCK_SECONDS, attempts, queue

__all__ = ["LAST", "MAIN", "TAGS", "Refs"]

MAIN: Final = "refs/heads/main"
LAST: Final = "refs/capsules/last"
TAGS: Final = "refs/tags/"

_PACKED: Final = "packed-refs"
_SYMBOLIC: Final = "ref: "
_VALUE: Final = re.compile(r"[0-9a-f]{64}")


class Refs:
    """The refs of a store. Values are durable when a method that sets them returns."""

    def __init__(self, store: str) -> None:
        self._store = store

    def read(self, name: str, *, links: int = 5) -> Digest | None:
        """Return what a ref points to, through those that stand for another; None where there is no such ref.

        Raise `DamagedObject` for one that holds no digest.
        """
        try:
            with open(self._path(name), encoding="ascii", errors="replace") as file:
                text = file.read(128).strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._packed().get(name)
        if text.startswith(_SYMBOLIC) and links:
            return self.read(text.removeprefix(_SYMBOLIC), links=links - 1)
        if not _VALUE.fullmatch(text):
            raise DamagedObject(
                f"the ref `{self._path(name)}` holds no digest",
                hint=f"see what the store still has with `git -C {shlex.quote(self._store)} fsck`",
            )
        return Digest(text)

    def below(self, prefix: str) -> dict[str, Digest]:
        """Return the refs whose names begin with `prefix` (`refs/tags/`), by the rest of the name; no damaged ones."""
        names = {
            os.path.relpath(os.path.join(directory, file), self._store)
            for directory, _, files in os.walk(self._path(prefix))
            for file in files
            if not file.endswith(".lock")
        }
        # After the files, which git moves here.
        names |= {name for name in self._packed() if name.startswith(prefix)}
        found: dict[str, Digest] = {}
        for name in sorted(names):
            with suppress(DamagedObject):
                if value := self.read(name):
                    found[name.removeprefix(prefix)] = value
        return found

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

        Raise `StoreBusy` after `LOCK_SECONDS`, `StoreUnwritable`.
        """
        with unwritable(self._store), self._turn() as deadline, self._held(name, deadline) as write:
            yield lambda value: write(f"{value}\n".encode())

    def delete(self, name: str) -> None:
        """Remove a ref, where there is one; killed in between, it is still there. Raise as `locked` does."""
        with unwritable(self._store), self._turn() as deadline:
            with self._held(name, deadline):
                self._remove_packed(name, deadline)
                with suppress(FileNotFoundError):
                    _remove_empty_at(self._path(name))
                    os.unlink(self._path(name))
                    sync_directory(os.path.dirname(self._path(name)))
                # Once more: git may have packed it in between.
                self._remove_packed(name, deadline)
            self._remove_empty(os.path.dirname(name))

    def _remove_packed(self, name: str, deadline: float) -> None:
        with self._held(_PACKED, deadline) as write:
            if name in self._packed():
                write(_without(name, self._read_packed()))

    @contextmanager
    def _turn(self) -> Iterator[float]:
        own = os.path.join(self._store, "capsulestore")
        with queue(os.path.join(own, "lock")) as deadline:
            for draft in os.listdir(own):
                name = os.fsdecode(unquote_to_bytes(draft))
                if name == _PACKED or name.startswith("refs/"):
                    # Of a process that was killed; whatever it was about, git should find it free.
                    if _same_file(f"{self._path(name)}.lock", os.path.join(own, draft)):
                        os.unlink(f"{self._path(name)}.lock")
                    os.unlink(os.path.join(own, draft))
            yield deadline

    @contextmanager
    def _held(self, name: str, deadline: float) -> Iterator[Callable[[bytes], None]]:
        """Hold one of git's files by git's own lock file; give the function that replaces its bytes, durably.

        A process that was killed in the block blocks nobody: the lock file that it left is known by its second name
        below `capsulestore/`, and the next of ours removes it.
        """
        path, lock = self._path(name), f"{self._path(name)}.lock"
        draft = os.path.join(self._store, "capsulestore", escape(name))
        with open(draft, "xb") as file:
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._take(draft, lock, deadline)
                new: list[bytes] = []
                yield new.append
                if new:
                    file.write(new[-1])
                    file.flush()
                    os.fsync(file.fileno())
                    _remove_empty_at(path)
                    os.rename(lock, path)
                    sync_directory(os.path.dirname(path))
            finally:
                if _same_file(lock, draft):
                    os.unlink(lock)
                os.unlink(draft)

    def _take(self, draft: str, lock: str, deadline: float) -> None:
        for _ in attempts(deadline):
            with suppress(FileExistsError):
                os.link(draft, lock)
                return
        raise StoreBusy(
            f"git has held `{lock}` for {LOCK_SECONDS:.0f} seconds",
            hint="where no git command is at work in the store, remove that file",
        )

    def _remove_empty(self, directory: str) -> None:
        """Remove the directories that a ref's name leaves empty, which would be in the way of a ref of their name."""
        while directory.count("/") > 1:
            with suppress(OSError):
                os.rmdir(self._path(directory))
            directory = os.path.dirname(directory)

    def _packed(self) -> dict[str, Digest]:
        pairs = [line.partition(b" ") for line in self._read_packed().splitlines()]
        return {
            os.fsdecode(name): Digest(value.decode())
            for value, _, name in pairs
            if _VALUE.fullmatch(value.decode("ascii", "replace"))
        }

    def _read_packed(self) -> bytes:
        try:
            with open(self._path(_PACKED), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def _path(self, name: str) -> str:
        return os.path.join(self._store, name)


def _without(name: str, packed: bytes) -> bytes:
    """Return packed-refs without a ref, and without the line that says what an annotated tag of it leads to."""
    kept: list[bytes] = []
    dropped = False
    for line in packed.splitlines(keepends=True):
        dropped = line[65:].rstrip(b"\n") == os.fsencode(name) or (dropped and line.startswith(b"^"))
        if not dropped:
            kept.append(line)
    return b"".join(kept)


def _remove_empty_at(path: str) -> None:
    """Remove the empty directories, if any, that lie where a ref is to be; git leaves some."""
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)


def _same_file(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except (FileNotFoundError, NotADirectoryError):
        return False
