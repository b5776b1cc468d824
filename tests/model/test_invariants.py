"""I1: a digest is reproducible. encode(decode(x)) = x, on every platform, in every process, in every directory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import MAX_INTEGER
from capsulestore.model.mapping import decode_mapping, encode_mapping
from capsulestore.model.names import to_blob_name, to_tree_name
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, GitObject, TreeEntry, encode_tree

VECTORS = Path(__file__).parents[1] / "vectors" / "digests.json"

KEYS = st.text(
    st.sampled_from("ab.-_/~% é\u0301😀") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5
) | st.sampled_from([".json", "a.json", ".git", "..", "%41", "a", "a-b", "a.b", "a0"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.just(""), inner, max_size=3)
)
NOT_MAPPINGS = SCALARS | st.lists(VALUES, max_size=2)
COLLECTIONS = st.dictionaries(KEYS, VALUES, max_size=4)
LAYERS = st.dictionaries(KEYS, COLLECTIONS | NOT_MAPPINGS, max_size=4)
MAPPINGS = st.dictionaries(KEYS, LAYERS | NOT_MAPPINGS, max_size=4)


@given(MAPPINGS)
def test_i1_what_is_decoded_encodes_to_the_same_digest(mapping):
    encoded = encode_mapping(mapping)
    decoded = decode_mapping(encoded.id, encoded.objects.__getitem__)
    again = encode_mapping(decoded)
    assert again.id == encoded.id
    assert again.objects == encoded.objects


@given(MAPPINGS, st.randoms())
def test_i1_the_order_of_keys_is_no_part_of_a_digest(mapping, random):
    def shuffled(value):
        if not isinstance(value, dict):
            return value
        return {key: shuffled(value[key]) for key in random.sample(list(value), len(value))}

    assert encode_mapping(shuffled(mapping)).id == encode_mapping(mapping).id


FEW_VALUES = st.sampled_from([1, 1.0, True, "1", None, 0, -0.0, False, [], {}, [1], {"a": 1}, {"a": True}])
FEW = st.dictionaries(
    st.sampled_from(["a", "A", "a.json", "á", "a\u0301"]),
    FEW_VALUES | st.dictionaries(st.just("a"), FEW_VALUES, max_size=1),
    max_size=2,
)


@given(FEW, FEW)
@example({"a": 1}, {"a": 1.0})
@example({"a": 1}, {"a": True})
@example({"a": {}}, {"a": []})
@example({"a": {}}, {})
def test_i1_two_environments_have_one_digest_exactly_where_they_are_the_same_json(one, other):
    assert (encode_mapping(one).id == encode_mapping(other).id) == (rfc8785.dumps(one) == rfc8785.dumps(other))


STRANGE_NAMES = (
    KEYS.map(to_tree_name)
    | KEYS.map(to_blob_name)
    | st.text(st.sampled_from("a.%2E5json/AF0é "), min_size=1, max_size=8).map(lambda name: name.replace("/", ""))
)
STRANGE_BLOBS = st.sampled_from([b"1", b"{}", b"[]", b"1.0", b'{"b":1,"a":2}', b"null", b'"a"', b"", b"1e20", b"1e+21"])


def strange_trees(levels: int) -> st.SearchStrategy:
    """Trees that could be ours but for a name, a mode or a value: pairs of name and (mode, bytes) or a list again."""
    leaf = st.tuples(st.sampled_from([BLOB_MODE] * 4 + ["100755", "120000"]), STRANGE_BLOBS)
    inner = leaf | strange_trees(levels - 1) if levels else leaf
    return st.lists(st.tuples(STRANGE_NAMES.filter(bool), inner), max_size=3, unique_by=lambda pair: pair[0])


@given(strange_trees(3))
def test_i1_any_tree_that_is_read_is_what_its_mapping_encodes_to_and_all_others_are_refused(shape):
    objects = {}

    def put(value):
        objects[value.id] = value
        return value.id

    def tree(pairs):
        return put(
            encode_tree(
                TreeEntry(TREE_MODE, name, tree(what))
                if isinstance(what, list)
                else TreeEntry(what[0], name, put(GitObject("blob", what[1])))
                for name, what in pairs
            )
        )

    root = tree(shape)
    try:
        mapping = decode_mapping(root, objects.__getitem__)
    except InvalidValue:
        return
    assert encode_mapping(mapping).id == root


PRINT_DIGESTS = """
import json, sys
from capsulestore.model.mapping import encode_mapping
with open(sys.argv[1], encoding="utf-8") as vectors:
    print(json.dumps([str(encode_mapping(vector["environment"]).id) for vector in json.load(vectors)]))
"""


def test_i1_neither_process_nor_locale_nor_directory_nor_optimisation_changes_a_digest(tmp_path):
    expected = [vector["environment_digest"] for vector in json.loads(VECTORS.read_text("utf-8"))]
    for options, variables in (
        ([], {"PYTHONHASHSEED": "1", "LC_ALL": "C"}),
        (["-OO"], {"PYTHONHASHSEED": "2", "PYTHONUTF8": "1", "TZ": "Pacific/Kiritimati"}),
    ):
        answer = subprocess.run(
            [sys.executable, *options, "-c", PRINT_DIGESTS, str(VECTORS)],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | variables,
        )
        assert json.loads(answer.stdout) == expected
