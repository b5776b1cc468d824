"""Two mappings to compare, as the trees that they are, and a count of what is read of them."""

from collections.abc import Callable

import pytest

from capsulestore.compare.difference import Change, Side, changes
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import encode_mapping, tree_keys
from capsulestore.model.objects import GitObject


class Counted:
    """The objects of a mapping in memory; `reads` are those that were asked for, in that order."""

    def __init__(self, mapping: dict) -> None:
        encoded = encode_mapping(mapping)
        self.objects = dict(encoded.objects)
        self.root = encoded.id
        self.reads: list[GitObject] = []

    @property
    def side(self) -> Side:
        return Side(self._read, self.root)

    def on_the_way_to(self, *keys: str) -> list[GitObject]:
        """Return the objects from the root to what lies there, both included."""
        found = [self.objects[self.root]]
        for key in keys:
            found.append(self.objects[tree_keys(found[-1].data)[key].id])
        return found

    def _read(self, digest: Digest) -> GitObject:
        self.reads.append(self.objects[digest])
        return self.reads[-1]


@pytest.fixture
def counted() -> Callable[[dict], Counted]:
    return Counted


@pytest.fixture
def between() -> Callable[[dict | None, dict | None], list[Change]]:
    """Return the changes between two mappings; None is a side on which nothing is."""

    def side(mapping: dict | None) -> Side:
        return Side({}.__getitem__, None) if mapping is None else Counted(mapping).side

    return lambda a, b: list(changes(side(a), side(b)))
