"""A capsule as a git tree, and back.

    capsule.json      the manifest
    environment/      the environment's tree
    context/          optional: the context's tree
    files/            optional: what was asked to be kept whole, by relative path

The capsule's digest is the id of this tree. Names at the top that this release does not know are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model import names
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
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

__all__ = ["MANIFEST_NAME", "Capsule", "decode_files", "encode_files", "is_capsule"]

MANIFEST_NAME = "capsule.json"


class Capsule(NamedTuple):
    """A capsule's manifest, and the ids of the trees it refers to. `extra`: entries that this release does not know."""

    manifest: Manifest
    environment: Digest
    context: Digest | None = None
    files: Digest | None = None
    extra: tuple[TreeEntry, ...] = ()

    def encode(self, *parts: Encoded | None) -> Encoded:
        """Return the capsule as objects, with those of the given parts (environment, context, files) among them.

        Raise `InvalidValue` where the manifest names another environment than the capsule has.
        """
        if self.manifest.environment_digest != self.environment:
            raise InvalidValue(
                f"names {self.manifest.environment_digest}, and `environment/` is {self.environment}",
                (MANIFEST_NAME, "environment_digest"),
            )
        manifest = self.manifest.encode()
        trees = {"environment": self.environment, "context": self.context, "files": self.files}
        tree = encode_tree(
            [
                TreeEntry(BLOB_MODE, MANIFEST_NAME, manifest.id),
                *(TreeEntry(TREE_MODE, name, digest) for name, digest in trees.items() if digest),
                *self.extra,
            ]
        )
        objects = {digest: value for part in parts if part for digest, value in part.objects.items()}
        objects |= {manifest.id: manifest, tree.id: tree}
        return Encoded(tree.id, objects)

    @classmethod
    def decode(cls, data: bytes, read: Read) -> Capsule:
        """Return the capsule of a tree's bytes; of what it refers to only the manifest is read."""
        entries = {entry.name: entry for entry in decode_tree(data)}
        if not is_capsule(entries.values()):
            raise InvalidValue("not a capsule: no `capsule.json` with an `environment/` beside it")
        manifest = Manifest.decode(read(entries.pop(MANIFEST_NAME).id).data)
        environment = entries.pop("environment").id
        if manifest.environment_digest != environment:
            raise InvalidValue("is not the id of `environment/`", (MANIFEST_NAME, "environment_digest"))
        context, files = (
            entries.pop(name).id if name in entries and entries[name].is_tree else None for name in ("context", "files")
        )
        return cls(
            manifest=manifest,
            environment=environment,
            context=context,
            files=files,
            extra=tuple(entries.values()),
        )


def is_capsule(entries: Iterable[TreeEntry]) -> bool:
    """Return whether a tree with these entries is a capsule's."""
    modes = {entry.name: entry.mode for entry in entries}
    return modes.get(MANIFEST_NAME) == BLOB_MODE and modes.get("environment") == TREE_MODE


def encode_files(files: Mapping[str, bytes]) -> Encoded:
    """Return files by relative path (`out/table.csv`, parts between slashes) as a tree, each part escaped.

    Raise `InvalidValue` for a path with an empty part, or one that is a file's and a directory's at once.
    """
    objects: dict[Digest, GitObject] = {}
    return Encoded(_encode_directory({tuple(path.split("/")): data for path, data in files.items()}, objects), objects)


def decode_files(root: Digest, read: Read) -> dict[str, bytes]:
    """Return the files of a `files/` tree by relative path; raise `InvalidValue` for what `encode_files` never writes.

    No path leads out of where the files would be put.
    """
    found: dict[str, bytes] = {}
    parts: set[str] = set()
    for entry in decode_tree(read(root).data):
        part = _part(names.from_tree_name(entry.name) if entry.is_tree else names.from_file_name(entry.name))
        if part in parts:
            raise InvalidValue("a file and a directory at once", ("files", part))
        parts.add(part)
        if entry.is_tree:
            found |= {f"{part}/{path}": data for path, data in decode_files(entry.id, read).items()}
        elif entry.mode == BLOB_MODE:
            found[part] = read(entry.id).data
        else:
            raise InvalidValue(f"`{entry.name}` has the mode {entry.mode}", ("files",))
    return found


def _encode_directory(files: Mapping[tuple[str, ...], bytes], objects: dict[Digest, GitObject]) -> Digest:
    entries = []
    inner: dict[str, dict[tuple[str, ...], bytes]] = {}
    for (name, *rest), data in files.items():
        if rest:
            inner.setdefault(_part(name), {})[tuple(rest)] = data
            continue
        blob = GitObject("blob", data)
        objects[blob.id] = blob
        entries.append(TreeEntry(BLOB_MODE, names.to_file_name(_part(name)), blob.id))
    for name, below in inner.items():
        if (name,) in files:
            raise InvalidValue("a file and a directory at once", ("files", name))
        entries.append(TreeEntry(TREE_MODE, names.to_tree_name(name), _encode_directory(below, objects)))
    tree = encode_tree(entries)
    objects[tree.id] = tree
    return tree.id


def _part(name: str) -> str:
    """Return a part of a path that stays where it is put."""
    if name in {".", ".."} or "/" in name or "\0" in name:
        raise InvalidValue("a path that leads elsewhere", ("files", name))
    return name
