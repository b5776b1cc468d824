"""Git objects as values: kind, bytes, and the id that follows from both.

An object's id is the SHA-256 of `KIND SP LENGTH NUL DATA` (git's documentation, `gitformat-loose` and
`hash-function-transition`). A tree is a run of `MODE SP NAME NUL ID` in git's order: by name in bytes, the
name of a tree compared as if it ended in a slash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest

__all__ = [
    "BLOB_MODE",
    "EMPTY_TREE",
    "TREE_MODE",
    "Encoded",
    "GitObject",
    "Kind",
    "Read",
    "TreeEntry",
    "decode_tree",
    "encode_tree",
]

Kind = Literal["blob", "tree", "commit", "tag"]

BLOB_MODE = "100644"
TREE_MODE = "40000"
_ID_LENGTH = 32
_MODES = frozenset({BLOB_MODE, "100664", "100755", "120000", TREE_MODE, "160000"})
"""All that git has: files (also as old gits wrote them), programs, links, trees, commits of other repositories."""


class GitObject(NamedTuple):
    """An object's kind and its bytes, without git's header."""

    kind: Kind
    data: bytes

    @property
    def id(self) -> Digest:
        """The SHA-256 object id, computed anew at each use."""
        return Digest(sha256(b"%s %d\0" % (self.kind.encode(), len(self.data)) + self.data).hexdigest())


Read = Callable[[Digest], GitObject]
"""How pure functions ask for an object: the one with that id, or an error of `capsulestore.errors`."""


class TreeEntry(NamedTuple):
    """One line of a tree. `mode` is octal without leading zeros, as git stores it."""

    mode: str
    name: str
    id: Digest

    @property
    def is_tree(self) -> bool:
        """Whether the entry is itself a tree."""
        return self.mode == TREE_MODE


class Encoded(NamedTuple):
    """A value as git objects: the id of the outermost, and every object that it needs."""

    id: Digest
    objects: Mapping[Digest, GitObject]


def encode_tree(entries: Iterable[TreeEntry]) -> GitObject:
    """Return the tree of these entries, which may come in any order."""
    ordered = sorted(entries, key=_git_order)
    return GitObject(
        "tree",
        b"".join(b"%s %s\0%s" % (entry.mode.encode(), _bytes(entry.name), entry.id.raw) for entry in ordered),
    )


def decode_tree(data: bytes) -> tuple[TreeEntry, ...]:
    """Return a tree's entries. Raise `InvalidValue` where they are not exactly what `encode_tree` writes."""
    entries = []
    names = set()
    before = b""
    start = 0
    while start < len(data):
        space = data.find(b" ", start)
        end = data.find(b"\0", space)
        if space < 0 or end < 0 or end + 1 + _ID_LENGTH > len(data):
            raise InvalidValue("a tree that ends in the middle of an entry")
        mode, name = data[start:space], data[space + 1 : end]
        start = end + 1 + _ID_LENGTH
        entry = TreeEntry(
            mode.decode("ascii", "replace"),
            name.decode("utf-8", "surrogateescape"),
            Digest(data[end + 1 : start].hex()),
        )
        if entry.mode not in _MODES:
            raise InvalidValue(f"`{entry.name}` has the mode {entry.mode}")
        if entry.name in names or not name or b"/" in name:
            raise InvalidValue(f"a tree with the name {entry.name!r} twice, empty, or with a slash")
        # As git has it, no two are in the same place; nor can a mode be written otherwise than those are.
        place = name + b"/" if entry.is_tree else name
        if place <= before:
            raise InvalidValue("a tree that git would have written in another order")
        before = place
        names.add(entry.name)
        entries.append(entry)
    return tuple(entries)


def _git_order(entry: TreeEntry) -> bytes:
    name = _bytes(entry.name)
    return name + b"/" if entry.is_tree else name


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


EMPTY_TREE = encode_tree(())
