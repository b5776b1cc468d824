"""What is known of an interpreter's installed files: which there should be, and which were right when last read.

A file in the user's cache: a line with the format's version and the SHA-256 of what follows; a line with the length of
the first part; what is expected (`expected`), as bytes; then 16 bytes for each of its tasks, which say what a stat of
the files gave when they were right. Of nothing it says that it is wrong. Deleted, damaged, unwritable or another
user's, it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import Final, NamedTuple

from capsulestore.capture.cache import cache_directory
from capsulestore.capture.files import open_regular
from capsulestore.capture.integrity.worker import NOT_KNOWN
from capsulestore.errors import FileProblem

__all__ = ["NOTHING_KNOWN", "Index", "Kept", "users_index"]

_VERSION: Final = b"capsulestore integrity 1"
_MAX_BYTES: Final = 512 * 2**20
_CLOCK_NS: Final = 2_000_000_000
"""The coarsest clock of a file system in use (FAT's, 2 s)."""


class Kept(NamedTuple):
    """What is kept: what was expected, as bytes, and a stamp for each of its tasks, `NOT_KNOWN` where there is none."""

    expected: bytes
    stamps: list[bytes]


class Index:
    """Keeps files in a directory, which is made when the first is written; with None, nothing is kept.

    `granularity_ns` is how far apart two changes of a file may be and still have the same time.
    """

    def __init__(self, directory: str | None, *, granularity_ns: int = _CLOCK_NS) -> None:
        self._directory = directory
        self._granularity_ns = granularity_ns

    def settled_before(self, now: int) -> int:
        """Return the time, in ns, before which a file was changed last whose every later change will tell.

        A file that was changed just before it is read can be changed again without its times telling, by the clock's
        granularity (git's documentation, technical/racy-git).
        """
        return now - self._granularity_ns

    def read(self, name: str) -> Kept | None:
        """Return what is kept by a name."""
        if self._directory is None:
            return None
        try:
            with open_regular(self._path(self._directory, name)) as file:
                status = os.fstat(file.fileno())
                # What another user has put there is not to be believed.
                if status.st_uid != os.geteuid() or status.st_size > _MAX_BYTES:
                    return None
                head, _, body = file.read(status.st_size).partition(b"\n")
        except (OSError, FileProblem, ValueError):
            return None
        return _parse(body) if head == _head(body) else None

    def write(self, name: str, kept: Kept) -> None:
        """Keep something by a name in place of what is kept; where that fails, it is not."""
        if self._directory is not None:
            with suppress(OSError, ValueError):
                body = b"%d\n%s%s" % (len(kept.expected), kept.expected, b"".join(kept.stamps))
                _write(self._path(self._directory, name), body)

    @staticmethod
    def _path(directory: str, name: str) -> str:
        return os.path.join(directory, hashlib.sha256(b"%s\0%s" % (_VERSION, os.fsencode(name))).hexdigest())


NOTHING_KNOWN: Final = Index(None)
"""For whom every file is to be read."""


def users_index() -> Index:
    """Return the index of the user that this process runs for."""
    return Index(cache_directory(os.environ))


def _parse(body: bytes) -> Kept:
    """Return what a body says that was written whole."""
    length, _, parts = body.partition(b"\n")
    size, step = int(length), len(NOT_KNOWN)
    return Kept(parts[:size], [parts[at : at + step] for at in range(size, len(parts), step)])


def _write(path: str, body: bytes) -> None:
    import tempfile  # noqa: PLC0415  (seldom)

    directory = os.path.dirname(path)
    for missing in (os.path.dirname(directory), directory):
        os.makedirs(missing, mode=0o700, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix="draft-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"%s\n%s" % (_head(body), body))
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def _head(body: bytes) -> bytes:
    return b"%s %s" % (_VERSION, hashlib.sha256(body).hexdigest().encode())
