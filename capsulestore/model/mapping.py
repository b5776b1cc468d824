"""A mapping of layers, collections and entries as git trees, and back.

    layer / collection / entry = JSON value          python/packages/numpy = {"version": "2.1.0", ...}

A mapping at level 0 (the whole), 1 (a layer) or 2 (a collection) is a tree; anything else is a blob of its
canonical JSON. Environments and contexts are both written so. What is equal has one digest, and two mappings can be
compared by reading only the trees whose digests differ.
"""

from __future__ import annotations

from collections.abc import Mapping

from capsulestore.errors import InvalidValue
from capsulestore.model import canonical, names
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.objects import (
    BLOB_MODE,
    TREE_MODE,
    Encoded,
    GitObject,
    Read,
    TreeEntry,
    decode_tree,
    encode_tree,
)

__all__ = ["LEVELS", "decode_entry", "decode_mapping", "encode_mapping", "layer_digests", "tree_keys"]

LEVELS = 3
"""How many levels of a mapping are trees; below, a mapping is part of an entry's JSON."""


def encode_mapping(mapping: Mapping[str, Json]) -> Encoded:
    """Return a mapping as objects, its digest first; raise `InvalidValue` with the path of what has no form."""
    objects: dict[Digest, GitObject] = {}
    return Encoded(_encode(mapping, 0, objects), objects)


def decode_mapping(root: Digest, read: Read, level: int = 0) -> dict[str, Json]:
    """Return the mapping that the tree `root` is; raise `InvalidValue` for what `encode_mapping` never writes.

    `level` is 1 for the tree of a layer, 2 for that of a collection.
    """
    return _decode(root, level, read)


def decode_entry(data: bytes, level: int) -> Json:
    """Return the value of a blob that lies in a tree of that level (0, 1 or 2)."""
    value = canonical.loads(data)
    if isinstance(value, dict) and level + 1 < LEVELS:
        raise InvalidValue("a mapping that should have been a tree")
    return value


def layer_digests(root: Digest, read: Read) -> dict[str, Digest]:
    """Return each layer's digest, which is the id of its subtree."""
    return {key: entry.id for key, entry in tree_keys(read(root).data).items() if entry.is_tree}


def tree_keys(data: bytes) -> dict[str, TreeEntry]:
    """Return a tree's entries by their keys; raise `InvalidValue` for modes and names that have no place in one."""
    found: dict[str, TreeEntry] = {}
    for entry in decode_tree(data):
        if entry.mode not in {BLOB_MODE, TREE_MODE}:
            raise InvalidValue(f"`{entry.name}` has the mode {entry.mode}")
        key = names.from_tree_name(entry.name) if entry.is_tree else names.from_blob_name(entry.name)
        if key in found:
            raise InvalidValue(f"the key `{key}` is there as a tree and as a value")
        found[key] = entry
    return found


def _encode(mapping: Mapping[str, Json], level: int, objects: dict[Digest, GitObject]) -> Digest:
    entries = []
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise InvalidValue(f"the key {key!r} is no string")
        try:
            if isinstance(value, Mapping) and level + 1 < LEVELS:
                entries.append(TreeEntry(TREE_MODE, names.to_tree_name(key), _encode(value, level + 1, objects)))
            else:
                blob = GitObject("blob", canonical.dumps(value))
                entries.append(TreeEntry(BLOB_MODE, names.to_blob_name(key), _put(blob, objects)))
        except InvalidValue as error:
            raise error.under(key) from None
    return _put(encode_tree(entries), objects)


def _put(value: GitObject, objects: dict[Digest, GitObject]) -> Digest:
    name = value.id
    objects[name] = value
    return name


def _decode(tree: Digest, level: int, read: Read) -> dict[str, Json]:
    if level == LEVELS:
        raise InvalidValue("a tree below the third level")
    mapping: dict[str, Json] = {}
    for key, entry in tree_keys(read(tree).data).items():
        try:
            if entry.is_tree:
                mapping[key] = _decode(entry.id, level + 1, read)
            else:
                mapping[key] = decode_entry(read(entry.id).data, level)
        except InvalidValue as error:
            raise error.under(key) from None
    return mapping
