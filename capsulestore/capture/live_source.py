"""A directory of sources that are imported from where they are edited: code, not environment."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["LiveSource"]


class LiveSource(NamedTuple):
    """A directory of sources that are imported from where they are edited.

    `name` is an editable distribution's key (PEP 503), empty for a directory on the search path. `directory` is
    absolute; empty where nothing says where an editable's sources lie.
    """

    role: Literal["editable", "path"]
    name: str
    directory: str
