"""What differs between two environments, each in a store or captured here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from capsulestore.capture.environment import CONTEXT_LAYERS, Capture
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import encode_mapping, layer_digests
from capsulestore.model.objects import EMPTY_TREE, Encoded
from capsulestore.store import Store

__all__ = ["Compared", "Comparison", "captured", "compare", "stored"]


@dataclass(frozen=True, slots=True)
class Compared:
    """An environment, and its context where it has one; `name` is what a person calls it."""

    name: str
    environment: Side
    context: Side


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


def compare(a: Compared, b: Compared, *, layers: Collection[str] | None = None) -> Comparison:
    """Compare two environments, or only some layers, among which may be those of the context.

    What is equal on both sides is not read. Raise `UnknownName` where a layer of the context is asked for of what has
    no context, `StoreUnreadable` where one of the two is nothing that this release can read.
    """
    of_context = CONTEXT_LAYERS & frozenset(layers or ())
    try:
        for side in (a, b):
            _check_recorded(side, of_context)
        between = changes(a.environment, b.environment)
        found = [change for change in between if layers is None or change.layer in layers]
        if of_context:
            found += [change for change in changes(a.context, b.context) if change.layer in of_context]
    except InvalidValue as error:
        raise StoreUnreadable(f"no environment that this release can read: {error}") from error
    same = a.environment.digest == b.environment.digest if layers is None else not found
    return Comparison(a.environment.digest or EMPTY_TREE.id, b.environment.digest or EMPTY_TREE.id, same, tuple(found))


def _check_recorded(side: Compared, layers: Collection[str]) -> None:
    digest = side.context.digest
    recorded = layer_digests(digest, side.context.read) if digest and layers else {}
    if missing := sorted(set(layers) - recorded.keys()):
        raise UnknownName(f"`{side.name}` has no layer `{missing[0]}`: it was not looked at when it was captured")


def stored(store: Store, name: str) -> Compared:
    """Return the environment that a name stands for, a capsule standing for its own; raise `UnknownName`."""
    named = store.resolve(name)
    if named.kind == "capsule":
        capsule = store.capsule(named.digest)
        return Compared(name, Side(store.read, capsule.environment), Side(store.read, capsule.context))
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    return Compared(name, Side(store.read, named.digest), Side(store.read, None))


def captured(found: Capture) -> Compared:
    """Return what was captured here, which is in no store."""
    return Compared("the environment here", _side(found.encoded()), _side(encode_mapping(found.context)))


def _side(encoded: Encoded) -> Side:
    return Side(encoded.objects.__getitem__, encoded.id)
