"""Alpine's packages: `/lib/apk/db/installed`, a line `P:NAME`, `V:VERSION`, `A:ARCHITECTURE` each (apk-package(5))."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from capsulestore.capture.files import path_text, read_whole
from capsulestore.capture.system.database import MAX_BYTES, Packages, Unreadable

__all__ = ["files", "read"]

_PLACES: Final = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_FIELDS: Final = re.compile(rb"^([PVA]):(.*)$", re.MULTILINE)


def files(root: str) -> list[str]:
    """Return the path of the database, where it was or where apk 3 has it."""
    return [path for path in (os.path.join(root, place) for place in _PLACES) if os.path.lexists(path)][:1]


def read(files: Sequence[str]) -> Packages:
    """Return the installed packages."""
    packages: Packages = {}
    for path in files:
        try:
            data = read_whole(path, MAX_BYTES)
        except OSError as error:
            raise Unreadable(path, f"cannot be read ({error.strerror})") from error
        for stanza in data.split(b"\n\n"):
            fields = dict(_FIELDS.findall(stanza))
            if b"P" in fields:
                key = b":".join(filter(None, (fields[b"P"], fields.get(b"A"))))
                packages[path_text(key)] = path_text(fields.get(b"V", b""))
    return packages
