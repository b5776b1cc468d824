"""The name of an object: a SHA-256 git object id, as a type."""

from __future__ import annotations

import re
from typing import NamedTuple

from capsulestore.errors import MalformedName

__all__ = ["Digest"]

_FULL = re.compile(r"[0-9a-f]{64}")


class Digest(NamedTuple):
    """A SHA-256 object id. `hex` is its 64 lower-case hex digits; `str()` gives the same."""

    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Return the digest that 64 hex digits name (upper case is taken too); else raise `MalformedName`."""
        lowered = text.lower()
        if not _FULL.fullmatch(lowered):
            raise MalformedName(
                f"`{text}` is not a digest", hint="a digest is 64 hex digits, as `capsule add` prints it"
            )
        return cls(lowered)

    @property
    def raw(self) -> bytes:
        """The 32 bytes, as a git tree holds them."""
        return bytes.fromhex(self.hex)

    def __str__(self) -> str:
        return self.hex
