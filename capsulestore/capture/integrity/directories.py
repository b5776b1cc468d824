"""Installed files by the directory they lie in: what one look at a directory is to compare, in one byte string each.

A task is the directory; the bytes that its files should have together; how its names are looked at; then for each file
its name, its hashes, its size and its owners, as `LAYER:NAME` with a slash between. NUL stands between all of these, as
no path holds one. The names are not looked at (`-`), or all are wanted that are not listed, but those of some
subdirectories (after a slash each).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from capsulestore.capture.integrity.rows import LINK, LISTED_ONLY, ListedFile

__all__ = ["Directories", "Owner", "Task", "files_in", "names_of", "owners_of", "weight_of"]

Task = bytes

_MAX_TASK_BYTES: Final = 32 * 2**20
"""A directory with more than so many bytes is looked at in parts, for several processes to share."""
_FIRST: Final = 3
"""How many fields stand before those of the files."""
_EACH: Final = 4
"""How many fields a file has."""
_ODD: Final = re.compile(rb"(?:^|/)\.{0,2}/")
"""Parts of a path that are no names: nothing, a dot, two of them."""
_NOT_LOOKED_AT: Final = b"-"


class Owner(NamedTuple):
    """Who installed files: a distribution by its normalised name (layer `python`), or a package (`conda`)."""

    layer: str
    name: str


def weight_of(task: Task) -> int:
    """Return how many bytes the files of a task should have together."""
    return int(task.split(b"\0", 2)[1])


def files_in(task: Task) -> int:
    """Return how many files a task has."""
    return task.count(b"\0") // _EACH


def names_of(task: Task) -> tuple[bytes, list[bytes]]:
    """Return the directory of a task, and the names of its files in their order."""
    fields = task.split(b"\0")
    return fields[0], fields[_FIRST::_EACH]


def owners_of(task: Task, position: int) -> list[Owner]:
    """Return whose the file is that stands at a position."""
    owners = task.split(b"\0")[_FIRST + _EACH * position + 3].decode("utf-8", "surrogatepass").split("/")
    return [Owner(*owner.split(":", 1)) for owner in owners]


class Directories:
    """Collects the files of many owners; a file that two of them list is right with the hash of either."""

    def __init__(self) -> None:
        self._found: dict[bytes, list[bytes]] = {}
        self._real: dict[bytes, bytes] = {}

    def add(self, owner: Owner, base: bytes, files: Iterable[ListedFile]) -> None:
        """Add the files of an owner; their paths begin at `base`, which no link leads to."""
        whose = ":".join(owner).encode("utf-8", "surrogatepass")
        inner: bytes | None = None
        here: list[bytes] = []
        for directory, name, hashes, size in files:
            if directory != inner:
                inner = directory
                here = self._found.setdefault(self._directory(base, directory), [])
            here += name, hashes, size or b"0", whose

    def lists(self, directory: bytes) -> bool:
        """Whether any file that lies in a directory itself is listed."""
        return directory in self._found

    def tasks(self, looked_through: Callable[[bytes], bool]) -> Iterator[Task]:
        """Yield the tasks, sorted by directory; of those that are looked through, unlisted names are wanted too."""
        subdirectories = self._subdirectories(looked_through)
        for directory in sorted({*self._found, *subdirectories}):
            fields = _each_once(self._found.get(directory, []))
            inner = subdirectories.get(directory)
            names = _NOT_LOOKED_AT if inner is None else b"/" + b"/".join(sorted(inner))
            for size, part in _parts(fields, whole=inner is not None):
                yield b"\0".join([directory, b"%d" % size, names, *part])
                names = _NOT_LOOKED_AT

    def _directory(self, base: bytes, inner: bytes) -> bytes:
        """Return the absolute path of a directory, as the system finds it: a `..` behind a link leads elsewhere."""
        if not inner:
            return base
        if not _ODD.search(inner):
            return b"%s/%s" % (base, inner[:-1])
        path = os.path.join(base, inner)
        if path not in self._real:
            self._real[path] = os.path.realpath(path)
        return self._real[path]

    def _subdirectories(self, looked_through: Callable[[bytes], bool]) -> dict[bytes, set[bytes]]:
        """Return, for each directory that is looked through, which directories in it lead to listed files."""
        inner: dict[bytes, set[bytes]] = {}
        for directory in self._found:
            path = directory
            while path and path not in inner:
                inner[path] = set()
                path = path.rpartition(b"/")[0]
        for path in inner:
            outer, _, name = path.rpartition(b"/")
            if outer:
                inner[outer].add(name)
        return {path: names for path, names in inner.items() if looked_through(path)}


def _each_once(fields: list[bytes]) -> list[bytes]:
    """Return the files of a directory, those of one name as one."""
    names = fields[::_EACH]
    if len(set(names)) == len(names):
        return fields
    found: dict[bytes, tuple[bytes, bytes, bytes]] = {}
    for name, *file in _files(fields):
        hashes, size, owners = file
        if known := found.get(name):
            hashes, size, owners = _either(known[0], hashes), max(known[1], size, key=int), known[2] + b"/" + owners
        found[name] = hashes, size, owners
    return [field for name, file in found.items() for field in (name, *file)]


def _either(hashes: bytes, others: bytes) -> bytes:
    """Return the hashes of a file that is right with those or the others."""
    both = {*hashes.split(), *others.split()} - {LISTED_ONLY, LINK}
    # What is a soft link for one of them alone is a file like any.
    links = [LINK] if hashes.endswith(LINK) and others.endswith(LINK) else []
    return b" ".join([*sorted(both), *links]) or LISTED_ONLY


def _parts(fields: list[bytes], *, whole: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Yield files in parts of limited size, and that size. Where names are looked at, the first part has them all."""
    total = sum(map(int, fields[2::_EACH]))
    if total <= _MAX_TASK_BYTES:
        yield total, fields
        return
    if whole:
        yield 0, [field for name, _, _, owners in _files(fields) for field in (name, LISTED_ONLY, b"0", owners)]
    part: list[bytes] = []
    total = 0
    for file in _files(fields):
        size = int(file[2])
        if part and total + size > _MAX_TASK_BYTES:
            yield total, part
            part, total = [], 0
        part += file
        total += size
    yield total, part


def _files(fields: list[bytes]) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    return zip(fields[::_EACH], fields[1::_EACH], fields[2::_EACH], fields[3::_EACH], strict=True)
