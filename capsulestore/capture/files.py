"""Reads files that may be anything: regular files only, bounded, never waiting on a pipe."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO

__all__ = ["file_sha256", "open_regular", "path_text", "read_up_to"]


@contextmanager
def open_regular(path: str) -> Iterator[FileIO]:
    """Open a regular file (through links) to read its bytes; raise `OSError` for anything else."""
    # Without O_NONBLOCK, opening a named pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "Is a directory", path)
        if not stat.S_ISREG(mode):
            raise OSError(22, "Not a regular file", path)
        yield file


def path_text(path: str | bytes) -> str:
    r"""Return a file name or argument as text that JSON can hold: bytes that are not UTF-8 come as `\xNN`.

    The same in every locale, which `str` paths are not.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def read_up_to(path: str, limit: int) -> bytes:
    """Return a regular file's first `limit` bytes."""
    with open_regular(path) as file:
        parts = []
        while limit > 0 and (part := file.read(limit)):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)


def file_sha256(path: str) -> bytes:
    """Return the SHA-256 of a regular file's bytes: 32 bytes."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").digest()
