"""A mapping as trees and blobs: the vectors, what is refused on the way in, and what on the way out."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_entry, decode_mapping, encode_mapping, layer_digests, tree_keys
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, GitObject, TreeEntry, encode_tree

VECTORS = Path(__file__).parents[1] / "vectors"
DIGESTS = json.loads((VECTORS / "digests.json").read_text("utf-8"))
REFUSED = json.loads((VECTORS / "refused.json").read_text("utf-8"))


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


@named(DIGESTS)
def test_an_environment_has_the_digest_of_its_vector(vector):
    assert str(encode_mapping(vector["environment"]).id) == vector["environment_digest"]


@named(DIGESTS)
def test_each_layer_has_the_digest_of_its_vector(vector):
    encoded = encode_mapping(vector["environment"])
    layers = layer_digests(encoded.id, encoded.objects.__getitem__)
    assert {name: str(digest) for name, digest in layers.items()} == vector["layers"]


@named(DIGESTS)
def test_a_layer_reads_back_by_its_own_digest(vector):
    encoded = encode_mapping(vector["environment"])
    for name, digest in vector["layers"].items():
        layer = decode_mapping(Digest.parse(digest), encoded.objects.__getitem__, level=1)
        assert layer == vector["environment"][name]


@named(DIGESTS)
def test_an_environment_reads_back_as_it_was(vector):
    encoded = encode_mapping(vector["environment"])
    assert decode_mapping(encoded.id, encoded.objects.__getitem__) == vector["environment"]


@named(REFUSED)
def test_a_tree_that_would_not_be_written_so_is_refused(vector, memory):
    with pytest.raises(InvalidValue):
        decode_mapping(tree_of(vector["tree"], memory), memory.read)


def tree_of(folder: dict, memory) -> Digest:
    entries = []
    for name, what in folder.items():
        if isinstance(what.get("mode"), str):
            entries.append(TreeEntry(what["mode"], name, memory.keep(GitObject("blob", what["blob"].encode()))))
        else:
            entries.append(TreeEntry(TREE_MODE, name, tree_of(what, memory)))
    return memory.keep(encode_tree(entries))


def test_every_object_that_is_needed_is_among_those_returned_under_its_own_id():
    encoded = encode_mapping({"python": {"packages": {"numpy": {"version": "1"}}, "rules": 1}})
    assert all(value.id == digest for digest, value in encoded.objects.items())
    assert sorted(value.kind for value in encoded.objects.values()) == ["blob", "blob", "tree", "tree", "tree"]


def test_a_mapping_that_is_no_dict_is_a_tree_too():
    frozen = MappingProxyType({"python": MappingProxyType({"rules": 1})})
    assert encode_mapping(frozen).id == encode_mapping({"python": {"rules": 1}}).id


def test_below_the_third_level_a_mapping_is_part_of_its_entry():
    encoded = encode_mapping({"l": {"c": {"e": {"deep": {"er": {}}}}}})
    assert GitObject("blob", b'{"deep":{"er":{}}}') in encoded.objects.values()


UNWRITABLE = {
    "an empty layer name": ({"": {}}, ("",), "an empty key"),
    "an empty entry name": ({"l": {"c": {"": 1}}}, ("l", "c", ""), "an empty key"),
    "a layer name that is no string": ({1: {}}, (), "the key 1 is no string"),
    "an entry name that is no string": ({"l": {"c": {None: 1}}}, ("l", "c"), "the key None is no string"),
    "a lone surrogate in a layer's name": ({"\ud800": {}}, ("\ud800",), "lone surrogate"),
    "a lone surrogate in an entry's name": ({"l": {"c": {"\ud800": 1}}}, ("l", "c", "\ud800"), "lone surrogate"),
    "a name that is too long": ({"l": {"a" * 251: {}}}, ("l", "a" * 251), "has 251 bytes"),
    "a value's name that its ending makes too long": ({"a" * 246: 1}, ("a" * 246,), "has 251 bytes"),
    "NaN in an entry": ({"l": {"c": {"e": [0, float("nan")]}}}, ("l", "c", "e", 1), "nan is no JSON number"),
    "a tuple at the top": ({"l": (1,)}, ("l",), "`tuple` is no JSON type"),
    "a large integer in a layer": ({"l": {"rules": 2**53}}, ("l", "rules"), "beyond"),
    "bytes deep in an entry": ({"l": {"c": {"e": {"x": {"y": b""}}}}}, ("l", "c", "e", "x", "y"), "`bytes`"),
    "a key deep in an entry": ({"l": {"c": {"e": {"x": {2: 1}}}}}, ("l", "c", "e", "x"), "the key 2 is no string"),
}


@pytest.mark.parametrize(("mapping", "path", "reason"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_has_no_form_is_refused_with_its_exact_path(mapping, path, reason):
    with pytest.raises(InvalidValue) as caught:
        encode_mapping(mapping)
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_a_damaged_entry_is_told_with_its_path(memory):
    entry = TreeEntry(BLOB_MODE, "numpy.json", memory.keep(GitObject("blob", b"{} ")))
    collection = memory.keep(encode_tree([entry]))
    layer = memory.keep(encode_tree([TreeEntry(TREE_MODE, "packages", collection)]))
    root = memory.keep(encode_tree([TreeEntry(TREE_MODE, "python", layer)]))
    with pytest.raises(InvalidValue) as caught:
        decode_mapping(root, memory.read)
    assert caught.value.path == ("python", "packages", "numpy")


def test_a_key_that_is_there_as_a_tree_and_as_a_value_is_refused(memory):
    value = TreeEntry(BLOB_MODE, "a.json", memory.keep(GitObject("blob", b"1")))
    tree = TreeEntry(TREE_MODE, "a", memory.keep(encode_tree(())))
    with pytest.raises(InvalidValue, match="the key `a` is there as a tree and as a value"):
        tree_keys(encode_tree([value, tree]).data)


@pytest.mark.parametrize("mode", ["100755", "120000", "160000", "100664", "40755"])
def test_a_mode_that_has_no_place_in_a_mapping_is_refused(mode, memory):
    blob = memory.keep(GitObject("blob", b"1"))
    with pytest.raises(InvalidValue, match=f"has the mode {mode}"):
        tree_keys(encode_tree([TreeEntry(mode, "a.json", blob)]).data)


@pytest.mark.parametrize("level", [0, 1])
def test_a_mapping_as_a_value_above_the_third_level_is_refused(level):
    with pytest.raises(InvalidValue, match="a mapping that should have been a tree"):
        decode_entry(b"{}", level)
    assert decode_entry(b"[{}]", level) == [{}]
    assert decode_entry(b"{}", 2) == {}


def test_the_tree_of_a_collection_has_no_trees_in_it(memory):
    inner = TreeEntry(TREE_MODE, "a", memory.keep(encode_tree(())))
    collection = memory.keep(encode_tree([inner]))
    with pytest.raises(InvalidValue, match="a tree below the third level") as caught:
        decode_mapping(collection, memory.read, level=2)
    assert caught.value.path == ("a",)
