"""A conversation with a service of a remote, whatever carries it (git's documentation, `gitprotocol-pack`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from capsulestore.errors import RemoteProblem

__all__ = ["Channel", "Open", "Service"]

Service = Literal["git-upload-pack", "git-receive-pack"]
"""What sends packs, and what takes them; both are asked for by these names, over ssh as over HTTP."""


class Channel(Protocol):
    """The remote speaks first; then it is asked one thing, which it answers, or left alone.

    What the two first methods return reads up to so many bytes, none at the end. They and what they return raise
    `RemoteProblem` where the remote cannot be reached, says no, or is silent for longer than `Limits` allow.
    """

    def opening(self) -> Callable[[int], bytes]:
        """Return what reads the advertisement."""
        ...

    def ask(self, request: Iterable[bytes]) -> Callable[[int], bytes]:
        """Send a request, in pieces, and return what reads the answer.

        Pieces are taken as the remote takes them, also while its answer is read: it may answer before it has all. What
        taking one raises comes through.
        """
        ...

    def leave(self) -> None:
        """Tell the remote that nothing is wanted of it, and end."""
        ...

    def explained(self, problem: RemoteProblem) -> RemoteProblem:
        """Return what is known of why the connection ended too early, in place of a problem that says that it did."""
        ...


Open = Callable[[Service], AbstractContextManager[Channel]]
"""Begins a conversation. At the end of the block no process of it runs and no socket is open."""
