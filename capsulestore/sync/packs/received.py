"""A pack from outside: written down, each object in it unpacked within the limits, and its index made."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Set
from itertools import pairwise

from capsulestore.errors import MissingObject
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store.durable import new_file, removed_after_error, unwritable
from capsulestore.store.pack_index import Columns, IdOrder, index_of
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.contents import PackContents
from capsulestore.sync.packs.file import write_pack_file
from capsulestore.sync.packs.objects import unpack

__all__ = ["BadPack", "PackIds", "ReceivedPack", "read_pack"]


class PackIds(Set[Digest]):
    """The ids of a pack's objects, in the order of the pack."""

    def __init__(self, columns: Columns, order: IdOrder) -> None:
        self._columns = columns
        self._order = order

    def number(self, name: Digest) -> int | None:
        """Return the number of an object in the pack, None where it is not in there."""
        return self._order.find(name.raw)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, Digest) and self.number(name) is not None

    def __iter__(self) -> Iterator[Digest]:
        return (Digest(self._columns.id(number).hex()) for number in range(len(self)))

    def __len__(self) -> int:
        return len(self._order.numbers)


class ReceivedPack:
    """A pack in quarantine, at `path`, with its index at `index_path`.

    `checksum` is the SHA-256 at its end, by which packs are named. Objects can be read also after the files have moved.
    """

    def __init__(self, path: str, index_path: str, checksum: bytes, ids: PackIds, contents: PackContents) -> None:
        self.path = path
        self.index_path = index_path
        self.checksum = checksum
        self.ids = ids
        self._contents = contents

    def get(self, name: Digest) -> GitObject | None:
        """Return an object, None for one that is not in the pack.

        Raise `BadPack` where objects are asked for in an order in which their deltas take too long to follow.
        """
        number = self.ids.number(name)
        return None if number is None else self._contents.read(number)

    def read(self, name: Digest) -> GitObject:
        """Return an object as `get` does; raise `MissingObject` for one that is not in the pack."""
        found = self.get(name)
        if found is None:
            raise MissingObject(f"object {name} is not in the received pack")
        return found


def read_pack(
    chunks: Iterable[bytes],
    directory: str,
    limits: Limits,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> ReceivedPack:
    """Write a pack into a directory, unpack each object in it once, and write its index beside it.

    No object is taken for what the sender calls it: its id is computed. Both files are durable when this returns. As
    objects are unpacked, `report` is told how many of all they are.

    Raise `BadPack` for a pack that is not exactly one of git's (whole, nothing after it, no object twice, no delta
    whose base it lacks) or is beyond the limits; `StoreUnwritable`; and what taking the chunks raises, which is no
    `OSError`. After an error neither file is there. Time and memory are bounded by the limits and by what was sent,
    whatever it claims to be.
    """
    with unwritable(directory):
        file = write_pack_file(chunks, directory, limits)
        with removed_after_error(file.path):
            columns, contents = unpack(_mapped(file.path), file, limits, report)
            order = IdOrder(columns, range(file.objects))
            _refuse_twins(columns, order)
            with new_file(directory, mode=0o444) as (index, index_path):
                index.writelines(index_of(columns, order, file.checksum))
    return ReceivedPack(file.path, index_path, file.checksum, PackIds(columns, order), contents)


def _mapped(path: str) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _refuse_twins(columns: Columns, order: IdOrder) -> None:
    for name, following in pairwise(map(columns.id, order.numbers)):
        if name == following:
            raise BadPack(f"object {name.hex()} is in the pack twice")
