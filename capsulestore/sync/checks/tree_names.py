"""Names in trees that git's fsck calls dangerous: on some file system a checkout of them writes where it should not."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_dangerous"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_+@%-][A-Za-z0-9_+@%.-]*")
"""What every name of ours is made of."""

# HFS+ passes over these, NTFS over dots and spaces at the end, and a colon there begins a name of something inside.
_PASSED_OVER: Final = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_IGNORED_AT_END: Final = re.compile(r"[ .]*(:.*)?\Z", re.DOTALL)
_REFUSED: Final = re.compile(r"\.git|git~[0-9]+|\.git(modules|attributes)|git(mod|att)~[0-9]+|gi[0-9a-f]{4,6}~[0-9]+")
"""git's own directory, and the files in which its fsck looks for more; each also as Windows shortens it."""


def is_dangerous(name: str) -> bool:
    """Return whether a name in a tree is one of those, written in whatever way a file system takes for the same."""
    if _PLAIN.fullmatch(name):
        return False
    return any(_is_refused(part) for part in (name, *name.split("\\")))


def _is_refused(name: str) -> bool:
    seen = _IGNORED_AT_END.sub("", _PASSED_OVER.sub("", name).lower())
    return name in {".", ".."} or _REFUSED.fullmatch(seen) is not None
