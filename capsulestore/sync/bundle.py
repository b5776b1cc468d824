"""Bundles: a store, or chosen capsules of it, as one file that C git verifies and clones (`git help bundle`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, NamedTuple

from capsulestore.errors import FileProblem, NoCapsuleStore, RemoteRefused, RemoteUnreachable, UsageError
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.store.durable import sync_directory
from capsulestore.sync.bundle_format import BundleHeader, encode_header, read_header
from capsulestore.sync.drafts import draft_beside, new_file
from capsulestore.sync.limits import Limits
from capsulestore.sync.memory import Known
from capsulestore.sync.packs.sent import sent_pack
from capsulestore.sync.plan import plan_all, plan_chosen
from capsulestore.sync.remote import SILENT, Fetched, Progress, Push, Pushed, describe
from capsulestore.sync.wire.advertisement import Advertised

__all__ = ["BundleFile", "Bundled", "write_bundle"]

_CHUNK_BYTES: Final = 2**16
_EMPTY: Final = Advertised({}, {})


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
    """Write the shelf and all tags, or these capsules and what a push of them takes along, to a file.

    What the file was before is replaced when the new one is whole and durable. Raise `UsageError` where there is
    nothing to write, `FileProblem` where the file cannot be written or is none, `UnknownName` for a capsule that is not
    registered, and what reading the store raises.
    """
    plan = plan_all(store, _EMPTY, Known()) if chosen is None else plan_chosen(store, _EMPTY, Known(), chosen)
    if plan.target is None:
        raise UsageError(
            "there is no capsule to write to a bundle", hint="`capsule add` or `capsule run` register some"
        )
    header = encode_header(BundleHeader({update.ref: update.new for update in plan.updates}))
    size = len(header)
    # As the contents of a file that is a link are replaced, not the link.
    path = os.path.realpath(path)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise FileProblem(f"cannot write the bundle `{path}`: it is there, and no file")
    try:
        with draft_beside(path, new_file) as (draft, descriptor), os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(header)
            for piece in sent_pack(plan.names, store, plan.made, progress.objects):
                file.write(piece)
                progress.bytes(len(piece))
                size += len(piece)
            file.flush()
            os.fsync(descriptor)
            os.rename(draft, path)
            sync_directory(os.path.dirname(path))
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
        *,
        depth: int | None = None,  # noqa: ARG002
    ) -> Iterator[Fetched]:
        """Read the header, and the pack where something of it is wanted; a bundle holds what it holds."""
        remote = describe(self.name, self.shown)
        with self._readable():
            file = open(self.name, "rb")  # noqa: SIM115
        with file:
            with self._readable():
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
        while True:
            with self._readable():
                piece = file.read(_CHUNK_BYTES)
            if not piece:
                return
            self._progress.bytes(len(piece))
            yield piece

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RemoteUnreachable(describe(self.name, self.shown), f"it cannot be read: {error.strerror}") from error
