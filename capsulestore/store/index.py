"""The index of the shelf: which capsules and statements it registers, since when, by whom, and for what.

It is derived from the commits that `refs/heads/main` reaches. Each answer is of the tip at that moment: the commits
between it and the tip that was seen last are read, no others, unless main was moved back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from capsulestore.errors import CapsuleError, DamagedObject, InvalidValue, MissingObject, StoreUnreadable
from capsulestore.model.canonical import Json
from capsulestore.model.capsule import is_capsule
from capsulestore.model.commit import Commit, iso_time
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, Read, decode_tree
from capsulestore.model.statement import subject_of
from capsulestore.store.history import History, Registration

if TYPE_CHECKING:
    import sqlite3

    from capsulestore.store.derived import DerivedDatabase

__all__ = ["Index", "Kind", "Registered"]

Kind = Literal["capsule", "environment", "statement"]

_REGISTERED: Final = """
    SELECT t.digest, t.environment, c.id, c.author, c.title, c.time FROM trees t JOIN commits c ON c.id = t.registration
"""
_BEGINNING: Final[dict[Kind, str]] = {
    "capsule": "SELECT digest FROM trees WHERE kind = 'capsule' AND digest BETWEEN ? AND ? ORDER BY 1",
    "statement": "SELECT digest FROM trees WHERE kind = 'statement' AND digest BETWEEN ? AND ? ORDER BY 1",
    "environment": "SELECT DISTINCT environment FROM trees WHERE environment BETWEEN ? AND ? ORDER BY 1",
}
_NOT_LOOKED_AT: Final = "SELECT digest FROM trees WHERE kind IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A capsule or statement, as its earliest registration has it; a statement has no `environment`.

    `time` is in whole seconds since 1970, `author` as git writes it: `NAME <ADDRESS>`.
    """

    digest: Digest
    environment: Digest | None
    commit: Digest
    author: str
    title: str
    time: int

    def as_dict(self) -> dict[str, Json]:
        """Return a capsule as `capsule log --json` has it."""
        return {
            "capsule_id": str(self.digest),
            "environment_digest": str(self.environment) if self.environment else None,
            "title": self.title,
            "author": self.author,
            "registered_at": iso_time(self.time),
        }


class Index:
    """Answers what the shelf holds."""

    def __init__(self, store: str, history: History, read: Read) -> None:
        self._history = history
        self._read = read
        self._path = os.path.join(store, "capsulestore", "index.sqlite")

    @cached_property
    def _database(self) -> DerivedDatabase:
        # SQLite is loaded by those who ask.
        from capsulestore.store.derived import DerivedDatabase  # noqa: PLC0415

        return DerivedDatabase(self._path, _Shelf(self._history, self._read))

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if "_database" in self.__dict__:
            self._database.close()

    def holds(self, tree: Digest) -> bool:
        """Return whether the shelf registers a tree."""
        return bool(self.registrations(tree))

    def registrations(self, tree: Digest) -> list[Registration]:
        """Return the commits that register a tree, earliest first, each of them read: an index may be damaged."""
        sql = "SELECT id FROM commits WHERE tree = ? ORDER BY time, generation, id"
        for _ in range(2):
            names = [Digest(name.hex()) for (name,) in self._database.ask(sql, tree.raw)]
            with suppress(MissingObject, StoreUnreadable):
                found = [Registration(name, self._history.read(name)) for name in names]
                if all(registration.commit.tree == tree for registration in found):
                    return found
            self._database.remove()
        raise StoreUnreadable(f"the index says that {tree} is registered where it is not")

    def capsules(self, limit: int | None = None) -> list[Registered]:
        """Return the capsules, newest first, at most `limit`; those that `unreadable` tells of are not among them."""
        order = "ORDER BY t.time DESC, t.generation DESC, t.registration DESC LIMIT ?"
        return self._registered(f"WHERE t.kind = 'capsule' {order}", -1 if limit is None else limit)

    def statements(self, subject: Digest) -> list[Registered]:
        """Return the statements about a capsule, earliest first."""
        order = "ORDER BY t.time, t.generation, t.registration"
        return self._registered(f"WHERE t.kind = 'statement' AND t.subject = ? {order}", subject.raw)

    def beginning_with(self, prefix: str, kind: Kind) -> list[Digest]:
        """Return the capsules, environments or statements whose digests begin with these hex digits, sorted."""
        return [Digest(name.hex()) for (name,) in self._database.ask(_BEGINNING[kind], *_range(prefix))]

    def capsules_beginning_with(self, prefix: str) -> list[Registered]:
        """Return the capsules whose digests begin with these hex digits, sorted by digest."""
        where = "WHERE t.kind = 'capsule' AND t.digest BETWEEN ? AND ? ORDER BY t.digest"
        return self._registered(where, *_range(prefix))

    def registered(self, tree: Digest) -> Registered | None:
        """Return how a capsule or statement was first registered, None for what is not."""
        return next(iter(self._registered("WHERE t.digest = ?", tree.raw)), None)

    def unreadable(self) -> Iterator[CapsuleError]:
        """Yield what is wrong with each registered tree that cannot be read."""
        for (tree,) in self._database.ask(_NOT_LOOKED_AT):
            try:
                self._read(Digest(tree.hex()))
            except CapsuleError as error:
                yield error

    def _registered(self, which: str, *values: object) -> list[Registered]:
        return [
            Registered(
                digest=Digest(digest.hex()),
                environment=Digest(environment.hex()) if environment else None,
                commit=Digest(commit.hex()),
                author=author,
                title=title,
                time=time,
            )
            for digest, environment, commit, author, title, time in self._database.ask(
                f"{_REGISTERED} {which}", *values
            )
        ]


