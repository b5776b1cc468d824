"""One object as it lies in a pack: its head, and the zlib stream after it (git's documentation, `gitformat-pack`)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from mmap import mmap
from typing import Final, NamedTuple

from capsulestore.model.objects import Kind
from capsulestore.sync.packs.bad_pack import BadPack

__all__ = ["EntryHead", "checksum_of", "inflate", "inflated", "read_head"]

_KINDS: Final[dict[int, Kind]] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_BY_PLACE: Final = 6
_BY_ID: Final = 7
_ID_BYTES: Final = 32
_PIECE: Final = 2**16
_MARGIN: Final = 64
"""What a zlib stream of little that cannot be compressed takes beyond its bytes, and a few more."""

_LONGER: Final = 2
_MARGIN_OF_ALL: Final = 2**12
"""A stream may be so many times as long as what it holds, and so many bytes: blocks of nothing could go on for ever."""

_LONGEST_NUMBER: Final = 64
"""Bits of a number in a head."""


class EntryHead(NamedTuple):
    """What an object's head says; `start` is where its zlib stream begins.

    A whole object has a `kind`. A delta has None, and either the place of its base in the pack or its base's id. `size`
    is of what the stream inflates to: the object, or the delta's own instructions.
    """

    kind: Kind | None
    size: int
    start: int
    base_place: int | None = None
    base_id: bytes | None = None


def read_head(pack: mmap, place: int, end: int) -> EntryHead:
    """Return the head at a place; raise `BadPack` where there is none, or it goes on behind the pack's end."""
    byte, at = _byte(pack, place, end)
    number, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte, at = _byte(pack, at, end)
        if shift > _LONGEST_NUMBER:
            raise BadPack(f"the object at byte {place} is of a size that no number here holds")
        size |= (byte & 0x7F) << shift
        shift += 7
    if number in _KINDS:
        return EntryHead(_KINDS[number], size, at)
    if number == _BY_PLACE:
        distance, at = _distance(pack, at, end)
        return EntryHead(None, size, at, base_place=place - distance)
    if number == _BY_ID:
        if at + _ID_BYTES > end:
            raise _cut()
        return EntryHead(None, size, at + _ID_BYTES, base_id=pack[at : at + _ID_BYTES])
    raise BadPack(f"the object at byte {place} is of kind {number}, which there is none of")


def inflate(pack: mmap, start: int, end: int, size: int, take: Callable[[bytes], object]) -> int:
    """Inflate the zlib stream at `start`, piece by piece into `take`; return where it ends.

    Never more than `size` bytes and one are inflated. Raise `BadPack` where there are more or fewer, where the stream
    is damaged, goes on behind `end`, or is much longer than what it holds.
    """
    stream = zlib.decompressobj()
    at, left, waiting = start, size, b""
    stop = min(end, start + _LONGER * size + _MARGIN_OF_ALL)
    try:
        while not stream.eof:
            if not waiting:
                if at >= end:
                    raise _cut()
                if at >= stop:
                    raise BadPack(f"the object that begins before byte {start} takes {at - start} bytes for {size}")
                waiting = pack[at : min(stop, at + min(left, _PIECE) + _MARGIN)]
                at += len(waiting)
            piece = stream.decompress(waiting, min(left, _PIECE) + 1)
            waiting = stream.unconsumed_tail
            left -= len(piece)
            if left < 0:
                raise BadPack(f"the object that begins before byte {start} is larger than the {size} bytes it says")
            if piece:
                take(piece)
    except zlib.error as error:
        raise BadPack(f"the object that begins before byte {start} is damaged: {error}") from None
    if left:
        raise BadPack(f"the object that begins before byte {start} is smaller than the {size} bytes it says")
    return at - len(stream.unused_data)


def inflated(pack: mmap, start: int, end: int, size: int) -> tuple[bytes, int]:
    """Return the bytes of a zlib stream, and where it ends; as `inflate`."""
    pieces: list[bytes] = []
    stop = inflate(pack, start, end, size, pieces.append)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), stop


def checksum_of(pack: mmap, place: int, stop: int) -> int:
    """Return the CRC-32 of an object as it lies in the pack, which its index tells."""
    checksum = 0
    for start in range(place, stop, _PIECE):
        checksum = zlib.crc32(pack[start : min(stop, start + _PIECE)], checksum)
    return checksum


def _distance(pack: mmap, at: int, end: int) -> tuple[int, int]:
    """Return how far before a delta its base lies, and where that number ends; it has no two ways to be written."""
    byte, at = _byte(pack, at, end)
    distance = byte & 0x7F
    while byte & 0x80:
        byte, at = _byte(pack, at, end)
        distance = (distance + 1) << 7 | byte & 0x7F
        if distance > end:
            raise BadPack(f"the delta before byte {at} has its base before the pack")
    return distance, at


def _byte(pack: mmap, at: int, end: int) -> tuple[int, int]:
    if at >= end:
        raise _cut()
    return pack[at], at + 1


def _cut() -> BadPack:
    return BadPack("a pack that ends in the middle of an object")
