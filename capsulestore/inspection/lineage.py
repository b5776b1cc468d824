"""What derives from what: the capsules of a store by the parents that their manifests name.

A capsule's digest covers those of its parents, so none is its own ancestor. What is asked of need not be in the store,
nor need the parents: a capsule elsewhere is known by its digest alone, and what it derives from is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.store.index import Registered

__all__ = ["Relative", "ancestors", "children", "descendants", "graph", "parents"]


class Relative(NamedTuple):
    """A capsule that another is related to; `registered` is None for one that is not in the store."""

    digest: Digest
    registered: Registered | None

    @property
    def parents(self) -> tuple[Digest, ...]:
        """What it derives from, as far as that is known."""
        return self.registered.parents if self.registered else ()


def parents(store: Store, capsule: Digest) -> list[Relative]:
    """Return what a registered capsule derives from, in its manifest's order."""
    known = _by_digest(store.index.related(capsule, "parents"))
    return [Relative(digest, known.get(digest)) for digest in store.index.parents(capsule)]


def children(store: Store, capsule: Digest) -> list[Relative]:
    """Return the capsules that derive from one, earliest first."""
    return [Relative(child.digest, child) for child in store.index.related(capsule, "children")]


def ancestors(store: Store, capsule: Digest) -> list[Relative]:
    """Return the parents of a registered capsule, their parents, and so on: nearest first, each once."""
    known = _by_digest(store.index.related(capsule, "ancestors"))

    def above(digest: Digest) -> Iterable[Digest]:
        return known[digest].parents if digest in known else ()

    found = _nearest_first(capsule, store.index.parents(capsule), above)
    return [Relative(digest, known.get(digest)) for digest in found]


def descendants(store: Store, capsule: Digest) -> list[Relative]:
    """Return the children of a capsule, their children, and so on: nearest first, each once."""
    known = _by_digest(store.index.related(capsule, "descendants"))
    below: dict[Digest, list[Digest]] = {}
    for child in known.values():
        for parent in child.parents:
            below.setdefault(parent, []).append(child.digest)
    found = _nearest_first(capsule, below.get(capsule, ()), lambda digest: below.get(digest, ()))
    return [Relative(digest, known[digest]) for digest in found]


def graph(store: Store) -> Iterator[Relative]:
    """Yield all capsules and, among them, the parents that are not in the store: children before their parents.

    As `git log --graph` does, one line of descent is followed to where another joins it before that one is begun; of
    those that nothing derives from, the newest comes first.
    """
    known = _by_digest(store.index.capsules())
    waiting_for: dict[Digest, int] = {}
    for capsule in known.values():
        for parent in capsule.parents:
            waiting_for[parent] = waiting_for.get(parent, 0) + 1
    ready = [digest for digest in reversed(known) if digest not in waiting_for]
    while ready:
        relative = Relative(digest := ready.pop(), known.get(digest))
        yield relative
        for parent in relative.parents:
            waiting_for[parent] -= 1
            if not waiting_for[parent]:
                ready.append(parent)


def _by_digest(capsules: Iterable[Registered]) -> dict[Digest, Registered]:
    return {capsule.digest: capsule for capsule in capsules}


def _nearest_first(
    start: Digest, nearest: Iterable[Digest], further: Callable[[Digest], Iterable[Digest]]
) -> list[Digest]:
    """Return what is reached from a start, step by step; a start that is reached again, as only a lie can, is not."""
    seen = {start: None, **dict.fromkeys(nearest)}
    waiting = deque(seen)
    waiting.popleft()
    while waiting:
        for digest in further(waiting.popleft()):
            if digest not in seen:
                seen[digest] = None
                waiting.append(digest)
    del seen[start]
    return list(seen)
