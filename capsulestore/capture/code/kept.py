"""What of a changed tree is kept whole: the patch, and the small Python files that git does not track.

    code/NAME/changes.patch        for `git apply` at the top of the commit's work tree
    code/NAME/untracked/PATH       by the path from the tree's top

NAME is an editable's key, `work tree`, or `path ` and the directory's recorded path, escaped as in a tree of a store.
What belongs to two trees is kept once, under the one that contains the other: an editable in the work tree under that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from capsulestore.capture.code.changes import Changes
from capsulestore.capture.code.patch import holds_a_secret, make_patch
from capsulestore.capture.code.repository import Position
from capsulestore.capture.code.trees import Source, Tree
from capsulestore.capture.code.walk import LINK
from capsulestore.capture.files import path_text, read_whole
from capsulestore.capture.finding import Report
from capsulestore.errors import InvalidValue
from capsulestore.model import names

__all__ = ["MAX_FILE_BYTES", "MAX_TOGETHER_BYTES", "keep"]

MAX_FILE_BYTES: Final = 64 * 2**10
MAX_TOGETHER_BYTES: Final = 2**20
"""The most that all untracked files of a capsule may have together."""

_MOST_NAMED: Final = 3


def keep(trees: Sequence[tuple[Tree, Report]]) -> dict[str, bytes]:
    """Return what is kept of trees, by path in the capsule's `files/`.

    With each comes who is told, by a finding's code and message, of what is left out of it.
    """
    keeping = _Keeping()
    kept: dict[str, bytes] = {}
    done: list[Position] = []
    for tree, report in sorted(trees, key=_outermost_first):
        position, changes = tree.position, tree.changes
        if position and changes and changes.entries and not any(_contains(outer, position) for outer in done):
            done.append(position)
            kept |= keeping.of(tree.source, position, changes, report)
    return kept


def _outermost_first(tree_and_report: tuple[Tree, Report]) -> tuple[int, bool, Source]:
    source = tree_and_report[0].source
    return len(source.directory), source.role != "work tree", source


def _contains(outer: Position, inner: Position) -> bool:
    return outer.repository.top == inner.repository.top and (
        outer.prefix in {"", inner.prefix} or inner.prefix.startswith(f"{outer.prefix}/")
    )


@dataclass(slots=True)
class _Keeping:
    """Chooses what is kept of one tree after the other; `left` is how many bytes untracked files may still have."""

    left: int = MAX_TOGETHER_BYTES

    def of(self, source: Source, position: Position, changes: Changes, report: Report) -> dict[str, bytes]:
        place = f"code/{_name(source)}"
        patch = make_patch(position, changes)
        if patch.problem:
            report("not-kept", f"its patch {patch.problem}; the digest of its changes has it all")
        kept = {f"{place}/changes.patch": patch.data} if patch.data else {}
        secret, left_out = [*patch.secret], list[str]()
        for path, data in self._untracked(position.directory, changes, left_out):
            if not _has_a_place(path):
                left_out.append(path)
            elif holds_a_secret(data, os.fsencode(path)):
                secret.append(path)
            else:
                self.left -= len(data)
                kept[f"{place}/untracked/{path}"] = data
        if secret:
            report("redacted", f"what looks like a credential is in {_named(secret)}, which is not kept")
        if left_out:
            report("not-kept", f"too large, or of a name that cannot be kept: {_named(left_out)}")
        return kept if _has_a_place(place) else {}

    def _untracked(self, top: bytes, changes: Changes, left_out: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the Python files that git does not track; those too large, or not UTF-8 by name, go to `left_out`."""
        for path in sorted(changes.untracked):
            entry = changes.entries[path]
            if path.endswith(b".py") and entry and entry.mode != LINK:
                try:
                    text, full = path.decode(), os.path.join(top, path)
                    yield text, read_whole(os.fsdecode(full), min(MAX_FILE_BYTES, self.left))
                except (OSError, UnicodeDecodeError):
                    left_out.append(path_text(path))


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(f"`{path}`" for path in paths[:_MOST_NAMED]) + more


def _name(source: Source) -> str:
    if source.role == "work tree":
        return source.role
    escaped = names.escape(source.name)
    # No key has a blank in it.
    return escaped if source.role == "editable" else f"path {escaped}"


def _has_a_place(path: str) -> bool:
    """Whether each part of a path can be a name in a tree of a store."""
    try:
        for part in path.split("/"):
            names.to_tree_name(part)
    except InvalidValue:
        return False
    return True
