"""The directories a target looks for modules in, and what each of them is to an environment."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Literal

from capsulestore.capture.finding import Finding
from capsulestore.capture.interpreter import Interpreter

__all__ = ["Directory", "Role", "search_path"]

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
    site = {os.path.abspath(path) for path in (*interpreter.site_directories, interpreter.user_site) if path}
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
            directories.append(Directory(entry, _role(entry, site, interpreter.standard_library)))
        elif not entry.startswith(os.path.dirname(interpreter.standard_library)):
            findings.append(
                Finding(
                    "python",
                    "archive-on-path",
                    entry,
                    "an archive on the search path; what is in it was not looked at",
                )
            )
    return directories, findings


def _role(path: str, site: set[str], standard_library: str) -> Role:
    if path in site:
        return "site"
    if path == standard_library or path.startswith(f"{standard_library}/lib-dynload"):
        return "standard library"
    return "added"
