"""Whether a store lies at a remote, and not something else that git keeps there, in the same format: source code, say.

Taken, that would be on the shelf for ever. And a join is of no files: on a branch of source code it removes all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from capsulestore.errors import InvalidValue, NoCapsuleStore, RemoteMisbehaved, StoreUnwritable
from capsulestore.model.capsule import is_capsule
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, Kind, decode_tree
from capsulestore.model.statement import subject_of
from capsulestore.store import Store
from capsulestore.sync.checks.commits import links_of
from capsulestore.sync.checks.incoming import Checked
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadObject, BadPack
from capsulestore.sync.packs.received import ReceivedPack, read_pack
from capsulestore.sync.remote import Remote, describe
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["check_received", "look_at"]

_PLACE: Final = "make a place for capsules with `git init --bare --object-format=sha256 DIR`"
_CUTS_HISTORY: Final = "shallow"
"""The capability to send a commit without those before it (git's documentation, `gitprotocol-capabilities`)."""


def check_received(store: Store, pack: ReceivedPack, checked: Checked, remote: str) -> None:
    """Raise `NoCapsuleStore` where of all that is new nothing is of a known kind, and nothing goes on from this shelf.

    What a newer release wrote, or anybody, is so carried beside what is known. `remote` is how errors name it. Raise
    `BadPack` as `ReceivedPack.get` does.
    """
    kinds = frozenset(checked.kinds.values())
    if "other" not in kinds or kinds & {"capsule", "statement"}:
        return
    for name in checked.commits:
        commit = links_of((pack.get(name) or store.read(name)).data)
        is_here = commit.tree not in checked.kinds and commit.tree != EMPTY_TREE.id
        if is_here or any(store.index.has_commit(parent) for parent in commit.parents):
            return
    raise NoCapsuleStore(
        remote, "there is a repository, but nothing that it has is a capsule", hint=f"is it the right one? {_PLACE}"
    )


def look_at(store: Store, remote: Remote, limits: Limits) -> None:
    """Raise `NoCapsuleStore` where the tip of a remote's main is neither a capsule, nor a statement, nor a join.

    That one commit is asked for, with its tree, in a conversation of its own, and nothing of it is kept. A remote that
    cannot send it without those before it (it lacks the capability `shallow`) is not looked at. Raise
    `RemoteMisbehaved` for what is no such commit, `NoCapsuleStore` where it is beyond the limits of a glance, and the
    errors of `Remote.fetch`.
    """
    named = describe(remote.name, remote.shown)
    tip: Digest | None = None

    def choose(theirs: Advertised) -> Sequence[Digest]:
        nonlocal tip
        tip = theirs.main if _CUTS_HISTORY in theirs.capabilities else None
        return [tip] if tip else []

    with remote.fetch(choose, (), depth=1) as fetched:
        if fetched.pack is None or tip is None:
            return
        at_a_glance = replace(limits, pack_bytes=limits.glance_bytes, unpacked_bytes=limits.glance_unpacked_bytes)
        try:
            with _aside(store.path) as directory:
                pack = read_pack(_bounded(fetched.pack, limits, named), directory, at_a_glance)
                is_store = _registers(pack, tip, limits)
        except BadPack as problem:
            raise RemoteMisbehaved(named, str(problem)) from problem
    if not is_store:
        raise NoCapsuleStore(
            named, "there is a repository, but the tip of its `main` is nothing that a store has", hint=_PLACE
        )


def _registers(pack: ReceivedPack, name: Digest, limits: Limits) -> bool:
    """Whether a commit is one that a store writes, by its tree."""
    try:
        tree = links_of(_sent(pack, name, "commit", limits)).tree
        entries = () if tree == EMPTY_TREE.id else decode_tree(_sent(pack, tree, "tree", limits))
    except InvalidValue as error:
        raise BadObject(f"object {name}, or its tree, is wrong: {error}") from None
    return not entries or is_capsule(entries) or subject_of(entries) is not None


def _sent(pack: ReceivedPack, name: Digest, kind: Kind, limits: Limits) -> bytes:
    found = pack.get(name)
    if found is None or found.kind != kind or len(found.data) > limits.tree_bytes:
        raise BadObject(f"object {name} was not sent, or is no {kind} of {limits.tree_bytes} bytes at most")
    return found.data


def _bounded(pieces: Iterator[bytes], limits: Limits, remote: str) -> Iterator[bytes]:
    left = limits.glance_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise NoCapsuleStore(
                remote,
                f"nothing is known of it, and the tip of its `main` takes more than {limits.glance_bytes} bytes",
                hint="if it is a store, pull from it first",
            )
        yield piece


@contextmanager
def _aside(store: str) -> Iterator[str]:
    """Give a directory for what is only looked at: in the store, or elsewhere where that may not be written."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from capsulestore.sync.quarantine import quarantine  # noqa: PLC0415

    with ExitStack() as held:
        try:
            directory = held.enter_context(quarantine(store)).directory
        except StoreUnwritable:
            directory = held.enter_context(TemporaryDirectory(prefix="capsule-"))
        yield directory
