"""Deltas: an object as instructions to make it of another one (git's documentation, `gitformat-pack`)."""

from __future__ import annotations

from typing import Final, NamedTuple

from capsulestore.sync.packs.bad_pack import BadPack

__all__ = ["DeltaHead", "apply_delta", "read_delta_head"]

_LONGEST_NUMBER: Final = 64
"""Bits of a size."""

_ALL_OF_IT: Final = 0x10000
"""What a copy of no bytes stands for."""


class DeltaHead(NamedTuple):
    """What a delta says of itself: the size of its base, and of what it makes; `start` is its first instruction."""

    base_size: int
    size: int
    start: int


def read_delta_head(delta: bytes) -> DeltaHead:
    """Return a delta's sizes; raise `BadPack` where it has none."""
    base_size, at = _number(delta, 0)
    size, at = _number(delta, at)
    return DeltaHead(base_size, size, at)


def apply_delta(base: bytes, delta: bytes, most: int) -> tuple[bytes, int]:
    """Return what a delta makes of its base, and the number of its instructions.

    Raise `BadPack`, before more than the size it says is built, for one that takes what its base has not, makes more or
    less than it says, or has more than `most` instructions.
    """
    head = read_delta_head(delta)
    if head.base_size != len(base):
        raise BadPack(f"a delta to {head.base_size} bytes has a base of {len(base)}")
    made = bytearray()
    at, left, count = head.start, head.size, 0
    end = len(delta)
    while at < end:
        code = delta[at]
        at += 1
        count += 1
        if code & 0x80:
            offset = length = 0
            # Which bytes of the two numbers follow; those that do not are zero.
            for bit in range(4):
                if code & 1 << bit:
                    offset |= _at(delta, at) << 8 * bit
                    at += 1
            for bit in range(3):
                if code & 0x10 << bit:
                    length |= _at(delta, at) << 8 * bit
                    at += 1
            source, start, length = base, offset, length or _ALL_OF_IT
        elif code:
            source, start, length = delta, at, code
            at += code
        else:
            raise BadPack("a delta with an instruction that there is none of")
        left -= length
        if start + length > len(source) or left < 0:
            raise BadPack("a delta that takes what is not there, or makes more than it says")
        if count > most:
            raise BadPack("deltas of more instructions than a pack of that length has")
        made += source[start : start + length]
    if left:
        raise BadPack("a delta that makes less than it says")
    return bytes(made), count


def _number(delta: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = _at(delta, at)
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number, at
        shift += 7
        if shift > _LONGEST_NUMBER:
            raise BadPack("a delta of a size that no number here holds")


def _at(delta: bytes, at: int) -> int:
    if at >= len(delta):
        raise BadPack("a delta that ends in the middle of an instruction")
    return delta[at]
