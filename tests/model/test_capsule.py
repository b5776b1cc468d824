"""A capsule as a tree: the vectors, reading it back, and what this release does not know of it."""

import json
from pathlib import Path

import pytest

from capsulestore.errors import InvalidValue
from capsulestore.model.capsule import Capsule, is_capsule
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import (
    BLOB_MODE,
    EMPTY_TREE,
    TREE_MODE,
    GitObject,
    TreeEntry,
    decode_tree,
    encode_tree,
)

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))
CAPSULES = [vector for vector in DIGESTS if "capsule_digest" in vector]
of_every_capsule = pytest.mark.parametrize("vector", CAPSULES, ids=[vector["name"] for vector in CAPSULES])

MANIFEST = {"schema": 1, "title": "t", "environment_digest": str(EMPTY_TREE.id)}


def test_there_are_capsules_among_the_vectors():
    assert len(CAPSULES) == 4


@of_every_capsule
def test_a_capsule_has_the_digest_of_its_vector(vector, capsule_of):
    assert str(capsule_of(vector).id) == vector["capsule_digest"]


@of_every_capsule
def test_a_capsule_brings_every_object_that_its_tree_names(vector, capsule_of):
    encoded = capsule_of(vector)
    waiting = [encoded.id]
    seen = set()
    while waiting:
        value = encoded.objects[waiting.pop()]
        seen.add(value.id)
        if value.kind == "tree":
            waiting += [entry.id for entry in decode_tree(value.data)]
    assert seen == set(encoded.objects)


@of_every_capsule
def test_a_capsule_reads_back_and_is_the_same_tree_again(vector, capsule_of):
    encoded = capsule_of(vector)
    capsule = Capsule.decode(encoded.objects[encoded.id].data, encoded.objects.__getitem__)
    assert capsule.manifest.value == vector["manifest"]
    assert str(capsule.environment) == vector["environment_digest"]
    assert (capsule.context is None) == ("context" not in vector)
    assert (capsule.files is None) == ("files" not in vector)
    assert capsule.encode().id == encoded.id


def test_of_what_a_capsule_refers_to_only_the_manifest_is_read(capsule_of):
    encoded = capsule_of(CAPSULES[1])
    read = []

    def reading(digest):
        read.append(encoded.objects[digest])
        return read[-1]

    Capsule.decode(encoded.objects[encoded.id].data, reading)
    assert [value.data[:1] for value in read] == [b"{"]


def tree_with(memory, manifest=MANIFEST, **entries) -> bytes:
    """Return the tree of a smallest capsule with more entries: name to mode and id, or None to leave one out."""
    found = {
        "capsule.json": (BLOB_MODE, memory.keep(Manifest(manifest).encode())),
        "environment": (TREE_MODE, EMPTY_TREE.id),
    }
    found |= entries
    return encode_tree(TreeEntry(entry[0], name, entry[1]) for name, entry in found.items() if entry).data


def test_unknown_names_at_the_top_survive_byte_for_byte(memory):
    blob = memory.keep(GitObject("blob", b"\xff\0 not ours"))
    entries = {
        "signatures": (TREE_MODE, memory.keep(encode_tree([TreeEntry(BLOB_MODE, ".hidden", blob)]))),
        "NOTE.md": (BLOB_MODE, blob),
        "environment.json": (BLOB_MODE, blob),
        "run.sh": ("100755", blob),
        "link": ("120000", blob),
        "caf\udce9": (BLOB_MODE, blob),
    }
    data = tree_with(memory, **entries)
    capsule = Capsule.decode(data, memory.read)
    assert {entry.name for entry in capsule.extra} == set(entries)
    encoded = capsule.encode()
    assert encoded.objects[encoded.id].data == data


@pytest.mark.parametrize("name", ["context", "files"])
def test_a_context_or_files_of_another_kind_than_a_tree_is_kept_as_something_unknown(name, memory):
    data = tree_with(memory, **{name: (BLOB_MODE, memory.keep(GitObject("blob", b"later")))})
    capsule = Capsule.decode(data, memory.read)
    assert getattr(capsule, name) is None
    encoded = capsule.encode()
    assert encoded.objects[encoded.id].data == data


NO_CAPSULES = {
    "no manifest": {"capsule.json": None},
    "no environment": {"environment": None},
    "nothing at all": {"capsule.json": None, "environment": None},
    "a manifest that is a tree": {"capsule.json": (TREE_MODE, EMPTY_TREE.id)},
    "a manifest that is executable": {"capsule.json": ("100755", EMPTY_TREE.id)},
    "a manifest that is a link": {"capsule.json": ("120000", EMPTY_TREE.id)},
    "an environment that is a blob": {"environment": (BLOB_MODE, EMPTY_TREE.id)},
    "an environment that is a submodule": {"environment": ("160000", EMPTY_TREE.id)},
}


@pytest.mark.parametrize("entries", NO_CAPSULES.values(), ids=NO_CAPSULES)
def test_a_tree_without_a_manifest_beside_an_environment_is_no_capsule(entries, memory):
    data = tree_with(memory, **entries)
    assert not is_capsule(decode_tree(data))
    with pytest.raises(InvalidValue, match="not a capsule"):
        Capsule.decode(data, memory.read)


def test_a_capsule_is_told_by_its_entries(memory):
    assert is_capsule(decode_tree(tree_with(memory)))
    assert not is_capsule(())


OTHER = Digest.parse("0" * 64)


def test_a_manifest_that_names_another_environment_is_refused_when_it_is_read(memory):
    with pytest.raises(InvalidValue) as caught:
        Capsule.decode(tree_with(memory, environment=(TREE_MODE, OTHER)), memory.read)
    assert caught.value.path == ("capsule.json", "environment_digest")


def test_a_manifest_that_names_another_environment_is_refused_when_it_is_written():
    with pytest.raises(InvalidValue, match=f"`environment/` is {OTHER}") as caught:
        Capsule(manifest=Manifest.parse(MANIFEST), environment=OTHER).encode()
    assert caught.value.path == ("capsule.json", "environment_digest")


def test_a_manifest_with_a_wrong_shape_is_refused(memory):
    with pytest.raises(InvalidValue) as caught:
        Capsule.decode(tree_with(memory, MANIFEST | {"command": "python fit.py"}), memory.read)
    assert caught.value.path == ("capsule.json", "command")


def test_everything_recorded_is_part_of_the_digest(memory):
    environment = encode_mapping({})
    context = encode_mapping({"host": {"cpu": {"level": "x86_64_v3"}}})
    plain = Capsule(manifest=Manifest.parse(MANIFEST), environment=environment.id)
    others = [
        Capsule(manifest=Manifest.parse(MANIFEST | {"title": "u"}), environment=environment.id),
        Capsule(manifest=plain.manifest, environment=environment.id, context=context.id),
        Capsule(manifest=plain.manifest, environment=environment.id, files=context.id),
        Capsule(manifest=plain.manifest, environment=environment.id, extra=(TreeEntry(TREE_MODE, "x", context.id),)),
    ]
    assert len({capsule.encode().id for capsule in [plain, *others]}) == 5
