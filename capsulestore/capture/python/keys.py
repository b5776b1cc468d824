"""File names as keys of an environment, which are text of limited length."""

from __future__ import annotations

import hashlib

from capsulestore.model.names import fits

__all__ = ["entry_key"]


def entry_key(key: str) -> str:
    """Return the key for an entry of that name; one too long for a key is named by its SHA-256."""
    return key if fits(key) else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
