"""The shelf as it is written: a commit on `refs/heads/main` registers the capsule, or the statement, that is its tree.

Commits are only ever added: what main already holds is not registered again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from capsulestore.model.commit import Commit, Person, join
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, Encoded, GitObject, decode_tree
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.history import History
from capsulestore.store.index import Index
from capsulestore.store.refs import MAIN, Refs

__all__ = ["Shelf"]


class Shelf:
    """The branch that registers."""

    def __init__(self, database: ObjectDatabase, refs: Refs, history: History, index: Index) -> None:
        self._database = database
        self._refs = refs
        self._history = history
        self._index = index

    def register(self, tree: Encoded, title: str, author: Person) -> bool:
        """Put a capsule or statement on the shelf, with what of it is new; return whether it was not there yet.

        When this returns, it and its registration are durable. After `StoreBusy` nothing was registered; after
        `StoreUnwritable` it is registered whole or not at all.
        """
        seen = self._history.tip
        # Of what was registered by then, something is here still, unless all of it was lost: else nothing to look up.
        known = any(name in self._database for name in _its_own(tree))
        with self._database.written(tree):
            if known and self._index.holds(tree.id):
                return False
            with self._refs.locked(MAIN) as move:
                tip = self._history.tip
                # Another process may have registered it since; while main is held, the index has its very tip.
                if (known or tip != seen) and self._index.holds(tree.id):
                    return False
                commit = self._commit(tree.id, tip, title, author)
                self._database.write(commit)
                move(commit.id)
                return True

    def join(self, other: Digest) -> Digest:
        """Put on the shelf all that a commit reaches, and return the shelf's new tip; `Store.join` has the contract."""
        with self._refs.locked(MAIN) as move:
            tip = self._history.tip
            if tip is not None and self._index.has_commit(other):
                return tip
            if tip is None or self._follows(other, tip):
                new = other
            else:
                commit = join({name: self._history.read(name).time for name in (tip, other)}).encode()
                self._database.write(EMPTY_TREE)
                self._database.write(commit)
                new = commit.id
            move(new)
            return new

    def _follows(self, other: Digest, tip: Digest) -> bool:
        """Whether a commit that the shelf does not hold reaches its tip: by way of one that does not, in any case."""
        return any(tip in new.commit.parents for new in self._history.commits(other, self._index.has_commit))

    def _commit(self, tree: Digest, parent: Digest | None, title: str, author: Person) -> GitObject:
        now = int(time.time())
        earliest = self._history.read(parent).time if parent else now
        return Commit(
            tree=tree,
            parents=(parent,) if parent else (),
            author=author,
            time=max(now, earliest),
            message=title,
        ).encode()


def _its_own(tree: Encoded) -> Iterator[Digest]:
    """Yield the names of the objects that this capsule or statement shares with hardly another: its tree and files."""
    yield tree.id
    for entry in decode_tree(tree.objects[tree.id].data):
        if not entry.is_tree:
            yield entry.id
