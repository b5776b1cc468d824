"""Which objects a push sends: those of commits that the remote lacks, less what it has of them by other commits.

A remote that has a commit has all that it reaches. So what it lacks is found from what is new, and from what stands
next to it: an environment that an older capsule has too is not sent again, nor what is equal in the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, decode_tree
from capsulestore.store import Store
from capsulestore.store.history import Registration

__all__ = ["Lacking"]

_NEIGHBOURS: Final = 4
"""How many of the capsules before what is new are looked through for what is equal in them."""


class Lacking:
    """What a remote lacks that has all of the shelf but the commits in `new`; each object is named once.

    Raise `MissingObject` or `DamagedObject` where a tree cannot be read.
    """

    def __init__(self, store: Store, new: Collection[Registration]) -> None:
        self._store = store
        self._new = {registration.id for registration in new}
        self._seen: set[Digest] = set()
        for tree in self._neighbours(new):
            self._pass_over(tree)

    def of_commits(self, commits: Iterable[Registration]) -> Iterator[Digest]:
        """Yield the names of commits, and of the objects of their trees that are lacking."""
        for registration in commits:
            yield registration.id
            yield from self.of_tree(registration.commit.tree)

    def of_tree(self, tree: Digest) -> Iterator[Digest]:
        """Yield the names of the objects of a commit's tree that are lacking."""
        if tree in self._seen or self._is_known(tree):
            return
        for entry in decode_tree(self._store.read(tree).data):
            # An environment, or the capsule that a statement is about.
            if entry.is_tree and entry.id not in self._seen and self._is_known(entry.id):
                self._pass_over(entry.id)
        yield from self._walk(tree)

    def _neighbours(self, new: Collection[Registration]) -> list[Digest]:
        """Return the trees of the newest capsules and statements that the remote has."""
        parents = [parent for registration in new for parent in registration.commit.parents]
        waiting = [name for name in dict.fromkeys(parents) if name not in self._new]
        trees: list[Digest] = []
        for name in waiting:
            if len(trees) == _NEIGHBOURS or len(waiting) > _NEIGHBOURS**2:
                break
            commit = self._store.commit(name)
            trees += [commit.tree] if commit.tree != EMPTY_TREE.id else []
            waiting += [parent for parent in commit.parents if parent not in waiting]
        return trees

    def _is_known(self, tree: Digest) -> bool:
        """Whether a commit that the remote has registers a tree, or a capsule of that environment."""
        index = self._store.index
        commits = [*index.commits_of(tree), *index.commits_of_environment(tree)]
        return any(name not in self._new for name in commits)

    def _pass_over(self, tree: Digest) -> None:
        for _ in self._walk(tree):
            pass

    def _walk(self, tree: Digest) -> Iterator[Digest]:
        """Yield a tree and what is below it, but for what was seen before; all of it is seen then."""
        waiting = [] if tree in self._seen else [tree]
        self._seen.add(tree)
        while waiting:
            name = waiting.pop()
            yield name
            for entry in decode_tree(self._store.read(name).data):
                if entry.id not in self._seen:
                    self._seen.add(entry.id)
                    if entry.is_tree:
                        waiting.append(entry.id)
                    else:
                        yield entry.id
