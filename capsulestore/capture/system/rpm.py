"""RPM's packages: `rpmdb.sqlite`, one header each. Kernels and keys may be installed in several versions.

Read as it lies on disk, without a lock and without the files that SQLite would write beside it. Databases of the kinds
before SQLite's (Berkeley DB, ndb) cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

from capsulestore.capture.system.database import Packages, Unreadable
from capsulestore.capture.watch import noticed

if TYPE_CHECKING:
    import sqlite3

    from capsulestore.capture.system.rpm_header import Header

__all__ = ["files", "read"]

_DIRECTORIES: Final = ("usr/lib/sysimage/rpm", "var/lib/rpm")
_DATABASE: Final = "rpmdb.sqlite"
_OLDER: Final = ("Packages.db", "Packages")
_MAX_PACKAGES: Final = 100_000


def files(root: str) -> list[str]:
    """Return the path of the database and those of SQLite's log beside it, of the first directory that has one."""
    for directory in (os.path.join(root, directory) for directory in _DIRECTORIES):
        database = os.path.join(directory, _DATABASE)
        if os.path.lexists(database):
            return [database, f"{database}-wal", f"{database}-journal"]
        for name in _OLDER:
            if os.path.lexists(os.path.join(directory, name)):
                raise Unreadable(os.path.join(directory, name), "a database of a kind before SQLite's cannot be read")
    return []


def read(files: Sequence[str]) -> Packages:
    """Return the installed packages: `[epoch:]version-release` by `name:arch`."""
    import sqlite3  # noqa: PLC0415  (no need of it where nothing changed)
    from urllib.parse import quote  # noqa: PLC0415

    database, *logs = files
    for file in files:
        noticed(file)
    if any(os.path.exists(log) and os.path.getsize(log) for log in logs):
        raise Unreadable(database, "is being changed, or a change of it was cut off")
    found: dict[str, list[str]] = {}
    try:
        # `immutable`: without it, even one who only reads makes files beside the database.
        with closing(
            sqlite3.connect(f"file:{quote(os.fsencode(database))}?mode=ro&immutable=1", uri=True)
        ) as connection:
            for header in _headers(connection):
                found.setdefault(header.key, []).append(header.version)
    except (sqlite3.Error, OSError, ValueError) as error:
        raise Unreadable(database, f"cannot be read ({error})") from error
    return {key: versions[0] if len(versions) == 1 else sorted(versions) for key, versions in found.items()}


def _headers(connection: sqlite3.Connection) -> Iterator[Header]:
    from capsulestore.capture.system import rpm_header  # noqa: PLC0415

    numbers = connection.execute("SELECT hnum FROM Packages ORDER BY hnum LIMIT ?", (_MAX_PACKAGES + 1,)).fetchall()
    if len(numbers) > _MAX_PACKAGES:
        raise ValueError(f"more than {_MAX_PACKAGES} packages")
    for (number,) in numbers:
        # A header lists every file of its package: only its beginning is read.
        with connection.blobopen("Packages", "blob", number, readonly=True) as blob:
            yield rpm_header.parse(blob)
