"""The digest of a source tree that git does not know: the git tree that its files would be, in SHA-256."""

from __future__ import annotations

import os

from capsulestore.capture.budget import Budget
from capsulestore.capture.code.apart import is_importable
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.walk import git_blob_id, mode_of, sources_below
from capsulestore.model.digest import Digest
from capsulestore.model.objects import TREE_MODE, TreeEntry, encode_tree

__all__ = ["digest_of_files"]

_METADATA = (b".egg-info", b".dist-info")


def digest_of_files(directory: str, declared: Declared, *, only_importable: bool = False) -> Digest:
    """Return the id of the tree that the files below a directory are, each with git's mode, links as links.

    Left out is what is apart or declared, and the metadata that build tools leave beside sources; on demand, all that
    an import would not find. Raise `TooLarge`, or `OSError` for what cannot be read.
    """
    top = os.fsencode(os.path.realpath(directory))
    budget = Budget()
    trees: dict[bytes, list[TreeEntry]] = {b"": []}
    for path, status in sources_below(top, b"", declared=declared, budget=budget):
        above, name = os.path.split(path)
        if any(part.endswith(_METADATA) for part in path.split(b"/")) or (only_importable and not is_importable(path)):
            continue
        budget.spend(size=status.st_size)
        mode = mode_of(status)
        blob = git_blob_id(os.path.join(top, path), mode, "sha256")
        _of(above, trees).append(TreeEntry(mode, _text(name), Digest(blob)))
    # The deepest first, so that a tree is whole before it is named.
    for path in sorted(trees, key=lambda path: path.count(b"/"), reverse=True):
        if path:
            above, name = os.path.split(path)
            trees[above].append(TreeEntry(TREE_MODE, _text(name), encode_tree(trees[path]).id))
    return encode_tree(trees[b""]).id


def _of(path: bytes, trees: dict[bytes, list[TreeEntry]]) -> list[TreeEntry]:
    """Return the entries of the tree at a path, which is there with all those above it."""
    missing = path
    while missing not in trees:
        trees[missing] = []
        missing = os.path.dirname(missing)
    return trees[path]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
