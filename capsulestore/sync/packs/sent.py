"""The pack that a push sends (git's documentation, `gitformat-pack`).

What makes up a good part of a pack of the store is copied as it lies there, deltas whose base goes along too; all else
are whole objects.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject, Kind
from capsulestore.store import Store
from capsulestore.sync.packs.stored import StoredPack, StoredPacks

__all__ = ["sent_pack"]

_NUMBERS: Final[Mapping[Kind, int]] = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_COMPRESSION_LEVEL: Final = 1
_CHUNK_BYTES: Final = 2**16

_GOOD_PART: Final = 4
"""A pack is gone through where so much is sent that it may be one in so many of its objects."""


def sent_pack(
    names: Sequence[Digest],
    store: Store,
    made: Mapping[Digest, GitObject],
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[bytes]:
    """Yield the bytes of a pack of these objects: those that a store has, and those `made`, which no store has.

    What is copied is checked by its CRC, as git does it; to make sure of the ids is up to who receives it. `report` is
    told how many objects are on their way. Raise what reading the store raises: the receiver has no whole pack then.
    """
    checksum = sha256()
    total = len(names) + len(made)
    waiting = [b"PACK" + (2).to_bytes(4, "big") + total.to_bytes(4, "big")]
    size = len(waiting[0])
    for done, entry in enumerate(_entries(names, StoredPacks(store), made, size), 1):
        waiting.append(entry)
        size += len(entry)
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


def _entries(
    names: Sequence[Digest], stored: StoredPacks, made: Mapping[Digest, GitObject], at: int
) -> Iterator[bytes]:
    """Yield objects as they lie in a pack, each once; the first of them at a place."""
    wanted = dict.fromkeys(names)
    for pack in stored.packs:
        if len(wanted) * _GOOD_PART > len(pack):
            for entry in _copied(pack, wanted, at):
                yield entry
                at += len(entry)
    for found in made.values():
        yield _entry(found)
    for name in wanted:
        yield _entry(stored.read(name))


def _copied(pack: StoredPack, wanted: dict[Digest, None], at: int) -> Iterator[bytes]:
    """Yield the entries of a pack that are wanted and can be copied, and take them from what is wanted."""
    places: dict[int, int] = {}
    for name, place, data, head, base in pack.entries():
        if name not in wanted:
            continue
        if base is None:
            entry = data
        elif base in places:
            entry = _size(data) + _distance(at - places[base]) + data[head:]
        else:
            continue
        places[place] = at
        at += len(entry)
        del wanted[name]
        yield entry


def _size(delta: bytes) -> bytes:
    """Return the bytes of a delta's head that tell its kind and its size: up to the first without a sign of more."""
    length = next(at for at, byte in enumerate(delta, 1) if byte < 0x80)
    return delta[:length]


def _distance(number: int) -> bytes:
    """Return how far before a delta its base lies, as a head has it: seven bits a byte, no two ways to write one."""
    digits = bytearray([number & 0x7F])
    while number := number >> 7:
        number -= 1
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _entry(found: GitObject) -> bytes:
    """Return a whole object: its kind, its size (four bits in the first byte), its bytes deflated."""
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
