"""The walk through the trees that came from outside: each object once, in each place where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject, Kind
from capsulestore.sync.bad_pack import BadObject
from capsulestore.sync.limits import Limits
from capsulestore.sync.shelf_trees import Child, Place, ShelfKind, check_value, look_into

__all__ = ["Find", "TreeWalk"]

Find = Callable[[Digest], GitObject | None]
"""Returns an object that was sent or is here, None for one that is neither."""


class _Measure(NamedTuple):
    """How many trees there are within each other, and how many bytes in all where each is counted as often as named."""

    height: int
    bytes: int


_NOTHING: Final = _Measure(0, 0)


@dataclass(slots=True)
class _Open:
    """A tree whose children are being looked at."""

    itself: Child
    waiting: list[Child]
    height: int
    bytes: int


class TreeWalk:
    """Checks trees down to their last blob; what was found sound once in a place is not looked at again.

    `find` gives the objects, `is_complete` says of one in its place that it is here, with all that it needs, and was
    checked when it came here. `kinds` says of each tree that stood as a commit's what it is.
    """

    def __init__(self, find: Find, is_complete: Callable[[Digest, Place], bool], limits: Limits) -> None:
        self._find = find
        self._is_complete = is_complete
        self._limits = limits
        self.kinds: dict[Digest, ShelfKind] = {}
        self._sound: dict[tuple[Digest, Place], _Measure] = {}

    def check(self, tree: Digest, place: Place) -> None:
        """Raise `BadObject` where something at or below a tree is missing, or is not what its place asks for.

        So is what is beyond the limits when it is unfolded: a few small trees that name each other many times may stand
        for more files than any disk holds.
        """
        opened: list[_Open] = []
        self._visit(Child("", tree, place), opened)
        while opened:
            top = opened[-1]
            if top.waiting:
                self._visit(top.waiting.pop(), opened)
                continue
            opened.pop()
            measure = _Measure(top.height + 1, top.bytes)
            self._sound[top.itself.id, top.itself.place] = measure
            self._add(top.itself, measure, opened)

    def _visit(self, child: Child, opened: list[_Open]) -> None:
        """Count an object that is known to be sound, or a blob; enter a tree."""
        measure = self._sound.get((child.id, child.place))
        if measure is None and self._is_complete(child.id, child.place):
            measure = self._sound[child.id, child.place] = _NOTHING
        if measure is None:
            data = self.read(child.id, "tree" if child.place.is_tree else "blob", lambda: _path(opened, child)).data
            try:
                if child.place.is_tree:
                    below = look_into(child.place, child.id, data, lambda name: self._blob(name, opened, child))
                    if below.kind:
                        self.kinds[child.id] = below.kind
                    opened.append(_Open(child, below.children, 0, len(data)))
                    return
                check_value(child.place, data)
            except InvalidValue as error:
                raise BadObject(f"{_path(opened, child)} is wrong: {error}") from None
            measure = self._sound[child.id, child.place] = _Measure(0, len(data))
        self._add(child, measure, opened)

    def _add(self, child: Child, measure: _Measure, opened: list[_Open]) -> None:
        mapping = child.place is Place.MAPPING
        most = self._limits.object_bytes if mapping else self._limits.unpacked_bytes
        if measure.bytes > most:
            raise BadObject(
                f"{_path(opened, child)} unfolds to {measure.bytes} bytes; the most that is taken is {most}"
            )
        if len(opened) + measure.height > self._limits.tree_depth:
            raise BadObject(f"{_path(opened, child)} has more than {self._limits.tree_depth} trees within each other")
        if opened:
            opened[-1].height = max(opened[-1].height, measure.height)
            opened[-1].bytes += measure.bytes

    def read(self, name: Digest, kind: Kind, what: Callable[[], str]) -> GitObject:
        """Return an object; raise `BadObject` where there is none, or one of another kind. `what` says which it is."""
        found = self._find(name)
        if found is None:
            raise BadObject(f"{what()} was neither sent nor is here")
        if found.kind != kind:
            raise BadObject(f"{what()} is a {found.kind}, where a {kind} should be")
        return found

    def _blob(self, name: Digest, opened: list[_Open], tree: Child) -> GitObject:
        return self.read(name, "blob", lambda: f"object {name} in {_path(opened, tree)}")


def _path(opened: list[_Open], child: Child) -> str:
    """Return how an object is told: by its id, and as what of the outermost tree."""
    if not opened:
        return f"object {child.id}"
    names = [tree.itself.name for tree in opened[1:]]
    return f"object {child.id} (`{'/'.join([*names, child.name])}` of {opened[0].itself.id})"
