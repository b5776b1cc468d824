"""What a tree of sources is: a commit and what differs from it where git knows it, else the digest of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from capsulestore.capture.artifacts import recorded_path
from capsulestore.capture.budget import TooLarge
from capsulestore.capture.code.apart import is_build_output, is_environment
from capsulestore.capture.code.changes import Changes, changes_from_commit
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.git import GitProblem
from capsulestore.capture.code.plain import digest_of_files
from capsulestore.capture.code.repository import Position, Repositories, marked_above
from capsulestore.capture.code.status import Status
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Report
from capsulestore.capture.live_source import LiveSource, is_apart
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest

__all__ = ["Source", "Tree", "every_source", "look_at", "without_covered", "work_tree"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A directory of sources as a manifest names it; `directory` is a real path, empty where it is not known."""

    role: Literal["work tree", "editable", "path"]
    name: str
    directory: str

    @property
    def text(self) -> str:
        """How people are told of it."""
        return f"{self.role} `{self.name}`"

    def digest_of_files(self, declared: Declared) -> Digest:
        """Return the digest of its files where git does not know them; raise `TooLarge` or `OSError`.

        Of a directory on the search path that is what an import would find: analyses write their results beside it.
        """
        return digest_of_files(self.directory, declared, only_importable=self.role == "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What was found at a source: `position`, `status` and `changes` where git knows it, else `digest`.

    `unhashed` is why there are no changes or no digest: `too large` or `unreadable`.
    """

    source: Source
    position: Position | None = None
    status: Status | None = None
    changes: Changes | None = None
    digest: Digest | None = None
    unhashed: str | None = None

    def facts(self) -> dict[str, Json]:
        """Return what decides whether it is the same: what a manifest says of it, without names and remotes."""
        facts: dict[str, Json] = {}
        if self.position:
            if self.position.prefix:
                facts["path"] = path_text(self.position.prefix)
            facts |= {"commit": self.position.repository.commit, "tree": self.position.tree}
        if self.unhashed:
            return facts | {"unhashed": self.unhashed}
        if self.changes is not None:
            facts["changes"] = self.changes.digest
            if self.changes.submodules:
                facts["submodules"] = {path_text(path): one for path, one in self.changes.submodules.items()}
            return facts
        return facts | {"digest": str(self.digest)}


def work_tree(directory: str, root: str, repositories: Repositories) -> Source | None:
    """Return the work tree around a directory, also where git does not answer for it; None where there is none."""
    try:
        top = repositories.top_of(directory)
    except GitProblem:
        top = marked_above(os.path.realpath(directory))
    return Source("work tree", recorded_path(top, root), top) if top is not None else None


def every_source(live: Sequence[LiveSource], root: str) -> Iterator[Source]:
    """Yield the live sources as a manifest names them, each once."""
    seen: set[tuple[str, str]] = set()
    for one in live:
        name = one.name if one.role == "editable" else recorded_path(one.directory, root)
        if (one.role, name) not in seen:
            seen.add((one.role, name))
            yield Source(one.role, name, os.path.realpath(one.directory) if one.directory else "")


def without_covered(sources: Sequence[Source]) -> list[Source]:
    """Return the sources without the added directories that are part of another; sorted."""
    chosen = [source for source in sources if source.role != "path"]
    for source in sorted((source for source in sources if source.role == "path"), key=lambda one: one.directory):
        if not any(_covers(other.directory, source.directory) for other in chosen):
            chosen.append(source)
    return sorted(chosen)


def look_at(source: Source, repositories: Repositories, declared: Declared, report: Report) -> Tree:
    """Return what a source is now; what is wrong with it is reported by a finding's code and message."""
    if not os.path.isdir(source.directory):
        known = (
            f"its sources should be in `{path_text(source.directory)}`" if source.directory else "nothing says where"
        )
        report("source-missing", f"{known}; not recorded")
        return Tree(source=source, unhashed="unreadable")
    try:
        position = repositories.position(source.directory)
        if position:
            return _known_to_git(source, position, declared, report)
    except GitProblem as problem:
        report(problem.code, f"{problem}; the digest of the files stands for what git knows")
    try:
        return Tree(source=source, digest=source.digest_of_files(declared))
    except (TooLarge, OSError) as error:
        return Tree(source=source, unhashed=_unhashed(error, report))


def _known_to_git(source: Source, position: Position, declared: Declared, report: Report) -> Tree:
    status = position.repository.status(position.prefix)
    try:
        changes = changes_from_commit(position, status, declared, report)
    except (TooLarge, OSError) as error:
        return Tree(source=source, position=position, status=status, unhashed=_unhashed(error, report))
    return Tree(source=source, position=position, status=status, changes=changes)


def _unhashed(error: TooLarge | OSError, report: Report) -> str:
    if isinstance(error, TooLarge):
        report("unhashed", "more files, or larger ones, than are hashed; a change in them would not be noticed")
        return "too large"
    report("unhashed", f"a file cannot be read ({error.strerror}); a change in it would not be noticed")
    return "unreadable"


def _covers(top: str, directory: str) -> bool:
    """Whether what is said of a tree holds for a directory too: not in another repository, nor in what is apart."""
    if not top or (directory != top and not directory.startswith(os.path.join(top, ""))):
        return False
    inner = directory
    while inner != top:
        name = os.fsencode(os.path.basename(inner))
        if is_apart(name) or is_build_output(name) or is_environment(os.fsencode(inner)):
            return False
        inner = os.path.dirname(inner)
    return marked_above(directory) == marked_above(top)
