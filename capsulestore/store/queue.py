"""A lock of the kernel's on a file, at which a store's own processes queue: it ends with the process that holds it."""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from capsulestore.errors import StoreBusy

__all__ = ["LOCK_SECONDS", "attempts", "queue"]

LOCK_SECONDS: Final = 60.0
"""How long a process waits for others before it gives up."""


@contextmanager
def queue(path: str, seconds: float = LOCK_SECONDS) -> Iterator[float]:
    """Wait for this process's turn at the file `path`; give the time (monotonic) by which to have given up.

    Raise `StoreBusy` after so many seconds, `OSError` where the file cannot be made or opened.
    """
    deadline = time.monotonic() + seconds
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not any(_flock(descriptor) for _ in attempts(deadline)):
            raise StoreBusy(
                f"another process has held `{path}` for {seconds:.0f} seconds",
                hint=f"`fuser {path}` tells which",
            )
        yield deadline
    finally:
        os.close(descriptor)


def attempts(deadline: float) -> Iterator[None]:
    """Yield until the deadline, waiting twice as long each time, 32 milliseconds at most."""
    for attempt in itertools.count():
        yield
        if time.monotonic() > deadline:
            return
        time.sleep(0.001 * 2 ** min(attempt, 5))


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
