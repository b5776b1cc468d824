"""What differs between two closures of a nix store, by package: `openssl 3.0.12 → 3.0.13`.

So `nix store diff-closures` tells it. A path is named anew by any change below it: by their paths everything differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from capsulestore.compare.difference import Change
from capsulestore.compare.words import NOTHING

__all__ = ["closure_changes", "is_of_closure", "name_and_hash"]

_BASE: Final = re.compile(r"([0-9a-z]{32})-(.*)", re.DOTALL)
_NAME: Final = re.compile(r"(.*?)-([^a-zA-Z].*)", re.DOTALL)
"""A version begins at the first dash that no letter follows (nix's manual, `builtins.parseDrvName`)."""

_NO_VERSION: Final = "(no version)"


def is_of_closure(change: Change) -> bool:
    """Whether a change is one of a path in a nix store."""
    return (change.layer, change.collection) == ("nix", "paths") and change.entry is not None


def name_and_hash(entry: str) -> tuple[str, str] | None:
    """Return the two parts of a store path's base name, `<hash>-<name>`; None for what is none."""
    base = _BASE.fullmatch(entry)
    return (base[2], base[1]) if base else None


def closure_changes(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """Return the packages that differ by name, each with the versions that only one side has, in words.

    Of one that has the same version on both sides the paths differ: it was built otherwise.
    """
    packages: dict[str, tuple[list[str], list[str]]] = {}
    for change in changes:
        name, version = _parsed(change.entry or "")
        before, after = packages.setdefault(name, ([], []))
        if change.change != "added":
            before.append(version)
        if change.change != "removed":
            after.append(version)
    return [(name, *_sides(*packages[name])) for name in sorted(packages)]


def _sides(before: list[str], after: list[str]) -> tuple[str, str]:
    if sorted(before) == sorted(after):
        return _words(before), f"{_words(after)} (another build)"
    return _words(before), _words(after)


def _words(versions: list[str]) -> str:
    return ", ".join(sorted(versions)) or NOTHING


def _parsed(entry: str) -> tuple[str, str]:
    """Return name and version of a store path's base name, with what comes after the version (`-dev`, `-lib`)."""
    name, _ = name_and_hash(entry) or (entry, "")
    parsed = _NAME.fullmatch(name)
    return (parsed[1], parsed[2]) if parsed else (name, _NO_VERSION)
