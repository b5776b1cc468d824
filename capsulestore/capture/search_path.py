"""The directories a target looks for modules in, and what each of them is to an environment."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.watch import noticed_metadata_names

__all__ = ["Directory", "Role", "search_path"]

_STANDARD_LIBRARY_ARCHIVE: Final = re.compile(r"python\d+t?\.zip")

Role = Literal["standard library", "site", "added"]


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory on the search path.

    A `site` directory is installed into, so a loose module in it is environment. An `added` one came by PYTHONPATH,
    a `.pth` file or site code: distributions in it count, its loose modules are code.
    """

    path: str
    role: Role


def search_path(interpreter: Interpreter) -> tuple[list[Directory], list[Finding]]:
    """Return each directory of the target's `sys.path` once, in its order, and findings about other entries.

    Entries that do not exist (most often the standard library's zip) are passed over, as import does.
    """
    directories: list[Directory] = []
    findings: list[Finding] = []
    seen: set[tuple[int, int]] = set()
    everywhere = (*interpreter.path, *interpreter.site_directories, interpreter.user_site, interpreter.standard_library)
    for entry in filter(None, everywhere):
        noticed_metadata_names(entry)
    site = _identities((*interpreter.site_directories, interpreter.user_site))
    library = interpreter.standard_library
    standard = _identities((library, f"{library}/lib-dynload"))
    for entry in map(os.path.abspath, interpreter.path):
        try:
            status = os.stat(entry)
        except (OSError, ValueError):
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            continue
        seen.add(identity)
        if stat.S_ISDIR(status.st_mode):
            role: Role = "site" if identity in site else "standard library" if identity in standard else "added"
            directories.append(Directory(entry, role))
        elif not (
            _STANDARD_LIBRARY_ARCHIVE.fullmatch(os.path.basename(entry))
            and os.path.dirname(entry) == os.path.dirname(library)
        ):
            findings.append(
                Finding(
                    "python",
                    "archive-on-path",
                    path_text(entry),
                    "an archive on the search path; what is in it was not looked at",
                    incomplete=True,
                )
            )
    return directories, findings


def _identities(paths: Iterable[str]) -> set[tuple[int, int]]:
    """Return what tells the directories at these paths from others, by whatever path they are reached."""
    found = set()
    for path in filter(None, paths):
        with suppress(OSError):
            status = os.stat(path)
            found.add((status.st_dev, status.st_ino))
    return found
