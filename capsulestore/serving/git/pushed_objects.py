"""Where git puts what is pushed until it has been checked: a repository of the push's own, beside that of the store.

    .capsules/capsulestore/incoming-*/git/objects   what git writes: a pack, its index
    .capsules/capsulestore/incoming-*/git/hooks     the programs that git asks, before it does anything else with it
    .capsules/capsulestore/incoming-*/git/config    all that git is told, of hooks too; the store's own is not asked
    .capsules/capsulestore/incoming-*/git/refs      a link to the store's, as is `packed-refs`

Git's own quarantine (git-receive-pack(1)) lies in there, and what git takes out of it is of this place still. So
nothing becomes an object of the store but by `capsulestore.serving.git.received_hook`, and what a killed server leaves
is known by the lock of its directory, and removed by the next that receives.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from capsulestore.store.durable import unwritable
from capsulestore.sync.quarantine import quarantine

__all__ = ["PushedObjects", "pushed_objects"]

_DIRECTORY: Final = "git"
_ASKED: Final = "asked"
_FILES: Final = {
    "HEAD": "ref: refs/heads/main\n",
    "config": "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n",
}


class PushedObjects(NamedTuple):
    """The place of one push: `directory` is a repository to git."""

    directory: str

    @property
    def objects(self) -> str:
        """Its object directory; the store's own is its alternate."""
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
    with quarantine(store) as incoming:
        place = PushedObjects(os.path.join(incoming.directory, _DIRECTORY))
        with unwritable(store):
            _make(place, store)
        yield place


def _make(place: PushedObjects, store: str) -> None:
    os.makedirs(os.path.join(place.objects, "info"))
    os.makedirs(os.path.join(place.objects, "pack"))
    os.mkdir(place.hooks)
    for name in ("refs", "packed-refs"):
        os.symlink(os.path.join(store, name), os.path.join(place.directory, name))
    for name, text in _FILES.items():
        _write(os.path.join(place.directory, name), text)
    _write(os.path.join(place.objects, "info", "alternates"), os.path.join(store, "objects") + "\n")
    receive = shlex.join([sys.executable, "-P", "-m", "capsulestore.serving.git.received_hook", store, place.directory])
    for name, command in (("pre-receive", f"cat >{shlex.quote(place.asked)}"), ("proc-receive", receive)):
        path = os.path.join(place.hooks, name)
        _write(path, f"#!/bin/sh\nexec {command}\n")
        os.chmod(path, 0o700)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
