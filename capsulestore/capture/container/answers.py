"""Reads what an engine or a cluster answers: strict JSON, and of it the fields that are named here and nowhere kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from capsulestore.capture.container.limits import Limits
from capsulestore.capture.container.source import NoAnswer

__all__ = ["array", "digest", "mapping", "parse", "references", "text"]

_DIGEST: Final = r"sha256:[0-9a-f]{64}"
_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME: Final = rf"(?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?/)?{_PART}(?:/{_PART})*"
"""A name of an image (github.com/distribution/reference). In a registry's there is no room for a user or a password."""

_TAGGED: Final = rf"{_NAME}:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}"
_PINNED: Final = rf"{_NAME}@{_DIGEST}"


def parse(body: bytes) -> Mapping[str, Any] | list[Any]:
    """Return the object or array that a body is in JSON (RFC 8259), each name once; else raise `NoAnswer`."""
    import json  # noqa: PLC0415

    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NoAnswer("does not answer in JSON") from None
    if not isinstance(value, dict | list):
        raise NoAnswer("does not answer in JSON")
    return value


def mapping(value: Any, of: str) -> Mapping[str, Any]:
    """Return a value that has to be an object; `of` says what it is of."""
    if not isinstance(value, dict):
        raise NoAnswer(f"answers without {of}")
    return value


def array(value: Any, of: str, most: int) -> list[Any]:
    """Return a value that has to be an array of at most so many; null is an empty one, as Go writes it."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise NoAnswer(f"answers without {of}")
    if len(value) > most:
        raise NoAnswer(f"answers with more than {most} of {of}")
    return value


def text(value: Any, of: str) -> str:
    """Return a value that has to be a string."""
    if not isinstance(value, str):
        raise NoAnswer(f"answers without {of}")
    return value


def digest(value: Any, of: str) -> str:
    """Return a value that has to be `sha256:` and 64 lower-case hex digits."""
    if not isinstance(value, str) or not re.fullmatch(_DIGEST, value):
        raise NoAnswer(f"answers without {of}")
    return value


def references(value: Any, of: str, limits: Limits, *, pinned: bool) -> list[str]:
    """Return the names with a digest (`pinned`), else with a tag, of an array, sorted; others in it are passed over.

    Docker has `<none>:<none>` for an image without any.
    """
    form = _PINNED if pinned else _TAGGED
    names = {name for name in array(value, of, limits.answer_bytes) if isinstance(name, str)}
    known = (name for name in names if len(name) <= limits.name_characters and re.fullmatch(form, name))
    return sorted(known)[: limits.names]


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
