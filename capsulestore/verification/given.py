"""An environment that was captured elsewhere, in place of one that is captured here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from capsulestore.capture.environment import CONTEXT_LAYERS
from capsulestore.capture.finding import Finding
from capsulestore.capture.target import Target
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import Encoded

if TYPE_CHECKING:
    from capsulestore.model.document import Document

__all__ = ["GivenEnvironment"]


class GivenEnvironment(NamedTuple):
    """An environment and its context by layer, and how looking at each ended (`layers`), as a `Capture` has them.

    Nothing is known of which interpreter it was, and of what was noticed.
    """

    environment: Mapping[str, Json]
    context: Mapping[str, Json]
    layers: Mapping[str, LayerState]
    findings: tuple[Finding, ...] = ()
    target: Target | None = None

    @classmethod
    def of(cls, given: Document, asked: Collection[str], rules: Mapping[str, int]) -> GivenEnvironment:
        """Return what is said of the layers that are asked for, each as far as it was captured by the rules wanted.

        A layer by other rules is `unknown`, for it cannot be captured again; so is one that is not spoken of. Where no
        states were recorded, the environment has the layers that are there and no others.
        """
        otherwise = {layer: state for layer, state in _by_other_rules(given, rules) if layer in asked}
        captured = {*given.environment, *given.context}.intersection(asked) - otherwise.keys()
        return cls(
            environment={layer: found for layer, found in given.environment.items() if layer in captured},
            context={layer: found for layer, found in given.context.items() if layer in captured},
            layers={
                **{layer: _untold(layer, given.states) for layer in asked},
                **{layer: state for layer, state in (given.states or {}).items() if layer in asked},
                **dict.fromkeys(captured, LayerState("captured")),
                **otherwise,
            },
        )

    def encoded(self) -> Encoded:
        """Return the environment as objects, its digest first."""
        return encode_mapping(self.environment)


def _untold(layer: str, states: Mapping[str, LayerState] | None) -> LayerState:
    if states is None and layer not in CONTEXT_LAYERS:
        return LayerState("none")
    return LayerState("unknown", "what was sent says nothing of it")


def _by_other_rules(given: Document, rules: Mapping[str, int]) -> Iterator[tuple[str, LayerState]]:
    for name, found in {**given.context, **given.environment}.items():
        wanted = rules.get(name)
        used = found.get("rules") if isinstance(found, Mapping) else None
        if wanted is not None and used != wanted:
            yield name, LayerState("unknown", f"it was captured by rules {used}, and recorded by rules {wanted}")
