"""Sends to a remote what it lacks; what it has of its own is joined with, never lost."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from capsulestore.errors import RemoteRefused
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.memory import Known, Memory, Offered
from capsulestore.sync.packs.sent import sent_pack
from capsulestore.sync.plan import Plan, plan_all, plan_chosen
from capsulestore.sync.remote import SILENT, Progress, Push, Remote, describe
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["Sent", "push"]

_RACES: Final = 200
"""How often to try again where others moved the remote's main meanwhile. Each race that is lost, another has won."""

_STEADY: Final = 3
"""How often a remote may refuse while nothing moves there. Who loses a race to a lock may see no move of it yet."""

_MOST_WAIT: Final = 0.25
"""Seconds that are waited after a lost race, at most: those who race should not do it in step."""

_FINAL: Final = "declined"
"""The word in git's reasons by which a hook is known, or a rule of a forge: it would say so again."""

_LACKING: Final = "missing"
"""The word in git's reasons where the remote has not what it was taken to have."""

_FOR_ANOTHER: Final = "atomic"
"""The word in git's reasons where a ref is refused because another is."""


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
    limits: Limits = LIMITS,
    progress: Progress = SILENT,
) -> Sent:
    """Send what the remote lacks of the shelf and the tags, or of these capsules; with `dry_run` only say what.

    With capsules go the statements about them, and their tags. The remote's main then holds what both held. `named`
    says whether it is one of this store's remotes, which are remembered. When this returns, it has said that it has
    all; after an error it has what it had, or all, and pushing again is safe. Where nothing is known of what its main
    has, that is looked at first. Raise the errors of `RemoteProblem`, of them `NoCapsuleStore` where no store lies
    there, `UnknownName` for a capsule that is not registered, and what reading the store raises.
    """
    memory = Memory(store, remote.name, place=remote.shown, named=named)
    return _Pushing(store, remote, chosen, memory, limits, progress).run(dry_run=dry_run)


class _Pushing:
    """One push, in as many attempts as it takes."""

    def __init__(  # noqa: PLR0913, PLR0917  (each comes from another place)
        self,
        store: Store,
        remote: Remote,
        chosen: Collection[Digest] | None,
        memory: Memory,
        limits: Limits,
        progress: Progress,
    ) -> None:
        self._store = store
        self._remote = remote
        self._chosen = chosen
        self._memory = memory
        self._limits = limits
        self._trusts = True
        self._is_store = False
        self._progress = progress
        self._plan = Plan()
        self._bytes = 0
        self._seen: Advertised | None = None
        self._steady = 0

    def run(self, *, dry_run: bool) -> Sent:
        refusals: Mapping[str, str] = {}
        for _ in range(_RACES):
            try:
                theirs, refusals = self._remote.push(self._look if dry_run else self._compose)
            except RemoteRefused:
                # A remote that checks while it unpacks cannot take what needs an object that it lacks.
                if not self._plan.trusting:
                    raise
                self._distrust()
                continue
            if not refusals:
                return self._ended(theirs, dry_run=dry_run)
            if not self._may_try_again(theirs, refusals):
                break
        told = [(ref, reason) for ref, reason in refusals.items() if _FOR_ANOTHER not in reason] or [*refusals.items()]
        ref, reason = told[0]
        raise RemoteRefused(describe(self._remote.name, self._remote.shown), f"it refused `{ref}`: {reason}")

    def _may_try_again(self, theirs: Advertised, refusals: Mapping[str, str]) -> bool:
        """Whether it may go better after a refusal: others were quicker, or what is remembered of it was wrong."""
        moved = self._seen is None or self._seen.refs != theirs.refs
        self._seen = theirs
        self._steady = 1 if moved else self._steady + 1
        reasons = " ".join(refusals.values())
        if self._plan.trusting and (_LACKING in reasons or self._steady == _STEADY):
            self._distrust()
            return True
        if _FINAL in reasons or self._steady == _STEADY:
            return False
        time.sleep(random.uniform(0, _MOST_WAIT))  # noqa: S311  (it is no secret)
        return True

    def _distrust(self) -> None:
        """From now on take nothing for known, so that all is sent. What is remembered stays until that is done."""
        self._trusts = False
        self._plan = Plan()
        self._steady = 0

    def _look(self, theirs: Advertised) -> None:
        known = self._memory.known if self._trusts else Known()
        if self._chosen is None:
            self._plan = plan_all(self._store, theirs, known)
        else:
            self._plan = plan_chosen(self._store, theirs, known, self._chosen)
        if self._plan.updates and not self._is_store:
            self._check_store(theirs, known)

    def _check_store(self, theirs: Advertised, known: Known) -> None:
        """Raise `NoCapsuleStore` where nothing tells that a store lies there, and none does."""
        if theirs.main and not known.tells_of(theirs.main) and not self._store.index.has_commit(theirs.main):
            # Few remotes have a main of which nothing is known.
            from capsulestore.sync.store_at import look_at  # noqa: PLC0415

            look_at(self._store, self._remote, self._limits)
            self._is_store = True

    def _compose(self, theirs: Advertised) -> Push | None:
        self._look(theirs)
        if not self._plan.updates:
            return None
        if self._plan.target and self._plan.tip:
            self._memory.offer(Offered(self._plan.target, self._plan.tip))
        return Push(self._plan.updates, self._counted())

    def _counted(self) -> Iterator[bytes]:
        for piece in sent_pack(self._plan.names, self._store, self._plan.made, self._progress.objects):
            self._bytes += len(piece)
            yield piece

    def _ended(self, theirs: Advertised, *, dry_run: bool) -> Sent:
        plan = self._plan
        if not dry_run:
            if self._chosen is not None:
                self._memory.choose(plan.chosen)
            elif plan.tip:
                self._memory.has(plan.tip)
        return Sent(
            tip=plan.target or theirs.main,
            capsules=plan.capsules,
            objects=len(plan.names) + len(plan.made) if plan.updates else 0,
            bytes=self._bytes,
            tags=plan.tags,
            kept_tags=plan.kept_tags,
        )
