"""The commits of the shelf, `refs/heads/main`: its tip, and what is reachable from it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.commit import Commit
from capsulestore.model.digest import Digest
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.refs import MAIN, Refs

__all__ = ["History", "Registration"]


class Registration(NamedTuple):
    """A commit of the shelf, and its id."""

    id: Digest
    commit: Commit


class History:
    """The shelf as it is read."""

    def __init__(self, database: ObjectDatabase, refs: Refs) -> None:
        self._database = database
        self._refs = refs

    @property
    def tip(self) -> Digest | None:
        """The newest commit, None on an empty shelf."""
        return self._refs.read(MAIN)

    def commits(
        self, tip: Digest | None, is_known: Callable[[Digest], bool] = lambda _: False
    ) -> Iterator[Registration]:
        """Yield the commits reachable from `tip`, newest first, up to those that are known already."""
        seen: set[Digest] = set()
        waiting: list[tuple[int, Digest, Commit]] = []

        def enter(name: Digest) -> None:
            if name not in seen and not is_known(name):
                seen.add(name)
                commit = self.read(name)
                heapq.heappush(waiting, (-commit.time, name, commit))

        if tip is not None:
            enter(tip)
        while waiting:
            _, name, commit = heapq.heappop(waiting)
            yield Registration(name, commit)
            for parent in commit.parents:
                enter(parent)

    def read(self, name: Digest) -> Commit:
        """Return a commit; raise `MissingObject`, `DamagedObject`, or `StoreUnreadable` for what is none."""
        found = self._database.read(name)
        with suppress(InvalidValue):
            if found.kind == "commit":
                return Commit.decode(found.data)
        raise StoreUnreadable(f"{name} on the shelf is no commit that this release can read")
