"""What differs between two environments, each in a store or captured here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from capsulestore.capture.environment import CONTEXT_LAYERS, Capture
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import encode_mapping, layer_digests
from capsulestore.model.objects import EMPTY_TREE, Encoded
from capsulestore.store import Store

__all__ = ["Compared", "Comparison", "captured", "compare", "stored"]


@dataclass(frozen=True, slots=True)
class Compared:
    """An environment, and its context where it has one; `name` is what a person calls it.

    `unknown` are the layers that could not be seen, and why.
    """

    name: str
    environment: Side
    context: Side
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two environments by digest, and what differs from the one to the other.

    `unseen` are the layers that were not compared, as one of the two could not see them, and says so.
    """

    a: Digest
    b: Digest
    identical: bool
    changes: tuple[Change, ...]
    unseen: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Json]:
        """Return the comparison as `capsule diff --json` has it."""
        return {
            "a": str(self.a),
            "b": str(self.b),
            "identical": self.identical,
            "changes": [change.as_dict() for change in self.changes],
            "unseen": dict(self.unseen),
        }


def compare(a: Compared, b: Compared, *, layers: Collection[str] | None = None) -> Comparison:
    """Compare two environments, or only some layers, among which may be those of the context.

    What is equal on both sides is not read. A layer that one of the two could not see is not compared: that nothing of
    it is there does not say that there was nothing. Raise `UnknownName` where a layer of the context is asked for of
    what has no context, `StoreUnreadable` where one of the two is nothing that this release can read.
    """
    of_context = CONTEXT_LAYERS & frozenset(layers or ())
    unseen = {
        layer: f"could not be seen in {side.name}: {reason}"
        for side in (a, b)
        for layer, reason in side.unknown.items()
        if (layers is None or layer in layers) and layer not in CONTEXT_LAYERS - of_context
    }
    try:
        for side in (a, b):
            _check_recorded(side, of_context)
        between = changes(a.environment, b.environment)
        found = [
            change for change in between if (layers is None or change.layer in layers) and change.layer not in unseen
        ]
        if of_context:
            found += [change for change in changes(a.context, b.context) if change.layer in of_context]
    except InvalidValue as error:
        raise StoreUnreadable(f"no environment that this release can read: {error}") from error
    same = a.environment.digest == b.environment.digest if layers is None else not found
    of_a, of_b = (side.environment.digest or EMPTY_TREE.id for side in (a, b))
    return Comparison(of_a, of_b, same, tuple(found), unseen)


def _check_recorded(side: Compared, layers: Collection[str]) -> None:
    digest = side.context.digest
    recorded = layer_digests(digest, side.context.read) if digest and layers else {}
    if missing := sorted(set(layers) - recorded.keys()):
        raise UnknownName(f"{side.name} has no layer `{missing[0]}`: it was not looked at when it was captured")


def stored(store: Store, name: str) -> Compared:
    """Return the environment that a name stands for, a capsule standing for its own; raise `UnknownName`."""
    named = store.resolve(name)
    if named.kind == "capsule":
        capsule = store.capsule(named.digest)
        states = capsule.manifest.layers or {}
        return Compared(
            f"`{name}`", Side(store.read, capsule.environment), Side(store.read, capsule.context), _unknown(states)
        )
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    return Compared(f"`{name}`", Side(store.read, named.digest), Side(store.read, None))


def captured(found: Capture) -> Compared:
    """Return what was captured here, which is in no store."""
    sides = (_side(found.encoded()), _side(encode_mapping(found.context)))
    return Compared("the environment here", *sides, _unknown(found.layers))


def _unknown(states: Mapping[str, LayerState]) -> dict[str, str]:
    return {layer: state.reason or "" for layer, state in states.items() if state.state == "unknown"}


def _side(encoded: Encoded) -> Side:
    return Side(encoded.objects.__getitem__, encoded.id)
