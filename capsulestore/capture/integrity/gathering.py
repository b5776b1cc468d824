"""Collects what processes say of one directory after the other, in the words of the outcome."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, cast

from capsulestore.capture.files import path_text
from capsulestore.capture.integrity.directories import Owner, Task, names_of, owners_of
from capsulestore.capture.integrity.expected import Expected
from capsulestore.capture.integrity.outcome import Altered, Integrity, Kind, Unchecked
from capsulestore.capture.integrity.processes import Known
from capsulestore.capture.integrity.unlisted import files_of
from capsulestore.capture.integrity.worker import LIST, NOT_KNOWN, Answer

__all__ = ["Gathering"]

_LINK_UNKNOWN: Final = "a soft link, of which only the bytes that it led to elsewhere are recorded"


class Gathering:
    """What was found so far. `stamps` are those by which the tasks are known from now on."""

    def __init__(self, expected: Expected, layers: Collection[str], tasks: Sequence[Known]) -> None:
        self.stamps = [NOT_KNOWN] * len(tasks)
        self._expected = expected
        self._layers = layers
        self._tasks = tasks
        self._files = self._bytes = self._read = 0
        self._altered: list[Altered] = []
        self._links: Counter[Owner] = Counter()

    def add(self, positions: Sequence[int], answer: Answer) -> None:
        """Add the answer to the tasks at some positions."""
        files, size, read, stamps, odd = answer
        self._files += files
        self._bytes += size
        self._read += read
        for at, stamp in zip(positions, stamps, strict=True):
            self.stamps[at] = stamp
        for at, altered, unlisted in odd:
            self._altered += self._told(self._tasks[positions[at]][0], altered, unlisted)

    def outcome(self) -> Integrity:
        """Return all that was found."""
        lists = [
            Altered("unreadable", owner.layer, owner.name or None, path, self._name(path))
            for owner, path in self._expected.unreadable
        ]
        links = [Unchecked(*owner, _LINK_UNKNOWN, count) for owner, count in self._links.items()]
        return Integrity(
            files=self._files,
            bytes=self._bytes,
            hashed=self._read,
            altered=tuple(sorted([*self._altered, *lists], key=lambda file: (file.path, file.kind))),
            unchecked=tuple(sorted([*self._expected.unchecked, *links], key=lambda one: (*one[:3], one.files or 0))),
        )

    def _told(
        self, task: Task, altered: Iterable[tuple[int, str]], unlisted: list[tuple[bytes, bool]]
    ) -> Iterator[Altered]:
        directory, names = names_of(task)
        for at, kind in altered:
            if at == LIST:
                yield self._file("unreadable", None, directory + b"/")
                continue
            owner = self._owner(task, at)
            if kind == "unknown":
                self._links[owner] += 1
            else:
                yield self._file(cast("Kind", kind), owner, os.path.join(directory, names[at]))
        for path in files_of(directory, unlisted):
            yield self._file("unowned", None, path)

    def _owner(self, task: Task, position: int) -> Owner:
        """Return whose a file is: of several owners the first that counts."""
        owners = owners_of(task, position)
        return next((owner for owner in owners if owner.layer in self._layers), owners[0])

    def _file(self, kind: Kind, owner: Owner | None, path: bytes) -> Altered:
        text = path_text(path)
        return Altered(kind, owner.layer if owner else "python", owner.name if owner else None, text, self._name(text))

    def _name(self, path: str) -> str:
        """Return a path from the innermost directory that is installed into; one that lies in none as it is."""
        above = [root for root in map(path_text, self._expected.roots) if path.startswith(root + "/")]
        return path[len(max(above, key=len)) + 1 :] if above else path
