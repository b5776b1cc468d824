"""The objects of a received pack by their numbers, with deltas followed to the whole objects that they go back to."""

from __future__ import annotations

import sys
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from mmap import mmap
from typing import Final

from capsulestore.model.objects import GitObject, Kind
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.delta import apply_delta
from capsulestore.sync.packs.entry import inflated, read_head

__all__ = ["PackContents"]

_AGAIN: Final = 4
_AGAIN_AT_LEAST: Final = 2**28
"""What was unpacked once may be unpacked again, not being at hand any more: so many times over, and so many bytes."""

_EFFORT_OF_OBJECT: Final = 2**14
_EFFORT_OF_INSTRUCTION: Final = 2**8
"""What an object and an instruction take, as the number of bytes that are unpacked in that time."""

_INSTRUCTIONS_AT_LEAST: Final = 2**20
_INSTRUCTIONS_PER_BYTE: Final = 8
"""Deltas may have so many instructions in all, and so many for each byte of the pack: git's have less than one."""

_BYTES_OF_KEEPING: Final = 200
"""What keeping an object at hand takes beyond its own bytes."""


class PackContents:
    """Reads objects by their numbers, counted from 0 in the order of the pack.

    What that takes is bounded by the size of the pack and of what is in it, whatever order objects are asked for in and
    however their deltas go back to each other; in memory, by a few times the largest object.
    """

    def __init__(self, pack: mmap, end: int, places: Sequence[int], limits: Limits) -> None:
        """`places` are those of the objects, which may become more; the pack's objects end at `end`."""
        self._pack = pack
        self._end = end
        self._most_deltas = limits.delta_depth
        self._places = places
        self._bases = array("I")
        self._depths = array("I")
        self._kept: OrderedDict[int, tuple[Kind, bytes]] = OrderedDict()
        self._kept_bytes = 0
        self._most_kept_bytes = 2 * limits.object_bytes
        self._instructions = _INSTRUCTIONS_AT_LEAST + _INSTRUCTIONS_PER_BYTE * end
        self._again = _AGAIN_AT_LEAST

    def add(self, size: int) -> None:
        """Take up the next object, whole or a delta; it unpacks to `size` bytes."""
        # No object is its own base: so one is told that has none.
        self._bases.append(len(self._bases))
        self._depths.append(0)
        self._again += _AGAIN * _effort(size)

    def build(self, number: int, base: int, delta: bytes | None = None) -> GitObject:
        """Return the object that a delta makes of its base, by which it can be read from then on.

        `delta` is the delta, where it was unpacked already. Raise `BadPack` for one that is unsound or beyond the
        limits.
        """
        depth = self._depths[base] + 1
        if depth > self._most_deltas:
            raise BadPack(f"an object behind more than {self._most_deltas} deltas")
        kind, data = self._content(base)
        if base not in self._kept:
            # A whole object, unpacked for the sake of what is made of it: of what comes next there may be more.
            self._spend(len(data))
            self._keep(base, kind, data)
        made, count = apply_delta(data, self.delta(number) if delta is None else delta, self._instructions)
        self._bases[number] = base
        self._depths[number] = depth
        self._instructions -= count
        self._again += _AGAIN * _effort(len(made), count)
        self._keep(number, kind, made)
        return GitObject(kind, made)

    def read(self, number: int) -> GitObject:
        """Return an object; raise `BadPack` where its deltas take too long to follow."""
        return GitObject(*self._content(number))

    def delta(self, number: int) -> bytes:
        """Return a delta as it lies in the pack."""
        head = read_head(self._pack, self._places[number], self._end)
        return inflated(self._pack, head.start, self._end, head.size)[0]

    def _content(self, number: int) -> tuple[Kind, bytes]:
        deltas: list[int] = []
        while self._bases[number] != number and number not in self._kept:
            deltas.append(number)
            number = self._bases[number]
        if number in self._kept:
            self._kept.move_to_end(number)
            kind, data = self._kept[number]
        else:
            head = read_head(self._pack, self._places[number], self._end)
            if head.kind is None:
                raise BadPack("a delta whose base nobody knows")
            kind, data = head.kind, inflated(self._pack, head.start, self._end, head.size)[0]
            if deltas:
                self._spend(len(data))
                self._keep(number, kind, data)
        for following in reversed(deltas):
            data, count = apply_delta(data, self.delta(following), sys.maxsize)
            self._spend(len(data), count)
            self._keep(following, kind, data)
        return kind, data

    def _keep(self, number: int, kind: Kind, data: bytes) -> None:
        self._kept[number] = (kind, data)
        self._kept_bytes += len(data) + _BYTES_OF_KEEPING
        while self._kept_bytes > self._most_kept_bytes and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped) + _BYTES_OF_KEEPING

    def _spend(self, size: int, instructions: int = 0) -> None:
        self._again -= _effort(size, instructions)
        if self._again < 0:
            raise BadPack("deltas that go back to each other in a way that takes too long to follow")


def _effort(size: int, instructions: int = 0) -> int:
    return size + _EFFORT_OF_OBJECT + _EFFORT_OF_INSTRUCTION * instructions
