"""Store paths: what lies directly in a nix store, `<hash>-<name>` (nix manual, Store Path)."""

from __future__ import annotations

import os
import re
from typing import Final

__all__ = ["store_path"]

_STORE_PATH: Final = re.compile(r"([0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211})(?:/.*)?", re.DOTALL)
"""The hash is in nix's base 32, which has no e, o, t, u."""


def store_path(path: str, store: str) -> str | None:
    """Return the `<hash>-<name>` that a path lies in, as the path is written; None where that is none of the store."""
    below = os.path.join(store, "")
    found = _STORE_PATH.fullmatch(path, len(below)) if path.startswith(below) else None
    return found[1] if found else None
