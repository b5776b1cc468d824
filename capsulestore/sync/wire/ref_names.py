"""Which names refs may have: git's rules (git-check-ref-format(1)), here for names that come from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["in_the_way", "is_ref_name"]

_ROOT: Final = b"refs/"
_REFUSED: Final = re.compile(rb"[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[./]$", re.DOTALL)
"""What no name has anywhere: control characters and those that mean something to git, `..`, a dot in front, ..."""


def is_ref_name(name: bytes) -> bool:
    """Whether git takes a full name of a ref (`refs/heads/main`); no other than those below `refs/` are."""
    return name.startswith(_ROOT) and len(name) > len(_ROOT) and not _REFUSED.search(name)


def in_the_way(names: Collection[str]) -> str | None:
    """Return a name that is also the directory of another, which no repository of files can have; None without one."""
    directories = set()
    for name in names:
        directory = name.rpartition("/")[0]
        while directory and directory not in directories:
            directories.add(directory)
            directory = directory.rpartition("/")[0]
    return next((name for name in names if name in directories), None)
