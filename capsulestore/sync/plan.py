"""What a push moves where, decided from nothing of the remote but the ids that its refs have."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from capsulestore.errors import UnknownName
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, GitObject
from capsulestore.store import Store
from capsulestore.store.history import Registration
from capsulestore.store.refs import MAIN, TAGS
from capsulestore.sync.memory import Known, Offered
from capsulestore.sync.outgoing import Lacking
from capsulestore.sync.remote import Update
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["Plan", "plan_all", "plan_chosen"]

_JOINER: Final = Person("capsulestore")


class Plan(NamedTuple):
    """The refs to move, and the objects that go with them: by name from the store, and those made for the occasion.

    `target` is what main is to become, None where it stays; `tip` is the commit that the remote's main leads to then,
    of this shelf or of what was chosen. `capsules` are those that the remote then has anew, `chosen` the trees that it
    then has by name. `tags` are new to it; `kept_tags` it has for something else, or has others in their way.
    `trusting` says whether that the remote has what it is not sent is only remembered.
    """

    updates: tuple[Update, ...] = ()
    names: Sequence[Digest] = ()
    made: Mapping[Digest, GitObject] = {}
    target: Digest | None = None
    tip: Digest | None = None
    capsules: tuple[Digest, ...] = ()
    chosen: frozenset[Digest] = frozenset()
    tags: tuple[str, ...] = ()
    kept_tags: tuple[str, ...] = ()
    trusting: bool = False


class _There(NamedTuple):
    """What of this shelf the remote has: commits, with all that they reach, and trees that were sent by name."""

    commits: frozenset[Digest] = frozenset()
    trees: frozenset[Digest] = frozenset()


def plan_all(store: Store, theirs: Advertised, known: Known) -> Plan:
    """Plan to give the remote all that it lacks of the shelf, and every tag."""
    # Others may register and tag meanwhile: what a tag is on should be on the shelf that is looked at.
    tags, tip = store.tags.all(), store.tip
    there = _there(store, theirs, known)
    new = store.index.beyond(there.commits)
    lacking = Lacking(store, new if there.commits else None, there.trees)
    tip = new[0].id if new else tip
    made: dict[Digest, GitObject] = {}
    target = tip if new else None
    if tip is not None and new and theirs.main is not None and theirs.main not in there.commits:
        # What the remote has is not known here: a commit with both as its parents has all of it.
        join = _join(theirs.main, tip, store.commit(tip).time)
        made, target = {EMPTY_TREE.id: EMPTY_TREE, join.id: join}, join.id
    plan = Plan(
        names=[name for name in lacking.of_commits(new) if name not in made],
        made=made,
        target=target,
        tip=tip,
        capsules=_capsules(store, reversed(new), lacking),
        trusting=_is_trusting(there, theirs),
    )
    return _with_tags(theirs, lacking, plan, tags)


def plan_chosen(store: Store, theirs: Advertised, known: Known, chosen: Collection[Digest]) -> Plan:
    """Plan to give the remote these capsules, what was stated about them, and their tags.

    They are registered there by whom and when they were here, in commits that go back to nothing but each other: so no
    registration is earlier than what it follows, and the same ones are the same commits whenever they are sent. Raise
    `UnknownName` for a capsule that the shelf does not register.
    """
    tags = store.tags.all()
    there = _there(store, theirs, known)
    # Where the remote has nothing of it, the shelf need not be gone through.
    new = store.index.beyond(there.commits) if there.commits else None
    lacking = Lacking(store, new, there.trees)
    names: list[Digest] = []
    made: dict[Digest, GitObject] = {}
    tip: Digest | None = None
    asked = _registered(store, chosen)
    registered = [one for one in asked if lacking.is_new(one.id) and one.commit.tree not in there.trees]
    for registration in registered:
        names += lacking.of_tree(registration.commit.tree)
        commit = registration.commit._replace(parents=(tip,) if tip else ()).encode()
        made[commit.id], tip = commit, commit.id
    if tip is not None and theirs.main is not None and known.offered == Offered(theirs.main, tip):
        # It took the very same, and its answer was lost.
        names, made, tip, registered = [], {}, None, []
    target = tip
    if tip is not None and theirs.main is not None:
        join = _join(theirs.main, tip, registered[-1].commit.time)
        made |= {EMPTY_TREE.id: EMPTY_TREE, join.id: join}
        target = join.id
    plan = Plan(
        names=[name for name in names if name not in made],
        made=made,
        target=target,
        tip=tip,
        capsules=_capsules(store, registered, lacking),
        chosen=there.trees.union(one.commit.tree for one in asked),
        trusting=_is_trusting(there, theirs),
    )
    wanted = frozenset(chosen)
    return _with_tags(theirs, lacking, plan, {name: capsule for name, capsule in tags.items() if capsule in wanted})


def _there(store: Store, theirs: Advertised, known: Known) -> _There:
    if theirs.main is None:
        # It was made anew, whatever is remembered.
        return _There()
    if store.index.has_commit(theirs.main):
        # What it leads to is known, and that more was there once is none the wiser.
        return _There(frozenset({theirs.main}))
    tips = {known.sent}
    if known.offered and known.offered.target == theirs.main:
        # It took what was offered, and its answer was lost.
        tips.add(known.offered.tip)
    return _There(frozenset(tip for tip in tips if tip is not None and store.index.has_commit(tip)), known.chosen)


def _is_trusting(there: _There, theirs: Advertised) -> bool:
    return bool(there.trees or there.commits - {theirs.main})


def _registered(store: Store, chosen: Collection[Digest]) -> list[Registration]:
    """Return the registrations of capsules and of the statements about them, earliest first."""
    found: list[Registration] = []
    for capsule in dict.fromkeys(chosen):
        about = [statement.digest for statement in store.index.statements(capsule)]
        for tree in (capsule, *about):
            registrations = store.index.registrations(tree)
            if not registrations:
                raise UnknownName(f"{tree} is in the store, but is not registered, and cannot be sent by itself")
            found.append(registrations[0])
    return sorted(found, key=lambda one: (one.commit.time, one.commit.tree))


def _join(theirs: Digest, ours: Digest, moment: int) -> GitObject:
    # What time their tip has is not known; it should not be later than now.
    return Commit(EMPTY_TREE.id, (theirs, ours), _JOINER, max(int(time.time()), moment), "join").encode()


def _with_tags(theirs: Advertised, lacking: Lacking, plan: Plan, ours: Mapping[str, Digest]) -> Plan:
    updates = [Update(MAIN, theirs.main, plan.target)] if plan.target else []
    names, tags, kept = [*plan.names], [], []
    missing = {name for name in ours if TAGS + name not in theirs.refs}
    directories = _directories(theirs.refs) if missing else set()
    for name, target in ours.items():
        if name not in missing:
            if theirs.refs[TAGS + name] != target:
                kept.append(name)
        elif TAGS + name in directories or any(above in theirs.refs for above in _directories([TAGS + name])):
            # A name cannot be a directory of names too.
            kept.append(name)
        else:
            names += [name for name in lacking.of_tag(target) if name not in plan.made]
            updates.append(Update(TAGS + name, None, target))
            tags.append(name)
    return plan._replace(updates=tuple(updates), names=names, tags=tuple(tags), kept_tags=tuple(kept))


def _directories(refs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for ref in refs:
        above = ref.rpartition("/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


def _capsules(store: Store, commits: Iterable[Registration], lacking: Lacking) -> tuple[Digest, ...]:
    trees = dict.fromkeys(registration.commit.tree for registration in commits)
    capsules = store.index.capsules_among(trees)
    return tuple(tree for tree in trees if tree in capsules and not lacking.is_there(tree))
