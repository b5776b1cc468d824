"""The patch from a commit to the tracked files as they are, without what looks like a credential."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from capsulestore.capture.code.changes import Changes
from capsulestore.capture.code.git import GitProblem, git
from capsulestore.capture.code.repository import Position
from capsulestore.capture.files import path_text, read_up_to

__all__ = ["MAX_PATCH_BYTES", "Patch", "holds_a_secret", "make_patch"]

MAX_PATCH_BYTES: Final = 2**20

_MAX_CHANGED_BYTES: Final = 32 * 2**20
"""Changed files of more than this together are not worth comparing for a patch of `MAX_PATCH_BYTES`."""
_MAX_ARGUMENT_BYTES: Final = 2**19

_DIFF: Final = (
    "diff",
    "--binary",
    "--full-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-color",
    "--no-relative",
    "--submodule=short",
    "--ignore-submodules=untracked",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "-O/dev/null",
)
_SECTION: Final = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_HEADING: Final = re.compile(rb'diff --git (?:a/(?P<path>.*) b/(?P=path)|(?P<quoted>"a/.*))\n')
_BINARY: Final = b"\nGIT binary patch\n"
_WORDS: Final = re.compile(rb"[\x20-\x7e]{8,}")

_PROGRAMS: Final = (
    b".py",
    b".pyi",
    b".pyx",
    b".pxd",
    b".c",
    b".cc",
    b".cpp",
    b".h",
    b".hpp",
    b".jl",
    b".js",
    b".r",
    b".R",
    b".rs",
    b".ts",
)
"""How files end in which `token = ...` need be no secret."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What is kept of a patch, for `git apply`; `secret` are the files left out, `problem` says why there is none."""

    data: bytes = b""
    secret: tuple[str, ...] = ()
    problem: str | None = None


def make_patch(position: Position, changes: Changes) -> Patch:
    """Return the patch of what git tracks at a position, paths as from the top of the work tree; never raises."""
    paths = sorted(changes.entries.keys() - changes.untracked)
    if not paths:
        return Patch()
    size = sum(_size(os.path.join(position.directory, path)) for path in paths)
    if size > _MAX_CHANGED_BYTES or sum(map(len, paths)) > _MAX_ARGUMENT_BYTES:
        return Patch(problem="is too large")
    named = [os.path.join(position.prefix, os.fsdecode(path)) for path in paths]
    repository = position.repository
    try:
        data = git(repository.top, *_DIFF, repository.commit, "--", *named, limit=MAX_PATCH_BYTES)
    except GitProblem as problem:
        return Patch(problem="is too large" if problem.code == "git-too-much" else f"cannot be made ({problem})")
    sections = [(section, *_secret_of(section, repository.top)) for section in _SECTION.split(data) if section]
    return Patch(
        b"".join(section for section, is_secret, _ in sections if not is_secret),
        tuple(path for _, is_secret, path in sections if is_secret),
    )


def holds_a_secret(data: bytes, path: bytes) -> bool:
    """Whether there is in the file at a path, or in a patch of it, what looks like a credential."""
    # A clean tree needs neither.
    from capsulestore.model.redaction import redact_text  # noqa: PLC0415
    from capsulestore.model.redaction.source import holds_secret  # noqa: PLC0415

    text = data.decode("utf-8", "backslashreplace")
    return holds_secret(text) if path.endswith(_PROGRAMS) else redact_text(text)[1]


def _secret_of(section: bytes, top: str) -> tuple[bool, str]:
    """Return whether one file's part of a patch holds a secret, and the file's path."""
    heading = _HEADING.match(section)
    path = heading["path"] or heading["quoted"] if heading else section[:0]
    text, binary, _ = section.partition(_BINARY)
    if not binary:
        return holds_a_secret(section, path), path_text(path)
    if heading is None or not heading["path"]:
        return True, path_text(path)  # where it lies is not known, and what is compressed tells nothing
    try:
        # A patch has the bytes compressed; the texts among them are in the file itself.
        data = read_up_to(os.path.join(top, os.fsdecode(path)), _MAX_CHANGED_BYTES)
    except OSError:
        data = b""
    return holds_a_secret(text + b"\n" + b"\n".join(_WORDS.findall(data)), path), path_text(path)


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
