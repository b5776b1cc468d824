"""Writes many objects as one pack (git's documentation, `gitformat-pack`), durable before its index shows it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store.durable import draft_path, new_file, removed_after_error, sync_directory
from capsulestore.store.pack_index import Columns, IdOrder, index_of

__all__ = ["is_at", "placed_pack", "release_abandoned", "written_pack"]

_NUMBERS: Final = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_COMPRESSION_LEVEL: Final = 1
_KEEP: Final = ".keep"
_SIGNATURE: Final = b"capsulestore\n"


@contextmanager
def written_pack(directory: str, objects: Mapping[Digest, GitObject]) -> Iterator[None]:
    """Write a pack of whole objects and its index into `objects/pack`, for the block as `placed_pack` says."""
    with ExitStack() as placed:
        with ExitStack() as drafts:
            pack, checksum, columns = _write_objects(directory, objects)
            drafts.enter_context(removed_after_error(pack))
            with new_file(directory, mode=0o444) as (file, index):
                file.writelines(index_of(columns, IdOrder(columns, range(len(objects))), checksum))
            placed.enter_context(placed_pack(directory, pack, index, checksum))
        yield


@contextmanager
def placed_pack(directory: str, pack: str, index: str, checksum: bytes) -> Iterator[None]:
    """Move a pack and its index, both durable, into `objects/pack`, and keep git from dropping it for the block.

    A pack counts from when its index is there, so the index comes last: keep, pack, index, then the directory's fsync.
    Until a ref needs the objects, a `.keep` beside them says that they are wanted. By its lock one in use is told from
    one that a killed process left. After an error what was to be moved is gone.
    """
    with ExitStack() as keep:
        with removed_after_error(pack), removed_after_error(index):
            base = os.path.join(directory, f"pack-{checksum.hex()}")
            keep.enter_context(_keep_file(f"{base}{_KEEP}"))
            os.rename(pack, f"{base}.pack")
            os.rename(index, f"{base}.idx")
            sync_directory(directory)
        yield


def release_abandoned(directory: str) -> None:
    """Remove the `.keep` files of ours that no process holds any more. Best effort: never an error."""
    with suppress(OSError), os.scandir(directory) as entries:
        for path in [entry.path for entry in entries if entry.name.endswith(_KEEP)]:
            with suppress(OSError), open(path, "rb") as keep:
                if keep.read(len(_SIGNATURE)) == _SIGNATURE:
                    fcntl.flock(keep, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # By that name there may be another by now.
                    if is_at(path, keep.fileno()):
                        os.unlink(path)


def is_at(path: str, descriptor: int) -> bool:
    """Return whether an open file is the one that has that path."""
    return os.path.samestat(os.stat(path), os.fstat(descriptor))


@contextmanager
def _keep_file(path: str) -> Iterator[None]:
    draft = draft_path(os.path.dirname(path))
    with removed_after_error(draft), open(draft, "xb") as keep:
        # Locked before it has its name, so that nobody takes it for abandoned.
        fcntl.flock(keep, fcntl.LOCK_EX)
        keep.write(_SIGNATURE)
        keep.flush()
        os.rename(draft, path)
        try:
            yield
        finally:
            # Another's by now, or gone, where another process wrote the very same pack.
            with suppress(FileNotFoundError):
                if is_at(path, keep.fileno()):
                    os.unlink(path)


def _write_objects(directory: str, objects: Mapping[Digest, GitObject]) -> tuple[str, bytes, Columns]:
    from dulwich.object_format import SHA256  # noqa: PLC0415
    from dulwich.pack import HashWriter, write_pack_header, write_pack_object  # noqa: PLC0415

    columns = Columns.empty()
    with new_file(directory, mode=0o444) as (file, path):
        writer = HashWriter(file, SHA256.hash_func)
        write_pack_header(writer.write, len(objects))
        for name, value in objects.items():
            columns.ids.extend(name.raw)
            columns.offsets.append(writer.offset())
            checksum = write_pack_object(
                writer.write,
                _NUMBERS[value.kind],
                [value.data],
                SHA256,
                compression_level=_COMPRESSION_LEVEL,
            )
            columns.checksums.append(checksum)
        return path, writer.write_hash(), columns
