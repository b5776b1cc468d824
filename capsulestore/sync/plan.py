"""What a push moves where, decided from nothing of the remote but the ids that its refs have."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, GitObject
from capsulestore.store import Store
from capsulestore.store.history import Registration
from capsulestore.store.refs import MAIN, TAGS
from capsulestore.sync.advertisement import Advertised
from capsulestore.sync.memory import Memory
from capsulestore.sync.outgoing import Lacking
from capsulestore.sync.remote import Update

__all__ = ["Plan", "plan_all", "plan_chosen"]

_JOINER: Final = Person("capsulestore")


class Plan(NamedTuple):
    """The refs to move, and the objects that go with them: by name from the store, and those made for the occasion.

    `target` is what main is to become, None where it stays; `capsules` are those that the remote then has anew. `tags`
    are new to it; `kept_tags` has it under names of ours, for something else.
    """

    updates: tuple[Update, ...] = ()
    names: Sequence[Digest] = ()
    made: Mapping[Digest, GitObject] = {}
    target: Digest | None = None
    capsules: tuple[Digest, ...] = ()
    tags: tuple[str, ...] = ()
    kept_tags: tuple[str, ...] = ()


def plan_all(store: Store, theirs: Advertised, memory: Memory) -> Plan:
    """Plan to give the remote all that it lacks of the shelf, and every tag."""
    tip, has = store.tip, _has(store, theirs, memory)
    new = store.index.beyond(has)
    lacking = Lacking(store, new)
    names = list(lacking.of_commits(new))
    made: dict[Digest, GitObject] = {}
    target = tip if new else None
    if tip is not None and new and theirs.main is not None and theirs.main not in has:
        # What the remote has is not known here: a commit with both as its parents has all of it.
        join = _join(theirs.main, tip, store)
        made, target = {EMPTY_TREE.id: EMPTY_TREE, join.id: join}, join.id
    return _with_tags(
        store, theirs, lacking, Plan(names=names, made=made, target=target, capsules=_capsules(store, new))
    )


def plan_chosen(store: Store, theirs: Advertised, memory: Memory, chosen: Collection[Digest]) -> Plan:
    """Plan to give the remote these capsules and their tags, registered there by whom and when they were here."""
    new = store.index.beyond(_has(store, theirs, memory))
    lacking, beyond = Lacking(store, new), {registration.id for registration in new}
    names: list[Digest] = []
    made: dict[Digest, GitObject] = {}
    target = theirs.main
    registered = [(store.index.registrations(capsule)[0], capsule) for capsule in dict.fromkeys(chosen)]
    registered = [one for one in registered if one[0].id in beyond and one[1] not in memory.chosen]
    for registration, capsule in sorted(registered, key=lambda one: (one[0].commit.time, one[1])):
        names += lacking.of_tree(capsule)
        commit = registration.commit._replace(parents=(target,) if target else ()).encode()
        made[commit.id], target = commit, commit.id
    plan = Plan(
        names=names,
        made=made,
        target=target if made else None,
        capsules=tuple(capsule for _, capsule in registered),
    )
    return _with_tags(store, theirs, lacking, plan, only=frozenset(chosen))


def _has(store: Store, theirs: Advertised, memory: Memory) -> set[Digest]:
    """Return the commits of the shelf that the remote has, and with them all that they reach."""
    if theirs.main is None:
        # It was made anew, whatever is remembered.
        return set()
    tips = {theirs.main, memory.sent}
    offered = memory.offered
    if offered and offered.target == theirs.main:
        # It took what was offered, and its answer was lost.
        tips.add(offered.tip)
    return {tip for tip in tips if tip is not None and store.index.has_commit(tip)}


def _join(theirs: Digest, ours: Digest, store: Store) -> GitObject:
    # What time their tip has is not known; it should not be later than now.
    moment = max(int(time.time()), store.commit(ours).time)
    return Commit(EMPTY_TREE.id, (theirs, ours), _JOINER, moment, "join").encode()


def _with_tags(
    store: Store, theirs: Advertised, lacking: Lacking, plan: Plan, only: Collection[Digest] | None = None
) -> Plan:
    updates = [Update(MAIN, theirs.main, plan.target)] if plan.target else []
    names, tags, kept = [*plan.names], [], []
    for name, capsule in store.tags.all().items():
        if only is not None and capsule not in only:
            continue
        there = theirs.refs.get(TAGS + name)
        if there is None:
            names += lacking.of_tree(capsule)
            updates.append(Update(TAGS + name, None, capsule))
            tags.append(name)
        elif there != capsule:
            kept.append(name)
    return plan._replace(updates=tuple(updates), names=names, tags=tuple(tags), kept_tags=tuple(kept))


def _capsules(store: Store, new: Collection[Registration]) -> tuple[Digest, ...]:
    trees = dict.fromkeys(registration.commit.tree for registration in reversed([*new]))
    return tuple(tree for tree in trees if store.index.is_capsule(tree))
