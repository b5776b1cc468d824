"""Keeps secrets out of an environment and a context that were captured elsewhere, or made by hand (I7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from capsulestore.capture.variables import PATHS, PROCESS
from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState
from capsulestore.model.redaction import redact_text
from capsulestore.model.redaction.urls import redact_channel

__all__ = ["clean_context", "clean_states", "refuse_secrets"]


def refuse_secrets(value: Json, path: tuple[str | int, ...]) -> None:
    """Raise `InvalidValue` with the path of a text in which a secret is: without it, it would be another environment.

    A key is looked at where it holds a url; names of packages look like anything else.
    """
    if isinstance(value, str):
        if redact_text(value)[1]:
            raise InvalidValue(
                "looks like a credential, or a url with a user, a query or a fragment, which no store takes", path
            )
    elif isinstance(value, list):
        for number, member in enumerate(value):
            refuse_secrets(member, (*path, number))
    elif isinstance(value, dict):
        for key, member in value.items():
            if "://" in key:
                # Its path is told, and so may not hold it.
                refuse_secrets(key, path)
            refuse_secrets(member, (*path, key))


def clean_context(context: Mapping[str, Json]) -> dict[str, Json]:
    """Return a context without secrets: of variables those alone that are on the list, of texts what may be kept."""
    return {
        layer: _clean(_listed(found) if layer == "variables" else found, _REDACTED_BY.get(layer, _text))
        for layer, found in context.items()
    }


def clean_states(states: Mapping[str, LayerState]) -> dict[str, LayerState]:
    """Return how looking at each layer ended, the reasons without secrets."""
    return {
        layer: state._replace(reason=_text(state.reason)) if state.reason else state for layer, state in states.items()
    }


def _listed(variables: Json) -> Json:
    if not isinstance(variables, dict):
        return variables
    known = PROCESS | PATHS
    return {
        name: {key: value for key, value in members.items() if key in known} if isinstance(members, dict) else members
        for name, members in variables.items()
    }


def _clean(value: Json, redact: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_clean(member, redact) for member in value]
    if isinstance(value, dict):
        return {redact(key) if "://" in key else key: _clean(member, redact) for key, member in value.items()}
    return value


def _text(text: str) -> str:
    return redact_text(text)[0]


def _channel(text: str) -> str:
    return redact_channel(_text(text))[0]


_REDACTED_BY: Final[Mapping[str, Callable[[str], str]]] = {"conda": _channel}
"""How the texts of a layer are cleaned, where it takes more than of others."""
