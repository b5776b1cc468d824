"""What differs between two mappings, entry by entry."""

import json

import pytest

from capsulestore.compare.difference import Change, Side, changes
from capsulestore.errors import InvalidValue
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, GitObject, TreeEntry, encode_tree

NUMPY = {"version": "1.26.4", "tags": ["cp311"], "content": "sha256:aa"}
NEWER = {"version": "2.1.0", "tags": ["cp311"], "content": "sha256:bb"}

CASES = {
    "nothing differs between equals": (
        {"python": {"packages": {"numpy": NUMPY}, "rules": 1}},
        {"python": {"rules": 1, "packages": {"numpy": NUMPY}}},
        [],
    ),
    "nothing differs between two empty mappings": ({}, {}, []),
    "an entry that only b has was added": (
        {"python": {"packages": {"idna": {}}}},
        {"python": {"packages": {"idna": {}, "numpy": NUMPY}}},
        [("python", "packages", "numpy", "added", None, NUMPY, ())],
    ),
    "an entry that only a has was removed": (
        {"python": {"packages": {"idna": {}, "numpy": NUMPY}}},
        {"python": {"packages": {"idna": {}}}},
        [("python", "packages", "numpy", "removed", NUMPY, None, ())],
    ),
    "of an entry that changed the fields are told, sorted": (
        {"python": {"packages": {"numpy": NUMPY}}},
        {"python": {"packages": {"numpy": NEWER}}},
        [("python", "packages", "numpy", "changed", NUMPY, NEWER, ("content", "version"))],
    ),
    "a field that only one side has is among the fields": (
        {"l": {"c": {"e": {"both": 1, "gone": None}}}},
        {"l": {"c": {"e": {"both": 1, "new": None}}}},
        [("l", "c", "e", "changed", {"both": 1, "gone": None}, {"both": 1, "new": None}, ("gone", "new"))],
    ),
    "of a field deep in an entry the outermost key is told": (
        {"l": {"c": {"e": {"deep": {"er": 1, "same": 2}}}}},
        {"l": {"c": {"e": {"deep": {"er": 2, "same": 2}}}}},
        [("l", "c", "e", "changed", {"deep": {"er": 1, "same": 2}}, {"deep": {"er": 2, "same": 2}}, ("deep",))],
    ),
    "values that are no mappings have no fields": (
        {"l": {"c": {"e": [1], "f": "x"}}},
        {"l": {"c": {"e": [2], "f": {"x": 1}}}},
        [("l", "c", "e", "changed", [1], [2], ()), ("l", "c", "f", "changed", "x", {"x": 1}, ())],
    ),
    "a value in a layer has no collection": (
        {"python": {"rules": 1}},
        {"python": {"rules": 2}},
        [("python", None, "rules", "changed", 1, 2, ())],
    ),
    "a value at the top has no layer either": (
        {"schema": 1},
        {"schema": 2},
        [(None, None, "schema", "changed", 1, 2, ())],
    ),
    "True is not 1": (
        {"l": {"c": {"e": True, "f": {"k": 1, "l": 0}}}},
        {"l": {"c": {"e": 1, "f": {"k": True, "l": False}}}},
        [
            ("l", "c", "e", "changed", True, 1, ()),
            ("l", "c", "f", "changed", {"k": 1, "l": 0}, {"k": True, "l": False}, ("k", "l")),
        ],
    ),
    "1.0 is 1": ({"l": {"c": {"e": [1.0]}}}, {"l": {"c": {"e": [1]}}}, []),
    "1.0 is 1 in a field too": (
        {"l": {"c": {"e": {"k": 1.0, "m": 1}}}},
        {"l": {"c": {"e": {"k": 1, "m": 2}}}},
        [("l", "c", "e", "changed", {"k": 1, "m": 1}, {"k": 1, "m": 2}, ("m",))],
    ),
    "null is a value": (
        {"l": {"c": {"e": None, "f": None}}},
        {"l": {"c": {"f": 0, "g": None}}},
        [
            ("l", "c", "e", "removed", None, None, ()),
            ("l", "c", "f", "changed", None, 0, ()),
            ("l", "c", "g", "added", None, None, ()),
        ],
    ),
    "of a whole layer that is gone every entry was removed": (
        {"conda": {"packages": {"a": 1, "b": 2}, "rules": 1}, "python": {"rules": 1}},
        {"python": {"rules": 1}},
        [
            ("conda", "packages", "a", "removed", 1, None, ()),
            ("conda", "packages", "b", "removed", 2, None, ()),
            ("conda", None, "rules", "removed", 1, None, ()),
        ],
    ),
    "of a whole layer that is new every entry was added": (
        {},
        {"conda": {"packages": {"a": 1}, "rules": 1}},
        [("conda", "packages", "a", "added", None, 1, ()), ("conda", None, "rules", "added", None, 1, ())],
    ),
    "an empty layer that only a has was removed": (
        {"conda": {}, "python": {}},
        {"python": {}},
        [("conda", None, None, "removed", {}, None, ())],
    ),
    "an empty layer that only b has was added": ({}, {"conda": {}}, [("conda", None, None, "added", None, {}, ())]),
    "an empty collection that only a has was removed": (
        {"conda": {"packages": {}, "rules": 1}},
        {"conda": {"rules": 1}},
        [("conda", "packages", None, "removed", {}, None, ())],
    ),
    "an empty collection in a layer that only b has was added": (
        {},
        {"conda": {"packages": {}}},
        [("conda", "packages", None, "added", None, {}, ())],
    ),
    "a layer that was filled is only what it was filled with": (
        {"conda": {}},
        {"conda": {"rules": 1}},
        [("conda", None, "rules", "added", None, 1, ())],
    ),
    "a layer that became a value was removed and added": (
        {"x": {"c": {"e": 1}}},
        {"x": 5},
        [("x", "c", "e", "removed", 1, None, ()), (None, None, "x", "added", None, 5, ())],
    ),
    "a value that became a layer was removed and added": (
        {"x": 5},
        {"x": {"c": {"e": 1}}},
        [("x", "c", "e", "added", None, 1, ()), (None, None, "x", "removed", 5, None, ())],
    ),
    "a collection that became a value was removed and added": (
        {"python": {"interpreter": {"version": "3.11"}}},
        {"python": {"interpreter": "3.11"}},
        [
            ("python", "interpreter", "version", "removed", "3.11", None, ()),
            ("python", None, "interpreter", "added", None, "3.11", ()),
        ],
    ),
    "an empty collection that became a value was removed and added": (
        {"l": {"c": {}}},
        {"l": {"c": None}},
        [("l", "c", None, "removed", {}, None, ()), ("l", None, "c", "added", None, None, ())],
    ),
    "an entry that became a mapping is one entry that changed": (
        {"l": {"c": {"e": 1}}},
        {"l": {"c": {"e": {}}}},
        [("l", "c", "e", "changed", 1, {}, ())],
    ),
    "keys are told unescaped": (
        {"a/b": {".git": {"x y": 1}}},
        {"a/b": {".git": {"%41": 1}}},
        [("a/b", ".git", "%41", "added", None, 1, ()), ("a/b", ".git", "x y", "removed", 1, None, ())],
    ),
    "case twins and composed and decomposed characters are different keys": (
        {"l": {"c": {"Foo": 1, "\u00e9": 1}}},
        {"l": {"c": {"foo": 1, "e\u0301": 1}}},
        [
            ("l", "c", "Foo", "removed", 1, None, ()),
            ("l", "c", "e\u0301", "added", None, 1, ()),
            ("l", "c", "foo", "added", None, 1, ()),
            ("l", "c", "\u00e9", "removed", 1, None, ()),
        ],
    ),
    "keys sort as themselves and not as their names in a tree": (
        {},
        {"l": {"c": {"~": 1, "a": 2, "a-b": 3, "a.json": 4}}, "l-": {"c": {"e": 5}}},
        [
            ("l", "c", "a", "added", None, 2, ()),
            ("l", "c", "a-b", "added", None, 3, ()),
            ("l", "c", "a.json", "added", None, 4, ()),
            ("l", "c", "~", "added", None, 1, ()),
            ("l-", "c", "e", "added", None, 5, ()),
        ],
    ),
}


