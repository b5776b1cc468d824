"""A package's header in RPM's database: what it is called, and which version it is.

Four bytes each: how many entries there are, how many bytes of data. Then the entries, of four numbers of four bytes:
tag, type, offset in the data, count. Then the data. Numbers are big-endian (RPM's documentation, "RPM V4 Package
format", section "Header", without the magic bytes that a file has).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Protocol

from capsulestore.capture.files import path_text

__all__ = ["Header", "Readable", "parse"]

_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_INT32, _STRING = 4, 6
# RPM's own limits.
_MAX_ENTRIES: Final = 0xFFFF
_MAX_DATA_BYTES: Final = 0x0FFFFFFF

_MAX_TEXT_BYTES: Final = 1024
_ENTRY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Header:
    """A package: `key` is `name:arch` (a key of gpg's has no arch), `version` is `[epoch:]version-release`."""

    key: str
    version: str


class Readable(Protocol):
    """Bytes that are read where they are wanted, as a file or a blob of SQLite's."""

    def read(self, length: int, /) -> bytes:
        """Return that many bytes from here, fewer at the end."""
        ...

    def seek(self, offset: int, /) -> object:
        """Go to a place from the beginning; one behind the end may raise `ValueError`."""
        ...


def parse(data: Readable) -> Header:
    """Return what a header says; raise `ValueError` for bytes that are none, or lack a name or a version."""
    start = data.read(8)
    count = int.from_bytes(start[:4])
    if len(start) < 8 or count > _MAX_ENTRIES:
        raise ValueError("a header that is none")
    index = data.read(count * _ENTRY_BYTES)
    if len(index) < count * _ENTRY_BYTES:
        raise ValueError("a header that ends too early")
    numbers = struct.unpack(f">{count * 4}I", index)
    tags, kinds, offsets = numbers[::4], numbers[1::4], numbers[2::4]

    def value(tag: int, kind: int, length: int) -> bytes | None:
        place = tags.index(tag) if tag in tags else None
        if place is None or kinds[place] != kind:
            return None
        offset = offsets[place]
        if offset > _MAX_DATA_BYTES:
            raise ValueError("a header with a value beyond its end")
        data.seek(len(start) + len(index) + offset)
        return data.read(length)

    def text(tag: int) -> str:
        found = value(tag, _STRING, _MAX_TEXT_BYTES)
        if found is not None and b"\0" not in found:
            raise ValueError("a header with a text that does not end")
        return path_text((found or b"").partition(b"\0")[0])

    epoch = value(_EPOCH, _INT32, 4)
    name, version, release, arch = text(_NAME), text(_VERSION), text(_RELEASE), text(_ARCH)
    if not name or not version:
        raise ValueError("a header without name or version")
    return Header(
        key=f"{name}:{arch}" if arch else name,
        version=("" if epoch is None else f"{int.from_bytes(epoch)}:")
        + (f"{version}-{release}" if release else version),
    )
