"""The text forms of the library's values: environments, layers and changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from capsulestore.compare.closures import closure_changes, is_of_closure, name_and_hash
from capsulestore.compare.words import NOTHING, difference, in_short, member_changes

from .output import safe, style, table

if TYPE_CHECKING:
    from capsulestore.compare.difference import Change
    from capsulestore.compare.verdict import Verdict

__all__ = ["change_lines", "layer_summary", "local_time", "package_rows", "verdict_color"]

_COLORS: Final[dict[Verdict, str]] = {"identical": "green", "different": "red", "not comparable": "yellow"}
_SAID_IN_WORDS: Final = frozenset({"interpreter", "image"})
_IMPLEMENTATIONS: Final = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


def local_time(time: str) -> str:
    """Return a time in ISO 8601 as the clock here had it, as git writes one; what is no such time as it is."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    except (ValueError, OverflowError, OSError):
        return safe(time)


def verdict_color(verdict: Verdict) -> str:
    """Return the colour of a verdict."""
    return _COLORS[verdict]


def layer_summary(layer: Mapping[str, Any]) -> str:
    """Return a layer in a line: what it says of the interpreter or image, and how much is in each collection."""
    parts = []
    interpreter = layer.get("interpreter")
    if isinstance(interpreter, Mapping):
        implementation = str(interpreter.get("implementation", ""))
        words = [_IMPLEMENTATIONS.get(implementation, implementation), interpreter.get("version")]
        words += [interpreter.get(key) for key in ("os", "architecture", "libc")]
        parts.append(" ".join(safe(str(word)) for word in words if word))
    image = layer.get("image")
    if isinstance(image, Mapping):
        parts.append(f"image {safe(' '.join(in_short(digest) for digest in image.values()))}".rstrip())
    for name, collection in layer.items():
        if isinstance(collection, Mapping) and name not in _SAID_IN_WORDS:
            count = len(collection)
            parts.append(f"{count} {safe(name[:-1] if count == 1 and name.endswith('s') else name)}")
    return ", ".join(parts)


def package_rows(collection: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each entry of a collection as its name and what says most of it; of a closure of nix's by its packages."""
    paths = [name_and_hash(name) for name in collection]
    rows = [path for path in paths if path]
    if len(rows) < len(paths):
        rows = [(name, in_short(entry)) for name, entry in collection.items()]
    for name, told in sorted(rows):
        yield safe(name), safe(told)


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield changes grouped by collection: `numpy  1.26.4 → 2.1.0`, with `∅` for what is not there.

    The rules of a layer that came or went say nothing beside what is in it, and are left out.
    """
    found = list(changes)
    filled = {change.layer for change in found if change.collection is not None}
    told = [change for change in found if not (_is_of_rules(change) and change.layer in filled)]
    for place, group in groupby(told, key=lambda change: (change.layer, change.collection)):
        yield safe("/".join(part for part in place if part)) or "environment"
        yield from table(list(_rows_of(list(group))), indent="  ")


def _is_of_rules(change: Change) -> bool:
    return change.collection is None and change.entry == "rules" and change.change != "changed"


def _rows_of(group: list[Change]) -> Iterator[tuple[str, str]]:
    if all(map(is_of_closure, group)):
        for name, before, after in closure_changes(group):
            yield safe(name), f"{style(before, 'red')} → {style(after, 'green')}"
    else:
        for change in group:
            yield from _change_rows(change)


def _change_rows(change: Change) -> Iterator[tuple[str, str]]:
    """Yield a change as rows: one, or where the entry is a list of things by name, one for each that differs."""
    members = member_changes(change)
    for name, before, after in members:
        yield f"{safe(str(change.entry))} {safe(name)}", f"{style(before, 'red')} → {style(after, 'green')}"
    if not members:
        yield _change_row(change)


def _change_row(change: Change) -> tuple[str, str]:
    name = safe(change.entry) if change.entry is not None else "(empty)"
    if change.change == "added":
        return name, f"{NOTHING} → {style(in_short(change.b), 'green')}"
    if change.change == "removed":
        return name, f"{style(in_short(change.a), 'red')} → {NOTHING}"
    before, after = in_short(change.a), in_short(change.b)
    if before == after:
        return name, f"{safe(before)}  {safe(difference(change))}"
    return name, f"{style(before, 'red')} → {style(after, 'green')}"
