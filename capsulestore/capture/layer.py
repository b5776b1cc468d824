"""What a layer of an environment is to capture: the interface that each one implements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from capsulestore.capture.finding import Finding
from capsulestore.capture.interpreter import Interpreter
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["Layer", "LayerCapture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCapture:
    """What looking at one layer gave: its part of the environment and of the context, each None where it has none."""

    state: LayerState
    environment: Mapping[str, Json] | None = None
    context: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()


class Layer(Protocol):
    """One layer. Capturing it only reads, and never raises for what it finds: that is a finding or `unknown`."""

    name: str
    rules: frozenset[int]
    """The numbers of the rules it can capture by; the greatest is the one it uses unless asked otherwise."""

    def capture(self, interpreter: Interpreter, rules: int) -> LayerCapture:
        """Look at the layer as the target interpreter has it, by the rules of that number."""
        ...
