"""Which files a distribution has that came by the system's package manager, which leaves no RECORD.

dpkg keeps one list of absolute paths for each package: `/var/lib/dpkg/info/PACKAGE.list` (dpkg-query(1)); apk keeps
all of them in `/lib/apk/db/installed` (apk-package(5)): a directory a line `F:`, a file in it a line `R:`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from capsulestore.capture.files import read_up_to
from capsulestore.capture.watch import noticed

__all__ = ["DistroFiles"]

_MAX_LIST_BYTES = 64 * 2**20
_METADATA = re.compile(rb".*\.(?:dist|egg)-info(?=/|$)")


class DistroFiles:
    """The file lists of the system's packages under `root`, read at the first question."""

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def of(self, metadata: str) -> list[bytes] | None:
        """Return the absolute paths of the package that installed `metadata` (a file or directory), or None."""
        return self._by_metadata.get(os.fsencode(metadata))

    @cached_property
    def _by_metadata(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for files in (*self._dpkg(), *self._apk()):
            for match in filter(None, map(_METADATA.match, files)):
                found[match[0]] = files
        return found

    def _dpkg(self) -> Iterator[list[bytes]]:
        directory = os.path.join(self._root, "var/lib/dpkg/info")
        noticed(directory)
        for file in sorted(Path(directory).glob("*.list")):
            data = _read(str(file))
            if b"-info" in data:
                yield data.splitlines()

    def _apk(self) -> Iterator[list[bytes]]:
        for package in _read(os.path.join(self._root, "lib/apk/db/installed")).split(b"\n\n"):
            files, directory = [], b""
            for line in package.splitlines():
                if line.startswith(b"F:"):
                    directory = line[2:]
                elif line.startswith(b"R:"):
                    files.append(b"/%s/%s" % (directory, line[2:]))
            if files:
                yield files


def _read(path: str) -> bytes:
    try:
        return read_up_to(path, _MAX_LIST_BYTES)
    except OSError:
        return b""
