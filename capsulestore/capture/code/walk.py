"""Walks source trees within limits, and hashes what lies in them as git would name it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from capsulestore.capture.budget import Budget
from capsulestore.capture.code.apart import is_build_output, is_environment
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.files import file_sha256, open_regular
from capsulestore.capture.live_source import is_apart

__all__ = ["LINK", "Entry", "entry_of", "git_blob_id", "mode_of", "sources_below"]

LINK = "120000"
_CHUNK = 2**20


class Entry(NamedTuple):
    """What a path is: git's mode (`100644`, `100755`, `120000`, `160000`), and a hash in hex.

    The hash is the SHA-256 of a file's bytes or of a link's target; of a submodule, its commit.
    """

    mode: str
    id: str


def sources_below(
    top: bytes, start: bytes, *, declared: Declared, budget: Budget, ignored: bool = False
) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield the files and links at or below `start` by their paths from `top`, in no order; `top` has no links in it.

    Not what is apart or declared; where git ignores `start`, no build's output either. Links are not followed. Raise
    `TooLarge`, or `OSError` for a directory that cannot be read.
    """
    waiting = [start]
    while waiting:
        path = waiting.pop()
        full = os.path.join(top, path) if path else top
        if declared.holds(full):
            continue
        status = os.lstat(full)
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                yield path, status
            continue
        name = os.path.basename(path)
        if path and (is_apart(name) or (ignored and is_build_output(name)) or is_environment(full)):
            continue
        names = os.listdir(full)
        budget.spend(entries=len(names))
        waiting += [os.path.join(path, inner) for inner in names]


def mode_of(status: os.stat_result) -> str:
    """Return the mode that git gives a file or a link."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    return "100755" if status.st_mode & stat.S_IXUSR else "100644"


def entry_of(path: bytes, mode: str | None, budget: Budget) -> Entry:
    """Return what lies at a path, of that mode where git has told it; raise `TooLarge` or `OSError`."""
    status = os.lstat(path)
    mode = mode or mode_of(status)
    budget.spend(size=status.st_size)
    if mode == LINK:
        return Entry(mode, hashlib.sha256(os.readlink(path)).hexdigest())
    return Entry(mode, file_sha256(os.fsdecode(path)).hex())


def git_blob_id(path: bytes, mode: str, algorithm: str) -> str:
    """Return the id, in hex, that git gives the bytes of a file or the target of a link; raise `OSError`."""
    if mode == LINK:
        target = os.readlink(path)
        return hashlib.new(algorithm, b"blob %d\0%s" % (len(target), target)).hexdigest()
    with open_regular(os.fsdecode(path)) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.new(algorithm, b"blob %d\0" % size)
        read = 0
        while part := file.read(_CHUNK):
            read += len(part)
            digest.update(part)
    if read != size:
        raise OSError(0, "changed while it was read", os.fsdecode(path))
    return digest.hexdigest()
