"""Keeps what is slow to read and seldom changes, with a stamp of the files it was read from.

A kept value is one file in a directory of the user's: a line with the format's version and the SHA-256 of what follows,
then the JSON of name, stamp and value. Deleted, damaged or unwritable, it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson

from capsulestore.capture.files import open_regular
from capsulestore.errors import FileProblem, InvalidValue
from capsulestore.model import canonical
from capsulestore.model.canonical import Json

__all__ = ["Cache", "Stamp", "cache_directory", "stamp"]

_VERSION: Final = b"capsulestore cache 1"
_MAX_BYTES: Final = 64 * 2**20
_CLOCK_NS: Final = 2_000_000_000
"""The coarsest clock of a file system in use (FAT's, 2 s)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells some files from the same ones after a change: `text` differs. `newest`: their latest time, in ns."""

    text: str
    newest: int


def stamp(paths: Iterable[str]) -> Stamp:
    """Return the stamp of the files at these paths as they are now (links are followed); one may be missing."""
    digest = hashlib.sha256()
    newest = 0
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            digest.update(b"%s\0%d\n" % (os.fsencode(path), error.errno or 0))
            continue
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        facts = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
        digest.update(b"%s\0%d %d %d %d %d\n" % (os.fsencode(path), *facts))
    return Stamp(digest.hexdigest(), newest)


def cache_directory(environ: Mapping[str, str]) -> str | None:
    """Return where the cache belongs (XDG base directory specification), None where the variables do not say.

    A relative path is ignored, as that specification asks.
    """
    for name, below in (("XDG_CACHE_HOME", ""), ("HOME", ".cache")):
        base = environ.get(name, "")
        if os.path.isabs(base):
            return os.path.join(base, below, "capsulestore")
    return None


class Cache:
    """Kept values under a directory, which is made when the first is kept; with None, nothing is kept."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def recall(self, name: str, stamp: Stamp, compute: Callable[[], Json]) -> Json:
        """Return the value kept by that name with that stamp; where there is none, compute it and keep it.

        The name says what is computed, of what, and by which rules: where `compute` changes, so does the name. The
        stamp is taken before. A file that was changed just now can be changed again without its stamp telling, by the
        clock's granularity: what is read from it is not kept (git's documentation, technical/racy-git). What `compute`
        raises is passed on; nothing else is raised.
        """
        if self._directory is None:
            return compute()
        path = os.path.join(self._directory, hashlib.sha256(os.fsencode(name)).hexdigest())
        kept = _read(path, name, stamp)
        if kept is not None:
            return kept[0]
        now = time.time_ns()
        value = compute()
        if stamp.newest < now - _CLOCK_NS:
            with suppress(OSError, ValueError, InvalidValue):
                _write(path, canonical.dumps([name, stamp.text, value]))
        return value


def _read(path: str, name: str, stamp: Stamp) -> tuple[Json] | None:
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            # What another user has put there is not to be believed.
            if status.st_uid != os.geteuid() or status.st_size > _MAX_BYTES:
                return None
            head, _, body = file.read(status.st_size).partition(b"\n")
        if head != _head(body):
            return None
        recorded, text, value = orjson.loads(body)
    except (OSError, FileProblem, ValueError, TypeError):
        return None
    return (value,) if (recorded, text) == (name, stamp.text) else None


def _write(path: str, body: bytes) -> None:
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
