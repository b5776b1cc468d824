"""What one side of a comparison has: the layers of an environment and of its context, and how looking at each ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from capsulestore.compare.verdict import Seen
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState

__all__ = ["Looked"]


class Looked(NamedTuple):
    """The digest of each layer of the environment and of the context; `states` is None where it was not recorded."""

    environment: Mapping[str, Digest]
    context: Mapping[str, Digest]
    states: Mapping[str, LayerState] | None

    @property
    def names(self) -> frozenset[str]:
        """The layers that this side says anything of."""
        return frozenset({*self.environment, *self.context, *(self.states or ())})

    def state(self, layer: str) -> LayerState:
        """Return how looking at a layer of the context ended."""
        recorded = (self.states or {}).get(layer)
        return recorded or LayerState("captured" if layer in self.context else "none")

    def seen(self, counted: Collection[str], left_out: Collection[str]) -> Seen:
        """Return what a verdict sees of it: the environment, and of the context what is counted."""
        digests = dict(self.environment) | {layer: self.context[layer] for layer in self.context.keys() & counted}
        if self.states is None:
            return Seen(digests)
        return Seen(digests, {layer: state for layer, state in self.states.items() if layer not in left_out})
