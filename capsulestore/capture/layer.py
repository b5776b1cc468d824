"""What a layer of an environment is to capture: the interface that each one implements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from capsulestore.capture.cache import Cache
from capsulestore.capture.finding import Finding
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.live_source import LiveSource
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["Layer", "LayerCapture", "Runtime", "state_of"]

_MOST_NAMED: Final = 3


class Runtime(NamedTuple):
    """What a layer is captured of: the target interpreter, and the variables that it is started with.

    `cache` keeps what is slow to read and seldom changes.
    """

    interpreter: Interpreter
    environ: Mapping[str, str]
    cache: Cache


class LayerCapture(NamedTuple):
    """What looking at one layer gave: its part of the environment and of the context, each None where it has none.

    `live` are the directories of sources that it found beside what is installed: they are code.
    """

    state: LayerState
    environment: Mapping[str, Json] | None = None
    context: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()
    live: tuple[LiveSource, ...] = ()

    def as_json(self) -> Json:
        """Return the capture as a JSON value, from which `from_json` makes it again."""
        return [
            self.state.as_json(),
            self.environment,
            self.context,
            [[*finding] for finding in self.findings],
            [[*source] for source in self.live],
        ]

    @classmethod
    def from_json(cls, value: Any) -> LayerCapture:
        """Return the capture of a JSON value that `as_json` gave."""
        state, environment, context, findings, live = value
        return cls(
            state=LayerState.parse(state),
            environment=environment,
            context=context,
            findings=tuple(Finding(*finding) for finding in findings),
            live=tuple(LiveSource(*source) for source in live),
        )


def state_of(findings: Iterable[Finding]) -> LayerState:
    """Return how looking at a layer ended: `unknown` where something in it could not be seen.

    Then what was seen is kept, and compared with nothing: what is missing would be taken for a difference.
    """
    missing = [f"{finding.subject}: {finding.message}" for finding in findings if finding.incomplete]
    if not missing:
        return LayerState("captured")
    more = len(missing) - _MOST_NAMED
    return LayerState("unknown", "; ".join(missing[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else ""))


class Layer(Protocol):
    """One layer. Capturing it only reads, and never raises for what it finds: that is a finding or `unknown`.

    What it captures has an entry `rules` and is the same whenever nothing changed: no time, no host name, no secret.
    """

    name: str
    rules: frozenset[int]
    """The numbers of the rules it can capture by; the greatest is the one it uses unless asked otherwise."""
    in_environment: bool
    """Whether it has a part in the environment; else all of it is context."""

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Look at the layer as it is for the target, by the rules of that number."""
        ...
