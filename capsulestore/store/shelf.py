"""The shelf: the one branch whose commits register capsules.

A commit on `refs/heads/main` with a capsule's tree registers that capsule. Commits are only ever added: a capsule that
main already holds is not registered again.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Encoded, GitObject
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.refs import MAIN, Refs

__all__ = ["Registration", "Shelf"]


@dataclass(frozen=True, slots=True)
class Registration:
    """A commit of the shelf, and its id."""

    id: Digest
    commit: Commit


class Shelf:
    """The commits of a store's main."""

    def __init__(self, database: ObjectDatabase, refs: Refs) -> None:
        self._database = database
        self._refs = refs

    @property
    def tip(self) -> Digest | None:
        """The newest commit, None on an empty shelf."""
        return self._refs.read(MAIN)

    def commits(self, tip: Digest | None, without: Digest | None = None) -> Iterator[Registration]:
        """Yield the commits reachable from `tip`, newest first, up to `without` and what is reachable from it.

        `without` must be an earlier tip: every path leads to it or ends.
        """
        seen = {without}
        waiting: list[tuple[int, Digest, Commit]] = []

        def enter(name: Digest | None) -> None:
            if name is not None and name not in seen:
                seen.add(name)
                commit = self._read(name)
                heapq.heappush(waiting, (-commit.time, name, commit))

        enter(tip)
        while waiting:
            _, name, commit = heapq.heappop(waiting)
            yield Registration(name, commit)
            for parent in commit.parents:
                enter(parent)

    def register(self, capsule: Encoded, title: str, author: Person) -> bool:
        """Put a capsule on the shelf, with those of its objects that are new; return whether it was not there yet.

        When this returns, capsule and registration are durable. After `StoreBusy` nothing was registered; after
        `StoreUnwritable` the capsule is registered whole or not at all.
        """
        seen = self.tip
        known = capsule.id in self._database
        with self._database.written(capsule):
            if known and self._holds(capsule.id, seen, None):
                return False
            with self._refs.locked(MAIN) as move:
                tip = self.tip
                if tip != seen and self._holds(capsule.id, tip, seen):
                    return False
                commit = self._commit(capsule.id, tip, title, author)
                self._database.write(commit)
                move(commit.id)
                return True

    def _holds(self, tree: Digest, tip: Digest | None, without: Digest | None) -> bool:
        return any(registration.commit.tree == tree for registration in self.commits(tip, without))

    def _commit(self, tree: Digest, parent: Digest | None, title: str, author: Person) -> GitObject:
        now = int(time.time())
        earliest = self._read(parent).time if parent else now
        return Commit(
            tree=tree,
            parents=(parent,) if parent else (),
            author=author,
            time=max(now, earliest),
            message=title,
        ).encode()

    def _read(self, name: Digest) -> Commit:
        found = self._database.read(name)
        with suppress(InvalidValue):
            if found.kind == "commit":
                return Commit.decode(found.data)
        raise StoreUnreadable(f"{name} on the shelf is no commit that this release can read")
