"""What is wrong with a pack, or with an object in it."""

from __future__ import annotations

__all__ = ["BadObject", "BadPack"]


class BadPack(ValueError):
    """A received pack that breaks the format or the limits; `reason` says how, in words for people.

    Which remote sent it the caller knows, and makes a `RemoteMisbehaved` of it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadObject(BadPack):
    """A sound pack in which an object is not what its place asks for, or that lacks one; the reason names it."""
