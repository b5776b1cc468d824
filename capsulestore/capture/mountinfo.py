r"""The mounts that a process sees, as the lines of /proc/self/mountinfo tell them (proc_pid_mountinfo(5)).

36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["MAX_BYTES", "Mount", "parse_mounts", "unescaped"]

MAX_BYTES: Final = 4 * 2**20
"""The most that is read of it: a node that runs hundreds of containers has a megabyte of mounts."""

_FIELDS, _BEHIND = 6, 3
"""How many fields a line has at least before its dash, where some more may follow; and behind it."""


class Mount(NamedTuple):
    r"""What of a file system, from its directory `root` downwards, is mounted at `point`.

    `kind` is the type of the file system, `source` what holds it, `options` are those of the whole. All are as the line
    has them, with `\040` for a blank (`unescaped`).
    """

    root: str
    point: str
    kind: str
    source: str
    options: str


def parse_mounts(mountinfo: str) -> Iterator[Mount]:
    """Yield the mounts in their order; lines that are none are passed over."""
    for line in mountinfo.split("\n"):
        mount, _, file_system = line.partition(" - ")
        fields, behind = mount.split(" "), file_system.split(" ", 2)
        if len(fields) >= _FIELDS and len(behind) == _BEHIND:
            yield Mount(fields[3], fields[4], *behind)


def unescaped(field: str) -> str:
    r"""Return a field with what stands for a character in it, as `\040` for a blank; never a NUL, which no path has."""
    if "\\" not in field:
        return field
    return re.sub(r"\\(0(?!00)[0-7]{2}|1[0-7]{2})", lambda digits: chr(int(digits[1], 8)), field)
