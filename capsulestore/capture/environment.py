"""Captures the environment that a target interpreter has: every layer that applies, in one value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.conda import CondaLayer
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.finding import Finding
from capsulestore.capture.host import HostLayer
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.known import interpreter_of
from capsulestore.capture.layer import Layer, LayerCapture, Runtime
from capsulestore.capture.live_source import LiveSource
from capsulestore.capture.nix import NixLayer
from capsulestore.capture.own_environ import own_environ
from capsulestore.capture.python import PythonLayer
from capsulestore.capture.system import SystemLayer
from capsulestore.capture.target import Target, running
from capsulestore.capture.variables import VariablesLayer
from capsulestore.errors import UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import encode_mapping, layer_digests
from capsulestore.model.objects import Encoded

__all__ = [
    "CONTEXT_LAYERS",
    "LAYERS",
    "Capture",
    "capture",
    "capture_environment",
    "check_layers",
    "check_layers_to_record",
]

LAYERS: Final[tuple[Layer, ...]] = (
    PythonLayer(),
    CondaLayer(),
    NixLayer(),
    ContainerLayer(),
    SystemLayer(),
    VariablesLayer(),
    HostLayer(),
)
"""Every layer, in the order in which people are told of them."""

CONTEXT_LAYERS: Final = frozenset(layer.name for layer in LAYERS if not layer.in_environment)
"""The names of the layers that are context and nothing else."""


class Capture(NamedTuple):
    """What was captured: the environment and its context by layer, how each layer ended, and what was noticed.

    `live` are directories of sources beside what is installed, which are code.
    """

    target: Target
    interpreter: Interpreter
    environment: Mapping[str, Json]
    context: Mapping[str, Json]
    layers: Mapping[str, LayerState]
    findings: tuple[Finding, ...]
    live: tuple[LiveSource, ...] = ()

    def encoded(self) -> Encoded:
        """Return the environment as objects, its digest first."""
        return encode_mapping(self.environment)

    def as_dict(self) -> dict[str, Json]:
        """Return the capture as `capsule capture --json` has it, which `capsule add --environment` takes."""
        encoded = self.encoded()
        digests = layer_digests(encoded.id, encoded.objects.__getitem__)
        return {
            "environment_digest": str(encoded.id),
            "layers": {name: str(digest) for name, digest in digests.items()},
            "states": {name: state.as_json() for name, state in self.layers.items()},
            "environment": self.environment,
            "context": self.context,
            "target": self.target.as_dict(),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def capture(
    target: Target,
    *,
    layers: Collection[str] | None = None,
    rules: Mapping[str, int] | None = None,
    environ: Mapping[str, str] | None = None,
    cache: Cache = NOTHING_KEPT,
) -> Capture:
    """Capture the environment of a target; only reads (I9), beyond starting the interpreter once.

    `layers` restricts to some, `rules` says by which rules to capture a layer, where not by its newest: a layer whose
    rules this release does not know is `unknown`. `environ` is what the interpreter is started with, else our own.
    Nothing is written but what `cache` keeps. Raise `InterpreterProblem` where the target does not answer, `UsageError`
    for a layer that there is none of.
    """
    check_layers(layers or ())
    started_with = own_environ() if environ is None else environ
    cache = cache.at_one_moment()
    interpreter = interpreter_of(target.python, started_with, cache)
    runtime = Runtime(interpreter, started_with, cache)
    captured = {
        layer.name: _capture(layer, runtime, (rules or {}).get(layer.name))
        for layer in LAYERS
        if layers is None or layer.name in layers
    }
    return Capture(
        target=target,
        interpreter=interpreter,
        environment={name: layer.environment for name, layer in captured.items() if layer.environment is not None},
        context={name: layer.context for name, layer in captured.items() if layer.context is not None},
        layers={name: layer.state for name, layer in captured.items()},
        findings=tuple(finding for layer in captured.values() for finding in layer.findings),
        live=tuple(source for layer in captured.values() for source in layer.live),
    )


def check_layers(layers: Collection[str]) -> None:
    """Raise `UsageError` where one of these is no layer."""
    known = {layer.name for layer in LAYERS}
    if strange := set(layers) - known:
        raise UsageError(f"no layer `{min(strange)}`", hint=f"layers are: {', '.join(sorted(known))}")


def check_layers_to_record(layers: Collection[str] | None) -> None:
    """Raise `UsageError` where one of these is no layer, or none of them is part of an environment: None is all."""
    if layers is None:
        return
    check_layers(layers)
    if CONTEXT_LAYERS.issuperset(layers):
        raise UsageError(
            f"`{'`, `'.join(sorted(set(layers)))}` is context: of the environment nothing would be recorded"
            if layers
            else "without a layer nothing would be recorded",
            hint="name a layer of the environment too, as `python`",
        )


def capture_environment(
    python: str | None = None, *, layers: Collection[str] | None = None, cache: Cache = NOTHING_KEPT
) -> Capture:
    """Capture the environment of the interpreter at the path `python`, of the running one where none is given.

    `layers`, `cache` and what is raised: as for `capture`.
    """
    return capture(running() if python is None else Target(python, "caller"), layers=layers, cache=cache)


def _capture(layer: Layer, runtime: Runtime, rules: int | None) -> LayerCapture:
    if rules is not None and rules not in layer.rules:
        reason = f"this release does not know rules {rules}" if rules else "it says no rules to capture it by"
        return LayerCapture(state=LayerState("unknown", reason))
    return layer.capture(runtime, max(layer.rules) if rules is None else rules)
