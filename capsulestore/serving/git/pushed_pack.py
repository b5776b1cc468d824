"""The pack of a push, as git has written it down and indexed it, read within the limits."""

from __future__ import annotations

import mmap
import os
from hashlib import sha256
from typing import Final

from capsulestore.store.pack_index import IdOrder
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.file import HEAD_BYTES, PackFile
from capsulestore.sync.packs.objects import unpack
from capsulestore.sync.packs.received import PackIds, ReceivedPack, read_pack

__all__ = ["pushed_pack"]

_EMPTY: Final = b"PACK\0\0\0\2\0\0\0\0"
_CHECKSUM_BYTES: Final = 32
_END: Final = ".pack"


def pushed_pack(directory: str, limits: Limits) -> ReceivedPack:
    """Return the pack below an object directory of git's, one without objects where nothing new was sent.

    It is not copied. Git has checked that it is whole, has no object twice, and has the index that lies beside it
    (git-index-pack(1), `--strict`), both durable. Each object is unpacked here once more, within the limits, and is
    what its own bytes say. Raise `BadPack`.
    """
    packs = os.path.join(directory, "pack")
    names = [name for name in os.listdir(packs) if name.endswith(_END)]
    if not names:
        return read_pack([_EMPTY + sha256(_EMPTY).digest()], packs, limits)
    path = os.path.join(packs, names[0])
    with open(path, "rb") as opened:
        data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    file = _described(path, data, limits)
    columns, contents = unpack(data, file, limits, lambda _done, _total: None)
    order = IdOrder(columns, range(file.objects))
    index = path.removesuffix(_END) + ".idx"
    return ReceivedPack(path, index, file.checksum, PackIds(columns, order), contents)


def _described(path: str, data: mmap.mmap, limits: Limits) -> PackFile:
    if len(data) > limits.pack_bytes:
        raise BadPack(f"a pack of more than {limits.pack_bytes} bytes")
    count = int.from_bytes(data[HEAD_BYTES - 4 : HEAD_BYTES], "big")
    if count > limits.objects:
        raise BadPack(f"a pack of {count} objects; {limits.objects} is the most that is taken")
    end = len(data) - _CHECKSUM_BYTES
    return PackFile(path, count, end, data[end:])
