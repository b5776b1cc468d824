"""Where git puts what is pushed until it has been checked: objects of its own, beside those of the store.

    .capsules/capsulestore/incoming-*/git/objects   what git writes: a pack, its index
    .capsules/capsulestore/incoming-*/git/hooks     the programs that git asks, before it does anything else with it

Git's own quarantine (git-receive-pack(1)) lies in there, and what git takes out of it is of this place still. So
nothing becomes an object of the store but by `capsulestore.serving.received_hook`, and what a killed server leaves is
known by the lock of its directory, and removed by the next that receives.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from capsulestore.store.durable import unwritable
from capsulestore.sync.quarantine import quarantine

__all__ = ["PushedObjects", "pushed_objects"]

_DIRECTORY = "git"
_ASKED = "asked"


class PushedObjects(NamedTuple):
    """The place of one push, below `directory`."""

    directory: str

    @property
    def objects(self) -> str:
        """What git takes for its object directory; the store's own is its alternate."""
        return os.path.join(self.directory, "objects")

    @property
    def hooks(self) -> str:
        """The directory of hooks (`core.hooksPath`)."""
        return os.path.join(self.directory, "hooks")

    @property
    def asked(self) -> str:
        """The file of all that is asked for, a line for each ref, also what git itself refuses."""
        return os.path.join(self.directory, _ASKED)


@contextmanager
def pushed_objects(store: str) -> Iterator[PushedObjects]:
    """Make the place of one push to the store at that path; when the block ends, it is gone with all in it.

    Those that killed servers left go first. Raise `StoreUnwritable`.
    """
    from shutil import rmtree  # noqa: PLC0415

    _empty_abandoned(store)
    with quarantine(store) as incoming:
        place = PushedObjects(os.path.join(incoming.directory, _DIRECTORY))
        try:
            with unwritable(store):
                _make(place, store)
            yield place
        finally:
            rmtree(place.directory, ignore_errors=True)


def _make(place: PushedObjects, store: str) -> None:
    os.makedirs(os.path.join(place.objects, "info"))
    os.makedirs(os.path.join(place.objects, "pack"))
    os.mkdir(place.hooks)
    with open(
        os.path.join(place.objects, "info", "alternates"), "w", encoding="utf-8", errors="surrogateescape"
    ) as file:
        file.write(os.path.join(store, "objects") + "\n")
    receive = shlex.join([sys.executable, "-P", "-m", "capsulestore.serving.received_hook", store, place.directory])
    for name, command in (("pre-receive", f"cat >{shlex.quote(place.asked)}"), ("proc-receive", receive)):
        path = os.path.join(place.hooks, name)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"#!/bin/sh\nexec {command}\n")
        os.chmod(path, 0o700)


def _empty_abandoned(store: str) -> None:
    """Remove what git wrote for servers that are no more. Best effort: never an error."""
    from shutil import rmtree  # noqa: PLC0415

    with suppress(OSError), os.scandir(os.path.join(store, "capsulestore")) as entries:
        for directory in [entry.path for entry in entries if os.path.isdir(os.path.join(entry.path, _DIRECTORY))]:
            with suppress(OSError), open(os.path.join(directory, "lock"), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                rmtree(os.path.join(directory, _DIRECTORY))
