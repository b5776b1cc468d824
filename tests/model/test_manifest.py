"""The manifest: what must be there, what each key holds, and that nothing unknown is lost."""

import pytest

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.canonical import dumps
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.manifest import Manifest

EMPTY = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
SMALLEST = {"schema": 1, "title": "t", "environment_digest": EMPTY}
FILE = {"path": "out.csv", "sha256": "0" * 64, "size": 0}

EVERY_KEY = SMALLEST | {
    "description": "what was done",
    "layers": {"python": "captured", "conda": "none", "container": {"unknown": "no engine socket"}},
    "target": {"python": "/usr/bin/python3"},
    "command": ["python", "fit.py"],
    "entry_point": "fit.py",
    "working_directory": "analysis",
    "parameters": {"alpha": 0.5},
    "labels": {"project": "x"},
    "code": {"trees": []},
    "inputs": [FILE],
    "outputs": [FILE, FILE | {"path": "b"}],
    "run": {"exit_code": 0},
    "loaded": ["numpy"],
    "parents": [EMPTY],
    "status": "completed",
}


@pytest.mark.parametrize("value", [SMALLEST, EVERY_KEY], ids=["the smallest", "every key"])
def test_a_manifest_reads_back_from_its_bytes(value):
    data = Manifest.parse(value).encode().data
    assert data == dumps(value)
    assert Manifest.decode(data) == Manifest(value)


def test_unknown_keys_survive_byte_for_byte():
    data = dumps(SMALLEST | {"x-unknown": {"kept": [1, 0.5, None]}, "": 1, "ü": "ö", "zz": []})
    assert Manifest.decode(data).encode().data == data


def test_unknown_keys_inside_of_known_ones_survive():
    data = dumps(SMALLEST | {"inputs": [FILE | {"media_type": "text/csv"}], "run": {"later": 1}})
    assert Manifest.decode(data).encode().data == data


def test_what_is_asked_of_a_manifest_is_what_it_says():
    manifest = Manifest.parse(EVERY_KEY)
    assert manifest.title == "t"
    assert manifest.environment_digest == Digest.parse(EMPTY)
    assert manifest.files("inputs") == [FILE]
    assert [file["path"] for file in manifest.files("outputs")] == ["out.csv", "b"]
    assert manifest.layers == {
        "python": LayerState("captured"),
        "conda": LayerState("none"),
        "container": LayerState("unknown", "no engine socket"),
    }


def test_layers_that_were_not_recorded_are_none_which_is_not_the_same_as_no_layers():
    assert Manifest.parse(SMALLEST).layers is None
    assert Manifest.parse(SMALLEST | {"layers": {}}).layers == {}


def test_no_files_is_an_empty_list():
    assert Manifest.parse(SMALLEST).files("inputs") == []


@pytest.mark.parametrize("key", ["schema", "title", "environment_digest"])
def test_a_key_that_must_be_there_is_named_where_it_is_missing(key):
    with pytest.raises(InvalidValue) as caught:
        Manifest.parse({name: value for name, value in SMALLEST.items() if name != key})
    assert caught.value.path == ("capsule.json", key)
    assert caught.value.message.startswith(f"capsule.json/{key}: ")


@pytest.mark.parametrize("value", [None, [], "text", 1, [SMALLEST]], ids=repr)
def test_a_manifest_is_a_mapping(value):
    with pytest.raises(InvalidValue, match="a manifest is a mapping") as caught:
        Manifest.parse(value)
    assert caught.value.path == ("capsule.json",)


@pytest.mark.parametrize("schema", [0, -1, 1.0, True, "1", None, [1]], ids=repr)
def test_a_schema_is_a_whole_number_from_1_up(schema):
    with pytest.raises(InvalidValue, match="expected a whole number from 1 up") as caught:
        Manifest.parse(SMALLEST | {"schema": schema})
    assert caught.value.path == ("capsule.json", "schema")


@pytest.mark.parametrize("rest", [{}, {"title": 1}, {"environment_digest": None}], ids=repr)
def test_a_newer_schema_asks_for_a_newer_release_whatever_else_has_changed(rest):
    with pytest.raises(StoreUnreadable, match="a capsule of schema 2; this release reads up to 1") as caught:
        Manifest.parse(SMALLEST | rest | {"schema": 2})
    assert "upgrade" in caught.value.hint


VALUES_OF_EVERY_KIND = (None, True, 0, -1, 0.5, "", "text", [], [1], ["text"], [[]], [{}], {}, {"k": 1}, {"k": "none"})
FITTING = {
    "title": ["", "text"],
    "environment_digest": [],
    "description": ["", "text"],
    "layers": [{}, {"k": "none"}],
    "target": [{}, {"k": 1}, {"k": "none"}],
    "command": [[], ["text"]],
    "entry_point": ["", "text"],
    "working_directory": ["", "text"],
    "parameters": [{}, {"k": 1}, {"k": "none"}],
    "labels": [{}, {"k": 1}, {"k": "none"}],
    "code": [{}, {"k": 1}, {"k": "none"}],
    "inputs": [[]],
    "outputs": [[]],
    "run": [{}, {"k": 1}, {"k": "none"}],
    "parents": [[]],
    "status": [],
}


EVERY_PAIR = [(key, value, value in FITTING[key]) for key in FITTING for value in VALUES_OF_EVERY_KIND]


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, value, fits in EVERY_PAIR if fits])
def test_a_value_of_the_right_shape_is_taken(key, value):
    assert Manifest.parse(SMALLEST | {key: value}).value[key] == value


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, value, fits in EVERY_PAIR if not fits])
def test_a_value_of_the_wrong_shape_is_refused_with_its_key(key, value):
    with pytest.raises(InvalidValue) as caught:
        Manifest.parse(SMALLEST | {key: value})
    assert caught.value.path == ("capsule.json", key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("environment_digest", EMPTY.upper()),
        ("environment_digest", EMPTY[:-1]),
        ("environment_digest", f"sha256:{EMPTY}"),
        ("parents", [EMPTY, EMPTY.upper()]),
        ("parents", EMPTY),
        ("inputs", [{"path": "a", "sha256": "0" * 64}]),
        ("inputs", [FILE, FILE | {"size": "0"}]),
        ("inputs", [FILE | {"size": True}]),
        ("inputs", [FILE | {"path": 1}]),
        ("outputs", [FILE | {"sha256": "0" * 40}]),
        ("outputs", FILE),
        ("layers", {"python": "captured", "conda": "perhaps"}),
        ("status", "running"),
        ("command", "python fit.py"),
    ],
)
def test_a_shape_that_is_nearly_right_is_refused_with_its_key(key, value):
    with pytest.raises(InvalidValue) as caught:
        Manifest.parse(SMALLEST | {key: value})
    assert caught.value.path == ("capsule.json", key)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_run_has_completed_or_failed(status):
    assert Manifest.parse(SMALLEST | {"status": status}).value["status"] == status


def test_bytes_that_are_not_canonical_are_refused():
    with pytest.raises(InvalidValue, match="not in its canonical form"):
        Manifest.decode(b'{"title":"t","schema":1}')


def test_what_json_cannot_hold_is_refused_with_its_path_when_it_is_written():
    with pytest.raises(InvalidValue) as caught:
        Manifest.parse(SMALLEST | {"parameters": {"alpha": [0, float("nan")]}}).encode()
    assert caught.value.path[-3:] == ("parameters", "alpha", 1)
