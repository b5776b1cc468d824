"""Which differences count where only what an analysis imported is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from capsulestore.compare.difference import Change
from capsulestore.model.canonical import Json

__all__ = ["only_loaded"]


def only_loaded(changes: Iterable[Change], loaded: Collection[str]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Split changes of an environment into those that count and those that do not, each in the order they came in.

    `loaded` are the keys of the distributions that the analysis imported. A distribution counts where its key is among
    them, an overlap where it names one of them. Everything else counts: other layers, the interpreter, `rules`, and
    what no distribution owns, since nothing says whether it was used.
    """
    counted: list[Change] = []
    others: list[Change] = []
    keys = frozenset(loaded)
    for change in changes:
        (counted if _counts(change, keys) else others).append(change)
    return tuple(counted), tuple(others)


def _counts(change: Change, loaded: frozenset[str]) -> bool:
    if change.layer != "python" or change.entry is None:
        return True
    if change.collection == "packages":
        return change.entry in loaded
    if change.collection == "overlaps":
        named = [*_named(change.a), *_named(change.b)]
        return not named or not loaded.isdisjoint(named)
    return True


def _named(overlap: Json) -> Iterator[str]:
    """Yield the distributions that one side of an overlap names."""
    names = overlap.get("distributions") if isinstance(overlap, Mapping) else None
    if isinstance(names, list):
        yield from (name for name in names if isinstance(name, str))
