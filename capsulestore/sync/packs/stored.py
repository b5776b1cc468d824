"""The packs of a store, read where they lie: for those who take many objects, one after the other.

It is as the store's own reading, without what only pays for a few: here no object is looked for in a file of its own
first, and what a delta is made from is at hand from the delta before.
"""

from __future__ import annotations

import mmap
import os
import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Final, NamedTuple

from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject, Kind
from capsulestore.store import Store
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.delta import apply_delta
from capsulestore.sync.packs.entry import inflated, read_head
from capsulestore.sync.packs.index_file import IndexFile

__all__ = ["Entry", "StoredPack", "StoredPacks"]

_MOST_PACKS: Final = 64
"""Of more packs the largest are read here: each takes two files that are open."""

_MOST_KEPT_BYTES: Final = 2**24
_BYTES_OF_KEEPING: Final = 200
_CHECKSUM_BYTES: Final = 32
_WHOLE: Final = frozenset({1, 2, 3, 4})
"""The numbers of kinds that are no deltas."""


class StoredPacks:
    """Objects of a store, from its packs as far as they are sound, else from the store itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def packs(self) -> list[StoredPack]:
        """The packs that can be read here."""
        return list(_opened(os.path.join(self._store.path, "objects", "pack")))

    def read(self, name: Digest) -> GitObject:
        """Return an object whose bytes hash to its name (I2), as `Store.read` does and with its errors."""
        for pack in self.packs:
            found = pack.find(name)
            if found is not None and found.id == name:
                return found
        return self._store.read(name)


class Entry(NamedTuple):
    """An object as it lies in a pack, at `place`: a head, and a zlib stream.

    Of a delta, `head` is the length of that, and `base` the place of what it is made from; a whole object has none.
    """

    name: Digest
    place: int
    data: bytes
    head: int = 0
    base: int | None = None


class StoredPack:
    """One pack of a store."""

    def __init__(self, pack: mmap.mmap, index: IndexFile) -> None:
        self._pack = pack
        self._end = len(pack) - _CHECKSUM_BYTES
        self._index = index
        self._kept: OrderedDict[int, tuple[Kind, bytes]] = OrderedDict()
        self._kept_bytes = 0

    def __len__(self) -> int:
        return self._index.count

    def find(self, name: Digest) -> GitObject | None:
        """Return what lies there by that name, which may be another object; None where there is nothing sound."""
        place = self._index.find(name.raw)
        if place is not None:
            with suppress(BadPack):
                return GitObject(*self._content(place))
        return None

    def entries(self) -> Iterator[Entry]:
        """Yield what lies there, in order, as far as it is what its CRC is of, and no delta of an object by its id."""
        places, checksums = self._index.places(), self._index.checksums()
        order = sorted(range(len(places)), key=places.__getitem__)
        stops = [*map(places.__getitem__, order[1:]), self._end]
        for number, stop in zip(order, stops, strict=True):
            place = places[number]
            data = self._pack[place:stop]
            if zlib.crc32(data) != checksums[number]:
                continue
            name = Digest(self._index.id(number).hex())
            if data[0] >> 4 & 7 in _WHOLE:
                yield Entry(name, place, data)
                continue
            with suppress(BadPack):
                head = read_head(self._pack, place, stop)
                if head.base_place is not None:
                    yield Entry(name, place, data, head.start - place, head.base_place)

    def _content(self, place: int) -> tuple[Kind, bytes]:
        deltas: list[tuple[int, bytes]] = []
        while place not in self._kept:
            head = read_head(self._pack, place, self._end)
            data, _ = inflated(self._pack, head.start, self._end, head.size)
            if head.kind is not None:
                if not deltas:
                    return head.kind, data
                self._keep(place, head.kind, data)
                break
            deltas.append((place, data))
            base = self._index.find(head.base_id) if head.base_id else head.base_place
            if base is None or base >= place:
                raise BadPack("a delta of what does not lie before it")
            place = base
        kind, data = self._kept[place]
        self._kept.move_to_end(place)
        for following, delta in reversed(deltas):
            data, _ = apply_delta(data, delta, sys.maxsize)
            self._keep(following, kind, data)
        return kind, data

    def _keep(self, place: int, kind: Kind, data: bytes) -> None:
        self._kept[place] = (kind, data)
        self._kept_bytes += len(data) + _BYTES_OF_KEEPING
        while self._kept_bytes > _MOST_KEPT_BYTES and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped) + _BYTES_OF_KEEPING


def _opened(directory: str) -> Iterator[StoredPack]:
    with suppress(OSError), os.scandir(directory) as entries:
        sizes = {entry.path: entry.stat().st_size for entry in entries if entry.name.endswith(".idx")}
        for path in sorted(sizes, key=sizes.__getitem__, reverse=True)[:_MOST_PACKS]:
            with suppress(OSError, ValueError):
                yield StoredPack(_mapped(f"{path.removesuffix('.idx')}.pack"), IndexFile(_mapped(path)))


def _mapped(path: str) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
