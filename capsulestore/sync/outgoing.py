"""Which objects a push sends: those of commits that the remote lacks, less what it has of them by other commits.

A remote that has a commit has all that it reaches. So what it lacks is found from what is new, and from what stands
next to it: an environment that an older capsule has too is not sent again, nor what is equal in the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, TreeEntry, decode_tree
from capsulestore.store import Store
from capsulestore.store.history import Registration
from capsulestore.sync.checks.commits import decode_tag
from capsulestore.sync.packs.stored import StoredPacks

__all__ = ["Lacking"]

_NEIGHBOURS: Final = 4
"""How many of the capsules before what is new are looked through for what is equal in them."""

_COMMIT_MODE: Final = "160000"


class Lacking:
    """What a remote lacks that has all of the shelf but the commits in `new`, or nothing of it; each object once.

    It has the trees in `sent`, too, which came to it by other commits. Raise `MissingObject` or `DamagedObject` where
    something cannot be read.
    """

    def __init__(self, store: Store, new: Collection[Registration] | None, sent: Collection[Digest] = ()) -> None:
        self._store = store
        self._read = StoredPacks(store).read
        self._new = None if new is None else {registration.id for registration in new}
        self._has_anyway = {name for tree in sent for name in store.index.commits_of(tree)}
        self._seen: set[Digest] = set()
        for tree in self._neighbours(new or ()):
            self._pass_over(tree)

    def is_new(self, commit: Digest) -> bool:
        """Whether a commit of the shelf is one that the remote lacks."""
        return self._new is None or commit in self._new

    def is_there(self, tree: Digest) -> bool:
        """Whether a commit that the remote has registers a tree, or a capsule of that environment."""
        if self._new is None and not self._has_anyway:
            return False
        index = self._store.index
        commits = [*index.commits_of(tree), *index.commits_of_environment(tree)]
        return any(name in self._has_anyway or not self.is_new(name) for name in commits)

    def of_commits(self, commits: Iterable[Registration]) -> Iterator[Digest]:
        """Yield the names of commits, and of the objects of their trees that are lacking."""
        for registration in commits:
            yield registration.id
            yield from self.of_tree(registration.commit.tree)

    def of_tree(self, tree: Digest) -> Iterator[Digest]:
        """Yield the names of the objects of a commit's tree that are lacking."""
        if tree in self._seen or self.is_there(tree):
            return
        entries = self._entries(tree)
        for entry in entries:
            # An environment, or the capsule that a statement is about.
            if entry.is_tree and entry.id not in self._seen and self.is_there(entry.id):
                self._pass_over(entry.id)
        self._seen.add(tree)
        yield tree
        yield from self._below(entries)

    def of_tag(self, target: Digest) -> Iterator[Digest]:
        """Yield the names of the lacking objects of whatever a tag is on.

        Ours are on capsules; git's are on commits, of the shelf or not, or on objects that say who made the tag.
        """
        waiting = [target]
        while waiting:
            name = waiting.pop()
            if name in self._seen or self._store.index.has_commit(name):
                continue
            found = self._read(name)
            if found.kind == "tree":
                yield from self.of_tree(name)
                continue
            self._seen.add(name)
            yield name
            if found.kind == "tag":
                waiting.append(decode_tag(found.data).id)
            elif found.kind == "commit":
                commit = self._store.commit(name)
                yield from self.of_tree(commit.tree)
                waiting += commit.parents

    def _neighbours(self, new: Collection[Registration]) -> list[Digest]:
        """Return the trees of the newest capsules and statements that the remote has."""
        parents = [parent for registration in new for parent in registration.commit.parents]
        waiting = [name for name in dict.fromkeys(parents) if not self.is_new(name)]
        trees: list[Digest] = []
        for name in waiting:
            if len(trees) == _NEIGHBOURS or len(waiting) > _NEIGHBOURS**2:
                break
            commit = self._store.commit(name)
            trees += [commit.tree] if commit.tree != EMPTY_TREE.id else []
            waiting += [parent for parent in commit.parents if parent not in waiting]
        return trees

    def _pass_over(self, tree: Digest) -> None:
        if tree not in self._seen:
            self._seen.add(tree)
            for _ in self._below(self._entries(tree)):
                pass

    def _below(self, entries: Iterable[TreeEntry]) -> Iterator[Digest]:
        """Yield what these are and what is below them, but for what was seen before; all of it is seen then."""
        waiting = [*entries]
        while waiting:
            entry = waiting.pop()
            if entry.id not in self._seen:
                self._seen.add(entry.id)
                yield entry.id
                if entry.is_tree:
                    waiting += self._entries(entry.id)

    def _entries(self, tree: Digest) -> list[TreeEntry]:
        # A commit of another repository is no object of this one.
        return [entry for entry in decode_tree(self._read(tree).data) if entry.mode != _COMMIT_MODE]
