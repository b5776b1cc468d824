"""Keeps a store out of a surrounding git work tree, where `git add .` would otherwise stop at it."""

from __future__ import annotations

import os
import re

__all__ = ["exclude_from_worktree"]


def exclude_from_worktree(store: str) -> None:
    """Add a store to the exclude file (gitignore(5)) of the git work tree around it, once.

    Best effort: a work tree whose exclude file cannot be written is left as it is.
    """
    path = os.path.realpath(store)
    directory = os.path.dirname(path)
    while not os.path.exists(os.path.join(directory, ".git")):
        if directory == os.path.dirname(directory):
            return
        directory = os.path.dirname(directory)
    line = _escaped(os.fsencode(f"/{os.path.relpath(path, directory)}"))
    try:
        common = _common_directory(os.path.join(directory, ".git"))
        if common is None:
            return
        exclude = os.path.join(common, "info", "exclude")
        present = _read(exclude)
        if line in present.split(b"\n"):
            return
        os.makedirs(os.path.dirname(exclude), exist_ok=True)
        with open(exclude, "ab") as file:
            separator = b"\n" if present and not present.endswith(b"\n") else b""
            file.write(separator + line + b"\n")
    except OSError:
        return


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
    return git if os.path.exists(os.path.join(git, "HEAD")) else None


def _escaped(line: bytes) -> bytes:
    return re.sub(rb"[\\*?\[ ]", rb"\\\g<0>", line)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
