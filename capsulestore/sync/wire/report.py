"""What a remote reports of a push, within its side-band (git's documentation, `gitprotocol-pack`, "Report Status").

unpack ok | unpack REASON
ok REF | ng REF REASON                for each ref
flush
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from capsulestore.errors import RemoteMisbehaved
from capsulestore.sync.wire.packet import PacketReader, reading

__all__ = ["Report", "read_report"]

_UNPACK: Final = b"unpack "


class Report(NamedTuple):
    """Why the pack could not be taken, None where it could; and why refs were refused, by ref."""

    unpacking: str | None
    refusals: Mapping[str, str]


def read_report(answer: Iterator[bytes], refs: Collection[str], outer: PacketReader) -> Report:
    """Read a report; refs that moved are not among its refusals.

    Raise `RemoteMisbehaved` where it took the pack and does not say of each of `refs` what became of it, and what
    `outer`, which reads the answer, raises.
    """
    reader = PacketReader(reading(answer), outer.limits, outer.remote)
    unpacked = reader.line()
    if unpacked is None or not unpacked.startswith(_UNPACK):
        raise RemoteMisbehaved(outer.remote, "it does not say whether it could unpack what it was sent")
    refusals: dict[str, str] = {}
    told: set[str] = set()
    for line in reader.lines(outer.limits.report_bytes):
        word, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
        if word not in {"ok", "ng"}:
            raise RemoteMisbehaved(outer.remote, "it reports of a push in words that git does not have")
        ref, _, reason = rest.partition(" ")
        told.add(ref)
        if word == "ng":
            refusals[ref] = reason
    reason = unpacked.removeprefix(_UNPACK).decode("utf-8", "replace")
    if reason != "ok":
        return Report(reason, refusals)
    if untold := [ref for ref in refs if ref not in told]:
        raise RemoteMisbehaved(outer.remote, f"it does not say what became of `{untold[0]}`")
    return Report(None, refusals)
