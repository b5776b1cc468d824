"""The index of a pack: version 2 of git's documentation, `gitformat-pack`, with ids of 32 bytes.

What an index says is kept in columns, one item for each object in the order of the pack, at some fifty bytes an object:
a pack from outside may have millions.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Final, NamedTuple

__all__ = ["Columns", "IdOrder", "index_of"]

_SIGNATURE: Final = b"\xfftOc"
_VERSION: Final = 2
_ID_BYTES: Final = 32
_PIECE: Final = 4096
_LARGE: Final = 2**31
"""Offsets from here on stand in a table of their own, of eight bytes each."""


class Columns(NamedTuple):
    """What an index says of each object: its id (one after the other), its place in the pack, the CRC-32 there."""

    ids: bytearray
    offsets: array[int]
    checksums: array[int]

    @classmethod
    def empty(cls) -> Columns:
        """Return columns to be filled."""
        return cls(bytearray(), array("Q"), array("I"))

    def id(self, number: int) -> bytes:
        """Return the id of an object, counted from 0 in the order of the pack."""
        return bytes(self.ids[number * _ID_BYTES : (number + 1) * _ID_BYTES])

    def put_id(self, number: int, raw: bytes) -> None:
        """Set the id of an object that had another one until now."""
        self.ids[number * _ID_BYTES : (number + 1) * _ID_BYTES] = raw


class IdOrder:
    """Some of a pack's objects in the order of their ids: `numbers` are theirs."""

    def __init__(self, columns: Columns, numbers: Iterable[int]) -> None:
        """Sort the objects; ids that change afterwards are not noticed."""
        # By first byte apart: a sort of all at once would take several times the memory.
        buckets = [array("I") for _ in range(256)]
        for number in numbers:
            buckets[columns.ids[number * _ID_BYTES]].append(number)
        self.numbers = array("I")
        for bucket in buckets:
            self.numbers.extend(sorted(bucket, key=columns.id))
        self._ids = columns.ids
        # By the first two bytes, which leave few to look through, how many ids come before.
        self._starts = array("I", bytes(4 * (2**16 + 1)))
        for number in self.numbers:
            self._starts[(self._ids[number * _ID_BYTES] << 8 | self._ids[number * _ID_BYTES + 1]) + 1] += 1
        self._starts = array("I", accumulate(self._starts))

    @property
    def fan_out(self) -> Sequence[int]:
        """For each first byte, how many ids begin with it or one before it."""
        return self._starts[256::256]

    def find(self, raw: bytes) -> int | None:
        """Return the number of the object with that id, where it is among them."""
        sought, first = bytearray(raw), raw[0] << 8 | raw[1]
        stop = self._starts[first + 1]
        place = bisect_left(self.numbers, sought, self._starts[first], stop, key=self._id)
        if place < stop and self._id(self.numbers[place]) == sought:
            return self.numbers[place]
        return None

    def _id(self, number: int) -> bytearray:
        return self._ids[number * _ID_BYTES : (number + 1) * _ID_BYTES]


def index_of(columns: Columns, order: IdOrder, pack_checksum: bytes) -> Iterator[bytes]:
    """Yield the index of a pack in pieces; `order` is of all its objects."""
    checksum = sha256()
    for piece in _body(columns, order, pack_checksum):
        checksum.update(piece)
        yield piece
    yield checksum.digest()


def _body(columns: Columns, order: IdOrder, pack_checksum: bytes) -> Iterator[bytes]:
    yield _SIGNATURE + _VERSION.to_bytes(4, "big")
    yield _big_endian("I", order.fan_out)
    pieces = [order.numbers[start : start + _PIECE] for start in range(0, len(order.numbers), _PIECE)]
    for piece in pieces:
        yield b"".join(map(columns.id, piece))
    for piece in pieces:
        yield _big_endian("I", (columns.checksums[number] for number in piece))
    large = array("Q")
    for piece in pieces:
        places = array("I")
        for offset in (columns.offsets[number] for number in piece):
            if offset < _LARGE:
                places.append(offset)
            else:
                places.append(_LARGE + len(large))
                large.append(offset)
        yield _big_endian("I", places)
    yield _big_endian("Q", large)
    yield pack_checksum


def _big_endian(kind: str, values: Iterable[int]) -> bytes:
    packed = array(kind, values)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()
