"""The index of a pack as a file: version 2 of git's documentation, `gitformat-pack`, with ids of 32 bytes."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from mmap import mmap
from typing import Final

__all__ = ["IndexFile"]

_SIGNATURE: Final = b"\xfftOc\0\0\0\2"
_ID_BYTES: Final = 32
_FAN_OUT: Final = len(_SIGNATURE)
_NAMES: Final = _FAN_OUT + 4 * 256
_LARGE: Final = 2**31
"""Places from here on stand in a table of their own, of eight bytes each."""


class IndexFile:
    """Says where a pack has which object: `count` of them, by their numbers in the order of their ids."""

    def __init__(self, data: mmap) -> None:
        """Raise `ValueError` for a file of another format, and one that is too short for what it says."""
        if data[: len(_SIGNATURE)] != _SIGNATURE:
            raise ValueError("no index of version 2")
        self._data = data
        self._fan_out = (0, *_numbers("I", data[_FAN_OUT:_NAMES]))
        self.count = self._fan_out[256]
        self._checksums = _NAMES + _ID_BYTES * self.count
        self._places = self._checksums + 4 * self.count
        self._large_places = self._places + 4 * self.count
        if self._large_places + 2 * _ID_BYTES > len(data):
            raise ValueError("an index that is cut off")

    def find(self, raw: bytes) -> int | None:
        """Return the place of the object with that id, None where there is none."""
        stop = self._fan_out[raw[0] + 1]
        number = bisect_left(range(stop), raw, self._fan_out[raw[0]], key=self.id)
        return self.place(number) if number < stop and self.id(number) == raw else None

    def id(self, number: int) -> bytes:
        """Return an object's id."""
        at = _NAMES + _ID_BYTES * number
        return self._data[at : at + _ID_BYTES]

    def place(self, number: int) -> int:
        """Return where in the pack an object begins."""
        at = self._places + 4 * number
        place = int.from_bytes(self._data[at : at + 4], "big")
        if place < _LARGE:
            return place
        at = self._large_places + 8 * (place - _LARGE)
        return int.from_bytes(self._data[at : at + 8], "big")

    def places(self) -> array[int]:
        """Return all places."""
        if max(_numbers("I", self._data[self._places : self._large_places]), default=0) < _LARGE:
            return _numbers("I", self._data[self._places : self._large_places])
        return array("Q", map(self.place, range(self.count)))

    def checksums(self) -> array[int]:
        """Return the CRC-32 of each object as it lies in the pack."""
        return _numbers("I", self._data[self._checksums : self._places])


def _numbers(kind: str, data: bytes) -> array[int]:
    found = array(kind, data)
    if sys.byteorder == "little":
        found.byteswap()
    return found
