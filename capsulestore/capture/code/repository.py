"""Git work trees around directories: which commit each is at, what differs from it, and where its commits also are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final, Literal

from capsulestore.capture.code.git import GitProblem, git
from capsulestore.capture.code.status import ARGUMENTS, Status, parse_status

__all__ = ["Difference", "Position", "Remote", "Repositories", "Repository", "marked_above"]

Algorithm = Literal["sha1", "sha256"]

_FORMATS: Final[tuple[Algorithm, ...]] = ("sha1", "sha256")
_STORE: Final = ".capsules"
_REMOTES: Final = r"^(remote\..*\.url|branch\..*\.remote)$"


@dataclass(frozen=True, slots=True)
class Remote:
    """The url of the remote that a branch belongs to, None where there is none, and whether any has the commit."""

    url: str | None
    has_commit: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A path by which two trees differ: mode and object id in each, mode `000000` where it is not there."""

    path: bytes
    old_mode: str
    old_id: str
    new_mode: str
    new_id: str


@dataclass(slots=True)
class Repository:
    """A git work tree. `top` is a real path; `commit` and `tree` are HEAD's. What is asked is asked of git once."""

    top: str
    algorithm: Algorithm
    commit: str
    tree: str
    _statuses: dict[str, Status] = field(default_factory=dict)
    _remote: Remote | None = None

    def status(self, prefix: str = "") -> Status:
        """Return what differs below a directory of the work tree, by paths from there; raise `GitProblem`."""
        below = os.fsencode(prefix)
        if "" in self._statuses:
            return self._statuses[""].below(below)
        if prefix not in self._statuses:
            only = ("--", prefix) if prefix else ()
            self._statuses[prefix] = parse_status(git(self.top, *ARGUMENTS, *only))
        return self._statuses[prefix].below(below)

    def remote(self, status: Status) -> Remote:
        """Return the upstream's remote of the current branch, else `origin`, else the only one; raise `GitProblem`."""
        if self._remote is None:
            self._remote = self._find_remote(status)
        return self._remote

    def difference(self, old: str, new: str) -> list[Difference]:
        """Return by which paths two trees differ; raise `GitProblem` where one of them is not in the repository."""
        raw = git(self.top, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new, "--")
        fields = iter(raw.split(b"\0"))
        found = []
        for about in fields:
            if about:
                old_mode, new_mode, old_id, new_id, _ = about.decode("ascii", "replace").lstrip(":").split(" ")
                found.append(Difference(next(fields), old_mode, old_id, new_mode, new_id))
        return found

    def _find_remote(self, status: Status) -> Remote:
        configured: dict[str, str] = {}
        for item in git(self.top, "config", "-z", "--get-regexp", _REMOTES, may_fail=True).split(b"\0"):
            name, _, value = item.decode("utf-8", "surrogateescape").partition("\n")
            configured.setdefault(name, value)
        urls = {
            name.removeprefix("remote.").removesuffix(".url"): url
            for name, url in configured.items()
            if name.startswith("remote.")
        }
        upstream = configured.get(f"branch.{status.branch}.remote", "")
        url = urls.get(upstream) or urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else None)
        is_there = status.is_upstream and upstream in urls
        return Remote(url, has_commit=bool(urls) and (is_there or self._is_on_a_remote()))

    def _is_on_a_remote(self) -> bool:
        arguments = ("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={self.commit}", "refs/remotes")
        return bool(git(self.top, *arguments).strip())


@dataclass(frozen=True, slots=True)
class Position:
    """Where a directory lies in a work tree: `prefix` from its top, and the id of its own tree in the commit."""

    repository: Repository
    prefix: str
    tree: str

    @property
    def directory(self) -> bytes:
        """The directory's real path."""
        top = self.repository.top
        return os.fsencode(os.path.join(top, self.prefix) if self.prefix else top)


@dataclass(slots=True)
class Repositories:
    """The repositories that were met, each once however many directories lie in it."""

    _met: dict[str, Repository] = field(default_factory=dict)
    _located: dict[str, tuple[str, str | None] | None] = field(default_factory=dict)

    def top_of(self, directory: str) -> str | None:
        """Return the real path of the top of the work tree around a directory; None where there is none.

        Raise `GitProblem` where something that looks like a repository is not answered for by git.
        """
        located = self._locate_once(os.path.realpath(directory))
        return located[0] if located else None

    def position(self, directory: str) -> Position | None:
        """Return where a directory lies in the commit of the work tree around it; None where that has nothing of it.

        A repository without any commit has nothing of anything. Raise `GitProblem`, as above.
        """
        real = os.path.realpath(directory)
        located = self._locate_once(real)
        if located is None:
            return None
        top, tree = located
        prefix = os.path.relpath(real, top)
        return Position(self._met[top], "" if prefix == "." else prefix, tree) if tree else None

    def _locate_once(self, directory: str) -> tuple[str, str | None] | None:
        if directory in self._met:
            return directory, self._met[directory].tree
        if directory not in self._located:
            self._located[directory] = self._locate(directory)
        return self._located[directory]

    def _locate(self, directory: str) -> tuple[str, str | None] | None:
        """Return the work tree's top, and the id of the directory's tree where the commit has one."""
        if marked_above(directory) is None:
            return None
        asked = ("--is-inside-work-tree", "--show-toplevel", "--show-object-format")
        try:
            answer = git(directory, "rev-parse", *asked, "--revs-only", "HEAD", "HEAD^{tree}", "HEAD:./")
        except GitProblem as problem:
            if problem.printed.startswith(b"false"):
                return None
            raise
        for algorithm in _FORMATS:
            # A path may hold a newline, what follows it not; git says no more once a name leads nowhere.
            top, found, ids = answer.rpartition(b"\n%s\n" % algorithm.encode())
            if found:
                commit, tree, *here = [*ids.decode("ascii", "replace").split(), "", ""][:3]
                path = os.fsdecode(top.partition(b"\n")[2])
                if commit:
                    self._met.setdefault(path, Repository(path, algorithm, commit, tree))
                return path, (here[0] if here else None) or None
        raise GitProblem("git-failed", "git answers as no git that is known here")


def marked_above(directory: str) -> str | None:
    """Return the nearest directory, from this one upwards, that git would take for a work tree's top.

    None where a store comes first: it is a repository, and nobody's sources.
    """
    while os.path.basename(directory) != _STORE:
        mark = os.path.join(directory, ".git")
        if os.path.isfile(mark) or os.path.lexists(os.path.join(mark, "HEAD")):
            return directory
        directory, below = os.path.dirname(directory), directory
        if directory == below:
            break
    return None
