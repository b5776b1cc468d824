"""Bundles: a store, or chosen capsules of it, as one file that C git verifies and clones (`git help bundle`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, NamedTuple

from capsulestore.errors import FileProblem, NoCapsuleStore, RemoteRefused, RemoteUnreachable, UsageError
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.store.durable import move_into_place, new_file
from capsulestore.sync.advertisement import Advertised
from capsulestore.sync.bundle_format import BundleHeader, encode_header, read_header
from capsulestore.sync.limits import Limits
from capsulestore.sync.memory import Memory
from capsulestore.sync.plan import plan_all, plan_chosen
from capsulestore.sync.remote import SILENT, Fetched, Progress, Push, Pushed, describe
from capsulestore.sync.sent_pack import sent_pack

__all__ = ["BundleFile", "Bundled", "write_bundle"]

_CHUNK_BYTES: Final = 2**16
_NOTHING: Final = Advertised({}, {})


class Bundled(NamedTuple):
    """What a bundle holds: `tip` is its main; the capsules, oldest first, the tags, how many objects and bytes."""

    tip: Digest
    capsules: tuple[Digest, ...]
    tags: tuple[str, ...]
    objects: int
    bytes: int


def write_bundle(
    store: Store, path: str, chosen: Collection[Digest] | None = None, *, progress: Progress = SILENT
) -> Bundled:
    """Write the shelf and all tags, or these capsules and theirs, to a file; what it was before is replaced.

    The file is whole and durable when it has its name. Raise `UsageError` where there is nothing to write,
    `FileProblem` where the file cannot be written, and what reading the store raises.
    """
    nobody = Memory(store, "", named=False)
    plan = plan_all(store, _NOTHING, nobody) if chosen is None else plan_chosen(store, _NOTHING, nobody, chosen)
    if plan.target is None:
        raise UsageError(
            "there is no capsule to write to a bundle", hint="`capsule add` or `capsule run` register some"
        )
    header = encode_header(BundleHeader({update.ref: update.new for update in plan.updates}))
    size = len(header)
    path = os.path.abspath(path)
    try:
        with new_file(os.path.dirname(path)) as (file, draft):
            file.write(header)
            for piece in sent_pack(plan.names, store.read, plan.made, progress.objects):
                file.write(piece)
                progress.bytes(len(piece))
                size += len(piece)
        move_into_place(draft, path)
    except OSError as error:
        raise FileProblem(f"cannot write the bundle `{path}`: {error.strerror}") from error
    return Bundled(plan.target, plan.capsules, plan.tags, len(plan.names) + len(plan.made), size)


class BundleFile:
    """A bundle as a remote from which is pulled. `has_commit` tells which commits are on the shelf here."""

    def __init__(
        self, path: str, limits: Limits, has_commit: Callable[[Digest], bool], progress: Progress = SILENT
    ) -> None:
        self.name = self.shown = path
        self._limits = limits
        self._has_commit = has_commit
        self._progress = progress

    @contextmanager
    def fetch(
        self,
        choose: Callable[[Advertised], Sequence[Digest]],
        haves: Sequence[Digest],  # noqa: ARG002
    ) -> Iterator[Fetched]:
        """Read the header, and the pack where something of it is wanted; a bundle holds what it holds."""
        remote = describe(self.name, self.shown)
        try:
            file = open(self.name, "rb")  # noqa: SIM115
        except OSError as error:
            raise RemoteUnreachable(remote, f"it cannot be read: {error.strerror}") from error
        with file:
            header = read_header(file, self._limits, remote)
            if lacking := [name for name in header.prerequisites if not self._has_commit(name)]:
                raise NoCapsuleStore(
                    remote,
                    f"it goes on from {lacking[0]}, which is not here",
                    hint="pull first from where the bundle was made, or have one made that holds all",
                )
            advertised = Advertised(header.refs, {"object-format": "sha256"})
            yield Fetched(advertised, self._pack(file) if choose(advertised) else None)

    def push(self, compose: Callable[[Advertised], Push | None]) -> Pushed:  # noqa: ARG002
        """Refuse: a bundle is written as a whole."""
        remote = describe(self.name, self.shown)
        raise RemoteRefused(remote, "it is a bundle", hint="`capsule bundle FILE` writes one anew")

    def _pack(self, file: BinaryIO) -> Iterator[bytes]:
        while piece := file.read(_CHUNK_BYTES):
            self._progress.bytes(len(piece))
            yield piece
