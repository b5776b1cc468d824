"""What a push may do to a store: which refs it moves, how far, and what for. Every rule for that is here.

- `refs/heads/main` goes forward, or begins in an empty store; it never goes back or away.
- `refs/tags/NAME` may be new, of a capsule or statement, where the name is one that a tag can have; a tag never moves
  or goes away.
- `refs/capsules/forgotten` may be set anew.
- Nothing else is of a store.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from capsulestore.errors import CapsuleError, MalformedName, NoCapsuleStore, TagExists
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.serving.git.pushed_pack import pushed_pack
from capsulestore.store import Store
from capsulestore.store.durable import unwritable
from capsulestore.store.names import kind_of, peeled
from capsulestore.store.pack import placed_pack
from capsulestore.store.refs import MAIN, TAGS
from capsulestore.store.tags import check_tag
from capsulestore.sync.checks.commits import links_of
from capsulestore.sync.checks.incoming import check_incoming
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.received import ReceivedPack
from capsulestore.sync.store_at import check_received
from capsulestore.sync.wire.ref_names import in_the_way

__all__ = ["FORGOTTEN", "Update", "receive", "refused_for_others"]

FORGOTTEN: Final = "refs/capsules/forgotten"

_DELETED: Final = "deletion prohibited"
_NOT_FORWARD: Final = "non-fast-forward"
_MOVED: Final = "it has moved meanwhile, fetch first"
_EXISTS: Final = "already exists"
_NO_CAPSULE: Final = "declined: a tag is of a capsule, or of a statement about one"
_FOR_ANOTHER: Final = "atomic push failure"
"""Git's own words, where it has some."""

_DECLINED: Final = "declined: "
"""Begins what would be refused again; `capsule push` knows it by that."""


class Update(NamedTuple):
    """What is asked for one ref: where it is, as the pusher saw it, and where it is to be; None where it is not."""

    ref: str
    old: Digest | None
    new: Digest | None


def receive(store: Store, updates: Sequence[Update], objects: str, limits: Limits) -> Mapping[str, str]:
    """Check what was pushed into an object directory, take it into the store, and move its refs; or refuse it.

    Return the refused refs, each with the reason in a line. All of a push is refused where one ref is: nothing of it
    is in the store then. Only what another process sets while it is moved can part them: then main has moved, and a
    tag has not. What is not refused is durable when this returns (I4), its objects before the refs (I3).
    """
    main = next((update for update in updates if update.ref == MAIN), None)
    try:
        refusals = _refused_names(store, updates)
        if refusals:
            return _with_the_others(updates, refusals)
        pack = pushed_pack(objects, limits)
        checked = check_incoming(store, pack, {update.ref: update.new for update in updates if update.new}, limits)
        if main:
            check_received(store, pack, checked, "")
        refusals = {update.ref: reason for update in updates if (reason := _leads_astray(store, pack, update))}
        return _with_the_others(updates, refusals) if refusals else _taken(store, updates, pack)
    except BadPack as problem:
        return _all(updates, f"{_DECLINED}{problem}")
    except NoCapsuleStore:
        return _all(updates, f"{_DECLINED}nothing of what was sent is a capsule")
    except CapsuleError as error:
        return _all(updates, _told(store, error))


def refused_for_others(updates: Sequence[Update]) -> Mapping[str, str]:
    """Return the refusals of a push of which git itself has refused a part."""
    return _all(updates, _FOR_ANOTHER)


def _refused_names(store: Store, updates: Sequence[Update]) -> dict[str, str]:
    tags = store.tags.all()
    refusals = {update.ref: reason for update in updates if (reason := _refused(store, update, tags))}
    new = {update.ref.removeprefix(TAGS) for update in updates if update.ref.startswith(TAGS)}
    while (directory := in_the_way({*tags, *new})) is not None:
        for name in [name for name in new if name == directory or name.startswith(f"{directory}/")]:
            refusals.setdefault(TAGS + name, f"{_DECLINED}a tag cannot be called as others are, and a `/` after it")
            new.discard(name)
        tags.pop(directory, None)
    return refusals


