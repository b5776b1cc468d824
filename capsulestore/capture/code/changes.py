"""How the files of a tree that git knows differ from its commit, or from an earlier one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from capsulestore.capture.budget import Budget, TooLarge
from capsulestore.capture.code.apart import is_importable
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.git import GitProblem, git
from capsulestore.capture.code.repository import Difference, Position, Repositories
from capsulestore.capture.code.status import ABSENT, SUBMODULE, Differing, Status
from capsulestore.capture.code.untracked import untracked_sources
from capsulestore.capture.code.walk import Entry, entry_of, git_blob_id
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Report
from capsulestore.model import canonical
from capsulestore.model.canonical import Json

__all__ = ["Changes", "changes_from_commit", "changes_from_tree", "digest_of_changes"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is at each path that is not as in a commit, by the path from the tree's top: None where it is gone.

    `added` are those that git tracks by now and the commit lacks, `untracked` those that git does not track.
    `submodules` has, for each submodule with changes inside, their digest; None where they cannot be hashed.
    """

    entries: Mapping[bytes, Entry | None]
    added: frozenset[bytes] = frozenset()
    untracked: frozenset[bytes] = frozenset()
    submodules: Mapping[bytes, str | None] = field(default_factory=dict)

    @property
    def digest(self) -> str | None:
        """The digest of all of them; None for no change."""
        return digest_of_changes(self.entries)

    @property
    def digest_before_adding(self) -> str | None:
        """The digest that there would be if git had been told of no file yet: then only what import finds counts."""
        late = {path for path in self.added if not is_importable(path)}
        return digest_of_changes({path: entry for path, entry in self.entries.items() if path not in late})


def digest_of_changes(entries: Mapping[bytes, Entry | None]) -> str | None:
    """Return `sha256:` and the SHA-256 of the canonical JSON `{path: [mode, hash] or null}`; None for no entry."""
    if not entries:
        return None
    value: dict[str, Json] = {path_text(path): list(entry) if entry else None for path, entry in entries.items()}
    return f"sha256:{hashlib.sha256(canonical.dumps(value)).hexdigest()}"


def changes_from_commit(position: Position, status: Status, declared: Declared, report: Report) -> Changes:
    """Return how the files at a position differ from its commit, with what import would find and git does not track.

    Not what is declared. Raise `TooLarge`, `GitProblem`, or `OSError` for a file that cannot be read.
    """
    budget = Budget()
    top = position.directory
    tracked = [one for one in status.differing if not declared.holds(os.path.join(top, one.path))]
    untracked = untracked_sources(top, status, declared, report)
    entries = {one.path: _tracked(top, one, budget) for one in tracked}
    entries |= {path: entry_of(os.path.join(top, path), None, budget) for path in untracked}
    added = frozenset(one.path for one in tracked if one.is_added)
    submodules: dict[bytes, str | None] = {}
    for one in tracked:
        if one.is_modified:
            submodules |= _inside(top, one.path, declared, report)
    return Changes(entries, added, frozenset(untracked), submodules)


def changes_from_tree(tree: str, position: Position, changes: Changes, declared: Declared) -> Changes:
    """Return how the files at a position differ from another tree, where `changes` is how they do from its own.

    Raise `GitProblem` where that tree is not in the repository, and what `changes_from_commit` raises.
    """
    budget = Budget()
    top = position.directory
    entries = dict(changes.entries)
    added = set(changes.added)
    for one in position.repository.difference(tree, position.tree):
        path = os.path.join(top, one.path)
        if declared.holds(path):
            continue
        if one.path not in entries:
            if not os.path.lexists(path) and one.new_mode not in {ABSENT, SUBMODULE}:
                continue  # a sparse checkout: what was not checked out took no part
            entries[one.path] = _committed(path, one, budget)
        if one.path not in changes.submodules and _is_as_it_was(path, entries[one.path], one, position):
            del entries[one.path]
            added.discard(one.path)
        elif one.old_mode == ABSENT and one.path not in changes.untracked:
            added.add(one.path)
        else:
            added.discard(one.path)
    return Changes(entries, frozenset(added), changes.untracked & entries.keys(), changes.submodules)


def _tracked(top: bytes, one: Differing, budget: Budget) -> Entry | None:
    if one.mode == ABSENT:
        return None
    path = os.path.join(top, one.path)
    if one.mode != SUBMODULE:
        return entry_of(path, one.mode, budget)
    if not one.is_moved:
        return Entry(SUBMODULE, one.index_id)
    repository = f"--git-dir={os.fsdecode(path)}/.git"
    return Entry(SUBMODULE, git(os.fsdecode(top), repository, "rev-parse", "HEAD").decode("ascii", "replace").strip())


def _inside(top: bytes, path: bytes, declared: Declared, report: Report) -> dict[bytes, str | None]:
    """Return the digest of the changes in a submodule by its path; None where they cannot be hashed."""
    text = path_text(path)
    report(
        "submodule-changed", f"files of its submodule `{text}` are not as committed there; only their digest is kept"
    )
    try:
        position = Repositories().position(os.fsdecode(os.path.join(top, path)))
        if position and not position.prefix:
            changes = changes_from_commit(position, position.repository.status(), declared, report)
            return {path: _with_submodules(changes)} if changes.entries else {}
        reason = "git knows nothing of it"
    except (GitProblem, TooLarge, OSError) as error:
        reason = str(error) or "too large"
    report("unhashed", f"the changes in its submodule `{text}` cannot be hashed ({reason})")
    return {path: None}


def _with_submodules(changes: Changes) -> str | None:
    """Return the digest of changes with those in submodules, as if these were files; None where one is not known."""
    inner = {path: Entry(SUBMODULE, digest) for path, digest in changes.submodules.items() if digest}
    if len(inner) < len(changes.submodules):
        return None
    # The slash keeps them apart from the submodules' commits.
    return digest_of_changes({**changes.entries, **{path + b"/": entry for path, entry in inner.items()}})


def _committed(path: bytes, one: Difference, budget: Budget) -> Entry | None:
    """Return what is at a path that is as its newest commit has it, or that this has not."""
    if one.new_mode == SUBMODULE:
        return Entry(SUBMODULE, one.new_id)
    if one.new_mode == ABSENT and not os.path.lexists(path):
        return None
    return entry_of(path, None if one.new_mode == ABSENT else one.new_mode, budget)


def _is_as_it_was(path: bytes, entry: Entry | None, one: Difference, position: Position) -> bool:
    """Whether an entry is what the older of the two trees has at its path."""
    if entry is None or one.old_mode == ABSENT:
        return entry is None and one.old_mode == ABSENT
    if entry.mode != one.old_mode:
        return False
    if entry.mode == SUBMODULE:
        return entry.id == one.old_id
    return git_blob_id(path, entry.mode, position.repository.algorithm) == one.old_id
