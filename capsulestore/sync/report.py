"""What a remote reports of a push, within its side-band (git's documentation, `gitprotocol-pack`, "Report Status").

unpack ok | unpack REASON
ok REF | ng REF REASON                for each ref
flush
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from capsulestore.errors import RemoteMisbehaved, RemoteRefused
from capsulestore.sync.packet import PacketReader, reading
from capsulestore.sync.said import Said

__all__ = ["read_report"]


def read_report(answer: Iterator[bytes], refs: Collection[str], outer: PacketReader, said: Said) -> Mapping[str, str]:
    """Return why refs were refused, by ref; those that moved are not in it.

    Raise `RemoteRefused` where the remote could not take the pack, with the last that it `said`: no ref moved. Raise
    `RemoteMisbehaved` where it does not say of each of `refs` what became of it, and what `outer`, which reads the
    answer, raises.
    """
    reader = PacketReader(reading(answer), outer.limits, outer.remote)
    unpacked = reader.line()
    if unpacked is None or not unpacked.startswith(b"unpack "):
        raise RemoteMisbehaved(outer.remote, "it does not say whether it could unpack what it was sent")
    refusals: dict[str, str] = {}
    told: set[str] = set()
    for line in reader.lines(outer.limits.report_bytes):
        word, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
        ref, _, reason = rest.partition(" ") if word == "ng" else (rest, "", "")
        if word not in {"ok", "ng"}:
            raise RemoteMisbehaved(outer.remote, "it reports of a push in words that git does not have")
        told.add(ref)
        if word == "ng":
            refusals[ref] = reason
    if unpacked != b"unpack ok":
        reason = unpacked.removeprefix(b"unpack ").decode("utf-8", "replace")
        words = f" ({said.last_line})" if said.last_line else ""
        raise RemoteRefused(outer.remote, f"it could not take what it was sent: {reason}{words}")
    if untold := [ref for ref in refs if ref not in told]:
        raise RemoteMisbehaved(outer.remote, f"it does not say what became of `{untold[0]}`")
    return refusals
