"""A directory of sources that are imported from where they are edited: code, not environment."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["LiveSource", "is_apart"]


class LiveSource(NamedTuple):
    """A directory of sources that are imported from where they are edited.

    `name` is an editable distribution's key (PEP 503), empty for a directory on the search path. `directory` is
    absolute; empty where nothing says where an editable's sources lie.
    """

    role: Literal["editable", "path"]
    name: str
    directory: str


def is_apart(name: bytes) -> bool:
    """Whether a directory of that name holds no source: a cache, a repository's or a store's own, or another tool's.

    Import never looks into a hidden directory: its name cannot be a package's.
    """
    return name.startswith(b".") or name in {b"__pycache__", b"node_modules"}
