"""Writes many objects as one pack (git's documentation, `gitformat-pack`), durable before its index shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store.durable import new_file, sync_directory

__all__ = ["write_pack"]

_NUMBERS: Final = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_COMPRESSION_LEVEL: Final = 1


def write_pack(directory: str, objects: Mapping[Digest, GitObject]) -> str:
    """Write a pack of whole objects and its index into `objects/pack`; return the path of the `.keep` beside them.

    A pack counts from when its index is there, so the index comes last: keep, pack, index, each with the fsync of its
    bytes, then the directory's. The caller removes the `.keep` once a ref needs the objects.
    """
    from dulwich.object_format import SHA256  # noqa: PLC0415
    from dulwich.pack import HashWriter, write_pack_header, write_pack_index_v2, write_pack_object  # noqa: PLC0415

    entries: list[tuple[bytes, int, int | None]] = []
    with ExitStack() as leftovers:
        with new_file(directory, mode=0o444) as (file, pack):
            leftovers.callback(_remove, pack)
            writer = HashWriter(file, SHA256.hash_func)
            write_pack_header(writer.write, len(objects))
            for name, value in objects.items():
                offset = writer.offset()
                checksum = write_pack_object(
                    writer.write,
                    _NUMBERS[value.kind],
                    [value.data],
                    SHA256,
                    compression_level=_COMPRESSION_LEVEL,
                )
                entries.append((name.raw, offset, checksum))
            trailer = writer.write_hash()
        with new_file(directory, mode=0o444) as (file, index):
            leftovers.callback(_remove, index)
            write_pack_index_v2(file, sorted(entries), trailer)
        base = os.path.join(directory, f"pack-{trailer.hex()}")
        with open(f"{base}.keep", "w", encoding="ascii") as keep:
            keep.write(f"capsulestore {os.getpid()}\n")
        os.rename(pack, f"{base}.pack")
        os.rename(index, f"{base}.idx")
        sync_directory(directory)
    return f"{base}.keep"


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
