"""How much a client may send to a server, and how long it may keep it waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what clients do. One that is passed ends that request, and no other."""

    head_bytes: int = 64 * 2**10
    """A request's line and headers."""

    head_seconds: float = 10.0
    """From when a connection is made, or the first byte of a later request has come, until all headers are there."""

    kept_seconds: float = 15.0
    """How long a connection without a request is kept."""

    idle_seconds: float = 30.0
    """Without one byte, where a body is awaited from a client, or a client is awaited to take what it asked for."""

    body_bytes: int = 16 * 2**20
    """The body of a request to `/api`. A capture of 1,000 distributions and 2,000 system packages is about 1 MiB."""

    body_values: int = 300_000
    """Values in such a body, those within others included: a capture has some for each distribution, one for each
    package of the system.
    """

    body_prose: int = 2**20
    """Characters in such a body of texts that are more than a word: each is looked through for secrets, which takes a
    second or more for so many.
    """

    bodies_bytes: int = 64 * 2**20
    """All bodies together of those who register, and all of those who compare, from when they come until they are
    answered; who comes beyond is told to come again.
    """

    connections: int = 512
    """At once; who comes beyond is told to come again."""

    readers: int = 1
    """Requests that read the store at once, each in a thread with files of its own; others wait for their turn. They
    share one core with what speaks to clients: more threads only take it from each other.
    """

    writers: int = 2
    """Requests that register capsules at once. The store takes them one after the other."""

    waiting: int = 256
    """Requests of one of these kinds that wait for their turn; who comes beyond is told to come again."""

    captures: int = 2
    """Requests that look at the server's environment at once."""

    waiting_captures: int = 16
    """Requests that wait for such a turn, or to have an environment compared that they have sent."""

    verified_bytes: int = 256 * 2**20
    """Recorded code and files that are looked at for one answer, all together (as `Reach` counts them)."""

    page_default: int = 50
    """Capsules on a page of a list, where a client does not say."""

    page_most: int = 500
    """Capsules on a page at most."""

    looked_at_most: int = 100
    """Capsules that are looked into for one page. Where few are as asked, it is shorter, and the next goes on there."""

    kept_answers_bytes: int = 128 * 2**20
    """Answers about capsules that are kept in memory, as bytes: what a digest names does not change."""

    pushed_bytes: int = 4 * 2**30
    """One push, as it comes."""

    fetch_request_bytes: int = 2**20
    """What a client of git says before it is sent anything, unpacked."""

    git_processes: int = 4
    """Processes of git at once; others wait for their turn."""

    git_memory_bytes: int = 2 * 2**30
    """What each process of git may take for data of its own; files that it only looks at are not counted."""

    git_cpu_seconds: int = 900
    """How long each may keep a core busy. To check a push of 64 GiB unpacked takes some minutes."""

    slowest_bytes_per_second: int = 4096
    """What a client has to send of a body, and a client of git to take too, on average beyond `idle_seconds`."""

    shutdown_seconds: float = 30.0
    """How long requests that have begun are waited for when the server is asked to end."""


LIMITS: Final = Limits()
"""What `capsule serve` uses."""
