"""Entries and changes in a few words, for people: `numpy 1.26.4 → 2.1.0`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from capsulestore.model.canonical import Json, dumps

if TYPE_CHECKING:
    from capsulestore.compare.difference import Change

__all__ = ["NOTHING", "difference", "in_short", "member_changes", "sentence", "sides"]

NOTHING: Final = "∅"
"""What stands for a side on which there is no such entry."""

_DIGEST: Final = "sha256:"
_DIGITS_SHOWN: Final = 12
_MEMBERS_TOLD: Final = 3


def in_short(entry: Json) -> str:
    """Return what says most of an entry: its version, the first digits of its content, how much it holds, or all.

    Of the digests of an image's layers the last, which another in any of them hardly ever leaves the same.
    """
    if isinstance(entry, str):
        return _shortened(entry) or '""'
    if isinstance(entry, Mapping):
        version, content = entry.get("version"), entry.get("content")
        if isinstance(version, str):
            return f"{version}{_qualified(entry)}"
        if isinstance(content, str):
            return _shortened(content)
        if len(entry) > _MEMBERS_TOLD:
            return f"{len(entry)} entries"
    if isinstance(entry, list) and entry and all(isinstance(one, str) and one.startswith(_DIGEST) for one in entry):
        last = _shortened(str(entry[-1]))
        return f"{last} (last of {len(entry)})" if len(entry) > 1 else last
    return dumps(entry).decode()


def sentence(change: Change) -> str:
    """Return a change in one line, with both versions, or with the fields that differ where those are the same."""
    place = "/".join(part for part in (change.layer, change.collection) if part is not None)
    entry = change.entry if change.entry is not None else "(empty)"
    name = f"{place}: {entry}" if change.layer is not None else entry
    if members := member_changes(change):
        told = [f"{member} {before} → {after}" for member, before, after in members[:_MEMBERS_TOLD]]
        more = len(members) - len(told)
        return f"{name}: {', '.join(told)}{f' and {more} more' if more else ''}"
    return f"{name} {sides(change)}"


def sides(change: Change) -> str:
    """Return both sides of a change, `1.26.4 → 2.1.0`; of sides that look the same, which fields differ."""
    before = NOTHING if change.change == "added" else in_short(change.a)
    after = NOTHING if change.change == "removed" else in_short(change.b)
    if before == after:
        return f"{before}: {difference(change)}"
    return f"{before} → {after}"


def difference(change: Change) -> str:
    """Return in what two sides differ that look the same: which fields, how many of a list's values, else the value."""
    if not change.fields and isinstance(change.a, list) and isinstance(change.b, list):
        others = sum(one != other for one, other in zip(change.a, change.b, strict=False))
        return f"{others} of {len(change.a)} {'differs' if others == 1 else 'differ'}"
    return f"{', '.join(change.fields) or 'value'} {'differ' if len(change.fields) > 1 else 'differs'}"


def member_changes(change: Change) -> list[tuple[str, str, str]]:
    """Return what differs within an entry that is itself a list of things by name, as packages of a system are.

    Each as its name and both sides; none for an entry that says one thing, as a distribution's does.
    """
    if not isinstance(change.a, Mapping) or not isinstance(change.b, Mapping):
        return []
    if {"version", "content"} & (change.a.keys() | change.b.keys()):
        return []
    a, b = change.a, change.b
    return [(name, _member(a, name), _member(b, name)) for name in change.fields]


def _member(side: Mapping[str, Json], name: str) -> str:
    return in_short(side[name]) if name in side else NOTHING


def _qualified(entry: Mapping[str, Json]) -> str:
    """Return what belongs to a version: of a conda package the build, which a version has many of."""
    if entry.get("editable") is True:
        return " (editable)"
    build = entry.get("build")
    return f" {build}" if "subdir" in entry and isinstance(build, str) else ""


def _shortened(text: str) -> str:
    digest = text.removeprefix(_DIGEST)
    return digest[:_DIGITS_SHOWN] if digest != text else text
