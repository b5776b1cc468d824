"""What the operating system's package managers have installed, read from their own databases.

Each is one mapping of `name:architecture` to version. What is read is kept in the cache, for as long as the database's
files stay the same.
"""

from __future__ import annotations

import os
from typing import Final, cast

from capsulestore.capture.cache import Cache
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.system import apk, dpkg, rpm
from capsulestore.capture.system.database import Database, Packages, Unreadable
from capsulestore.model.canonical import Json

__all__ = ["read_packages"]

_DATABASES: Final[dict[str, Database]] = {"apk": apk, "dpkg": dpkg, "rpm": rpm}


def read_packages(root: str, cache: Cache) -> tuple[dict[str, Json], list[Finding]]:
    """Return the packages of each package manager that has any under `root`, and findings."""
    found: dict[str, Json] = {}
    findings: list[Finding] = []
    for name, database in _DATABASES.items():
        try:
            packages = _read(name, database, root, cache)
        except Unreadable as problem:
            message = f"{problem.reason}; the packages of {name} are not recorded"
            findings.append(Finding("system", "packages-unreadable", path_text(problem.path), message, incomplete=True))
            continue
        if packages:
            found[name] = packages
    return found, findings


def _read(name: str, database: Database, root: str, cache: Cache) -> Packages:
    files = database.files(root)
    if not files:
        return {}
    subject = f"{name} packages, rules 1, {path_text(os.path.abspath(root))}"
    return cast("Packages", cache.recall(subject, lambda: database.read(files), condition="\n".join(files)))
