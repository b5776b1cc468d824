"""Sends to a remote what it lacks; what it has of its own is joined with, never lost."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from capsulestore.errors import RemoteRefused
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.sync.advertisement import Advertised
from capsulestore.sync.memory import Memory, Offered
from capsulestore.sync.plan import Plan, plan_all, plan_chosen
from capsulestore.sync.remote import SILENT, Progress, Push, Remote, describe
from capsulestore.sync.sent_pack import sent_pack

__all__ = ["Sent", "push"]

_RACES: Final = 200
"""How often to try again where others moved the remote's main meanwhile. Each race that is lost, another has won."""

_MOST_WAIT: Final = 0.25
"""Seconds that are waited after a lost race, at most: those who race should not do it in step."""


class Sent(NamedTuple):
    """What a push did, or with `dry_run` would do: `tip` is what the remote's main is then, None where it has none.

    `capsules` are those that were new to it, as far as was known here, oldest first; `objects` and `bytes` what was
    sent. `tags` were new to it; `kept_tags` it has, by names that mean something else here, and they stay.
    """

    tip: Digest | None
    capsules: tuple[Digest, ...] = ()
    objects: int = 0
    bytes: int = 0
    tags: tuple[str, ...] = ()
    kept_tags: tuple[str, ...] = ()


def push(  # noqa: PLR0913  (each says another thing of what is asked)
    store: Store,
    remote: Remote,
    chosen: Collection[Digest] | None = None,
    *,
    named: bool = True,
    dry_run: bool = False,
    progress: Progress = SILENT,
) -> Sent:
    """Send what the remote lacks of the shelf and the tags, or of these capsules; with `dry_run` only say what.

    The remote's main then holds what both held. `named` says whether it is one of this store's remotes, which are
    remembered. When this returns, it has said that it has all; after an error it has what it had, or all, and pushing
    again is safe. Raise the errors of `RemoteProblem`, and what reading the store raises.
    """
    memory = Memory(store, remote.name, place=remote.shown, named=named)
    return _Pushing(store, remote, chosen, memory, progress).run(dry_run=dry_run)


class _Pushing:
    """One push, in as many attempts as it takes."""

    def __init__(
        self, store: Store, remote: Remote, chosen: Collection[Digest] | None, memory: Memory, progress: Progress
    ) -> None:
        self._store = store
        self._remote = remote
        self._chosen = chosen
        self._memory = memory
        self._progress = progress
        self._plan = Plan()
        self._tip: Digest | None = None
        self._bytes = 0

    def run(self, *, dry_run: bool) -> Sent:
        last: Advertised | None = None
        refusals: Mapping[str, str] = {}
        for attempt in range(_RACES):
            sent_before = self._bytes
            try:
                theirs, refusals = self._remote.push(self._look if dry_run else self._compose)
            except RemoteRefused:
                if self._bytes == sent_before or not self._forgot():
                    raise
                continue
            if not refusals:
                return self._ended(theirs, dry_run=dry_run)
            # Where nobody was quicker, it does not want what was sent, or lacks what it was taken to have.
            if last is not None and last.refs == theirs.refs and not self._forgot():
                break
            last = theirs
            time.sleep(random.uniform(0, _MOST_WAIT) if attempt else 0)  # noqa: S311  (it is no secret)
        ref, reason = next(iter(refusals.items()))
        raise RemoteRefused(describe(self._remote.name, self._remote.shown), f"it refused `{ref}`: {reason}")

    def _forgot(self) -> bool:
        """Forget what is remembered of the remote, so that all is sent; return whether there was anything."""
        known = self._memory.sent is not None or self._memory.offered is not None or bool(self._memory.chosen)
        self._memory.forget()
        return known

    def _look(self, theirs: Advertised) -> None:
        if self._chosen is None:
            self._plan = plan_all(self._store, theirs, self._memory)
        else:
            self._plan = plan_chosen(self._store, theirs, self._memory, self._chosen)

    def _compose(self, theirs: Advertised) -> Push | None:
        # What others register here meanwhile is for the next push.
        self._tip = self._store.tip
        self._look(theirs)
        if not self._plan.updates:
            return None
        if self._plan.target and self._tip and self._chosen is None:
            self._memory.offer(Offered(self._plan.target, self._tip))
        return Push(self._plan.updates, self._counted())

    def _counted(self) -> Iterator[bytes]:
        for piece in sent_pack(self._plan.names, self._store.read, self._plan.made, self._progress.objects):
            self._bytes += len(piece)
            yield piece

    def _ended(self, theirs: Advertised, *, dry_run: bool) -> Sent:
        plan = self._plan
        if not dry_run:
            if self._chosen is None and self._tip:
                self._memory.has(self._tip)
            elif self._chosen is not None:
                self._memory.choose(plan.capsules)
        return Sent(
            tip=plan.target or theirs.main,
            capsules=plan.capsules,
            objects=len(plan.names) + len(plan.made) if plan.updates else 0,
            bytes=self._bytes,
            tags=plan.tags,
            kept_tags=plan.kept_tags,
        )
