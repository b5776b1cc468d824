"""Takes what a remote has and this store lacks; what this store has of its own is joined with, never lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from capsulestore.errors import MalformedName, RemoteMisbehaved, TagExists
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.store.refs import MAIN, TAGS
from capsulestore.sync.advertisement import Advertised
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.memory import Memory
from capsulestore.sync.remote import SILENT, Fetched, Progress, Remote, describe

__all__ = ["Received", "pull"]


class Received(NamedTuple):
    """What a pull did: `tip` is the shelf's now, None where nothing is registered; `capsules` are new, oldest first.

    `new` says whether there was anything to take, and is all that is known with `dry_run`; `objects` were received.
    `tags` are new; `kept_tags` mean something else there, and stay; `refused_tags` no tag here can be called.
    """

    tip: Digest | None
    new: bool = False
    capsules: tuple[Digest, ...] = ()
    objects: int = 0
    tags: tuple[str, ...] = ()
    kept_tags: tuple[str, ...] = ()
    refused_tags: tuple[str, ...] = ()


def pull(  # noqa: PLR0913  (each says another thing of what is asked)
    store: Store,
    remote: Remote,
    *,
    named: bool = True,
    dry_run: bool = False,
    limits: Limits = LIMITS,
    progress: Progress = SILENT,
) -> Received:
    """Take all that the remote's shelf and tags have; with `dry_run` only say whether there is something.

    What comes is checked before anything of it is visible (I8). When this returns it is durable, and the shelf holds
    what both held. After an error the store is as it was, and pulling again is safe. `named` says whether it is one of
    this store's remotes, which are remembered. Raise the errors of `RemoteProblem`, `StoreBusy`, `StoreUnwritable`, and
    what reading the store raises.
    """
    memory = Memory(store, remote.name, place=remote.shown, named=named)
    before = store.tip
    haves = [tip for tip in dict.fromkeys((before, memory.sent)) if tip is not None]

    def choose(theirs: Advertised) -> Sequence[Digest]:
        return () if dry_run else list(dict.fromkeys(_lacking(store, theirs).values()))

    with remote.fetch(choose, haves) as fetched:
        theirs = fetched.advertised
        if dry_run:
            return Received(before, new=bool(_lacking(store, theirs)))
        objects = _take(store, remote, fetched, limits, progress)
    if theirs.main is not None:
        memory.has(theirs.main)
    new = store.index.beyond([before] if before else [])
    trees = dict.fromkeys(registration.commit.tree for registration in reversed(new))
    capsules = tuple(tree for tree in trees if store.index.is_capsule(tree))
    return _with_tags(store, theirs, Received(store.tip, bool(objects or new), capsules, objects))


def _lacking(store: Store, theirs: Advertised) -> dict[str, Digest]:
    """Return what of the advertised is not here, by ref: the tip of the shelf, and what tags are on."""
    refs = {ref: name for ref, name in theirs.refs.items() if ref.startswith(TAGS) and name not in store}
    if theirs.main is not None and not store.index.has_commit(theirs.main):
        refs[MAIN] = theirs.main
    return refs


def _take(store: Store, remote: Remote, fetched: Fetched, limits: Limits, progress: Progress) -> int:
    """Take the pack that is sent, and return how many objects it had."""
    if fetched.pack is None:
        return 0
    # Most pulls find that there is nothing to take.
    from capsulestore.sync.checks import check_incoming  # noqa: PLC0415
    from capsulestore.sync.quarantine import quarantine  # noqa: PLC0415
    from capsulestore.sync.received_pack import BadPack, read_pack  # noqa: PLC0415

    with quarantine(store.path) as incoming:
        try:
            pack = read_pack(fetched.pack, incoming.directory, limits, progress.objects)
            check_incoming(store, pack, _lacking(store, fetched.advertised), limits)
        except BadPack as problem:
            raise RemoteMisbehaved(describe(remote.name, remote.shown), str(problem)) from problem
        incoming.publish(pack)
        if fetched.advertised.main is not None:
            store.join(fetched.advertised.main)
        return len(pack.ids)


def _with_tags(store: Store, theirs: Advertised, received: Received) -> Received:
    new, kept, refused = [], [], []
    ours = store.tags.all()
    for ref, target in theirs.refs.items():
        name = ref.removeprefix(TAGS)
        if name == ref or ours.get(name) == target:
            continue
        try:
            store.tags.set(name, target)
        except TagExists:
            kept.append(name)
        except MalformedName:
            refused.append(name)
        else:
            new.append(name)
    return received._replace(tags=tuple(new), kept_tags=tuple(kept), refused_tags=tuple(refused))
