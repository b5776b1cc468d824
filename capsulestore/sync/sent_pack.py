"""The pack that a push sends: whole objects, one after the other (git's documentation, `gitformat-pack`)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject, Kind, Read

__all__ = ["sent_pack"]

_NUMBERS: Final[Mapping[Kind, int]] = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_COMPRESSION_LEVEL: Final = 1
_CHUNK_BYTES: Final = 2**16


def sent_pack(
    names: Sequence[Digest],
    read: Read,
    made: Mapping[Digest, GitObject],
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[bytes]:
    """Yield the bytes of a pack of these objects: those that `read` gives, and those `made`, which no store has.

    `report` is told how many of them are on their way. Raise what `read` raises: the receiver has no whole pack then.
    """
    checksum = sha256()
    total = len(names) + len(made)
    waiting = [b"PACK" + (2).to_bytes(4, "big") + total.to_bytes(4, "big"), *map(_entry, made.values())]
    size = 0
    for done, name in enumerate(names, len(made) + 1):
        waiting.append(_entry(read(name)))
        size += len(waiting[-1])
        if size >= _CHUNK_BYTES:
            chunk = b"".join(waiting)
            checksum.update(chunk)
            yield chunk
            waiting, size = [], 0
            report(done, total)
    chunk = b"".join(waiting)
    checksum.update(chunk)
    yield chunk + checksum.digest()
    report(total, total)


def _entry(found: GitObject) -> bytes:
    """Return an object as a pack has it: its kind, its size (four bits in the first byte), its bytes deflated."""
    size = len(found.data)
    byte = _NUMBERS[found.kind] << 4 | size & 0x0F
    size >>= 4
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    head.append(byte)
    return bytes(head) + zlib.compress(found.data, _COMPRESSION_LEVEL)
