"""The variables that this process was started with, and so an analysis started beside it would be."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["own_environ"]

_COERCED_TO: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_STARTED_WITH: Final = "/proc/self/environ"


def own_environ() -> dict[str, str]:
    """Return `os.environ`, without the `LC_CTYPE` that Python gives itself in the locale C (PEP 538)."""
    environ = dict(os.environ)
    if environ.get("LC_CTYPE") in _COERCED_TO and not _was_set("LC_CTYPE"):
        del environ["LC_CTYPE"]
    return environ


def _was_set(name: str) -> bool:
    try:
        with open(_STARTED_WITH, "rb") as file:
            return f"\0{name}=".encode() in b"\0" + file.read()
    except OSError:
        return True
