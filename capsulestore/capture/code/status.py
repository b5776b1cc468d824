"""What `git status` says of a work tree, parsed (git-status(1), "Porcelain Format Version 2", with `-z`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["ABSENT", "ARGUMENTS", "SUBMODULE", "Differing", "Status", "parse_status"]

ABSENT: Final = "000000"
SUBMODULE: Final = "160000"
ARGUMENTS: Final = (
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--no-renames",
    # A directory without a tracked file is one line: what is in it is looked at by rules of our own.
    "--untracked-files=normal",
    "--ignored=matching",
    "--ignore-submodules=untracked",
)
_FIELDS: Final = {b"1": 8, b"u": 10}
_NONE_AHEAD: Final = b"+0 "


@dataclass(frozen=True, slots=True)
class Differing:
    """A tracked path that is not as the commit has it. `mode` is that on disk, `ABSENT` where it is gone.

    Of a submodule: `index_id` is its commit in the index; `is_moved`, that it has another one checked out;
    `is_modified`, that a file in it differs from its commit.
    """

    path: bytes
    mode: str
    is_added: bool = False
    is_in_index: bool = True
    index_id: str = ""
    is_moved: bool = False
    is_modified: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """Paths are from the work tree's top; a directory of which nothing is tracked stands for all in it.

    `branch` is None where HEAD is detached; `is_upstream`, that the branch's upstream has all commits of it.
    """

    branch: str | None
    is_upstream: bool
    differing: tuple[Differing, ...]
    untracked: tuple[bytes, ...]
    ignored: tuple[bytes, ...]

    def below(self, prefix: bytes) -> Status:
        """Return what is said of a directory in the work tree, by paths from there."""
        if not prefix:
            return self
        start = prefix + b"/"
        return replace(
            self,
            differing=tuple(
                replace(one, path=one.path.removeprefix(start)) for one in self.differing if one.path.startswith(start)
            ),
            untracked=tuple(path.removeprefix(start) for path in self.untracked if path.startswith(start)),
            ignored=tuple(path.removeprefix(start) for path in self.ignored if path.startswith(start)),
        )


def parse_status(output: bytes) -> Status:
    """Return what git printed when it was started with `ARGUMENTS`."""
    branch: str | None = None
    is_upstream = False
    differing: list[Differing] = []
    others: dict[bytes, list[bytes]] = {b"?": [], b"!": []}
    for record in output.split(b"\0"):
        kind, _, rest = record.partition(b" ")
        if kind == b"#":
            name, _, value = rest.partition(b" ")
            if name == b"branch.head" and value != b"(detached)":
                branch = value.decode("utf-8", "surrogateescape")
            elif name == b"branch.ab":
                is_upstream = value.startswith(_NONE_AHEAD)
        elif kind in others:
            others[kind].append(rest.rstrip(b"/"))
        elif kind in _FIELDS:
            *fields, path = rest.split(b" ", _FIELDS[kind] - 1)
            differing.append(_differing([field.decode("ascii", "replace") for field in fields], path))
    return Status(branch, is_upstream, tuple(differing), tuple(others[b"?"]), tuple(others[b"!"]))


def _differing(fields: list[str], path: bytes) -> Differing:
    _, submodule, *modes_and_ids = fields
    if len(modes_and_ids) > 5:
        # Unmerged: three stages before the mode on disk.
        return Differing(path, modes_and_ids[3])
    return Differing(
        path,
        modes_and_ids[2],
        is_added=modes_and_ids[0] == ABSENT,
        is_in_index=modes_and_ids[1] != ABSENT,
        index_id=modes_and_ids[4],
        is_moved=submodule[1:2] == "C",
        is_modified=submodule[2:3] == "M",
    )
