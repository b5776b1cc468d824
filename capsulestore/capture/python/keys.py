"""File names as keys of an environment, which are text of limited length."""

from __future__ import annotations

import hashlib
import os

from capsulestore.model.names import fits

__all__ = ["entry_key", "text"]


def text(path: bytes | str) -> str:
    r"""Return a path as text that every encoding of ours takes: what is not UTF-8 comes as `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def entry_key(name: bytes | str) -> str:
    """Return the key for a file or distribution of that name; one too long for a key is named by its SHA-256."""
    key = text(name)
    return key if fits(key) else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
