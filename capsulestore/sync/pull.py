"""Takes what a remote has and this store lacks; what this store has of its own is joined with, never lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from capsulestore.errors import MalformedName, NoCapsuleStore, RemoteMisbehaved, TagExists
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.store.refs import MAIN, TAGS
from capsulestore.store.tags import check_tag
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.memory import SENT, Memory
from capsulestore.sync.remote import SILENT, Fetched, Progress, Remote, describe
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["Received", "pull"]

_BRANCHES: Final = "refs/heads/"


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
    before = store.tip
    # What one remote has another one may have, too.
    haves = [tip for tip in dict.fromkeys((before, *store.refs.below(SENT).values())) if tip is not None]
    new = _New()

    def choose(theirs: Advertised) -> Sequence[Digest]:
        nonlocal new
        _check_branches(theirs, remote)
        new = _new_here(store, theirs)
        return () if dry_run else list(dict.fromkeys(new.lacking.values()))

    with remote.fetch(choose, haves) as fetched:
        if dry_run:
            return Received(before, new=bool(new.lacking or new.tags))
        with _taken(store, remote, fetched, new.lacking, limits, progress) as taken:
            if MAIN in new.lacking:
                store.join(new.lacking[MAIN])
            tags, in_the_way = _set_tags(store, new.tags)
    memory = Memory(store, remote.name, place=remote.shown, named=named)
    if fetched.advertised.main is not None and not memory.is_elsewhere:
        memory.has(fetched.advertised.main)
    return Received(
        tip=store.tip,
        new=bool(taken.commits or tags),
        capsules=_capsules(store, before, taken.commits),
        objects=taken.objects,
        tags=tags,
        kept_tags=(*new.kept_tags, *in_the_way),
        refused_tags=new.refused_tags,
    )


class _New(NamedTuple):
    """What of the advertised is not here: by ref the objects that are asked for, the tags, and those not to be had."""

    lacking: Mapping[str, Digest] = {}
    tags: Mapping[str, Digest] = {}
    kept_tags: tuple[str, ...] = ()
    refused_tags: tuple[str, ...] = ()


class _Taken(NamedTuple):
    """The commits that came, or lay here without being of the shelf; and how many objects were received."""

    commits: Collection[Digest] = ()
    objects: int = 0


def _new_here(store: Store, theirs: Advertised) -> _New:
    ours, index = store.tags.all(), store.index
    lacking: dict[str, Digest] = {}
    tags: dict[str, Digest] = {}
    kept, refused = [], []
    for ref, target in theirs.refs.items():
        name = ref.removeprefix(TAGS)
        if name == ref or ours.get(name) == target:
            continue
        if name in ours:
            kept.append(name)
        elif not _may_be_tag(name):
            refused.append(name)
        else:
            tags[name] = target
            # What merely lies here need not be whole; what is on the shelf is.
            if not index.has_commit(target) and not index.commits_of(target):
                lacking[ref] = target
    if theirs.main is not None and not index.has_commit(theirs.main):
        lacking[MAIN] = theirs.main
    return _New(lacking, tags, tuple(kept), tuple(refused))


def _check_branches(theirs: Advertised, remote: Remote) -> None:
    """Raise `NoCapsuleStore` for a remote that has branches, but not the one on which capsules are registered."""
    if theirs.main is None and any(ref.startswith(_BRANCHES) for ref in theirs.refs):
        raise NoCapsuleStore(
            describe(remote.name, remote.shown),
            "there is a repository, but it has no branch `main`, on which a store has its capsules",
            hint="is it the right one? `git ls-remote` shows what it has",
        )


@contextmanager
def _taken(  # noqa: PLR0913, PLR0917  (each comes from another place)
    store: Store, remote: Remote, fetched: Fetched, lacking: Mapping[str, Digest], limits: Limits, progress: Progress
) -> Iterator[_Taken]:
    """Take the pack that is sent, checked, into the store; in the block the refs that need it should be set."""
    from capsulestore.sync.quarantine import quarantine, remove_abandoned  # noqa: PLC0415

    if fetched.pack is None:
        # Of one that was killed when it had taken all.
        remove_abandoned(store.path)
        yield _Taken()
        return
    # Most pulls find that there is nothing to take.
    from capsulestore.sync.checks.incoming import check_incoming  # noqa: PLC0415
    from capsulestore.sync.packs.received import BadPack, read_pack  # noqa: PLC0415
    from capsulestore.sync.store_at import check_received  # noqa: PLC0415

    named = describe(remote.name, remote.shown)
    with quarantine(store.path) as incoming:
        try:
            pack = read_pack(fetched.pack, incoming.directory, limits, progress.objects)
            checked = check_incoming(store, pack, lacking, limits)
            if MAIN in lacking or fetched.advertised.main is None:
                check_received(store, pack, checked, named)
        except BadPack as problem:
            raise RemoteMisbehaved(named, str(problem)) from problem
        incoming.publish(pack)
        yield _Taken(frozenset(checked.commits), len(pack.ids))


def _set_tags(store: Store, tags: Mapping[str, Digest]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Set new tags; return those that are set now, and those that others here are in the way of."""
    done, in_the_way = [], []
    for name, target in tags.items():
        try:
            store.tags.set(name, target)
        except TagExists:
            in_the_way.append(name)
        else:
            done.append(name)
    return tuple(done), tuple(in_the_way)


def _may_be_tag(name: str) -> bool:
    try:
        check_tag(name)
    except MalformedName:
        return False
    return True


def _capsules(store: Store, before: Digest | None, commits: Collection[Digest]) -> tuple[Digest, ...]:
    """Return the capsules that commits brought which the shelf did not have before, oldest first."""
    if not commits:
        return ()
    new = store.index.trees_beyond([before] if before else [])
    # Others may have registered some meanwhile, which these are told from.
    trees = dict.fromkeys(tree for commit, tree in reversed(new.items()) if commit in commits)
    capsules = store.index.capsules_among(trees)
    return tuple(
        tree
        for tree in trees
        if tree in capsules and (not before or all(name in new for name in store.index.commits_of(tree)))
    )
