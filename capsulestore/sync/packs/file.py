"""A received pack as a file: taken down as it comes, with its length, its head and its checksum looked at."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from capsulestore.store.durable import new_file
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack

__all__ = ["HEAD_BYTES", "PackFile", "write_pack_file"]

HEAD_BYTES: Final = 12
_CHECKSUM_BYTES: Final = 32
_SIGNATURE: Final = b"PACK"
_VERSIONS: Final = (2, 3)
"""Git takes both, which are the same to it."""

_LEAST: Final = 9
"""The bytes that no object goes below: one of head, eight of an empty zlib stream."""


class PackFile(NamedTuple):
    """A whole pack on disk: how many objects it has, where they end, and the SHA-256 of all before its end."""

    path: str
    objects: int
    end: int
    checksum: bytes


def write_pack_file(chunks: Iterable[bytes], directory: str, limits: Limits) -> PackFile:
    """Write the bytes to a new file of a name of its own, durably; the objects in it are not looked at.

    Raise `BadPack`, as soon as it can be told, for a pack that is too large or has too many objects, one of another
    format, and one that ends elsewhere than its checksum says. After an error there is no file.
    """
    checksum = sha256()
    count: int | None = None
    # What the checksum does not cover is its own bytes; which they are is known when no more come.
    size, head, tail = 0, b"", b""
    with new_file(directory, mode=0o444) as (file, path):
        for chunk in chunks:
            size += len(chunk)
            if size > limits.pack_bytes:
                raise BadPack(f"a pack of more than {limits.pack_bytes} bytes")
            if count is None:
                head += chunk
                count = _count(head, limits)
            tail += chunk
            checksum.update(tail[:-_CHECKSUM_BYTES])
            tail = tail[-_CHECKSUM_BYTES:]
            file.write(chunk)
        if count is None or size < HEAD_BYTES + count * _LEAST + _CHECKSUM_BYTES:
            raise BadPack(f"a pack that ends after {size} bytes")
        if tail != checksum.digest():
            raise BadPack(f"a pack whose {size} bytes are not those that its checksum is of")
    return PackFile(path, count, size - _CHECKSUM_BYTES, tail)


def _count(head: bytes, limits: Limits) -> int | None:
    """Return how many objects a pack says it has; None where its head is not all there yet."""
    if not head.startswith(_SIGNATURE[: len(head)]):
        raise BadPack("what was sent is no pack")
    if len(head) < HEAD_BYTES:
        return None
    version, count = (int.from_bytes(head[start : start + 4], "big") for start in (4, 8))
    if version not in _VERSIONS:
        raise BadPack(f"a pack of version {version}")
    if count > limits.objects:
        raise BadPack(f"a pack of {count} objects; {limits.objects} is the most that is taken")
    return count
