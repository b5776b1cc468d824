"""What an analysis declared as its inputs and outputs, which is no code.

It is told by name alone, so that it is the same when a run has deleted its outputs or written others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from capsulestore.capture.artifacts import recorded_path

__all__ = ["Declared", "recorded_declared"]

_Pattern = tuple[bytes, tuple[str, ...]]
"""The directory that a pattern starts from, a real path, and the pattern's parts below it."""

_ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class Declared:
    """Inputs and outputs: files, directories, which stand for all below them, and patterns as glob has them.

    `paths` are absolute, without links in the directories that lead to them.
    """

    paths: frozenset[bytes] = frozenset()
    patterns: tuple[_Pattern, ...] = ()

    @classmethod
    def of(cls, given: Iterable[str], directory: str) -> Declared:
        """Return what is declared by paths and patterns from a directory; a pattern is taken as a path too."""
        paths: set[str] = set()
        patterns: set[_Pattern] = set()
        for one in given:
            path = os.path.abspath(os.path.join(directory, one))
            above, name = os.path.split(path)
            # As given, and where links lead.
            paths |= {os.path.join(os.path.realpath(above), name), os.path.realpath(path)}
            literal, parts = _split(one)
            if parts:
                start = os.path.realpath(os.path.join(directory, literal))
                while parts and parts[-1] == _ANY_DEPTH:
                    parts = parts[:-1]  # a directory stands for all below it
                patterns.add((os.fsencode(start), parts))
        return cls(frozenset(map(os.fsencode, paths)), tuple(sorted(patterns)))

    def holds(self, path: bytes) -> bool:
        """Whether an absolute path is declared, or lies below one that is."""
        return self._has_path(path) or any(_matches(path, *pattern) for pattern in self.patterns)

    def _has_path(self, path: bytes) -> bool:
        while self.paths:
            if path in self.paths:
                return True
            path, below = os.path.dirname(path), path
            if path == below:
                break
        return False


def recorded_declared(given: Iterable[str], directory: str, root: str) -> list[str]:
    """Return what is declared from a directory as a manifest has it: as paths are recorded, patterns kept; sorted."""
    recorded = set()
    for one in given:
        literal, parts = _split(one)
        start = recorded_path(os.path.join(directory, literal if parts else one), root)
        if parts:
            from glob import escape  # noqa: PLC0415  (start-up counts)

            if escape(start) != start:
                recorded.add(recorded_path(os.path.join(directory, one), root))
            start = "/".join([*([] if start == "." else [escape(start).rstrip("/")]), *parts])
        recorded.add(start)
    return sorted(recorded)


def _split(given: str) -> tuple[str, tuple[str, ...]]:
    """Return the directory that a pattern starts from, and its parts below that; no part for what is no pattern."""
    from glob import has_magic  # noqa: PLC0415  (start-up counts, and most analyses declare nothing)

    if not has_magic(given):
        return given, ()
    parts = os.path.normpath(given).split("/")
    first = next((number for number, part in enumerate(parts) if has_magic(part)), len(parts))
    return "/".join(parts[:first]) or ("/" if os.path.isabs(given) else ""), tuple(parts[first:])


def _matches(path: bytes, start: bytes, pattern: Sequence[str]) -> bool:
    """Whether a path, or a directory above it, is matched as glob does it: nothing hidden unless the pattern is."""
    from fnmatch import fnmatchcase  # noqa: PLC0415

    above = os.path.join(start, b"")
    if not path.startswith(above):
        return False
    reached = {0}
    for part in path.removeprefix(above).decode("utf-8", "surrogateescape").split("/"):
        while more := {at + 1 for at in reached if at < len(pattern) and pattern[at] == _ANY_DEPTH} - reached:
            reached |= more
        if len(pattern) in reached:
            return True
        hidden = part.startswith(".")
        reached = {
            at if pattern[at] == _ANY_DEPTH else at + 1
            for at in reached
            if not (hidden and not pattern[at].startswith("."))
            and (pattern[at] == _ANY_DEPTH or fnmatchcase(part, pattern[at]))
        }
    return len(pattern) in reached
