"""Refs as another side lists them, in an advertisement or in a bundle: `ID SP NAME`, checked as they come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from capsulestore.errors import RemoteMisbehaved
from capsulestore.model.digest import Digest
from capsulestore.sync.limits import Limits
from capsulestore.sync.wire.ref_names import in_the_way, is_ref_name

__all__ = ["RefList"]

_ID: Final = re.compile(rb"[0-9a-f]{64}")
_NONE: Final = b"0" * 64
_PEELED: Final = b"^{}"
_BESIDE: Final = frozenset({b"HEAD", b".have"})
"""What is listed and is no ref below `refs/`: the branch that is checked out, and objects that are there besides."""


class RefList:
    """Takes a list of refs a line at a time. Methods raise `RemoteMisbehaved`; `remote` is how it names the other side.

    Left out are `HEAD`, `.have`, and what an annotated tag leads to (`^{}`).
    """

    def __init__(self, limits: Limits, remote: str) -> None:
        self._limits = limits
        self.remote = remote
        self._lines = 0
        self._refs: dict[str, Digest] = {}

    def add(self, line: bytes) -> None:
        """Take one line, `ID SP NAME`."""
        self._lines += 1
        if self._lines > self._limits.refs:
            raise self._error(f"it has more than {self._limits.refs} refs")
        value, _, name = line.partition(b" ")
        digest = self.digest(value)
        if name in _BESIDE:
            return
        ref = name.removesuffix(_PEELED)
        text = ref.decode("utf-8", "surrogateescape")
        if not is_ref_name(ref) or len(ref) > self._limits.ref_name_bytes:
            raise self._error(f"it has a ref with the name {text[:200]!r}, which git has no place for")
        if ref != name:
            return
        if text in self._refs:
            raise self._error(f"it names the ref `{text}` twice")
        self._refs[text] = digest

    def digest(self, value: bytes) -> Digest:
        """Return the id that 64 hex digits stand for, as git writes them; no object has the id of zeros."""
        if not _ID.fullmatch(value) or value == _NONE:
            raise self._error("it names a ref or a commit by what is no id of an object")
        return Digest(value.decode())

    def checked(self) -> Mapping[str, Digest]:
        """Return the refs by their full names."""
        if name := in_the_way(self._refs):
            raise self._error(f"it has a ref `{name}` and others below it, as if it were a directory")
        return self._refs

    def _error(self, reason: str) -> RemoteMisbehaved:
        return RemoteMisbehaved(self.remote, reason)
