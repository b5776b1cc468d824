"""Changes a store's configuration file as git does: `config.lock` beside it, fsync, rename."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from capsulestore.errors import StoreBusy
from capsulestore.store.durable import sync_directory, unwritable
from capsulestore.store.queue import LOCK_SECONDS, attempts, queue

__all__ = ["change_config"]

_DRAFT: Final = "config.draft"


def change_config(store: str, change: Callable[[bytes], bytes]) -> None:
    """Replace the bytes of a store's `config` by what `change` makes of them, durably, while no git changes them.

    What `change` raises leaves the file as it was. Raise `StoreBusy` where git holds it for too long, and
    `StoreUnwritable`. A process that was killed here blocks nobody: the lock file that it left is known by its second
    name below `capsulestore/`, and the next change removes it.
    """
    path = os.path.realpath(os.path.join(store, "config"))
    lock = f"{path}.lock"
    own = os.path.join(store, "capsulestore")
    draft = os.path.join(own, _DRAFT)
    with unwritable(store), queue(os.path.join(own, "lock")) as deadline:
        _drop(draft, lock)
        with open(draft, "xb") as file:
            try:
                _take(draft, lock, deadline)
                with open(path, "rb") as current:
                    old = current.read()
                    mode = os.fstat(current.fileno()).st_mode
                new = change(old)
                if new != old:
                    file.write(new)
                    file.flush()
                    os.fchmod(file.fileno(), mode & 0o7777)
                    os.fsync(file.fileno())
                    os.rename(lock, path)
                    sync_directory(os.path.dirname(path))
            finally:
                _drop(draft, lock)


def _take(draft: str, lock: str, deadline: float) -> None:
    for _ in attempts(deadline):
        with suppress(FileExistsError):
            os.link(draft, lock)
            return
    raise StoreBusy(
        f"git has held `{lock}` for {LOCK_SECONDS:.0f} seconds",
        hint="where no git command is at work in the store, remove that file",
    )


def _drop(draft: str, lock: str) -> None:
    """Remove a draft, and the lock file where it is the draft's."""
    with suppress(FileNotFoundError):
        if os.path.samefile(draft, lock):
            os.unlink(lock)
    with suppress(FileNotFoundError):
        os.unlink(draft)
