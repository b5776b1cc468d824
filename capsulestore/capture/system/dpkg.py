"""Debian's packages: the file `status` of dpkg, or, in images without dpkg, a file for each package in `status.d`.

Stanzas of `Field: value`, separated by an empty line (dpkg(1), deb-control(5)). A package counts where the last word of
its `Status` is `installed`; in `status.d` there is no such field.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from capsulestore.capture.files import path_text, read_whole
from capsulestore.capture.system.database import MAX_BYTES, Packages, Unreadable

__all__ = ["files", "read"]

_DIRECTORY: Final = "var/lib/dpkg"
_MAX_FILES: Final = 20_000
_FIELDS: Final = re.compile(rb"^(Package|Status|Version|Architecture):[ \t]*(.*)$", re.MULTILINE)


def files(root: str) -> list[str]:
    """Return the paths of `status` and of the packages in `status.d`, those that are there."""
    status = os.path.join(root, _DIRECTORY, "status")
    apart = f"{status}.d"
    try:
        names = sorted(os.listdir(apart))
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise Unreadable(apart, f"cannot be read ({error.strerror})") from error
    if len(names) > _MAX_FILES:
        raise Unreadable(apart, f"more than {_MAX_FILES} files")
    packages = [os.path.join(apart, name) for name in names if not name.endswith(".md5sums")]
    return [status, *packages] if os.path.lexists(status) else packages


def read(files: Sequence[str]) -> Packages:
    """Return the installed packages."""
    packages: Packages = {}
    for path in files:
        try:
            data = read_whole(path, MAX_BYTES)
        except OSError as error:
            raise Unreadable(path, f"cannot be read ({error.strerror})") from error
        otherwise = b"" if os.path.basename(path) == "status" else b"installed"
        for stanza in data.split(b"\n\n"):
            fields = dict(_FIELDS.findall(stanza))
            if fields.get(b"Status", otherwise).rpartition(b" ")[2] == b"installed" and b"Package" in fields:
                key = b":".join(filter(None, (fields[b"Package"], fields.get(b"Architecture"))))
                packages[path_text(key)] = path_text(fields.get(b"Version", b""))
    return packages
