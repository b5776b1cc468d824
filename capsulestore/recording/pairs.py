"""Parameters and labels as people type them: `KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Iterable

from capsulestore.errors import UsageError

__all__ = ["read_pairs"]


def read_pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """Return what was given with an option as a mapping; a value may hold `=` too, or be empty.

    Raise `UsageError`, with the option in it, for what has no key or no `=`, and for a key that is given twice.
    """
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"`{option} {text}` is no KEY=VALUE", hint=f"write `{option} KEY=VALUE`")
        if key in pairs:
            raise UsageError(f"`{option}` gives `{key}` twice")
        pairs[key] = value
    return pairs
