"""What tells files from the same ones after a change, at the price of a stat each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["Fact", "Stamp", "fact", "stamp"]

Fact = tuple[str, int]
"""What tells the file at a path from the same one after a change, and when it last changed, in ns."""

_METADATA_NAMES: Final = (".dist-info", ".egg-info", ".egg-link", ".pth", "EGG-INFO")
_START_UP_NAMES: Final = ("~", "sitecustomize", "usercustomize")


class Stamp(NamedTuple):
    """What tells some files from the same ones after a change: `text` differs. `newest`: their latest time, in ns."""

    text: str
    newest: int


def stamp(facts: Iterable[Fact]) -> Stamp:
    """Return the stamp of some files from the fact of each."""
    newest = 0
    texts: list[str] = []
    for text, changed in facts:
        texts.append(text)
        newest = max(newest, changed)
    return Stamp(hashlib.sha256("\n".join(texts).encode("utf-8", "surrogateescape")).hexdigest(), newest)


def fact(path: str) -> Fact:
    """Return the fact of the file at a path as it is now (links are followed); one may be missing.

    A path with `/` at its end stands for the names of metadata in a directory, one with `//` for all names in it but
    `__pycache__`: names are compared themselves. The time of a file is that of its last change of any kind
    (`st_ctime`), which nobody can set.
    """
    try:
        status = os.stat(path)
        if path[-1:] == "/":
            names = _names(path) if path[-2:] == "//" else _metadata_names(path)
            return f"{path}\0{status.st_dev} {status.st_ino} {names}", status.st_ctime_ns
    except (OSError, ValueError) as error:
        return f"{path}\0{getattr(error, 'errno', None)}", 0
    changed = status.st_ctime_ns
    return f"{path}\0{status.st_mtime_ns} {changed} {status.st_size} {status.st_ino} {status.st_dev}", changed


def _names(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if name != "__pycache__")


def _metadata_names(directory: str) -> list[str]:
    names = os.listdir(directory)
    return sorted(name for name in names if name.endswith(_METADATA_NAMES) or name.startswith(_START_UP_NAMES))
