"""nix's database: which paths of a store are valid, the hash of each, and which others it refers to.

It is SQLite's; its tables `ValidPaths` and `Refs` have been the same since nix 2.0 (schema 10). It is read as it lies
on disk, without a lock and without the files that SQLite would write beside it. While nix works, a part of what holds
is in SQLite's log: database and log are then copied to a temporary directory, and read there.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import quote

from capsulestore.capture.nix.nar_hash import nar_hash
from capsulestore.capture.nix.store_path import store_path

__all__ = ["MAX_PATHS", "SECONDS", "Unreadable", "read_closures"]

MAX_PATHS: Final = 100_000
"""How many paths a closure may have: that of a whole desktop has some thousands."""

SECONDS: Final = 5.0
"""How long reading may take; a closure of 1,000 paths takes some thousandths of one."""

_MAX_ROW_BYTES: Final = 2**20
_MAX_COPIED_BYTES: Final = 2**29
_LOGS: Final = ("-wal", "-journal")
_TRIES: Final = 3
_INSTRUCTIONS: Final = 10_000
_CLOSURE: Final = """
WITH RECURSIVE closure(id) AS (
    SELECT id FROM ValidPaths WHERE path = ?
    UNION
    SELECT reference FROM Refs JOIN closure ON referrer = closure.id
)
SELECT path, hash FROM closure LEFT JOIN ValidPaths USING (id) LIMIT ?
"""


class Unreadable(Exception):
    """The database is not there, cannot be read, or does not tell: in words that follow its name."""


def read_closures(
    database: str, store: str, roots: Iterable[str], *, seconds: float = SECONDS
) -> dict[str, dict[str, str]]:
    """Return the closure of each of some paths of a store, by `<hash>-<name>`: its members, with the hash of each.

    Hashes are as `nar_hash` has them. Raise `Unreadable`, also where a query takes longer than so many seconds; nothing
    else is raised, whatever the database holds.
    """
    # SQLite keeps its logs beside the file itself.
    database = os.path.realpath(database)
    deadline = time.monotonic() + seconds
    try:
        for _ in range(_TRIES):
            before = _facts(database)
            try:
                with _opened(database) as connection:
                    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
                    connection.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)
                    found = {root: _closure(connection, store, root) for root in roots}
            except (sqlite3.Error, OSError, Unreadable):
                if _facts(database) == before:
                    raise
            else:
                if _facts(database) == before:
                    return found
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    except (sqlite3.Error, ValueError) as error:
        reason = f"takes longer than {seconds:g} seconds" if time.monotonic() > deadline else f"{error}"
        raise Unreadable(f"cannot be read ({reason})") from error
    raise Unreadable("changes each time it is read")


def _facts(database: str) -> list[tuple[int, ...]]:
    """Return what tells whether the database or one of its logs was written to; a log that is not there is empty."""
    try:
        status = os.stat(database)
    except FileNotFoundError:
        raise Unreadable("is not there") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is no file")
    facts: list[tuple[int, ...]] = [(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)]
    for log in _LOGS:
        try:
            status = os.stat(f"{database}{log}")
        except FileNotFoundError:
            facts.append((0,))
        else:
            facts.append((status.st_size, status.st_mtime_ns) if status.st_size else (0,))
    return facts


@contextmanager
def _opened(database: str) -> Iterator[sqlite3.Connection]:
    """Open the database where its log is empty, else a copy of both, to which SQLite does what the log says."""
    logs = [f"{database}{log}" for log in _LOGS if _size(f"{database}{log}")]
    if not logs:
        with closing(_connect(database, "mode=ro&immutable=1")) as connection:
            yield connection
        return
    if sum(map(_size, [database, *logs])) > _MAX_COPIED_BYTES:
        raise Unreadable("is in use, and too large to be copied")
    with tempfile.TemporaryDirectory(prefix="capsulestore-") as directory:
        copy = os.path.join(directory, "db.sqlite")
        shutil.copyfile(database, copy)
        for log in logs:
            shutil.copyfile(log, f"{copy}{log.removeprefix(database)}")
        with closing(_connect(copy, "mode=rw")) as connection:
            yield connection


def _connect(path: str, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{options}", uri=True)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _closure(connection: sqlite3.Connection, store: str, root: str) -> dict[str, str]:
    rows = connection.execute(_CLOSURE, (os.path.join(store, root), MAX_PATHS + 1)).fetchall()
    if not rows:
        raise Unreadable(f"does not know `{root}`")
    if len(rows) > MAX_PATHS:
        raise Unreadable(f"has more than {MAX_PATHS} paths that `{root}` needs")
    return dict(_checked(row, store) for row in rows)


def _checked(row: tuple[object, ...], store: str) -> tuple[str, str]:
    path, told = row
    name = store_path(path, store) if isinstance(path, str) else None
    if name is None or path != os.path.join(store, name) or not isinstance(told, str):
        raise Unreadable("holds what nix does not write there")
    return name, nar_hash(told)
