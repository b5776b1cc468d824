"""What a remote says first: its refs and what it can do.

Source: git's documentation, `gitprotocol-pack`, "Reference Discovery".

ID SP NAME NUL CAPABILITIES          the first ref; without any, zeros and `capabilities^{}` in its place
ID SP NAME                           each further one
shallow SP ID                        where it lacks a part of its history
flush
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved
from capsulestore.model.digest import Digest
from capsulestore.store.refs import MAIN
from capsulestore.sync.wire.packet import PacketReader
from capsulestore.sync.wire.ref_list import RefList

__all__ = ["Advertised", "check_object_format", "read_advertisement", "read_service"]

_NO_REFS: Final = b"0" * 64 + b" capabilities^{}"
_VERSION: Final = b"version 1"
_SHALLOW: Final = b"shallow "
_OBJECT_FORMAT: Final = "object-format"


class Advertised(NamedTuple):
    """A remote's refs below `refs/` by full name, its capabilities with their values, whether its history is cut.

    Of a capability that is named twice (`symref`) the first value counts.
    """

    refs: Mapping[str, Digest]
    capabilities: Mapping[str, str | None]
    shallow: bool = False

    @property
    def main(self) -> Digest | None:
        """The tip of its shelf; None where it has none."""
        return self.refs.get(MAIN)


def read_advertisement(reader: PacketReader) -> Advertised:
    """Read up to the flush that ends the advertisement, which both of git's services begin with.

    A flush alone is what `git upload-pack` before 2.42 says of an empty repository, of either object format: no refs,
    no capabilities. Raise `NoCapsuleStore` where objects are not SHA-256, `RemoteMisbehaved` for names of refs that git
    refuses, ids that are none and whatever has no place here, and what the reader raises.
    """
    lines = reader.lines(reader.limits.advertisement_bytes)
    first = next(lines, None)
    if first == _VERSION:
        first = next(lines, None)
    if first is None:
        return Advertised({}, {})
    ref, nul, listed = first.partition(b"\0")
    if not nul:
        raise RemoteMisbehaved(reader.remote, "it does not say what it can do, as git does first")
    capabilities = _capabilities(listed)
    check_object_format(capabilities.get(_OBJECT_FORMAT), reader.remote)
    refs = RefList(reader.limits, reader.remote)
    if ref != _NO_REFS:
        refs.add(ref)
    shallow = _read_refs(lines, refs)
    return Advertised(refs.checked(), capabilities, shallow)


def check_object_format(name: str | None, remote: str) -> None:
    """Raise `NoCapsuleStore` for an object format other than ours; not to name any is to have SHA-1, as git began."""
    if name != "sha256":
        raise NoCapsuleStore(
            remote,
            f"its objects are named by {_algorithm(name)}, those of a store by SHA-256",
            hint="make a place for capsules there with `git init --bare --object-format=sha256 DIR`",
        )


def read_service(reader: PacketReader, service: str) -> None:
    """Read what stands before an advertisement over HTTP: the service, and a flush (`gitprotocol-http`).

    Raise `RemoteMisbehaved` for another, and what the reader raises.
    """
    if reader.line() != f"# service={service}".encode() or reader.line() is not None:
        raise RemoteMisbehaved(reader.remote, f"it does not answer as the service `{service}` that it was asked for")


def _read_refs(lines: Iterator[bytes], refs: RefList) -> bool:
    shallow = False
    for line in lines:
        if line.startswith(_SHALLOW):
            refs.digest(line.removeprefix(_SHALLOW))
            shallow = True
        elif shallow:
            raise RemoteMisbehaved(refs.remote, "it goes on with refs where its list of them has ended")
        else:
            refs.add(line)
    return shallow


def _capabilities(listed: bytes) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for word in listed.decode("utf-8", "replace").split():
        name, equals, value = word.partition("=")
        found.setdefault(name, value if equals else None)
    return found


def _algorithm(name: str | None) -> str:
    return "SHA-1" if name in {None, "sha1"} else f"`{name}`"
