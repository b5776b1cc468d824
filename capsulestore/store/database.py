"""The objects of a store: read and checked, written and made durable.

Reading goes through dulwich's object store, which knows packs, also those that git made. Writing is
done here, because dulwich leaves out the fsyncs: a few objects are written loose, many as one pack.
"""

from __future__ import annotations

import os
import shlex
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar, cast

from capsulestore.errors import CapsuleError, DamagedObject, MissingObject, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Encoded, GitObject, Kind, decode_tree
from capsulestore.store.durable import move_into_place, new_file, sync_directory, unwritable
from capsulestore.store.pack import release_abandoned, written_pack

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID, RawObjectID

__all__ = ["LOOSE_AT_MOST", "ObjectDatabase"]

LOOSE_AT_MOST: Final = 8
"""Up to so many new objects are written loose: as fast as a pack of them, and no pack to look through later."""

_LOOKS: Final = 5
"""How often to look again for what another process may just be moving."""

_Answer = TypeVar("_Answer")
_KINDS: Final[dict[int, Kind]] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_NUMBERS: Final = {kind.encode(): number for number, kind in _KINDS.items()}


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
        """Let go of open packs; the next use opens them again."""
        if "_disk" in self.__dict__:
            # What a damaged pack was read into may still hold its file; it is let go with the error.
            with suppress(BufferError):
                self._disk.close()
            del self._disk

    def read(self, name: Digest) -> GitObject:
        """Return an object whose bytes hash to its name (I2).

        Raise `MissingObject` where there is none, `DamagedObject` where what is there is something else.
        """
        with self._ours(name):
            number, data = self._raw(name)
            found = GitObject(_KINDS[number], data)
        if found.id != name:
            raise self._damaged(name, "its bytes are those of another object")
        return found

    def _raw(self, name: Digest) -> tuple[int, bytes]:
        for _ in range(_LOOKS):
            if loose := _loose(self._loose_path(name)):
                return loose
            try:
                return self._disk.get_raw(_id(name))
            except KeyError:
                # Another process may just be writing it, or moving it from its own file into a pack.
                continue
        if self._lies_loose(name):
            raise self._damaged(name, "its file holds no object")
        raise MissingObject(
            f"object {name} is not in the store `{self._store}`",
            hint="adding the same capsule again, or copying it from a store that has it, brings it back; "
            f"`git -C {shlex.quote(self._store)} fsck` tells what else is wrong",
        )

    def __contains__(self, name: Digest) -> bool:
        """Whether an object of this name is there; what it holds is only seen when it is read."""
        with self._ours(name):
            return self._lies_loose(name) or self._disk.contains_packed(_id(name))

    def beginning_with(self, prefix: str) -> list[Digest]:
        """Return the names of all objects that begin with two or more hex digits, sorted."""
        with self._ours(None):
            found = self._with_packs_anew(lambda disk: list(disk.iter_prefix(prefix.encode())))
        return sorted(Digest.parse(name.decode("ascii")) for name in found)

    def _with_packs_anew(self, ask: Callable[[DiskObjectStore], _Answer]) -> _Answer:
        """Return the answer of dulwich's object store; opened anew where a pack that it knew is gone."""
        from dulwich.pack import PackFileDisappeared  # noqa: PLC0415

        for _ in range(_LOOKS):
            with suppress(PackFileDisappeared):
                return ask(self._disk)
            self.close()
        return ask(self._disk)

    @contextmanager
    def _ours(self, name: Digest | None) -> Iterator[None]:
        """Turn what dulwich raises for bytes that are no object or no pack, some five kinds, into our errors."""
        try:
            yield
        except CapsuleError:
            raise
        except OSError as error:
            subject = f"object {name} of the store" if name else "the store"
            raise StoreUnreadable(f"cannot read {subject} `{self._store}`: {error.strerror or error}") from error
        except Exception as error:
            raise self._damaged(name, str(error) or type(error).__name__) from error

    @contextmanager
    def written(self, value: Encoded) -> Iterator[None]:
        """Make a value's objects durable for the block, in which a ref should come to need them.

        What is there already is not written again, but each object is looked for: of what no ref reaches, git's gc may
        have taken any part. As long as the block lasts, git keeps a new pack: until a ref reaches its objects, another
        process's `git repack` would drop it.
        """
        with ExitStack() as pack:
            with unwritable(self._store):
                new = self._missing(value)
                if len(new) > LOOSE_AT_MOST:
                    pack.enter_context(written_pack(self._pack_directory(), new))
                else:
                    for name, member in new.items():
                        self._write_loose(name, member)
            yield
        release_abandoned(os.path.join(self._path, "pack"))

    def write(self, value: GitObject) -> None:
        """Make one object durable."""
        with unwritable(self._store):
            self._write_loose(value.id, value)

    def _missing(self, value: Encoded) -> dict[Digest, GitObject]:
        """Return those of a value's objects that are not there, or lie loose and damaged: children before parents."""
        missing: dict[Digest, GitObject] = {}
        seen: set[Digest] = set()

        def visit(name: Digest) -> None:
            if name in seen or name not in value.objects:
                return
            seen.add(name)
            member = value.objects[name]
            if member.kind == "tree":
                for entry in decode_tree(member.data):
                    visit(entry.id)
            if name not in packed and not self._is_sound(name):
                missing[name] = member

        with self._ours(None):
            packed = self._with_packs_anew(lambda disk: _packed(value.objects, disk))
        visit(value.id)
        return missing

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
        data = zlib.compress(b"%s %d\0" % (value.kind.encode(), len(value.data)) + value.data, level=1)
        for attempt in range(_LOOKS):
            try:
                directory = os.path.dirname(path)
                if not os.path.isdir(directory):
                    os.makedirs(directory, exist_ok=True)
                    sync_directory(self._path)
                with new_file(directory, mode=0o444) as (file, draft):
                    file.write(data)
                move_into_place(draft, path)
            except FileNotFoundError:
                # git removes a directory that has become empty, also between two of these steps.
                if attempt + 1 == _LOOKS:
                    raise
            else:
                return

    def _pack_directory(self) -> str:
        path = os.path.join(self._path, "pack")
        os.makedirs(path, exist_ok=True)
        return path

    def _lies_loose(self, name: Digest) -> bool:
        return os.path.exists(self._loose_path(name))

    def _loose_path(self, name: Digest) -> str:
        return os.path.join(self._path, name.hex[:2], name.hex[2:])

    def _damaged(self, name: Digest | None, reason: str) -> DamagedObject:
        packs = os.path.join(self._path, "pack")
        fsck = f"git -C {shlex.quote(self._store)} fsck"
        hint = f"`{fsck}` names the damaged pack; copy it, with its index, from a store that has it"
        if name is None:
            return DamagedObject(f"a pack in `{packs}` is damaged ({reason})", hint=hint)
        place = packs
        if self._lies_loose(name):
            place = self._loose_path(name)
            hint = "adding the same capsule again, or copying the file from a store that has it, brings it back"
        return DamagedObject(f"object {name} is damaged ({reason}), in `{place}`", hint=hint)


def _loose(path: str) -> tuple[int, bytes] | None:
    """Return the kind and bytes of a loose object; None where there is none, or one that dulwich is to complain of.

    Read here, because for the few that a capsule mostly has dulwich would take longer to import than all else.
    """
    try:
        with open(path, "rb") as file:
            head, nul, data = zlib.decompress(file.read()).partition(b"\0")
    except (OSError, zlib.error):
        return None
    kind, _, size = head.partition(b" ")
    return (_NUMBERS[kind], data) if nul and kind in _NUMBERS and size == b"%d" % len(data) else None


def _packed(names: Iterable[Digest], disk: DiskObjectStore) -> set[Digest]:
    packs = disk.packs
    return {name for name in names if any(cast("RawObjectID", name.raw) in pack for pack in packs)}


def _id(name: Digest) -> ObjectID:
    return cast("ObjectID", name.hex.encode("ascii"))
