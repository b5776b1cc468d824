"""The objects of a shelf, made one by one: capsules, statements, commits and tags, and trees of anything."""

from __future__ import annotations

from capsulestore.model.capsule import Capsule, encode_files
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, Encoded, GitObject, TreeEntry, encode_tree
from capsulestore.model.statement import STATEMENT_TYPE, Statement

ENVIRONMENT = encode_mapping({"python": {"rules": 1, "packages": {"numpy": {"version": "2.1.0"}, "six": {"v": 1}}}})
CONTEXT = encode_mapping({"system": {"rules": 1, "os": {"id": "debian"}}})
FILES = encode_files({"out/table.csv": b"1,2", "a patch": b"--- a"})


def capsule(title: str = "a capsule", environment: Encoded = ENVIRONMENT, *, schema: int = 1) -> Encoded:
    manifest = Manifest({"schema": schema, "title": title, "environment_digest": str(environment.id)})
    named = Capsule(manifest=manifest, environment=environment.id, context=CONTEXT.id, files=FILES.id)
    return named.encode(environment, CONTEXT, FILES)


def statement_of(subject: Encoded) -> Encoded:
    said = {"_type": STATEMENT_TYPE, "subject": [{"digest": {"gitTree": str(subject.id)}}], "predicateType": "x"}
    encoded = Statement.parse(said).encode()
    return Encoded(encoded.id, {**subject.objects, **encoded.objects})


def tree_of(**entries: GitObject | Encoded) -> Encoded:
    """A tree of blobs and trees, by their names."""
    named = []
    objects: dict[Digest, GitObject] = {}
    for name, value in entries.items():
        is_tree = isinstance(value, Encoded) or value.kind == "tree"
        named.append(TreeEntry(TREE_MODE if is_tree else BLOB_MODE, name, value.id))
        objects |= value.objects if isinstance(value, Encoded) else {value.id: value}
    tree = encode_tree(named)
    return Encoded(tree.id, {**objects, tree.id: tree})


def commit(tree: Digest, *parents: Digest) -> GitObject:
    return Commit(tree, parents, Person("A"), 1_700_000_000, "a title").encode()


def tag(target: GitObject | Encoded, kind: str) -> GitObject:
    said = f"object {target.id}\ntype {kind}\ntag v1\ntagger A <> 1700000000 +0000\n\nv1\n"
    return GitObject("tag", said.encode())


def alone(value: GitObject, *needed: GitObject) -> Encoded:
    """An object, and what it names."""
    return Encoded(value.id, {found.id: found for found in (value, *needed)})


def objects_of(*values: GitObject | Encoded) -> dict[Digest, GitObject]:
    """All objects of values, and of what encodes to more, each once."""
    objects: dict[Digest, GitObject] = {}
    for value in values:
        objects |= value.objects if isinstance(value, Encoded) else {value.id: value}
    return objects
