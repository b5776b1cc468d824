"""How much another machine may make this one read, keep, unpack and wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a remote sends; one that is passed ends in `RemoteMisbehaved`.

    The defaults let a store of 100,000 capsules over 10,000 environments through whole, with room to grow, and end what
    somebody who means harm sends before it has filled a disk, or more than one or two GiB of memory.
    """

    line_bytes: int = 65_520
    """One pkt-line with its four digits of length: the most that git sends or takes (`gitprotocol-common`)."""

    advertisement_bytes: int = 16 * 2**20
    """All that a remote says before it is asked, also the header of a bundle: 100,000 tags with names of 80 bytes."""

    report_bytes: int = 16 * 2**20
    """What a remote answers to a push: a line for each ref, which is less than it was sent."""

    said_bytes: int = 4 * 2**20
    """Text for people during one exchange (progress, hooks), signs of life included. Git says some kilobytes."""

    refs: int = 150_000
    """Refs in one advertisement: a tag for each capsule, and half as many again, which about fill its bytes."""

    ref_name_bytes: int = 4_096
    """One ref's name: the longest path that Linux opens, as a ref may be a file of that name."""

    haves: int = 8
    """Commits that a fetch says are here. Stores only grow: the tip, and what the remote is known to have, will do."""

    pack_bytes: int = 16 * 2**30
    """One received pack as it lies on disk. 100,000 capsules, each with a context of its own, come to a few GiB."""

    objects: int = 2**24
    """Objects in one received pack: 16.8 million, whose ids alone are half a GiB of memory."""

    object_bytes: int = 64 * 2**20
    """One object, unpacked: it is held in memory whole. The largest are files that were kept with a capsule."""

    unpacked_bytes: int = 64 * 2**30
    """All objects of one received pack together, unpacked. To hash so much takes a core about a minute."""

    delta_depth: int = 4_095
    """Deltas between an object and a whole one: the most that git makes (`pack.depth`); it makes 50 unasked."""

    waiting_deltas: int = 2**20
    """Deltas of a base that is told by its id, of which git, asked for places, sends none: each takes some memory."""

    tree_bytes: int = 2**24
    """A commit, tree or tag: what is made of it in memory takes some twenty times as much. A blob may be larger."""

    tree_name_bytes: int = 4_096
    """One name in a tree of which nothing is known; git's fsck complains of longer ones."""

    json_values: int = 2**21
    """Values in one JSON text: in memory each takes many times its bytes, and those can be deflated to nothing."""

    manifest_bytes: int = 16 * 2**30
    """Manifests and statements, each as often as something is made of it: to parse a GiB takes half a minute."""

    tree_depth: int = 128
    """Trees within trees. A statement about a capsule has five; the rest is for the paths of kept files."""

    glance_bytes: int = 64 * 2**20
    """The one commit, as a pack, by which a push tells whether a store lies at a remote of which nothing is known."""

    glance_unpacked_bytes: int = 2**30
    """The same, unpacked. The files that are kept with a capsule may be text, which packs well."""

    answer_bytes: int = 64 * 2**20
    """One answer of a server's HTTP API: as much text as an environment may have (`model.document.MAX_TEXT_BYTES`)."""

    connect_seconds: float = 30.0
    """Until a server that is spoken to directly (HTTP) takes the connection; ssh has its own `ConnectTimeout`."""

    idle_seconds: float = 120.0
    """Without one byte in either direction. Git sends a sign of life every 5 seconds while it works."""


LIMITS: Final = Limits()
"""What the commands use; the functions of this room take theirs as an argument."""
