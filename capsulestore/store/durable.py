"""Writes that survive a power cut: write, fsync, rename, fsync the directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from capsulestore.errors import StoreUnwritable

__all__ = [
    "draft_path",
    "move_into_place",
    "new_file",
    "removed_after_error",
    "replace_file",
    "sync_directory",
    "unwritable",
]


@contextmanager
def unwritable(
    path: str, *, doing: str = "write to", hint: str | None = "what it held before is untouched"
) -> Iterator[None]:
    """Turn an `OSError` of writing below `path` into `StoreUnwritable`."""
    try:
        yield
    except OSError as error:
        raise StoreUnwritable(f"cannot {doing} the store `{path}`: {error.strerror}", hint=hint) from error


def draft_path(directory: str) -> str:
    """Return a new name in a directory; it begins with `tmp_obj_`, which git's own gc knows to be a leftover."""
    return os.path.join(directory, f"tmp_obj_{os.getpid()}_{os.urandom(8).hex()}")


@contextmanager
def new_file(directory: str, *, mode: int = 0o666) -> Iterator[tuple[BinaryIO, str]]:
    """Open a new file of a name of its own in a directory; its bytes are on disk when the block ends.

    After an error the file is gone.
    """
    path = draft_path(directory)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with removed_after_error(path), os.fdopen(descriptor, "wb") as file:
        yield file, path
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def removed_after_error(path: str) -> Iterator[None]:
    """Remove a file where the block ends in an error, if it is still there."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def move_into_place(draft: str, path: str) -> None:
    """Give a finished file its name, durably; after an error the draft is gone."""
    with removed_after_error(draft):
        os.rename(draft, path)
        sync_directory(os.path.dirname(path))


def replace_file(path: str, data: bytes, *, draft_in: str | None = None) -> None:
    """Put a file in place whole: whoever looks sees the old bytes or the new ones, also after a power cut.

    The draft lies in the same directory or, where its name would mean something there, in `draft_in`.
    """
    with new_file(draft_in or os.path.dirname(path)) as (file, draft):
        file.write(data)
    move_into_place(draft, path)


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
