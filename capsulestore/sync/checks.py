"""What a received pack leads to, checked before a ref names it: all of it is there, and is what its place asks for.

What this store's shelf reaches was checked when it came and is not read again. What merely lies here, as a killed
process may have left it, is looked at like what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model.commit import Commit
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store import Store
from capsulestore.sync.bad_pack import BadObject
from capsulestore.sync.commit_checks import decode_commit, decode_tag
from capsulestore.sync.limits import Limits
from capsulestore.sync.received_pack import ReceivedPack
from capsulestore.sync.shelf_trees import Place, ShelfKind
from capsulestore.sync.tree_walk import TreeWalk

__all__ = ["Checked", "check_incoming"]

_BRANCHES: Final = "refs/heads/"


class Checked(NamedTuple):
    """What is new and sound: commits, the tips first, and what their trees are, and those that tags name.

    What the shelf here reaches is in neither.
    """

    commits: tuple[Digest, ...]
    kinds: Mapping[Digest, ShelfKind]


def check_incoming(store: Store, pack: ReceivedPack, tips: Mapping[str, Digest], limits: Limits) -> Checked:
    """Check all that the refs `tips` would lead to in a store that had a pack's objects. Nothing is written.

    A branch is of commits, which lead to others; a tag or another ref may name any object. A commit's tree is a
    capsule, a statement, empty, or, as one that a newer release wrote, of an unknown kind, of which the trees must be
    sound.

    Raise `BadObject`, naming the object, for what is missing, or is not exactly what this release or, where it is of
    an unknown kind, git would have written; `BadPack` for what takes too long to unpack; and `MissingObject` or
    `DamagedObject` for what is wrong with this store.
    """
    checks = _Checks(store, pack, limits)
    for ref, name in tips.items():
        checks.check_ref(ref, name)
    return Checked(tuple(checks.commits), checks.kinds)


class _Checks:
    def __init__(self, store: Store, pack: ReceivedPack, limits: Limits) -> None:
        # In order, and each once.
        self.commits: dict[Digest, None] = {}
        self.kinds: dict[Digest, ShelfKind] = {}
        self._store = store
        self._pack = pack
        self._limits = limits
        self._trees = TreeWalk(self._find, self._is_complete, limits)

    def check_ref(self, ref: str, name: Digest) -> None:
        for _ in range(self._limits.tree_depth):
            found = self._find(name)
            if found is None:
                raise BadObject(f"object {name}, which `{ref}` names, was neither sent nor is here")
            if found.kind == "commit":
                self._check_commits(name)
            elif ref.startswith(_BRANCHES):
                raise BadObject(f"object {name}, which `{ref}` names, is a {found.kind}, where a commit should be")
            elif found.kind == "tree":
                self._check_tree(name)
            elif found.kind == "tag":
                name = self._target(name, found, ref)
                continue
            return
        raise BadObject(f"`{ref}` is a tag of a tag of more than {self._limits.tree_depth} tags")

    def _target(self, name: Digest, tag: GitObject, ref: str) -> Digest:
        try:
            target = decode_tag(tag.data)
        except InvalidValue as error:
            raise BadObject(f"object {name}, which `{ref}` names, is wrong: {error}") from None
        return self._trees.read(target.id, target.kind, lambda: f"object {target.id} (of the tag {name})").id

    def _check_commits(self, tip: Digest) -> None:
        waiting = [(tip, f"object {tip}")]
        while waiting:
            following: list[tuple[Digest, str]] = []
            for name, what in waiting:
                if name not in self.commits and not self._is_on_shelf(name):
                    commit = self._commit(name, what)
                    self.commits[name] = None
                    self._check_tree(commit.tree)
                    following += [(parent, f"object {parent} (a parent of {name})") for parent in commit.parents]
            waiting = following

    def _commit(self, name: Digest, what: str) -> Commit:
        found = self._trees.read(name, "commit", lambda: what)
        try:
            return decode_commit(found.data)
        except InvalidValue as error:
            raise BadObject(f"{what} is wrong: {error}") from None

    def _check_tree(self, tree: Digest) -> None:
        if tree not in self.kinds and not self._is_complete(tree, Place.SHELF):
            self._trees.check(tree, Place.SHELF)
            self.kinds[tree] = self._trees.kinds[tree]

    def _find(self, name: Digest) -> GitObject | None:
        found = self._pack.get(name)
        if found is None and name in self._store:
            found = self._store.read(name)
        return found

    def _is_on_shelf(self, name: Digest) -> bool:
        # What was sent is looked at in any case, which is faster than to ask.
        return name not in self._pack.ids and name in self._store and self._store.index.has_commit(name)

    def _is_complete(self, name: Digest, place: Place) -> bool:
        """Whether the shelf reaches a tree in a place from which it is indexed."""
        if place not in {Place.SHELF, Place.MAPPING} or name in self._pack.ids or name not in self._store:
            return False
        index = self._store.index
        return bool(index.commits_of(name) if place is Place.SHELF else index.commits_of_environment(name))
