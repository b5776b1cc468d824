"""What is said of each layer that was looked at: captured, not there, or not to be seen and why."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from capsulestore.model.canonical import Json

__all__ = ["LayerState", "State"]

State = Literal["captured", "none", "unknown"]
_STATES = frozenset({"captured", "none", "unknown"})


class LayerState(NamedTuple):
    """How looking at one layer ended; `reason` says why a layer is `unknown`."""

    state: State
    reason: str | None = None

    def as_json(self) -> Json:
        """Return the state as a manifest's `layers` has it: the word, or `{"unknown": REASON}`."""
        return {"unknown": self.reason or ""} if self.state == "unknown" else self.state

    @staticmethod
    def is_valid(value: object) -> bool:
        """Return whether a JSON value is a state that `parse` reads."""
        if isinstance(value, dict):
            return list(value) == ["unknown"] and isinstance(value["unknown"], str)
        return isinstance(value, str) and value in _STATES

    @classmethod
    def parse(cls, value: Json) -> LayerState:
        """Return the state that a valid JSON value says."""
        if isinstance(value, dict):
            return cls("unknown", cast("str", value["unknown"]))
        return cls(cast("State", value))
