"""One pass over a received pack: every object unpacked within the limits, and named by its own bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from hashlib import sha256
from mmap import mmap
from typing import Final

from capsulestore.model.objects import GitObject
from capsulestore.store.pack_index import Columns, IdOrder
from capsulestore.sync.limits import Limits
from capsulestore.sync.packs.bad_pack import BadPack
from capsulestore.sync.packs.contents import PackContents
from capsulestore.sync.packs.delta import read_delta_head
from capsulestore.sync.packs.entry import EntryHead, checksum_of, inflate, inflated, read_head
from capsulestore.sync.packs.file import HEAD_BYTES, PackFile

__all__ = ["unpack"]

_NOT_KNOWN_YET: Final = bytes(32)
_REPORT_AFTER: Final = 1024


def unpack(
    pack: mmap, file: PackFile, limits: Limits, report: Callable[[int, int], None]
) -> tuple[Columns, PackContents]:
    """Return what the pack's index says of its objects, and the objects; raise `BadPack`."""
    unpacking = _Unpacking(pack, file, limits)
    unpacking.run(report)
    return unpacking.columns, unpacking.contents


class _Unpacking:
    def __init__(self, pack: mmap, file: PackFile, limits: Limits) -> None:
        self.columns = Columns.empty()
        self.contents = PackContents(pack, file.end, self.columns.offsets, limits)
        self._pack = pack
        self._file = file
        self._limits = limits
        self._unpacked_bytes = 0
        # Deltas that have no id yet, and by their base's number or id those that wait for it.
        self._waiting: set[int] = set()
        self._after_number: defaultdict[int, list[int]] = defaultdict(list)
        self._after_id: defaultdict[bytes, list[int]] = defaultdict(list)

    def run(self, report: Callable[[int, int], None]) -> None:
        place = HEAD_BYTES
        for number in range(self._file.objects):
            place = self._take(number, place)
            if number % _REPORT_AFTER == 0:
                report(number, self._file.objects)
        if place != self._file.end:
            raise BadPack(
                f"a pack with {self._file.end - place} bytes after the {self._file.objects} objects that it has"
            )
        if self._waiting:
            self._build_those_that_wait()
        report(self._file.objects, self._file.objects)

    def _take(self, number: int, place: int) -> int:
        """Unpack the object at a place, and return where the next one is."""
        head = read_head(self._pack, place, self._file.end)
        self._count(place, head.size)
        self.contents.add(head.size)
        self.columns.offsets.append(place)
        if head.kind is None:
            raw, stop = self._take_delta(number, place, head)
        else:
            checksum = sha256(b"%s %d\0" % (head.kind.encode(), head.size))
            stop = inflate(self._pack, head.start, self._file.end, head.size, checksum.update)
            raw = checksum.digest()
        self.columns.ids.extend(raw)
        self.columns.checksums.append(checksum_of(self._pack, place, stop))
        return stop

    def _take_delta(self, number: int, place: int, head: EntryHead) -> tuple[bytes, int]:
        delta, stop = inflated(self._pack, head.start, self._file.end, head.size)
        self._count(place, read_delta_head(delta).size)
        if head.base_id is not None:
            self._after_id[head.base_id].append(number)
        else:
            base = self._number_at(head.base_place, number)
            if base not in self._waiting:
                return _id(self.contents.build(number, base, delta)), stop
            self._after_number[base].append(number)
        self._waiting.add(number)
        if len(self._waiting) > self._limits.waiting_deltas:
            raise BadPack(f"a pack with more than {self._limits.waiting_deltas} deltas whose bases are told by id")
        return _NOT_KNOWN_YET, stop

    def _number_at(self, place: int | None, before: int) -> int:
        number = bisect_left(self.columns.offsets, place or 0, hi=before)
        if number == before or self.columns.offsets[number] != place:
            raise BadPack(f"a delta of an object at byte {place}, where none begins")
        return number

    def _build_those_that_wait(self) -> None:
        known = (number for number in range(self._file.objects) if number not in self._waiting)
        order = IdOrder(self.columns, known)
        ready: list[tuple[int, int]] = []
        for base_id in list(self._after_id):
            base = order.find(base_id)
            if base is not None:
                ready += [(number, base) for number in self._after_id.pop(base_id)]
        while ready:
            number, base = ready.pop()
            raw = _id(self.contents.build(number, base))
            self.columns.put_id(number, raw)
            following = [*self._after_number.pop(number, []), *self._after_id.pop(raw, [])]
            ready += [(child, number) for child in following]
        if self._after_id:
            raise BadPack(f"a delta of {min(self._after_id).hex()}, which is not in the pack")

    def _count(self, place: int, size: int) -> None:
        """Raise `BadPack` where an object that is so large, by what it says, would be too much."""
        if size > self._limits.object_bytes:
            most = self._limits.object_bytes
            raise BadPack(f"the object at byte {place} unpacks to {size} bytes; {most} is the most that is taken")
        self._unpacked_bytes += size
        if self._unpacked_bytes > self._limits.unpacked_bytes:
            raise BadPack(f"a pack that unpacks to more than {self._limits.unpacked_bytes} bytes")


def _id(found: GitObject) -> bytes:
    return sha256(b"%s %d\0" % (found.kind.encode(), len(found.data)) + found.data).digest()
