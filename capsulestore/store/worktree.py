"""Keeps a store out of a surrounding git work tree, where `git add .` would otherwise stop at it."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress

__all__ = ["exclude_from_worktree", "ignore_in_later_worktree"]


def exclude_from_worktree(store: str) -> None:
    """Add a store to the exclude file (gitignore(5)) of the git work tree around it, once.

    Best effort: a work tree whose exclude file cannot be written is left as it is.
    """
    path = os.path.realpath(store)
    worktree = _surrounding(path)
    if worktree is None:
        return
    with suppress(OSError):
        common = _common_directory(os.path.join(worktree, ".git"))
        if common is not None:
            os.makedirs(os.path.join(common, "info"), exist_ok=True)
            _add_pattern(os.path.join(common, "info", "exclude"), path, worktree)


def ignore_in_later_worktree(store: str) -> None:
    """Add a new store to the `.gitignore` beside it, once, where no git work tree surrounds it.

    A `git init` may come later, and `git add .` after it before any command of ours could see a work tree. Best effort:
    a `.gitignore` that cannot be written, or is a symbolic link, which git does not follow, is left as it is.
    """
    path = os.path.realpath(store)
    directory = os.path.dirname(path)
    ignore = os.path.join(directory, ".gitignore")
    if _surrounding(path) is None and not os.path.islink(ignore):
        with suppress(OSError):
            _add_pattern(ignore, path, directory)


def _surrounding(path: str) -> str | None:
    """Return the nearest directory above a path that git would take for a work tree."""
    directory = os.path.dirname(path)
    while not _has_git(directory):
        if directory == os.path.dirname(directory):
            return None
        directory = os.path.dirname(directory)
    return directory


def _has_git(directory: str) -> bool:
    # A directory `.git` that is no repository is passed over by git; a file of that name is not.
    git = os.path.join(directory, ".git")
    return os.path.isfile(git) or os.path.lexists(os.path.join(git, "HEAD"))


def _common_directory(git: str) -> str | None:
    """Return where the work tree's repository keeps what its linked work trees share (gitrepository-layout(5)).

    None where `.git` leads to no repository.
    """
    if os.path.isfile(git):
        keyword, _, path = _read(git).partition(b": ")
        if keyword != b"gitdir":
            return None
        git = os.path.join(os.path.dirname(git), os.fsdecode(path.rstrip(b"\r\n")))
    common = os.fsdecode(_read(os.path.join(git, "commondir")).rstrip(b"\r\n"))
    git = os.path.join(git, common) if common else git
    return git if os.path.lexists(os.path.join(git, "HEAD")) else None


def _add_pattern(file_path: str, path: str, top: str) -> None:
    """Add the line that matches `path` alone, seen from `top`, to a file of patterns that may not be there yet."""
    pattern = _escaped(os.fsencode(f"/{os.path.relpath(path, top)}"))
    if os.path.lexists(file_path) and not os.path.isfile(file_path):
        return
    if _has(_read(file_path), pattern):
        return
    with open(file_path, "a+b") as file:
        # Of several that make the same store at once, one adds the line. Nobody is waited for: best effort.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.seek(0)
        present = file.read()
        if not _has(present, pattern):
            separator = b"\n" if present and not present.endswith(b"\n") else b""
            file.write(separator + pattern + b"\n")


def _has(present: bytes, pattern: bytes) -> bool:
    return any(_bare(line) == _bare(pattern) for line in present.split(b"\n"))


def _bare(line: bytes) -> bytes:
    # What the user wrote may be `.capsules/`, and end in a carriage return, which git leaves out.
    return line.rstrip(b"\r").strip(b"/")


def _escaped(line: bytes) -> bytes:
    return re.sub(rb"[\\*?\[ ]", rb"\\\g<0>", line)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
