"""A remote: another store, wherever it lies, as everything that moves capsules sees it.

Every implementation (a path, ssh, HTTP, a bundle) passes the same contract suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

from capsulestore.model.digest import Digest
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["SILENT", "Fetched", "Progress", "Push", "Pushed", "Remote", "Surroundings", "Update", "describe"]


class Update(NamedTuple):
    """A ref of the remote's that is to move: `old` as it was advertised, None for a new one."""

    ref: str
    old: Digest | None
    new: Digest


class Push(NamedTuple):
    """What a push asks for: the refs to move, and a pack of the objects that they need, in pieces."""

    updates: Sequence[Update]
    pack: Iterable[bytes]


class Pushed(NamedTuple):
    """How a push ended: what the remote had said first, and by ref why it was refused, in the remote's words.

    A ref that is not among the refusals has moved. Without updates nothing was sent.
    """

    advertised: Advertised
    refusals: Mapping[str, str]


class Fetched(NamedTuple):
    """What a remote said first, and the pack that it sends, in pieces; None where nothing was wanted.

    The pieces are not checked. Taking them raises `RemoteProblem` where the connection ends before the pack does.
    """

    advertised: Advertised
    pack: Iterator[bytes] | None


class Remote(Protocol):
    """Another store.

    Methods raise `RemoteProblem`; after any error the connection is closed and nothing here has changed.
    """

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    @property
    def shown(self) -> str:
        """Its address, without anything secret."""
        ...

    def fetch(
        self,
        choose: Callable[[Advertised], Sequence[Digest]],
        haves: Sequence[Digest],
        *,
        depth: int | None = None,
    ) -> AbstractContextManager[Fetched]:
        """Ask for the objects that `choose` names of what is advertised, without what `haves` (commits) lead to.

        With `depth`, of each history no more than so many commits, from a remote that has the capability `shallow`; one
        that only holds what it holds may send more. One connection, which ends with the block. What `choose` raises
        comes through.
        """
        ...

    def push(self, compose: Callable[[Advertised], Push | None]) -> Pushed:
        """Send what `compose` makes of the advertisement, in the same connection; None sends nothing.

        Where the connection ends before the answer is complete (`RemoteUnreachable`), the refs may have moved or not.
        """
        ...


class Surroundings(NamedTuple):
    """What reaching a remote needs to know of where the command runs.

    `environ` is for git, ssh and what they call, and tells where netrc lies; `token` is a bearer token for HTTP;
    `interactive` says whether somebody is there who can be asked for a password.
    """

    environ: Mapping[str, str]
    token: str | None = None
    interactive: bool = False

    def __repr__(self) -> str:
        # Both hold secrets, and a traceback shows this.
        return f"Surroundings(interactive={self.interactive})"


class Progress(Protocol):
    """Is told how far an exchange has come."""

    def bytes(self, count: int) -> None:
        """Count bytes that were sent or received since the last call."""

    def objects(self, done: int, total: int) -> None:
        """Show how many objects of all are dealt with."""

    def said(self, text: str) -> None:
        """Show what the remote says to people; control characters are in it as they came."""


class _Silent:
    def bytes(self, count: int) -> None:
        pass

    def objects(self, done: int, total: int) -> None:
        pass

    def said(self, text: str) -> None:
        pass


SILENT: Final[Progress] = _Silent()
"""Tells nobody."""


def describe(name: str, shown: str) -> str:
    """Return how errors name a remote, `capsulestore.errors.RemoteProblem`'s first argument.

    One that is given by its address alone has that for its name.
    """
    return f"`{name}`" if name == shown else f"`{name}` ({shown})"
