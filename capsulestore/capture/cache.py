"""The capture index: keeps what was read, with a stamp of every file it was read from.

A kept value is one file in a directory of the user's: a line with the format's version and the SHA-256 of what follows,
then the JSON of name, condition, watched paths, their stamp, and value. It is right for as long as a stat of each path
gives what it gave (so git's index avoids reading a work tree). Deleted, damaged or unwritable, it costs time and
nothing else.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Final

import orjson

from capsulestore.capture.files import open_regular
from capsulestore.capture.stamp import Fact, Stamp, fact, stamp
from capsulestore.capture.watch import watching
from capsulestore.errors import FileProblem, InvalidValue
from capsulestore.model import canonical
from capsulestore.model.canonical import Json

__all__ = ["MOST_KEPT", "NOTHING_KEPT", "Cache", "cache_directory", "users_cache"]

MOST_KEPT: Final = 256
"""How many values are kept, of which an interpreter has some ten; those that were kept first go."""

_VERSION: Final = b"capsulestore cache 2"
_MAX_BYTES: Final = 64 * 2**20
_CLOCK_NS: Final = 2_000_000_000
"""The coarsest clock of a file system in use (FAT's, 2 s)."""


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
    """Kept values under a directory, which is made when the first is kept; with None, nothing is kept.

    `granularity_ns` is how far apart two changes of a file may be and still have the same time.
    """

    def __init__(self, directory: str | None, *, granularity_ns: int = _CLOCK_NS) -> None:
        self._directory = directory
        self._granularity_ns = granularity_ns
        self._fact: Callable[[str], Fact] = fact
        self._recalled: dict[str, tuple[str, Json]] | None = None

    def at_one_moment(self) -> Cache:
        """Return the same cache, for what is captured in one go: what is kept of a file is held to one look at it.

        What was recalled once is the same the next time, and nobody's to change.
        """
        if self._recalled is not None:
            return self
        moment = Cache(self._directory, granularity_ns=self._granularity_ns)
        moment._fact = cache(fact)
        moment._recalled = {}
        return moment

    def recall(self, name: str, compute: Callable[[], Json], *, condition: str = "") -> Json:
        """Return the value kept by that name under that condition, or compute it and keep it.

        The name says what is computed, of what, and by which rules; the last condition that it was computed under is
        kept. What else it rests on are files, all of which `compute` notices (`capture.watch`), and our own modules. A
        file that was changed just now can be changed again without its stamp telling, by the clock's granularity: what
        is read from it is not kept (git's documentation, technical/racy-git), nor what was read while a file changed.
        What `compute` raises is passed on; nothing else is raised.
        """
        if self._recalled is None:
            return self._recall(name, compute, condition)
        known = self._recalled.get(name)
        if known is None or known[0] != condition:
            known = self._recalled[name] = condition, self._recall(name, compute, condition)
        return known[1]

    def _recall(self, name: str, compute: Callable[[], Json], condition: str) -> Json:
        if self._directory is None:
            return compute()
        # Another release beside this one may compute otherwise.
        name = f"{name}\0{_OWN_DIRECTORY}"
        path = os.path.join(self._directory, _sha256(name))
        own = _own_modules()
        condition = _sha256(f"{own.text}\0{condition}")
        kept = _read(path, name, condition, self._fact)
        if kept is not None:
            return kept[0]
        began = time.time_ns()
        with watching() as watched:
            value = compute()
        known = stamp(watched.values())
        if (
            max(known.newest, own.newest) < began - self._granularity_ns
            and stamp(map(fact, watched)).text == known.text
        ):
            with suppress(OSError, ValueError, InvalidValue):
                _write(path, canonical.dumps([name, condition, [*watched], known.text, value]))
        with suppress(InvalidValue):
            # As it comes back another time, in the order of its keys too.
            again: Json = orjson.loads(canonical.dumps(value))
            return again
        return value


NOTHING_KEPT: Final = Cache(None)
"""For whom all is to be computed."""


def users_cache() -> Cache:
    """Return the cache of the user that this process runs for."""
    return Cache(cache_directory(os.environ))


_OWN_DIRECTORY: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@cache
def _own_modules() -> Stamp:
    """Return the stamp of those of our modules that compute what is kept: as they were when this process began to."""
    found = []
    for room in ("capture", "model"):
        for directory, _, names in os.walk(os.path.join(_OWN_DIRECTORY, room)):
            found += [os.path.join(directory, name) for name in names if name.endswith(".py")]
    return stamp(map(fact, sorted(found)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: str, name: str, condition: str, fact_of: Callable[[str], Fact]) -> tuple[Json] | None:
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            # What another user has put there is not to be believed.
            if status.st_uid != os.geteuid() or status.st_size > _MAX_BYTES:
                return None
            head, _, body = file.read(status.st_size).partition(b"\n")
        if head != _head(body):
            return None
        recorded_name, recorded_condition, watched, text, value = orjson.loads(body)
        if (recorded_name, recorded_condition) != (name, condition) or text != stamp(map(fact_of, watched)).text:
            return None
    except (OSError, FileProblem, ValueError, TypeError, IndexError):
        return None
    return (value,)


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
    _drop_oldest(directory)


def _drop_oldest(directory: str) -> None:
    with os.scandir(directory) as entries:
        kept = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    if len(kept) > MOST_KEPT:
        kept.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
        for entry in kept[: len(kept) - MOST_KEPT]:
            with suppress(OSError):
                os.unlink(entry.path)


def _head(body: bytes) -> bytes:
    return b"%s %s" % (_VERSION, hashlib.sha256(body).hexdigest().encode())