def _refused(store: Store, update: Update, tags: Mapping[str, Digest]) -> str | None:
    """Return why a ref may not move so, whatever it is to be; None where it may."""
    name = update.ref.removeprefix(TAGS)
    if update.ref not in {MAIN, FORGOTTEN} and name == update.ref:
        return f"{_DECLINED}a store of capsules takes its branch `main` and new tags, and no other refs"
    if update.new is None:
        return _DELETED
    if name == update.ref:
        return _MOVED if store.refs.read(update.ref) != update.old else None
    try:
        check_tag(name)
    except MalformedName as error:
        return f"{_DECLINED}{error}"
    if update.old is not None:
        return f"{_DECLINED}a tag never moves"
    return _EXISTS if tags.get(name, update.new) != update.new else None


def _leads_astray(store: Store, pack: ReceivedPack, update: Update) -> str | None:
    """Return why a ref may not lead to what it is to be; None where it may."""
    if update.ref == MAIN:
        return None if _goes_on(store, pack, update) else _NOT_FORWARD
    return None if _may_be_tagged(store, pack, update) else _NO_CAPSULE


def _goes_on(store: Store, pack: ReceivedPack, main: Update) -> bool:
    """Whether the new tip reaches the old one: by way of commits that the shelf does not have."""
    if main.old is None or main.new is None:
        return True
    seen: set[Digest] = set()
    waiting = [main.new]
    while waiting:
        name = waiting.pop()
        if name == main.old:
            return True
        if name not in seen and not store.index.has_commit(name):
            seen.add(name)
            waiting += links_of((pack.get(name) or store.read(name)).data).parents
    return False


def _may_be_tagged(store: Store, pack: ReceivedPack, update: Update) -> bool:
    """Whether a ref is no tag, or one that leads to a capsule or statement: by way of commits and tags of git's own."""
    if update.new is None or not update.ref.startswith(TAGS):
        return True

    def read(name: Digest) -> GitObject:
        return pack.get(name) or store.read(name)

    tree = peeled(update.new, read)
    return read(tree).kind == "tree" and kind_of(tree, read) in {"capsule", "statement"}


def _taken(store: Store, updates: Sequence[Update], pack: ReceivedPack) -> Mapping[str, str]:
    refusals: dict[str, str] = {}
    with ExitStack() as published:
        if pack.ids:
            with unwritable(store.path):
                packs = os.path.join(store.path, "objects", "pack")
                os.makedirs(packs, exist_ok=True)
                published.enter_context(placed_pack(packs, pack.path, pack.index_path, pack.checksum))
        # Main first: what a tag means should be registered.
        for update in sorted(updates, key=lambda update: update.ref != MAIN):
            try:
                reason = _set(store, update)
            except CapsuleError as error:
                reason = _told(store, error)
            if reason:
                refusals[update.ref] = reason
            if MAIN in refusals:
                return _with_the_others(updates, refusals)
    return refusals


def _set(store: Store, update: Update) -> str | None:
    """Move a ref, under the locks of the store and of git; return why not, where another process was quicker."""
    if update.new is None:
        return _DELETED
    if update.ref.startswith(TAGS):
        try:
            store.tags.set(update.ref.removeprefix(TAGS), update.new)
        except TagExists:
            return _EXISTS
        return None
    with store.refs.locked(update.ref) as move:
        if store.refs.read(update.ref) != update.old:
            return _MOVED
        move(update.new)
    return None


def _with_the_others(updates: Sequence[Update], refusals: Mapping[str, str]) -> Mapping[str, str]:
    return {update.ref: refusals.get(update.ref, _FOR_ANOTHER) for update in updates}


def _all(updates: Sequence[Update], reason: str) -> Mapping[str, str]:
    return {update.ref: reason for update in updates}


def _told(store: Store, error: CapsuleError) -> str:
    """Return an error of the store's; where it lies is nobody's business."""
    return error.message.replace(store.path, ".capsules")
