"""A SQLite database that is only a cache of what is known elsewhere: it may be removed, damaged or unwritable."""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager, closing, suppress
from typing import Any, Final, Protocol
from urllib.parse import quote

from capsulestore.errors import StoreBusy
from capsulestore.store.queue import LOCK_SECONDS, queue

__all__ = ["DerivedDatabase", "Source"]

_DAMAGE: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
)
"""What SQLite says of a file that is no database, of damaged pages, and of tables that are not there."""


class Source(Protocol):
    """What a database is derived from. `schema` makes it and sets its `user_version` to `version`."""

    version: int
    schema: str

    def is_behind(self, connection: sqlite3.Connection) -> bool:
        """Return whether there is something that the database does not have yet."""
        ...

    def bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Give it what it does not have yet, within a transaction."""
        ...


class DerivedDatabase:
    """Answers from the database, brought up to date before each answer.

    Where the file is missing, damaged or of another version it is made anew; where it cannot be written, its content is
    kept in memory. Only one process writes it at a time, the one whose turn it is at the lock beside it.
    """

    def __init__(self, path: str, source: Source) -> None:
        self._path = path
        self._source = source
        self._file: sqlite3.Connection | None = None
        self._status: os.stat_result | None = None
        self._memory: sqlite3.Connection | None = None

    def ask(self, sql: str, *values: object) -> list[Any]:
        """Return all rows that a query has."""
        for _ in range(2):
            try:
                return self._current().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGE:
                    break
                self.remove()
            except (OSError, StoreBusy):
                break
        return self._current_in_memory().execute(sql, values).fetchall()

    def remove(self) -> None:
        """Remove the file, which turned out to be damaged; nobody writes it then."""
        self.close()
        with suppress(OSError, StoreBusy), self._turn():
            self._remove()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        for connection in (self._file, self._memory):
            if connection is not None:
                connection.close()
        self._file = self._memory = None

    def _current(self) -> sqlite3.Connection:
        connection = self._opened()
        if connection is None or self._source.is_behind(connection):
            with self._turn():
                connection = self._opened() or self._made()
                self._bring_up_to_date(connection)
        return connection

    def _current_in_memory(self) -> sqlite3.Connection:
        if self._memory is None:
            self._memory = self._copied() or _filled(_connected(":memory:"), self._source)
        self._bring_up_to_date(self._memory)
        return self._memory

    def _copied(self) -> sqlite3.Connection | None:
        """Return a copy in memory of a file that can be read, which is a beginning, else None."""
        with suppress(sqlite3.Error), closing(_connected(self._path, "ro")) as file:
            if self._is_ours(file):
                memory = _connected(":memory:")
                file.backup(memory)
                return memory
        return None

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._source.bring_up_to_date(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _turn(self) -> AbstractContextManager[float]:
        return queue(f"{self._path}-lock")

    def _opened(self) -> sqlite3.Connection | None:
        """Return the database that lies at the path, None where there is none of this version."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self.close()
            return None
        if self._file is None or self._status is None or not os.path.samestat(status, self._status):
            self.close()
            self._status, self._file = status, _connected(self._path, "rw")
        return self._file if self._is_ours(self._file) else None

    def _made(self) -> sqlite3.Connection:
        """Make the file anew; it is this process's turn."""
        self.close()
        self._remove()
        self._file = _filled(_connected(self._path, "rwc"), self._source)
        self._status = os.stat(self._path)
        return self._file

    def _remove(self) -> None:
        # The journal first: with another file it would be taken for that one's.
        for path in (f"{self._path}-journal", self._path):
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return bool(version == self._source.version)


def _connected(path: str, mode: str = "memory") -> sqlite3.Connection:
    name = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode={mode}"
    return sqlite3.connect(
        ":memory:" if mode == "memory" else name,
        uri=mode != "memory",
        isolation_level=None,
        timeout=LOCK_SECONDS,
    )


def _filled(connection: sqlite3.Connection, source: Source) -> sqlite3.Connection:
    connection.executescript(f"BEGIN; {source.schema} PRAGMA user_version = {source.version}; COMMIT;")
    return connection
