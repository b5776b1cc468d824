"""What the index is derived from: the commits of main, and of each commit's tree, what it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from capsulestore.errors import CapsuleError, InvalidValue
from capsulestore.model.capsule import MANIFEST_NAME, is_capsule
from capsulestore.model.commit import Commit
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import parents_in
from capsulestore.model.objects import EMPTY_TREE, Read, decode_tree
from capsulestore.model.statement import subject_of
from capsulestore.store.history import History

if TYPE_CHECKING:
    import sqlite3

__all__ = ["NOT_LOOKED_AT", "ShelfSource", "digest_of", "digests_of"]

NOT_LOOKED_AT: Final = "SELECT digest FROM trees WHERE kind IS NULL"
"""The trees of which nobody could tell yet what they are."""

# Left to itself, SQLite goes through all capsules.
_NOT_READ: Final = "SELECT digest FROM trees INDEXED BY unread WHERE kind = 'capsule' AND parents IS NULL"
_TO_LOOK_AT: Final = f"{NOT_LOOKED_AT} UNION ALL {_NOT_READ}"


class _Described(NamedTuple):
    """What a tree is; a capsule's `parents` are None as long as its manifest cannot be read."""

    kind: str
    environment: Digest | None = None
    subject: Digest | None = None
    parents: tuple[Digest, ...] | None = None


class ShelfSource:
    """Brings an index up to date from the shelf."""

    version = 2
    schema = """
        CREATE TABLE tip (commit_id BLOB NOT NULL);
        CREATE TABLE commits (
            id BLOB PRIMARY KEY, tree BLOB NOT NULL, time INTEGER NOT NULL, generation INTEGER NOT NULL,
            author TEXT NOT NULL, title TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX registrations ON commits (tree, time, generation, id);
        -- Each registered tree with its earliest registration; `kind` is NULL as long as the tree cannot be read, a
        -- capsule's `parents` as long as its manifest cannot: the ids one after the other, in the manifest's order.
        CREATE TABLE trees (
            digest BLOB PRIMARY KEY, registration BLOB NOT NULL, time INTEGER NOT NULL, generation INTEGER NOT NULL,
            kind TEXT, environment BLOB, subject BLOB, parents BLOB
        ) WITHOUT ROWID;
        CREATE INDEX newest ON trees (kind, time, generation, registration);
        CREATE INDEX environments ON trees (environment) WHERE environment IS NOT NULL;
        CREATE INDEX subjects ON trees (subject) WHERE subject IS NOT NULL;
        CREATE INDEX unread ON trees (digest) WHERE kind = 'capsule' AND parents IS NULL;
        -- The same parents, to be gone up and down; one that is no tree of the shelf is known elsewhere.
        CREATE TABLE lineage (child BLOB, parent BLOB, PRIMARY KEY (child, parent)) WITHOUT ROWID;
        CREATE INDEX children ON lineage (parent, child);
    """

    def __init__(self, history: History, read: Read) -> None:
        self._history = history
        self._read = read

    def is_behind(self, connection: sqlite3.Connection) -> bool:
        """Return whether main has moved, or there is a tree or a manifest that nobody could read yet."""
        return _tip(connection) != self._history.tip or bool(connection.execute(f"{_TO_LOOK_AT} LIMIT 1").fetchall())

    def bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Give the index the commits that are new; all of them where main was moved back."""
        tip, seen = self._history.tip, _tip(connection)
        if tip != seen:
            new = self._new(connection, tip)
            # All that led to the tip seen last is known: unless a new commit follows on it, main was moved back.
            if seen is not None and not any(seen in commit.parents for commit in new.values()):
                for table in ("tip", "commits", "trees", "lineage"):
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608  (names of ours)
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
        for (raw,) in connection.execute(_TO_LOOK_AT).fetchall():
            # What is damaged, missing or not to be read may be back the next time.
            with suppress(CapsuleError):
                kind, environment, subject, parents = self._described(digest_of(raw))
                connection.execute(
                    "UPDATE trees SET kind = ?, environment = ?, subject = ?, parents = ? WHERE digest = ?",
                    (
                        kind,
                        environment and environment.raw,
                        subject and subject.raw,
                        None if parents is None else b"".join(parent.raw for parent in parents),
                        raw,
                    ),
                )
                connection.executemany(
                    "INSERT INTO lineage VALUES (?, ?)", ((raw, parent.raw) for parent in parents or ())
                )

    def _described(self, tree: Digest) -> _Described:
        with suppress(InvalidValue):
            entries = decode_tree(self._read(tree).data)
            if is_capsule(entries):
                ids = {entry.name: entry.id for entry in entries}
                return _Described("capsule", ids["environment"], parents=self._parents(ids[MANIFEST_NAME]))
            if subject := subject_of(entries):
                return _Described("statement", subject=subject)
        return _Described("other")

    def _parents(self, manifest: Digest) -> tuple[Digest, ...] | None:
        """Return the parents that a manifest names; None where it cannot be read."""
        with suppress(CapsuleError):
            return parents_in(self._read(manifest).data)
        return None


def _tip(connection: sqlite3.Connection) -> Digest | None:
    row = connection.execute("SELECT commit_id FROM tip").fetchone()
    return digest_of(row[0]) if row else None


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
            (name.raw, commit.tree.raw, commit.time, generation, str(commit.author), commit.message.partition("\n")[0])
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


def digest_of(raw: bytes) -> Digest:
    """Return the digest of 32 bytes; raise `ValueError` or `AttributeError` for anything else, as in a damaged file."""
    if len(raw) != 32:
        raise ValueError("a digest of another length")
    return Digest(raw.hex())


def digests_of(raw: bytes) -> tuple[Digest, ...]:
    """Return the digests of ids one after the other; raise what `digest_of` raises."""
    return tuple(digest_of(raw[start : start + 32]) for start in range(0, len(raw), 32))
