"""The header of a git bundle, version 3 (git's documentation, `gitformat-bundle`); a pack follows it.

# v3 git bundle
@object-format=sha256
-ID COMMENT            a commit that the reader must have, and all that it leads to
ID NAME                a ref
(an empty line)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final, NamedTuple

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved
from capsulestore.model.digest import Digest
from capsulestore.store.refs import MAIN
from capsulestore.sync.limits import Limits
from capsulestore.sync.wire.advertisement import check_object_format
from capsulestore.sync.wire.ref_list import RefList

__all__ = ["BundleHeader", "encode_header", "read_header"]

_SIGNATURE: Final = b"# v3 git bundle\n"
_OLD_SIGNATURE: Final = b"# v2 git bundle\n"
_OBJECT_FORMAT: Final = "object-format"


class BundleHeader(NamedTuple):
    """A bundle's refs below `refs/` by full name, and the commits that it takes for granted."""

    refs: Mapping[str, Digest]
    prerequisites: tuple[Digest, ...] = ()


def encode_header(header: BundleHeader) -> bytes:
    """Return a header as git writes it. `HEAD` stands for main, so that `git clone` knows what to check out."""
    lines = [f"@{_OBJECT_FORMAT}=sha256", *(f"-{commit} " for commit in header.prerequisites)]
    if main := header.refs.get(MAIN):
        lines.append(f"{main} HEAD")
    lines += [f"{digest} {name}" for name, digest in header.refs.items()]
    return _SIGNATURE + "".join(f"{line}\n" for line in [*lines, ""]).encode("utf-8", "surrogateescape")


def read_header(file: BinaryIO, limits: Limits, remote: str) -> BundleHeader:
    """Read a header; the file then stands where the pack begins.

    `HEAD` is left out of the refs. Raise `NoCapsuleStore` for what is no bundle of SHA-256 objects or leaves some out,
    `RemoteMisbehaved` for one that git would not write, is cut short or passes the limits; `remote` is how they name
    it. What reading the file raises comes through.
    """
    signature = file.readline(len(_SIGNATURE))
    if signature == _OLD_SIGNATURE:
        # Version 2 has no word for another object format.
        check_object_format(None, remote)
    if signature != _SIGNATURE:
        raise NoCapsuleStore(remote, "it is no git bundle", hint="make one with `capsule bundle FILE`")
    lines = _Lines(file, limits, remote)
    _read_capabilities(lines)
    prerequisites = []
    refs = RefList(limits, remote)
    while line := lines.line:
        if not line.startswith(b"-"):
            break
        prerequisites.append(refs.digest(line[1:].partition(b" ")[0]))
        lines.next()
    while line := lines.line:
        refs.add(line)
        lines.next()
    return BundleHeader(refs.checked(), tuple(prerequisites))


class _Lines:
    """The lines of a header, one at a time; `line` is the one to be looked at, empty at the end."""

    def __init__(self, file: BinaryIO, limits: Limits, remote: str) -> None:
        self._file = file
        self._line_bytes = limits.line_bytes
        self._left_bytes = limits.advertisement_bytes
        self.remote = remote
        self.next()

    def next(self) -> None:
        limit = min(self._line_bytes, self._left_bytes)
        line = self._file.readline(limit)
        self._left_bytes -= len(line)
        if not line.endswith(b"\n"):
            is_cut = len(line) < limit
            reason = "it ends in the middle of its header" if is_cut else "its header does not come to an end"
            raise RemoteMisbehaved(self.remote, reason)
        self.line = line[:-1]


def _read_capabilities(lines: _Lines) -> None:
    object_format = None
    while lines.line.startswith(b"@"):
        name, _, value = lines.line[1:].decode("utf-8", "replace").partition("=")
        if name == "filter":
            raise NoCapsuleStore(
                lines.remote, "objects were left out of the bundle", hint="make one with `capsule bundle FILE`"
            )
        if name != _OBJECT_FORMAT:
            raise NoCapsuleStore(lines.remote, f"the bundle asks for `{name[:200]}`, which this release does not know")
        object_format = value
        lines.next()
    check_object_format(object_format, lines.remote)
