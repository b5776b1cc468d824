"""The walk through the trees that came from outside: each object once, in each place where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest
from capsulestore.model.json_text import check_size
from capsulestore.model.objects import GitObject, Kind
from capsulestore.sync.checks.shelf_trees import Child, Place, ShelfKind, check_value, look_into
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadObject

__all__ = ["Find", "TreeWalk"]

Find = Callable[[Digest], GitObject | None]
"""Returns an object, None where there is none."""


class _Measure(NamedTuple):
    """How many trees there are within each other, and how many bytes in all where each is counted as often as named."""

    height: int
    bytes: int


_NOTHING: Final = _Measure(0, 0)


@dataclass(slots=True)
class _Open:
    """A tree of which some children are still to be looked at; what is known of it from the others."""

    itself: Child
    waiting: list[Child]
    height: int
    bytes: int

    def add(self, measure: _Measure) -> None:
        self.height = max(self.height, measure.height + 1)
        self.bytes += measure.bytes


class TreeWalk:
    """Checks trees down to their last blob; what was found sound once in a place is not looked at again.

    An object is what was `sent`, else what is `here`, of which `is_complete` says whether, in its place, all that it
    needs is here too, and was checked when it came. `kinds` says of each tree that stood as a commit's what it is.
    """

    def __init__(self, sent: Find, here: Find, is_complete: Callable[[Digest, Place], bool], limits: Limits) -> None:
        self._sent = sent
        self._here = here
        self._is_complete = is_complete
        self._limits = limits
        self.kinds: dict[Digest, ShelfKind] = {}
        self._manifest_bytes = 0
        self._sound: dict[Place, dict[Digest, _Measure]] = {place: {} for place in Place}

    def check(self, tree: Digest, place: Place) -> None:
        """Raise `BadObject` where something at or below a tree is missing, or is not what its place asks for.

        So is what is beyond the limits when it is unfolded: a few small trees that name each other many times may stand
        for more files than any disk holds.
        """
        opened: list[_Open] = []
        if tree not in self._sound[place]:
            self._look_at(Child("", tree, place), opened)
        while opened:
            if opened[-1].waiting:
                self._look_at(opened[-1].waiting.pop(), opened)
            else:
                self._close(opened)

    def _look_at(self, child: Child, opened: list[_Open]) -> None:
        """Look at a blob, or open a tree."""
        known = self._sound[child.place]
        # It may stand in the same tree twice.
        measure = known.get(child.id)
        found = None if measure else self._sent(child.id)
        if measure is None and found is None and self._is_complete(child.id, child.place):
            measure = known[child.id] = _NOTHING
        if measure is None:
            kind: Kind = "tree" if child.place.is_tree else "blob"
            data = self.checked(found or self._here(child.id), kind, lambda: _path(opened, child)).data
            try:
                if child.place.is_tree:
                    self._open(child, data, opened)
                    return
                check_value(child.place, data, self._limits)
            except InvalidValue as error:
                raise BadObject(f"{_path(opened, child)} is wrong: {error}") from None
            measure = known[child.id] = _Measure(0, len(data))
        if opened:
            opened[-1].add(measure)

    def _open(self, tree: Child, data: bytes, opened: list[_Open]) -> None:
        if len(opened) == self._limits.tree_depth:
            raise self._too_deep(tree, opened)
        below = look_into(tree, data, lambda name: self._json(name, opened, tree), self._limits)
        if below.kind:
            self.kinds[tree.id] = below.kind
        top = _Open(tree, [], 1, len(data))
        for child in below.children:
            measure = self._sound[child.place].get(child.id)
            if measure is None:
                top.waiting.append(child)
            else:
                top.add(measure)
        opened.append(top)

    def _close(self, opened: list[_Open]) -> None:
        """Take down what a tree is, all of which has been looked at."""
        top = opened.pop()
        itself = top.itself
        most = self._limits.object_bytes if itself.place is Place.MAPPING else self._limits.unpacked_bytes
        if top.bytes > most:
            raise BadObject(f"{_path(opened, itself)} unfolds to {top.bytes} bytes; the most that is taken is {most}")
        if len(opened) + top.height > self._limits.tree_depth:
            raise self._too_deep(itself, opened)
        measure = self._sound[itself.place][itself.id] = _Measure(top.height, top.bytes)
        if opened:
            opened[-1].add(measure)

    def _too_deep(self, tree: Child, opened: list[_Open]) -> BadObject:
        most = self._limits.tree_depth
        return BadObject(
            f"{_path(opened, tree)} has more than {most} trees within each other, with those that it is in"
        )

    def find(self, name: Digest) -> GitObject | None:
        """Return an object that was sent or is here, None for one that is neither."""
        return self._sent(name) or self._here(name)

    def checked(self, found: GitObject | None, kind: Kind, what: Callable[[], str]) -> GitObject:
        """Return what was found; raise `BadObject` where that is nothing, another kind, or too large.

        `what` says what was sought.
        """
        if found is None:
            raise BadObject(f"{what()} was neither sent nor is here")
        if found.kind != kind:
            raise BadObject(f"{what()} is a {found.kind}, where a {kind} should be")
        most = self._limits.tree_bytes
        if kind != "blob" and len(found.data) > most:
            raise BadObject(f"{what()} is a {kind} of {len(found.data)} bytes; the most that is taken is {most}")
        return found

    def _json(self, name: Digest, opened: list[_Open], tree: Child) -> GitObject:
        found = self.checked(self.find(name), "blob", lambda: f"object {name} in {_path(opened, tree)}")
        check_size(found.data, self._limits.json_values)
        self._manifest_bytes += len(found.data)
        if self._manifest_bytes > self._limits.manifest_bytes:
            most = self._limits.manifest_bytes
            raise BadObject(
                f"{_path(opened, tree)} is one of too many: of their manifests {most} bytes are read at most"
            )
        return found


def _path(opened: list[_Open], child: Child) -> str:
    """Return how an object is told: by its id, and as what of the outermost tree."""
    if not opened:
        return f"object {child.id}"
    names = [tree.itself.name for tree in opened[1:]]
    return f"object {child.id} (`{'/'.join([*names, child.name])}` of {opened[0].itself.id})"
