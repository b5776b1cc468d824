"""Entries and changes in a few words, for people: `numpy 1.26.4 → 2.1.0`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from capsulestore.compare.difference import Change
from capsulestore.model.canonical import Json, dumps

__all__ = ["NOTHING", "in_short", "sentence"]

NOTHING: Final = "∅"
"""What stands for a side on which there is no such entry."""

_DIGITS_SHOWN: Final = 12


def in_short(entry: Json) -> str:
    """Return what says most of an entry: a distribution's version, else the first digits of its content, else all."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Mapping):
        version, content = entry.get("version"), entry.get("content")
        if isinstance(version, str):
            return f"{version} (editable)" if entry.get("editable") is True else version
        if isinstance(content, str):
            return content.removeprefix("sha256:")[:_DIGITS_SHOWN]
    return dumps(entry).decode()


def sentence(change: Change) -> str:
    """Return a change in one line, with both versions, or with the fields that differ where those are the same."""
    place = "/".join(part for part in (change.layer, change.collection) if part is not None)
    entry = change.entry if change.entry is not None else "(empty)"
    name = f"{place}: {entry}" if change.layer is not None else entry
    before = NOTHING if change.change == "added" else in_short(change.a)
    after = NOTHING if change.change == "removed" else in_short(change.b)
    if before == after:
        return f"{name} {before}: {', '.join(change.fields) or 'value'} differs"
    return f"{name} {before} → {after}"
