"""What a server of capsules tells in place of an answer: `{"errors": [{"code", "message", "hint"}]}`, as JSON.

What has another form was said by something in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

__all__ = ["JSON", "Told", "json_object", "told"]

JSON: Final = "application/json"

_MAX_TEXT: Final = 2_000
_MAX_CANDIDATES: Final = 1_000
_TOLD: Final = 3


class Told(NamedTuple):
    """The first error of an answer; `message` tells of others too."""

    code: str
    message: str
    hint: str | None
    candidates: tuple[str, ...]


def json_object(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object that is in some bytes, None where there is none."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def told(document: Mapping[str, Any] | None) -> Told | None:
    """Return what the server tells, None where that has not the form in which ours do."""
    errors = (document or {}).get("errors")
    if not isinstance(errors, list) or not errors or not all(isinstance(error, dict) for error in errors):
        return None
    messages = [text for error in errors[:_TOLD] if (text := _text(error.get("message")))]
    code, hint, candidates = _text(errors[0].get("code")), _text(errors[0].get("hint")), errors[0].get("candidates")
    # Others have a form much like ours, but for the hint.
    if not code or not messages or "hint" not in errors[0]:
        return None
    if more := len(errors) - len(messages):
        messages.append(f"and {more} more")
    names = [name for name in candidates if isinstance(name, str)] if isinstance(candidates, list) else []
    return Told(code, "; ".join(messages), hint, tuple(names[:_MAX_CANDIDATES]))


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) and value else None
