"""The digest of a file that somebody may be writing: one that the file's bytes had at some moment, or none."""

from __future__ import annotations

import hashlib
import os
import time
from io import FileIO
from typing import Final

from capsulestore.capture.files import open_regular
from capsulestore.errors import FileProblem

__all__ = ["steady_digest"]

_TRIES: Final = 3
_CHUNK: Final = 2**18
_SLACK: Final = 2**20
"""Bytes that may be there beyond a file's size: some of the kernel's own files tell none."""
_TICK: Final = 0.02
"""Seconds. Within a tick of the kernel's clock a second change of a file leaves its times as the first has set them."""


def steady_digest(path: str) -> tuple[bytes, int]:
    """Return the SHA-256 of a regular file's bytes (32 bytes), and how many bytes those were.

    Raise `FileProblem` for a file that changes each time it is read, and `OSError` as `open_regular` does. What writes
    through a mapping into memory changes a file's times only later, and is not noticed.
    """
    for _ in range(_TRIES):
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            limit, small = before.st_size + _SLACK, before.st_size <= _CHUNK
            fresh = _TICK - (time.time() - before.st_ctime)
            # A server whose clock is ahead sets times that are still to come.
            its_times_tell = fresh <= 0
            # Whoever has just written results waits for this: a small file is sooner read twice.
            if not its_times_tell and not small:
                time.sleep(min(fresh, _TICK))
            found = _digest(file, limit)
            if not its_times_tell and small:
                file.seek(0)
                if _digest(file, limit) != found:
                    continue
            if _state(before) == _state(os.fstat(file.fileno())):
                return found
    raise FileProblem(f"`{path}` changes while it is read", hint="wait until what writes it has ended")


def _digest(file: FileIO, limit: int) -> tuple[bytes, int]:
    """Return the digest and the number of a file's bytes, or of so many that somebody must be adding to them."""
    found = hashlib.sha256()
    size = 0
    with memoryview(bytearray(_CHUNK)) as buffer:
        while size <= limit and (count := file.readinto(buffer)):
            found.update(buffer[:count])
            size += count
    return found.digest(), size


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
