"""What differs between two environments, each in a store or captured here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from capsulestore.capture.environment import Capture
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE
from capsulestore.store import Store

__all__ = ["Comparison", "captured_side", "compare", "stored_side"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two environments by digest, and what differs from the one to the other."""

    a: Digest
    b: Digest
    identical: bool
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Json]:
        """Return the comparison as `capsule diff --json` has it."""
        return {
            "a": str(self.a),
            "b": str(self.b),
            "identical": self.identical,
            "changes": [change.as_dict() for change in self.changes],
        }


def compare(a: Side, b: Side, *, layers: Collection[str] | None = None) -> Comparison:
    """Compare two environments, or of each only some layers; read nothing that is equal on both sides.

    Raise `StoreUnreadable` where one of them is no environment that this release can read.
    """
    try:
        found = tuple(change for change in changes(a, b) if layers is None or change.layer in layers)
    except InvalidValue as error:
        raise StoreUnreadable(f"no environment that this release can read: {error}") from error
    identical = a.digest == b.digest if layers is None else not found
    return Comparison(a.digest or EMPTY_TREE.id, b.digest or EMPTY_TREE.id, identical, found)


def stored_side(store: Store, name: str) -> Side:
    """Return the environment that a name stands for, a capsule standing for its own; raise `UnknownName`."""
    named = store.resolve(name)
    if named.kind == "capsule":
        return Side(store.read, store.capsule(named.digest).environment)
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    return Side(store.read, named.digest)


def captured_side(captured: Capture) -> Side:
    """Return an environment that was captured, which is in no store."""
    encoded = captured.encoded()
    return Side(encoded.objects.__getitem__, encoded.id)
