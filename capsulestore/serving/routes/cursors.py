"""Where a page of a list begins: the commit that registered the last capsule before it, and what the list is of.

As text it is opaque: base64url of the commit's 32 bytes and 8 bytes of a hash of the filters.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import orjson

from capsulestore.errors import UsageError
from capsulestore.model.digest import Digest

__all__ = ["Cursors"]

_COMMIT_BYTES: Final = 32
_FILTERS_BYTES: Final = 8
_CHARACTERS: Final = 54
_PADDING: Final = "=="


class Cursors:
    """Writes and reads the cursors of one list, which is known by what was asked for it."""

    def __init__(self, asked: Sequence[object]) -> None:
        self._filters = sha256(orjson.dumps(asked)).digest()[:_FILTERS_BYTES]

    def after(self, commit: Digest) -> str:
        """Return the cursor of what comes after the capsule that a commit registered."""
        return urlsafe_b64encode(commit.raw + self._filters).decode().removesuffix(_PADDING)

    def read(self, cursor: str) -> Digest:
        """Return the commit that a cursor names; raise `UsageError` for what is none, or is another list's."""
        data = b""
        if len(cursor) == _CHARACTERS and cursor.isascii():
            data = urlsafe_b64decode(cursor + _PADDING)
        commit = Digest(data[:_COMMIT_BYTES].hex())
        # There is one way to write it.
        if len(data) != _COMMIT_BYTES + _FILTERS_BYTES or self.after(commit) != cursor:
            raise bad_cursor()
        return commit


def bad_cursor() -> UsageError:
    """Return what is told of a cursor that leads nowhere."""
    return UsageError(
        "the cursor is not one of this list", hint="pass on `next` as it was given, with the same filters"
    )
