"""The text forms of the library's values: environments, layers and changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from capsulestore.compare.difference import Change

from .output import cell, safe, style, table

__all__ = ["change_lines", "layer_summary", "package_rows"]

_NOTHING: Final = "∅"
_IMPLEMENTATIONS: Final = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


def layer_summary(layer: Mapping[str, Any]) -> str:
    """Return a layer in a line: what it says of the interpreter, and how much is in each collection."""
    parts = []
    interpreter = layer.get("interpreter")
    if isinstance(interpreter, Mapping):
        implementation = str(interpreter.get("implementation", ""))
        words = [_IMPLEMENTATIONS.get(implementation, implementation), interpreter.get("version")]
        words += [interpreter.get(key) for key in ("os", "architecture", "libc")]
        parts.append(" ".join(safe(str(word)) for word in words if word))
    for name, collection in layer.items():
        if isinstance(collection, Mapping) and name != "interpreter":
            count = len(collection)
            parts.append(f"{count} {safe(name[:-1] if count == 1 and name.endswith('s') else name)}")
    return ", ".join(parts)


def package_rows(collection: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each entry of a collection as its name and what says most of it."""
    for name, entry in sorted(collection.items()):
        yield safe(name), _in_short(entry)


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield changes grouped by collection: `numpy  1.26.4 → 2.1.0`, with `∅` for what is not there."""
    for place, group in groupby(changes, key=lambda change: (change.layer, change.collection)):
        yield safe("/".join(part for part in place if part)) or "environment"
        yield from table([_change_row(change) for change in group], indent="  ")


def _change_row(change: Change) -> tuple[str, str]:
    name = safe(change.entry) if change.entry is not None else "(empty)"
    if change.change == "added":
        return name, f"{_NOTHING} → {style(_in_short(change.b), 'green')}"
    if change.change == "removed":
        return name, f"{style(_in_short(change.a), 'red')} → {_NOTHING}"
    before, after = _in_short(change.a), _in_short(change.b)
    if before == after:
        return name, f"{before}  {', '.join(map(safe, change.fields)) or 'value'} differs"
    return name, f"{style(before, 'red')} → {style(after, 'green')}"


def _in_short(entry: object) -> str:
    """Return what says most of an entry: a distribution's version, else its content's first digits, else all of it."""
    if not isinstance(entry, Mapping):
        return cell(entry)
    if "version" in entry:
        return cell(entry["version"]) + (" (editable)" if entry.get("editable") is True else "")
    if isinstance(entry.get("content"), str):
        return safe(entry["content"].removeprefix("sha256:")[:12])
    return cell(entry)
