"""Is the code that took part in an analysis what its capsule recorded?"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from capsulestore.capture.budget import TooLarge
from capsulestore.capture.code.changes import Changes, changes_from_tree
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.git import GitProblem
from capsulestore.capture.code.local import local_path
from capsulestore.capture.code.repository import Position, Repositories
from capsulestore.capture.code.trees import Source, Tree, every_source, look_at, work_tree
from capsulestore.capture.files import file_sha256, path_text
from capsulestore.capture.live_source import LiveSource
from capsulestore.model.canonical import Json
from capsulestore.model.manifest import Manifest

if TYPE_CHECKING:
    from capsulestore.verification.reach import Reach

__all__ = ["CodeCheck", "State", "check_code", "said_of_code"]

State = Literal["same", "changed", "missing", "unreadable", "unchecked"]

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CHANGES: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ROLES: Final = frozenset({"work tree", "editable", "path"})
_SHORT: Final = 7


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """A recorded tree or file of code, and what is here; `role` is `work tree`, `editable`, `path` or `file`.

    `recorded` and `current` say what it was and is, without its name; `current` is None where there is nothing to
    compare. `missing`: it takes no part here; `unreadable`: it is here, and the two cannot be compared; `unchecked`: it
    was not looked at, and `reason` says in words why.
    """

    role: str
    name: str
    recorded: Json
    current: Json | None
    state: State
    reason: str = ""

    def as_dict(self) -> dict[str, Json]:
        """Return the check as `--json` has it."""
        return {
            "role": self.role,
            "name": self.name,
            "recorded": self.recorded,
            "current": self.current,
            "state": self.state,
        }


def check_code(
    manifest: Manifest, live: Sequence[LiveSource], *, directory: str, root: str, reach: Reach | None = None
) -> Iterator[CodeCheck]:
    """Yield each recorded tree of code, then each file of it, compared with what is here; only reads (I9).

    `live` are the live sources here, `directory` is the working directory; recorded paths are from `root`. A tree that
    git knows is the same when its files are: committing what was changed then makes no difference. Inputs and outputs
    are left out, as they were. What has not the form of a tree or a file is passed over, as it can be compared with
    nothing; never raises for what is recorded or lies on disk. Without `reach` nothing is out of it.
    """
    code = manifest.value.get("code")
    here = _Here(root, directory, live, _declared(manifest, root, reach), reach)
    for recorded in _members(code, "trees"):
        role, name = recorded.get("role"), recorded.get("name")
        if isinstance(role, str) and role in _ROLES and isinstance(name, str):
            yield _check_tree(role, name, recorded, here)
    for recorded in _members(code, "files"):
        path = recorded.get("path")
        if isinstance(path, str):
            yield _check_file(path, recorded.get("sha256"), root, reach)


def said_of_code(checks: Collection[CodeCheck]) -> Iterator[str]:
    """Yield in words which code is not as it was."""
    for check in checks:
        if check.state != "same":
            yield f"code: {check.role} `{check.name}`: {_said(check)}"


@dataclass(slots=True)
class _Here:
    """The code that takes part here; each tree is looked at once."""

    root: str
    directory: str
    live: Sequence[LiveSource]
    declared: Declared
    reach: Reach | None
    repositories: Repositories = field(default_factory=Repositories)
    _trees: dict[Source, Tree] = field(default_factory=dict)

    def source(self, role: str, name: str) -> Source | None:
        """Return the source that a manifest means; None where it takes no part here."""
        if role == "work tree":
            return self._work_tree(name)
        sources = every_source(self.live, self.root)
        if found := next((one for one in sources if (one.role, one.name) == (role, name)), None):
            return found
        # The directory that a program starts in is on the search path only then.
        path = local_path(name, self.root) if role == "path" else None
        return Source("path", name, os.path.realpath(path) if self._reaches(path) else path) if path else None

    def _work_tree(self, name: str) -> Source | None:
        # One that is recorded as absolute may be that which holds the store, wherever both lie now.
        around = work_tree(self.directory, self.root, self.repositories) if os.path.isabs(name) else None
        if around and os.path.commonpath([around.directory, self.root]) == around.directory:
            return around
        path = local_path(name, self.root)
        if path and not self._reaches(path):
            return Source("work tree", name, path)
        found = work_tree(path, self.root, self.repositories) if path else None
        return found if found and found.name == name else None

    def _reaches(self, path: str) -> bool:
        return self.reach is None or self.reach.holds(path)

    def tree(self, source: Source) -> Tree:
        """Return what is at a source."""
        if source not in self._trees:
            self._trees[source] = look_at(source, self.repositories, self.declared, lambda _code, _message: None)
        return self._trees[source]


def _members(code: Json, key: str) -> list[Mapping[str, Any]]:
    """Return the mappings in a list that a manifest from anywhere may hold."""
    members = code.get(key) if isinstance(code, Mapping) else None
    return [member for member in members if isinstance(member, Mapping)] if isinstance(members, list) else []


def _declared(manifest: Manifest, root: str, reach: Reach | None) -> Declared:
    """Return what was declared, which a run may delete or write anew, and the files that were recorded of it."""
    code = manifest.value.get("code")
    said = code.get("declared") if isinstance(code, Mapping) else None
    declared = [path for path in said if isinstance(path, str)] if isinstance(said, list) else []
    declared += [str(file["path"]) for key in ("inputs", "outputs") for file in manifest.files(key)]
    paths = [path for one in declared if (path := local_path(one, ""))]
    return Declared.of((path for path in paths if reach is None or reach.holds(os.path.join(root, path))), root)


def _check_tree(role: str, name: str, recorded: Mapping[str, Any], here: _Here) -> CodeCheck:
    facts = {key: value for key, value in recorded.items() if key not in {"role", "name"}}
    source = here.source(role, name)
    if source is None or not source.directory:
        return CodeCheck(role, name, facts, None, "missing")
    if here.reach and (reason := here.reach.keeps_from_tree(source.directory)):
        return CodeCheck(role, name, facts, None, "unchecked", reason)
    if not os.path.isdir(source.directory):
        return CodeCheck(role, name, facts, None, "missing")
    tree = here.tree(source)
    current, state = _compare(facts, tree, here)
    return CodeCheck(role, name, facts, current, state)


def _compare(recorded: Mapping[str, Any], tree: Tree, here: _Here) -> tuple[dict[str, Json], State]:
    """Return what is there now, in the form of what was recorded where it can be, and how the two compare."""
    if _matches(_SHA256, recorded.get("digest")):
        try:
            digest = str(tree.digest or tree.source.digest_of_files(here.declared))
        except (TooLarge, OSError):
            return tree.facts(), "unreadable"
        return {"digest": digest}, "same" if digest == recorded["digest"] else "changed"
    was = _Committed.of(recorded)
    if was is None or tree.position is None or tree.changes is None or len(was.tree) != len(tree.position.tree):
        return tree.facts(), "unreadable"
    return tree.facts(), _since(was, tree.position, tree.changes, here.declared)


@dataclass(frozen=True, slots=True)
class _Committed:
    """What a manifest says of a tree that git knew: the id of its tree, and the digest of what differed from it.

    `submodules` are the digests of what differed in submodules; None where one is not known.
    """

    tree: str
    changes: str | None
    submodules: Mapping[str, Json]

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> _Committed | None:
        """Return what is recorded; None where it is no such thing."""
        tree, changes = recorded.get("tree"), recorded.get("changes", "")
        if not isinstance(tree, str) or not _matches(_OBJECT_ID, tree):
            return None
        if not (changes is None or _matches(_CHANGES, changes)):
            return None
        submodules = recorded.get("submodules", {})
        return cls(tree, changes, submodules) if isinstance(submodules, Mapping) else None


def _since(was: _Committed, position: Position, changes: Changes, declared: Declared) -> State:
    """Return how the files compare with the recorded tree and what differed from it then."""
    try:
        if was.tree != position.tree:
            changes = changes_from_tree(was.tree, position, changes, declared)
    except GitProblem as problem:
        # A tree that is not in the repository is another one than this.
        return "changed" if problem.code == "git-failed" else "unreadable"
    except (TooLarge, OSError):
        return "unreadable"
    if was.changes not in {changes.digest, changes.digest_before_adding}:
        return "changed"
    inside = {path_text(path): digest for path, digest in changes.submodules.items()}
    if was.submodules.keys() == inside.keys() and None in [*was.submodules.values(), *inside.values()]:
        return "unreadable"
    return "same" if was.submodules == inside else "changed"


def _check_file(path: str, recorded: Any, root: str, reach: Reach | None) -> CodeCheck:
    facts: Json = recorded if isinstance(recorded, str) else None
    local = local_path(path, root)
    if local is None or not _matches(_SHA256, recorded):
        return CodeCheck("file", path, facts, None, "unreadable")
    if reach and (reason := reach.keeps_from_file(local)):
        return CodeCheck("file", path, facts, None, "unchecked", reason)
    try:
        current = file_sha256(local).hex()
    except (FileNotFoundError, NotADirectoryError):
        return CodeCheck("file", path, facts, None, "missing")
    except (OSError, ValueError):
        return CodeCheck("file", path, facts, None, "unreadable")
    return CodeCheck("file", path, facts, current, "same" if current == recorded else "changed")


def _matches(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _said(check: CodeCheck) -> str:
    if check.state == "missing":
        return "is not here"
    if check.state == "unchecked":
        return f"not looked at: {check.reason}"
    if check.state == "unreadable":
        return "cannot be compared with what was recorded"
    then, now = _commit_in_words(check.recorded), _commit_in_words(check.current)
    if not then or not now:
        return "is not what was recorded"
    if then != now:
        return f"{then}, now {now}"
    return f"{then}, now with others"


def _commit_in_words(facts: Json) -> str:
    """Return `3f2a1c9 with changes`; empty for what is no commit."""
    if not isinstance(facts, Mapping) or not _matches(_OBJECT_ID, facts.get("commit")):
        return ""
    changes = " with changes" if facts.get("changes") else ""
    return f"{str(facts['commit'])[:_SHORT]}{changes}"
