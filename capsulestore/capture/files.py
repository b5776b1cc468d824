"""Reads files that may be anything: regular files only, bounded, never waiting on a pipe."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from typing import Final

from capsulestore.capture.watch import noticed, noticed_absence
from capsulestore.errors import FileProblem

__all__ = ["file_digest", "file_sha256", "open_regular", "path_text", "read_up_to", "read_whole"]

_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_CHUNK: Final = 2**20


@contextmanager
def open_regular(path: str) -> Iterator[FileIO]:
    """Open a regular file (through links) to read its bytes; raise `OSError` for anything else.

    Running out of descriptors or memory says nothing of the file: that is a `FileProblem`, which nobody takes for one.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        noticed_absence(path)
        raise
    except OSError as error:
        noticed(path)
        if error.errno in _OUT_OF_RESOURCES:
            raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
        raise
    noticed(path)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        raise OSError(errno.EINVAL, "Not a regular file", path)
    with FileIO(descriptor) as file:
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
        while limit > 0 and (part := file.read(min(limit, _CHUNK))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)


def read_whole(path: str, limit: int) -> bytes:
    """Return all of a regular file's bytes; raise `OSError` (EFBIG) where there are more than `limit`."""
    data = read_up_to(path, limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return data


def file_digest(path: str) -> tuple[bytes, int]:
    """Return the SHA-256 of a regular file's bytes (32 bytes), and how many bytes those were."""
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return digest, file.tell()


def file_sha256(path: str) -> bytes:
    """Return the SHA-256 of a regular file's bytes: 32 bytes."""
    return file_digest(path)[0]