def as_json(change):
    return json.dumps(change.as_dict(), sort_keys=True)


def as_change(layer, collection, entry, change, a, b, fields):
    return Change(layer=layer, collection=collection, entry=entry, change=change, a=a, b=b, fields=fields)


@pytest.mark.parametrize(("a", "b", "expected"), CASES.values(), ids=CASES)
def test_these_are_the_changes(a, b, expected, between):
    # As JSON: to Python, True equals 1.
    assert list(map(as_json, between(a, b))) == [as_json(as_change(*change)) for change in expected]


def test_where_nothing_is_on_one_side_everything_was_added_or_removed(between):
    mapping = {"host": {"cpu": {"level": "x86_64_v3"}}}
    assert between(None, mapping) == [as_change("host", "cpu", "level", "added", None, "x86_64_v3", ())]
    assert between(mapping, None) == [as_change("host", "cpu", "level", "removed", "x86_64_v3", None, ())]


def test_where_nothing_is_on_both_sides_nothing_differs(between):
    assert between(None, None) == []


def test_a_change_as_json_has_every_key(between):
    (change,) = between({"l": {"c": {"e": {"k": 1}}}}, {"l": {"c": {"e": {"k": 2}}}})
    assert change.as_dict() == {
        "layer": "l",
        "collection": "c",
        "entry": "e",
        "change": "changed",
        "a": {"k": 1},
        "b": {"k": 2},
        "fields": ["k"],
    }


