"""What each tree below a commit of the shelf must be, from its place: a capsule, an environment, kept files, anything.

Nothing is read here but what a decoder of the model asks for: each function looks at one tree, and names what is below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Final, Literal, NamedTuple

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.capsule import Capsule, decode_files, is_capsule
from capsulestore.model.digest import Digest
from capsulestore.model.json_text import check_size
from capsulestore.model.mapping import decode_entry, tree_keys
from capsulestore.model.objects import EMPTY_TREE, GitObject, Read, TreeEntry, decode_tree
from capsulestore.model.statement import Statement, subject_of
from capsulestore.sync.checks.tree_names import is_dangerous
from capsulestore.sync.limits import Limits

__all__ = ["Below", "Child", "Place", "ShelfKind", "check_value", "look_into"]

ShelfKind = Literal["capsule", "statement", "empty", "other"]
"""What the tree of a commit is, as the index of the shelf tells them apart; `empty` is a join's."""

_COMMIT_MODE: Final = "160000"
_SHOWN: Final = 200
"""So much of a name is told."""


class Place(Enum):
    """Where an object stands, which says what it must be."""

    SHELF = "the tree of a commit, or a statement's subject"
    MAPPING = "an environment or context"
    LAYER = "a layer"
    COLLECTION = "a collection"
    FILES = "kept files"
    ANY_TREE = "a tree of which nothing is known"
    UPPER_VALUE = "a value in a mapping or a layer"
    VALUE = "a value in a collection"
    BLOB = "a file of any bytes"

    # By identity, which takes a fraction of the time, and every object is looked up by its place.
    __hash__ = object.__hash__

    @property
    def is_tree(self) -> bool:
        """Whether what stands there is a tree."""
        return self in _LOOKING


class Child(NamedTuple):
    """An object that a tree names."""

    name: str
    id: Digest
    place: Place


class Below(NamedTuple):
    """What a tree names, but for what a decoder of the model has read already; and of a commit's tree, what it is."""

    children: list[Child]
    kind: ShelfKind | None = None


Look = Callable[[Digest, bytes, Read, Limits], Below]
"""Looks at the bytes of the tree of that id."""


def look_into(child: Child, data: bytes, read: Read, limits: Limits) -> Below:
    """Return what is below a tree; raise `InvalidValue` where its bytes are not what its place asks for."""
    return _LOOKING[child.place](child.id, data, read, limits)


def check_value(place: Place, data: bytes, limits: Limits) -> None:
    """Raise `InvalidValue` where a blob is not what its place asks for."""
    if place in _LEVELS:
        check_size(data, limits.json_values)
        decode_entry(data, _LEVELS[place])


def _shelf(_: Digest, data: bytes, read: Read, limits: Limits) -> Below:
    entries = decode_tree(data)
    # What a newer release writes is carried like a tree of an unknown kind.
    if is_capsule(entries):
        with suppress(StoreUnreadable):
            return Below(_of_capsule(Capsule.decode(data, read), limits), "capsule")
        return Below(_carried(entries, limits), "capsule")
    if subject := subject_of(entries):
        below = Statement.decode(data, read)
        return Below([Child("subject", subject, Place.SHELF), *_carried(below.extra, limits)], "statement")
    return Below(_carried(entries, limits), "other" if entries else "empty")


def _of_capsule(capsule: Capsule, limits: Limits) -> list[Child]:
    places = (
        ("environment", capsule.environment, Place.MAPPING),
        ("context", capsule.context, Place.MAPPING),
        ("files", capsule.files, Place.FILES),
    )
    return [*(Child(name, tree, place) for name, tree, place in places if tree), *_carried(capsule.extra, limits)]


def _mapping(below: Place | None, value: Place) -> Look:
    def look_into(_: Digest, data: bytes, _read: Read, _limits: Limits) -> Below:
        entries = tree_keys(data).values()
        if below is None and any(entry.is_tree for entry in entries):
            raise InvalidValue("a tree below the third level")
        return Below([_child(entry, below or value, value) for entry in entries])

    return look_into


def _files(tree: Digest, data: bytes, _: Read, _limits: Limits) -> Below:
    # One directory at a time: to the decoder what is below is empty, be it a directory or a file.
    decode_files(tree, lambda name: GitObject("tree", data) if name == tree else EMPTY_TREE)
    return Below([_child(entry, Place.FILES, Place.BLOB) for entry in decode_tree(data)])


def _any_tree(_: Digest, data: bytes, _read: Read, limits: Limits) -> Below:
    return Below(_carried(decode_tree(data), limits))


def _carried(entries: Iterable[TreeEntry], limits: Limits) -> list[Child]:
    """Return what a tree names of which nothing is known; raise `InvalidValue` for a name that git would refuse."""
    found = []
    for entry in entries:
        if len(entry.name.encode("utf-8", "surrogateescape")) > limits.tree_name_bytes or is_dangerous(entry.name):
            raise InvalidValue(f"a tree with the name {entry.name[:_SHOWN]!r}")
        # A commit of another repository is no object of this one.
        if entry.mode != _COMMIT_MODE:
            found.append(_child(entry, Place.ANY_TREE, Place.BLOB))
    return found


def _child(entry: TreeEntry, tree: Place, blob: Place) -> Child:
    return Child(entry.name, entry.id, tree if entry.is_tree else blob)


_LEVELS: Final[Mapping[Place, int]] = {Place.UPPER_VALUE: 0, Place.VALUE: 2}
_LOOKING: Final[Mapping[Place, Look]] = {
    Place.SHELF: _shelf,
    Place.MAPPING: _mapping(Place.LAYER, Place.UPPER_VALUE),
    Place.LAYER: _mapping(Place.COLLECTION, Place.UPPER_VALUE),
    Place.COLLECTION: _mapping(None, Place.VALUE),
    Place.FILES: _files,
    Place.ANY_TREE: _any_tree,
}
