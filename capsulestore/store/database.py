"""The objects of a store: read and checked, written and made durable.

Reading goes through dulwich's object store, which knows loose objects and packs, also those that git made. Writing is
done here, because dulwich leaves out the fsyncs: a few objects are written loose, many as one pack.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from capsulestore.errors import CapsuleError, DamagedObject, MissingObject, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Encoded, GitObject, Kind, decode_tree
from capsulestore.store.durable import new_file, sync_directory, unwritable
from capsulestore.store.pack import write_pack

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID, RawObjectID
    from dulwich.pack import Pack

__all__ = ["LOOSE_AT_MOST", "ObjectDatabase"]

LOOSE_AT_MOST: Final = 8
"""Up to so many new objects are written loose: as fast as a pack of them, and no pack to look through later."""

_KINDS: Final[dict[int, Kind]] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}


class ObjectDatabase:
    """The objects below a store's `objects/`."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._path = os.path.join(store, "objects")

    @cached_property
    def _disk(self) -> DiskObjectStore:
        from dulwich.object_format import SHA256  # noqa: PLC0415
        from dulwich.object_store import DiskObjectStore  # noqa: PLC0415

        return DiskObjectStore(self._path, object_format=SHA256)

    def close(self) -> None:
        """Let go of open packs."""
        if "_disk" in self.__dict__:
            self._disk.close()

    def read(self, name: Digest) -> GitObject:
        """Return an object whose bytes hash to its name (I2).

        Raise `MissingObject` where there is none, `DamagedObject` where what is there is something else.
        """
        with self._ours(name):
            try:
                number, data = self._disk.get_raw(_id(name))
                found = GitObject(_KINDS[number], data)
            except KeyError:
                if self._lies_loose(name):
                    raise self._damaged(name, "its file holds no object") from None
                raise MissingObject(
                    f"object {name} is not in the store `{self._store}`",
                    hint=f"see what else is wrong with `git -C {self._store} fsck`",
                ) from None
        if found.id != name:
            raise self._damaged(name, "its bytes are those of another object")
        return found

    def __contains__(self, name: Digest) -> bool:
        """Whether an object of this name is there; what it holds is only seen when it is read."""
        with self._ours(name):
            return self._lies_loose(name) or self._disk.contains_packed(_id(name))

    def beginning_with(self, prefix: str) -> Iterator[Digest]:
        """Yield the names of all objects that begin with two or more hex digits, in no order."""
        with self._ours(None):
            for name in self._disk.iter_prefix(prefix.encode()):
                yield Digest.parse(name.decode("ascii"))

    @contextmanager
    def _ours(self, name: Digest | None) -> Iterator[None]:
        """Turn what dulwich raises for bytes that are no object or no pack, some five kinds, into our errors."""
        try:
            yield
        except CapsuleError:
            raise
        except OSError as error:
            raise StoreUnreadable(f"cannot read the store `{self._store}`: {error.strerror or error}") from error
        except Exception as error:
            raise self._damaged(name, str(error) or type(error).__name__) from error

    @contextmanager
    def written(self, value: Encoded) -> Iterator[None]:
        """Make a value's objects durable for the block, in which a ref should come to need them.

        What is there already is not written again. As long as the block lasts, a pack has a `.keep` beside it: until a
        ref reaches its objects, another process's `git repack` would drop them.
        """
        keep = None
        with unwritable(self._store):
            new = self._missing(value)
            if len(new) <= LOOSE_AT_MOST:
                for name, member in new.items():
                    self._write_loose(name, member)
            else:
                keep = write_pack(os.path.join(self._path, "pack"), new)
        try:
            yield
        finally:
            if keep:
                # Gone already where another process wrote the very same pack.
                with suppress(FileNotFoundError):
                    os.unlink(keep)

    def write(self, value: GitObject) -> None:
        """Make one object durable."""
        with unwritable(self._store):
            self._write_loose(value.id, value)

    def _missing(self, value: Encoded) -> dict[Digest, GitObject]:
        """Return those of a value's objects that are not there, or lie loose and damaged: children before parents.

        A tree in a pack has all that it needs, since packs are written whole: what lies below is not looked for. So the
        cost of adding a known environment once more does not follow its size.
        """
        with self._ours(None):
            packs = self._disk.packs
        missing: dict[Digest, GitObject] = {}
        seen: set[Digest] = set()

        def visit(name: Digest) -> None:
            if name in seen or name not in value.objects:
                return
            seen.add(name)
            if self._is_packed(name, packs):
                return
            member = value.objects[name]
            if member.kind == "tree":
                for entry in decode_tree(member.data):
                    visit(entry.id)
            if not self._is_sound(name):
                missing[name] = member

        visit(value.id)
        return missing

    def _is_packed(self, name: Digest, packs: list[Pack]) -> bool:
        from dulwich.pack import PackFileDisappeared  # noqa: PLC0415

        with self._ours(name):
            try:
                return any(_raw_id(name) in pack for pack in packs)
            except PackFileDisappeared:
                # Another process has repacked: have the packs listed anew.
                return self._disk.contains_packed(_id(name))

    def _is_sound(self, name: Digest) -> bool:
        """Whether an object lies loose, and its bytes are those of its name."""
        if not self._lies_loose(name):
            return False
        try:
            self.read(name)
        except (DamagedObject, MissingObject):
            return False
        return True

    def _write_loose(self, name: Digest, value: GitObject) -> None:
        path = self._loose_path(name)
        directory = os.path.dirname(path)
        if not os.path.isdir(directory):
            os.makedirs(directory, exist_ok=True)
            sync_directory(self._path)
        with new_file(directory, mode=0o444) as (file, temporary):
            header = b"%s %d\0" % (value.kind.encode(), len(value.data))
            file.write(zlib.compress(header + value.data, level=1))
        os.rename(temporary, path)
        sync_directory(directory)

    def _lies_loose(self, name: Digest) -> bool:
        return os.path.exists(self._loose_path(name))

    def _loose_path(self, name: Digest) -> str:
        return os.path.join(self._path, name.hex[:2], name.hex[2:])

    def _damaged(self, name: Digest | None, reason: str) -> DamagedObject:
        packs = os.path.join(self._path, "pack")
        hint = "adding the same environment again, or copying the file from a store that has it, brings it back"
        if name is None:
            return DamagedObject(f"a pack in `{packs}` is damaged ({reason})", hint=hint)
        place = self._loose_path(name) if self._lies_loose(name) else packs
        return DamagedObject(f"object {name} is damaged ({reason}), in `{place}`", hint=hint)


def _raw_id(name: Digest) -> RawObjectID:
    return cast("RawObjectID", name.raw)


def _id(name: Digest) -> ObjectID:
    return cast("ObjectID", name.hex.encode("ascii"))
