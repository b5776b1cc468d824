"""A SQLite database that is only a cache of what is known elsewhere: it may be removed, damaged or unwritable."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

from capsulestore.errors import StoreBusy, StoreUnreadable
from capsulestore.model.caseless import caseless
from capsulestore.store.queue import queue

__all__ = ["DerivedDatabase", "Source"]

_WAIT_SECONDS: Final = 2.0
"""How long another process is waited for; then the answer is found in memory, slower and with nobody to wait for."""

_ATTEMPTS: Final = 4
_NO_DAMAGE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""What SQLite says where the file can be another's, or the disk's, fault; all else it says of what is in the file."""

_Answer = TypeVar("_Answer")


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

    Where the file is missing, damaged or of another version it is made anew. Where it cannot be written, or another
    process is at it for long, its content is kept in memory from then on. Only one process writes the file at a time,
    the one whose turn it is at the lock beside it. Threads that share it are answered one after the other.
    """

    def __init__(self, path: str, source: Source) -> None:
        self._path = path
        self._source = source
        self._file: sqlite3.Connection | None = None
        self._status: os.stat_result | None = None
        self._memory: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    def ask(self, decode: Callable[[Any], _Answer], sql: str, *values: object) -> list[_Answer]:
        """Return each row that a query has, decoded; what `decode` refuses by a `ValueError` or the like is damage."""
        with self._lock:
            return self._ask(decode, sql, *values)

    def _ask(self, decode: Callable[[Any], _Answer], sql: str, *values: object) -> list[_Answer]:
        for _ in range(_ATTEMPTS):
            try:
                return [decode(row) for row in self._current().execute(sql, values)]
            except (OSError, StoreBusy):
                self._keep_in_memory()
            except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
                # What Python's own module finds, as a text that is no UTF-8, has no code.
                if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _NO_DAMAGE:
                    self._keep_in_memory()
                else:
                    self.remove()
        raise StoreUnreadable(f"`{self._path}` is damaged again and again", hint="remove that file")

    def remove(self) -> None:
        """Remove the file, which turned out to be damaged; where that may not be, all is found anew in memory."""
        with self._lock:
            self.close()
            try:
                with self._turn():
                    self._remove()
            except (OSError, StoreBusy):
                self._memory = _filled(_connected(":memory:"), self._source)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            for connection in (self._file, self._memory):
                if connection is not None:
                    connection.close()
            self._file = self._memory = None

    def _current(self) -> sqlite3.Connection:
        if self._memory is not None:
            self._bring_up_to_date(self._memory)
            return self._memory
        connection = self._opened()
        if connection is None or self._source.is_behind(connection):
            with self._turn():
                connection = self._opened() or self._made()
                self._bring_up_to_date(connection)
        return connection

    def _keep_in_memory(self) -> None:
        """Go on in memory; what is in a file that can be read is a beginning."""
        self.close()
        memory = _connected(":memory:")
        with suppress(sqlite3.Error), closing(_connected(self._path, "ro")) as file:
            if self._is_ours(file):
                file.backup(memory, progress=_give_up_when_busy)
        self._memory = memory if self._is_ours(memory) else _filled(memory, self._source)

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
        return queue(f"{self._path}-lock", _WAIT_SECONDS)

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
    connection = sqlite3.connect(
        ":memory:" if mode == "memory" else name,
        uri=mode != "memory",
        isolation_level=None,
        timeout=_WAIT_SECONDS,
        check_same_thread=False,
    )
    # SQLite's own `lower` and LIKE know ASCII alone.
    connection.create_function("caseless", 1, caseless, deterministic=True)
    return connection


def _filled(connection: sqlite3.Connection, source: Source) -> sqlite3.Connection:
    connection.executescript(f"BEGIN; {source.schema} PRAGMA user_version = {source.version}; COMMIT;")
    return connection


def _give_up_when_busy(status: int, _remaining: int, _total: int) -> None:
    # Without it, Python tries again for ever.
    if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise sqlite3.OperationalError("another process is at it")