class _Shelf:
    """What the index is derived from: the commits of main, and of each commit's tree, what it is."""

    version = 1
    schema = """
        CREATE TABLE tip (commit_id BLOB NOT NULL);
        CREATE TABLE commits (
            id BLOB PRIMARY KEY, tree BLOB NOT NULL, time INTEGER NOT NULL, generation INTEGER NOT NULL,
            author TEXT NOT NULL, title TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX registrations ON commits (tree, time, generation, id);
        -- Each registered tree with its earliest registration; `kind` is NULL as long as the tree cannot be read.
        CREATE TABLE trees (
            digest BLOB PRIMARY KEY, registration BLOB NOT NULL, time INTEGER NOT NULL, generation INTEGER NOT NULL,
            kind TEXT, environment BLOB, subject BLOB
        ) WITHOUT ROWID;
        CREATE INDEX newest ON trees (kind, time, generation, registration);
        CREATE INDEX environments ON trees (environment) WHERE environment IS NOT NULL;
        CREATE INDEX subjects ON trees (subject) WHERE subject IS NOT NULL;
    """

    def __init__(self, history: History, read: Read) -> None:
        self._history = history
        self._read = read

    def is_behind(self, connection: sqlite3.Connection) -> bool:
        return _tip(connection) != self._history.tip or bool(connection.execute(f"{_NOT_LOOKED_AT} LIMIT 1").fetchall())

    def bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        tip, seen = self._history.tip, _tip(connection)
        if tip != seen:
            new = self._new(connection, tip)
            # All that led to the tip seen last is known: unless a new commit follows on it, main was moved back.
            if seen is not None and not any(seen in commit.parents for commit in new.values()):
                for emptied in ("DELETE FROM tip", "DELETE FROM commits", "DELETE FROM trees"):
                    connection.execute(emptied)
                new = self._new(connection, tip)
            _insert(connection, new)
            connection.execute("DELETE FROM tip")
            if tip is not None:
                connection.execute("INSERT INTO tip VALUES (?)", (tip.raw,))
        self._look_at_trees(connection)

    def _new(self, connection: sqlite3.Connection, tip: Digest | None) -> dict[Digest, Commit]:
        found = self._history.commits(tip, lambda name: _generation(connection, name) is not None)
        return {registration.id: registration.commit for registration in found}

    def _look_at_trees(self, connection: sqlite3.Connection) -> None:
        for (raw,) in connection.execute(_NOT_LOOKED_AT).fetchall():
            # What is damaged or missing may be back the next time.
            with suppress(DamagedObject, MissingObject):
                connection.execute(
                    "UPDATE trees SET kind = ?, environment = ?, subject = ? WHERE digest = ?",
                    (*self._described(Digest(raw.hex())), raw),
                )

    def _described(self, tree: Digest) -> tuple[str, bytes | None, bytes | None]:
        with suppress(InvalidValue):
            entries = decode_tree(self._read(tree).data)
            if is_capsule(entries):
                return "capsule", next(entry.id.raw for entry in entries if entry.name == "environment"), None
            if subject := subject_of(entries):
                return "statement", None, subject.raw
        return "other", None, None


def _range(prefix: str) -> tuple[bytes, bytes]:
    return bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))


def _tip(connection: sqlite3.Connection) -> Digest | None:
    row = connection.execute("SELECT commit_id FROM tip").fetchone()
    return Digest(row[0].hex()) if row else None


def _generation(connection: sqlite3.Connection, name: Digest) -> int | None:
    row: Any = connection.execute("SELECT generation FROM commits WHERE id = ?", (name.raw,)).fetchone()
    return None if row is None else int(row[0])


def _insert(connection: sqlite3.Connection, new: Mapping[Digest, Commit]) -> None:
    """Insert commits, parents first, each with its generation: one more than its parents' greatest.

    By time and generation, commits of one second are in order too, however the index came about.
    """
    generations: dict[Digest, int] = {}
    waiting = list(new)
    while waiting:
        name = waiting[-1]
        commit = new[name]
        if name in generations:
            waiting.pop()
        elif missing := [parent for parent in commit.parents if parent in new and parent not in generations]:
            waiting += missing
        else:
            parents = (generations.get(parent) or _generation(connection, parent) or 0 for parent in commit.parents)
            generations[name] = 1 + max(parents, default=0)
    rows = [(name, commit, generations[name]) for name, commit in new.items()]
    connection.executemany(
        "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?)",
        (
            (name.raw, commit.tree.raw, commit.time, generation, str(commit.author), commit.message)
            for name, commit, generation in rows
        ),
    )
    connection.executemany(
        """
        INSERT INTO trees (digest, registration, time, generation) VALUES (?, ?, ?, ?)
        ON CONFLICT (digest) DO UPDATE SET
            registration = excluded.registration, time = excluded.time, generation = excluded.generation
        WHERE (excluded.time, excluded.generation, excluded.registration) < (time, generation, registration)
        """,
        (
            (commit.tree.raw, name.raw, commit.time, generation)
            for name, commit, generation in rows
            if commit.tree != EMPTY_TREE.id
        ),
    )
