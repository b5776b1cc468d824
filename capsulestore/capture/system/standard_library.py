"""The standard library as one digest: whether its modules are those of the same release elsewhere."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from typing import Final, NoReturn

from capsulestore.capture.cache import Cache
from capsulestore.capture.files import file_sha256, path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.watch import noticed, noticed_absence, noticed_names
from capsulestore.model.canonical import Json

__all__ = ["standard_library_digest"]

_MAX_FILES: Final = 20_000

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_TESTS: Final = frozenset({"test", "tests", "idle_test"})
_SPLIT_OFF: Final = frozenset({"distutils", "ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo"})
_LEFT_OUT: Final = _INSTALLED | _TESTS | _SPLIT_OFF | {"__pycache__"}
_OF_THE_BUILD: Final = ("_sysconfigdata_", "config-")


def standard_library_digest(directory: str, cache: Cache) -> tuple[dict[str, Json], list[Finding]]:
    """Return `standard_library`, `sha256:` over the `.py` files below a directory, and findings.

    One line `path SP sha256 LF` each, path from the directory, hash in hex, sorted by path in bytes. Left out: what is
    installed into it; test suites, which distributions split off and no analysis imports; packages that they split off
    too (`tkinter`, `ensurepip`, ...), of which the system's packages tell; `_sysconfigdata_*` and `config-*`, which
    say where it was built.
    """
    try:
        digest = cache.recall(f"standard library, rules 1, {path_text(directory)}", lambda: _digest(directory))
    except OSError as error:
        message = f"cannot be read ({error.strerror}); the digest of the standard library is not recorded"
        subject = path_text(error.filename or directory)
        return {}, [Finding("system", "standard-library-unreadable", subject, message, incomplete=True)]
    return {"standard_library": digest}, []


def _modules(library: str) -> Iterator[str]:
    """Yield the paths of the files that count; links are followed, as import does, and none twice."""
    seen: set[tuple[int, int]] = set()
    count = 0
    for directory, below, names in os.walk(library, onerror=_unreadable, followlinks=True):
        noticed_names(directory)
        status = os.stat(directory)
        for name in names:
            if not name.endswith(".py") and os.path.islink(path := os.path.join(directory, name)):
                # Where it leads, there may be a directory one day.
                noticed(path)
        # Pruned in place, as os.walk has it.
        below[:] = sorted(filter(_counts, below))
        if (status.st_dev, status.st_ino) in seen:
            below.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        paths = [os.path.join(directory, name) for name in sorted(names) if name.endswith(".py") and _counts(name)]
        count += len(paths)
        if count > _MAX_FILES:
            raise OSError(errno.EFBIG, f"more than {_MAX_FILES} files", library)
        for path in paths:
            # A link may lead nowhere.
            if os.path.isfile(path):
                yield path
            else:
                noticed_absence(path)


def _unreadable(error: OSError) -> NoReturn:
    raise error


def _counts(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith(_OF_THE_BUILD)


def _digest(library: str) -> str:
    paths = {os.fsencode(os.path.relpath(path, library)): path for path in _modules(library)}
    rows = {name: file_sha256(path).hex().encode() for name, path in paths.items()}
    lines = b"".join(b"%s %s\n" % row for row in sorted(rows.items()))
    return f"sha256:{hashlib.sha256(lines).hexdigest()}"
