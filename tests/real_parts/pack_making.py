"""Packs made by hand, byte by byte, for those that no git would write (git's documentation, `gitformat-pack`)."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from capsulestore.model.objects import GitObject

NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
BY_PLACE = 6
BY_ID = 7


def head(number: int, size: int) -> bytes:
    """The kind and the size before an object: four bits of the size in the first byte, seven in each that follows."""
    byte, size = number << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes([*found, byte])


def whole(value: GitObject, *, size: int | None = None) -> bytes:
    """A whole object as it lies in a pack; `size` is what it says, its own unless given."""
    return head(NUMBERS[value.kind], len(value.data) if size is None else size) + zlib.compress(value.data)


def delta_by_place(distance: int, delta: bytes) -> bytes:
    """A delta whose base begins so many bytes before it."""
    found = [distance & 0x7F]
    while distance := distance >> 7:
        distance -= 1
        found.insert(0, distance & 0x7F | 0x80)
    return head(BY_PLACE, len(delta)) + bytes(found) + zlib.compress(delta)


def delta_by_id(base: GitObject, delta: bytes) -> bytes:
    return head(BY_ID, len(delta)) + base.id.raw + zlib.compress(delta)


def number(value: int) -> bytes:
    """A size at the beginning of a delta."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def delta(base_size: int, size: int, *instructions: bytes) -> bytes:
    return number(base_size) + number(size) + b"".join(instructions)


def insert(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def copy(offset: int, size: int) -> bytes:
    """All bytes of both numbers, also those that could be left out."""
    return b"\xff" + offset.to_bytes(4, "little") + size.to_bytes(3, "little")


def pack(*entries: bytes, count: int | None = None) -> bytes:
    """A pack of these, as they lie in it; `count` is what it says, their own unless given."""
    return finished(b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries))


def finished(body: bytes) -> bytes:
    """A pack with the checksum that it should end with."""
    return body + sha256(body).digest()


def pieces(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def git_index(data: bytes, directory: Path) -> bytes | None:
    """The index that the real git makes of a pack; None where it refuses the pack (`--strict`: also twins)."""
    path = directory / f"{sha256(data).hexdigest()}.pack"
    path.write_bytes(data)
    command = ["git", "index-pack", "--strict", "--object-format=sha256", "-o", f"{path}.idx", str(path)]
    done = subprocess.run(command, cwd=directory, env=os.environ, capture_output=True, check=False)
    return Path(f"{path}.idx").read_bytes() if done.returncode == 0 else None
