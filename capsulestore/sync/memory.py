"""What is remembered of a remote between one exchange and the next, so that only what is new is looked at and sent.

It saves work and is never relied on: where it is gone or wrong, all is sent once. A remote that has no name here, only
an address, is not remembered.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256
from typing import Final, NamedTuple

from capsulestore.errors import CapsuleError, DamagedObject, MalformedName
from capsulestore.model.digest import Digest
from capsulestore.model.names import escape
from capsulestore.store import Store

__all__ = ["SENT", "Known", "Memory", "Offered"]

SENT: Final = "refs/capsules/sent/"
"""Below it, by the name of a remote, the newest commit here that it is known to have (never one that is not here)."""

_MAX_BYTES: Final = 64 * 2**20


class Offered(NamedTuple):
    """What a push offered last: the commit that main was to become, and the commit of what is sent that it led to."""

    target: Digest
    tip: Digest


class Known(NamedTuple):
    """What is known of a remote: what `Memory` has of it, or nothing."""

    sent: Digest | None = None
    offered: Offered | None = None
    chosen: frozenset[Digest] = frozenset()

    def tells_of(self, main: Digest) -> bool:
        """Return whether it tells that a store lies there, where that is the remote's main."""
        return bool(self.sent or self.chosen or (self.offered and self.offered.target == main))


class Memory:
    """What is remembered of one remote. Where it cannot be written, nothing is remembered, and all else goes on."""

    def __init__(self, store: Store, remote: str, *, place: str = "", named: bool = True) -> None:
        """Open what is remembered of the remote of that name; nothing, where it lay at another `place` then."""
        self._store = store
        self._place = Digest(sha256(place.encode("utf-8", "surrogatepass")).hexdigest())
        self._ref = f"{SENT}{remote}" if named else ""
        own = os.path.join(store.path, "capsulestore")
        self._offered = os.path.join(own, f"offered-{escape(remote)}") if named else ""
        self._chosen = os.path.join(own, f"chosen-{escape(remote)}") if named else ""

    @property
    def known(self) -> Known:
        """All of it."""
        return Known(self.sent, self.offered, self.chosen)

    @property
    def is_elsewhere(self) -> bool:
        """Whether what is remembered is of another place."""
        return self._read(self._chosen)[:1] not in ([], [self._place])

    @property
    def sent(self) -> Digest | None:
        """The newest commit here that the remote is known to have, with all that it reaches."""
        with suppress(DamagedObject):
            return self._store.refs.read(self._ref) if self._ref and self._is_here else None
        return None

    def has(self, tip: Digest) -> None:
        """Remember that the remote has a commit of this shelf; so it matters no more what was sent by name."""
        with suppress(CapsuleError, OSError):
            if self._ref and (self.sent != tip or self.chosen):
                if not self._is_here:
                    # Whatever else is known is forgotten first, lest it be taken for known of this place.
                    self.forget()
                self._write(self._chosen, [self._place])
                with self._store.refs.locked(self._ref) as move:
                    move(tip)

    @property
    def offered(self) -> Offered | None:
        """What was offered last; the answer may have been lost."""
        lines = self._read(self._offered)
        return Offered(*lines) if len(lines) == 2 else None

    def offer(self, offered: Offered) -> None:
        """Remember what is about to be offered."""
        self._write(self._offered, offered)

    @property
    def chosen(self) -> frozenset[Digest]:
        """The trees that were sent by name, in commits that are not of this shelf."""
        return frozenset(self._read(self._chosen)[1:]) if self._is_here else frozenset()

    def choose(self, trees: Collection[Digest]) -> None:
        """Remember that these trees are what was sent by name, and nothing else."""
        with suppress(CapsuleError, OSError):
            if not self._is_here:
                self.forget()
            self._write(self._chosen, [self._place, *sorted(trees)])

    def forget(self) -> None:
        """Forget all. Raise `StoreBusy` or `StoreUnwritable`."""
        if self._ref:
            self._store.refs.delete(self._ref)
        for path in filter(None, (self._offered, self._chosen)):
            with suppress(FileNotFoundError):
                os.unlink(path)

    @property
    def _is_here(self) -> bool:
        return self._read(self._chosen)[:1] == [self._place]

    def _read(self, path: str) -> list[Digest]:
        if not path:
            return []
        try:
            with open(path, encoding="ascii") as file:
                return [Digest.parse(line) for line in file.read(_MAX_BYTES).splitlines()]
        except (OSError, ValueError, MalformedName):
            return []

    def _write(self, path: str, digests: Collection[Digest]) -> None:
        # One that is cut short says less, or nothing.
        if path:
            with suppress(OSError), open(path, "w", encoding="ascii") as file:
                file.writelines(f"{digest}\n" for digest in digests)
