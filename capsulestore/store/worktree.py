"""Keeps a store out of a surrounding git work tree, where `git add .` would otherwise stop at it."""

from __future__ import annotations

import os

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
    line = _escaped(f"/{os.path.relpath(path, directory)}")
    try:
        exclude = os.path.join(_common_directory(os.path.join(directory, ".git")), "info", "exclude")
        present = _read(exclude)
        if line in present.splitlines():
            return
        os.makedirs(os.path.dirname(exclude), exist_ok=True)
        with open(exclude, "a", encoding="utf-8", errors="surrogateescape") as file:
            separator = "\n" if present and not present.endswith("\n") else ""
            file.write(f"{separator}{line}\n")
    except OSError:
        return


def _common_directory(git: str) -> str:
    """Return where the work tree's repository keeps what its linked work trees share (gitrepository-layout(5))."""
    if os.path.isfile(git):
        git = os.path.join(os.path.dirname(git), _read(git).removeprefix("gitdir:").strip())
    common = _read(os.path.join(git, "commondir")).strip()
    return os.path.join(git, common) if common else git


def _escaped(line: str) -> str:
    return "".join(f"\\{character}" if character in "\\*?[ " else character for character in line)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""