def tree_of(memory, pairs):
    """Return the tree of names with either a mode and bytes, or a list of pairs again."""
    entries = []
    for name, what in pairs:
        value = GitObject("blob", what[1]) if isinstance(what, tuple) else tree_of(memory, what)
        memory[value.id] = value
        entries.append(TreeEntry(what[0] if isinstance(what, tuple) else TREE_MODE, name, value.id))
    return encode_tree(entries)


@pytest.mark.parametrize(
    "pairs",
    [
        [("python", [("packages", [("numpy.json", (BLOB_MODE, b"{} "))])])],
        [("python", [("packages", [("numpy", (BLOB_MODE, b"{}"))])])],
        [("python", [("packages", [("numpy.json", ("100755", b"{}"))])])],
        [("python", [("packages", [("%41.json", (BLOB_MODE, b"1"))])])],
        [("python", [("packages.json", (BLOB_MODE, b"{}"))])],
        [("python.json", (BLOB_MODE, b"{}"))],
        [("python", [("packages", [("numpy", [])])])],
        [("python", [("packages", [("numpy", [("version.json", (BLOB_MODE, b"1"))])])])],
    ],
    ids=["not canonical", "no ending", "executable", "an escape", "a mapping", "one at the top", "too deep", "deeper"],
)
def test_a_tree_that_is_no_mapping_is_refused(pairs, counted):
    memory = {}
    strange = tree_of(memory, pairs)
    memory[strange.id] = strange
    with pytest.raises(InvalidValue):
        list(changes(Side(memory.__getitem__, strange.id), counted({"python": {}}).side))


def test_a_tree_below_the_third_level_is_told_with_its_path(counted):
    memory = {}
    strange = tree_of(memory, [("python", [("packages", [("numpy", [])])])])
    memory[strange.id] = strange
    with pytest.raises(InvalidValue) as caught:
        list(changes(counted({"python": {}}).side, Side(memory.__getitem__, strange.id)))
    assert caught.value.path == ("python", "packages", "numpy")
