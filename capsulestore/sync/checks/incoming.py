"""What a received pack leads to, checked before a ref names it: all of it is there, and is what its place asks for.

What this store's shelf reaches was checked when it came and is not read again. What merely lies here, as a killed
process may have left it, is looked at like what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store import Store
from capsulestore.sync.checks.commits import Links, decode_tag, links_of
from capsulestore.sync.checks.shelf_trees import Place, ShelfKind
from capsulestore.sync.checks.tree_walk import TreeWalk
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadObject
from capsulestore.sync.packs.received import ReceivedPack

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
        self._trees = TreeWalk(pack.get, self._here, self._is_complete, limits)

    def check_ref(self, ref: str, name: Digest) -> None:
        for _ in range(self._limits.tree_depth):
            found = self._trees.find(name)
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
        what = f"object {target.id} (of the tag {name})"
        self._trees.checked(self._trees.find(target.id), target.kind, lambda: what)
        return target.id

    def _check_commits(self, tip: Digest) -> None:
        waiting = [(tip, f"object {tip}")]
        while waiting:
            following: list[tuple[Digest, str]] = []
            for name, what in waiting:
                if name in self.commits:
                    continue
                # What was sent is looked at in any case.
                sent = self._pack.get(name)
                if sent is None and self._is_on_shelf(name):
                    continue
                commit = self._links(sent or self._here(name), what)
                self.commits[name] = None
                self._check_tree(commit.tree)
                following += [(parent, f"object {parent} (a parent of {name})") for parent in commit.parents]
            waiting = following

    def _links(self, found: GitObject | None, what: str) -> Links:
        commit = self._trees.checked(found, "commit", lambda: what)
        try:
            return links_of(commit.data)
        except InvalidValue as error:
            raise BadObject(f"{what} is wrong: {error}") from None

    def _check_tree(self, tree: Digest) -> None:
        self._trees.check(tree, Place.SHELF)
        if tree in self._trees.kinds:
            self.kinds[tree] = self._trees.kinds[tree]

    def _here(self, name: Digest) -> GitObject | None:
        return self._store.read(name) if name in self._store else None

    def _is_on_shelf(self, name: Digest) -> bool:
        return name in self._store and self._store.index.has_commit(name)

    def _is_complete(self, name: Digest, place: Place) -> bool:
        """Whether the shelf reaches a tree, by what the index knows of it in that place."""
        index = self._store.index
        if place is Place.SHELF:
            return name in self._store and bool(index.commits_of(name))
        if place is not Place.MAPPING or name not in self._store:
            return False
        # One of any of its capsules will do; at the worst it is looked at once more.
        return any(
            self._is_read_here(self._store.commit(commit).tree) for commit in index.commits_of_environment(name)[:1]
        )

    def _is_read_here(self, capsule: Digest) -> bool:
        """Whether a capsule is one that this release reads: what a newer one wrote was carried, whatever it is."""
        try:
            self._store.capsule(capsule)
        except StoreUnreadable:
            return False
        return True
