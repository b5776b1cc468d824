"""Commits of the shelf: a registration (who, when, which tree) and a join of two shelves.

The bytes are git's own (git's documentation, `gitformat` of a commit). Times are whole seconds since 1970, written
in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from capsulestore.errors import InvalidValue, MalformedName
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, GitObject

__all__ = ["Commit", "Person", "iso_time", "join"]

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<time>-?\d{1,13}) [+-]\d{4}")
_CONTROLS = re.compile(r"[\0-\x1f\x7f]+")
_NOT_IN_A_FIELD = re.compile(r"[<>\0-\x1f\x7f]+")


class Person(NamedTuple):
    """Who registers: a name, and an e-mail address that may be empty."""

    name: str
    email: str = ""

    def __str__(self) -> str:
        # As git does: what would end the field is left out of it, and fsck asks for a name.
        name = _NOT_IN_A_FIELD.sub("", self.name).strip() or "unknown"
        return f"{name} <{_NOT_IN_A_FIELD.sub('', self.email).strip()}>"


class Commit(NamedTuple):
    """One commit: its tree, its parents, its author, when it was committed (`time`), and its message."""

    tree: Digest
    parents: tuple[Digest, ...]
    author: Person
    time: int
    message: str

    def encode(self) -> GitObject:
        """Return the commit as an object; author and committer are the same."""
        stamp = f"{self.author} {self.time} +0000"
        lines = [f"tree {self.tree}", *(f"parent {parent}" for parent in self.parents)]
        lines += [f"author {stamp}", f"committer {stamp}", "", _one_line(self.message)]
        return GitObject("commit", "\n".join(lines).encode("utf-8", "replace") + b"\n")

    @classmethod
    def decode(cls, data: bytes) -> Commit:
        """Return what a commit says, whoever wrote it; headers that are not ours (a signature) are passed over."""
        head, _, message = data.decode("utf-8", "replace").partition("\n\n")
        fields = [line.partition(" ") for line in head.split("\n")]
        first = {key: value for key, _, value in reversed(fields)}
        person = _PERSON.fullmatch(first.get("author", ""))
        committer = _PERSON.fullmatch(first.get("committer", ""))
        if person is None or committer is None or "tree" not in first:
            raise InvalidValue("a commit without a tree, an author or a committer")
        try:
            tree = Digest.parse(first["tree"])
            parents = tuple(Digest.parse(value) for key, _, value in fields if key == "parent")
        except MalformedName as error:
            raise InvalidValue(f"a commit in which {error.message}") from None
        return cls(
            tree=tree,
            parents=parents,
            author=Person(person["name"], person["email"]),
            # The later of the two: no registration is earlier than its parent's, by either date.
            time=max(int(person["time"]), int(committer["time"])),
            message=message.removesuffix("\n"),
        )


def join(times: Mapping[Digest, int]) -> Commit:
    """Return the commit that joins shelves: a pure function of their tips and of each tip's time.

    So two stores that hold the same tips make the same join, and become equal.
    """
    return Commit(
        tree=EMPTY_TREE.id,
        parents=tuple(sorted(times)),
        author=Person("capsulestore"),
        time=max(times.values()),
        message="join",
    )


def iso_time(seconds: int) -> str:
    """Return a commit's time in ISO 8601, UTC; one beyond the calendar as git takes it: `@` and the seconds."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return f"@{seconds}"


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()
