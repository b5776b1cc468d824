"""What should be installed, as a value that can be kept."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

import orjson

from capsulestore.capture.integrity.directories import Owner, Task
from capsulestore.capture.integrity.outcome import Unchecked

__all__ = ["Expected"]

_END: Final = b"\0\0"
"""Stands between tasks, of which no field is empty."""


class Expected(NamedTuple):
    """What is to be looked at, and what cannot be compared, and why.

    `unreadable` are lists of files that cannot be read, with their owners. `roots` are directories to name files from.
    """

    tasks: list[Task]
    unchecked: list[Unchecked]
    unreadable: list[tuple[Owner, str]]
    roots: list[str]

    def as_bytes(self) -> bytes:
        """Return it as bytes, from which `from_bytes` makes it again: the tasks behind a line of JSON."""
        roots = [os.fsencode(root).decode("latin-1") for root in self.roots]
        head = orjson.dumps([self.unchecked, self.unreadable, roots], default=list)
        return b"%s\n%s" % (head, _END.join(self.tasks))

    @classmethod
    def from_bytes(cls, data: bytes) -> Expected:
        """Return what bytes say that `as_bytes` gave."""
        head, _, tasks = data.partition(b"\n")
        unchecked, unreadable, roots = orjson.loads(head)
        return cls(
            tasks=[task for task in tasks.split(_END) if task],
            unchecked=[Unchecked(*files) for files in unchecked],
            unreadable=[(Owner(*owner), path) for owner, path in unreadable],
            roots=[os.fsdecode(root.encode("latin-1")) for root in roots],
        )
