"""The other side of a push, a pull or a clone: which store or bundle a command line means, and how it is reached."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from capsulestore.errors import CapsuleError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Collection

    from capsulestore.model.digest import Digest
    from capsulestore.store import Store
    from capsulestore.sync.address import Address
    from capsulestore.sync.remote import Progress, Remote

__all__ = ["ORIGIN", "Other", "other_store", "reached", "stands_for"]

ORIGIN: Final = "origin"
"""The remote that is meant where none is named."""


class Other(NamedTuple):
    """The other store: `name` is what it is called, `named` whether that is one of the remotes here."""

    name: str
    address: Address
    named: bool

    @property
    def is_bundle(self) -> bool:
        """Whether it is a file."""
        return self.address.kind == "path" and os.path.isfile(self.address.path)

    @property
    def remembered(self) -> bool:
        """Whether what it has is to be remembered here; a bundle says itself what it holds."""
        return self.named and not self.is_bundle


def other_store(store: Store, given: str | None, verb: Literal["push", "pull"]) -> Other:
    """Return the remote of a name, `origin` where none is given; else what looks like an address or lies there.

    Raise `UnknownName` for what is none of these, and what reading the configuration and the address raises.
    """
    from capsulestore.sync.address import Address
    from capsulestore.sync.remotes.named import listed

    remotes = {remote.name: remote for remote in listed(store.path)}
    name = ORIGIN if given is None else given
    if name in remotes:
        remote = remotes[name]
        return Other(name, remote.push_address if verb == "push" else remote.address, named=True)
    if given and _may_be_address(given):
        address = Address.parse(given)
        for remote in remotes.values():
            # By its address it is the same remote, of which is known what it has.
            if given in {remote.url, remote.push_url} or address.text in {remote.url, remote.push_url}:
                return Other(remote.name, address, named=True)
        return Other(address.shown, address, named=False)
    raise UnknownName(f"there is no remote `{name}`", hint=_hint(store, given, remotes, verb))


def reached(other: Other, store: Store, progress: Progress) -> Remote:
    """Return what speaks with the other store; nothing is asked of it yet."""
    if other.is_bundle:
        from capsulestore.sync.bundle import BundleFile
        from capsulestore.sync.limits import LIMITS

        return BundleFile(other.address.path, LIMITS, store.index.has_commit, progress)
    from capsulestore.sync.connect import connect
    from capsulestore.sync.remote import Surroundings

    somebody = any(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))
    surroundings = Surroundings(os.environ, os.environ.get("CAPSULE_TOKEN") or None, interactive=somebody)
    return connect(other.name, other.address, surroundings, progress)


def stands_for(store: Store, name: str) -> Digest | None:
    """Return the capsule that a name stands for, None where it stands for none."""
    try:
        return store.resolve_capsule(name)
    except CapsuleError:
        return None


def _may_be_address(text: str) -> bool:
    return "/" in text or ":" in text or text.startswith((".", "~")) or os.path.lexists(text)


def _hint(store: Store, given: str | None, remotes: Collection[str], verb: str) -> str:
    if given and verb == "push" and stands_for(store, given):
        first = ORIGIN if ORIGIN in remotes else next(iter(remotes), "REMOTE")
        return f"the remote comes first: `capsule push {first} {given}` sends that capsule"
    if not remotes:
        return f"`capsule remote add {given or ORIGIN} URL` makes it, or name the address: `capsule {verb} URL`"
    if given or len(remotes) > 1:
        return f"there is {', '.join(f'`{name}`' for name in remotes)}; an address will do, too"
    return f"`capsule {verb} {next(iter(remotes))}` names the one that there is"
