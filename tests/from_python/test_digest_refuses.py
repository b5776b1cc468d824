"""What is no environment is refused with the place in it, at once, however large, deep or endless it is."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path

import pytest

from capsulestore.errors import InvalidValue
from capsulestore.model.document import MAX_TEXT_BYTES, MAX_VALUES
from capsulestore.runtime_capture import compute_environment_digest, verify_environment_match

Point = namedtuple("Point", "x y")
VALUES = {
    "NaN": (float("nan"), "nan is no JSON number"),
    "an infinity": (float("-inf"), "-inf is no JSON number"),
    "bytes": (b"x", "`bytes` is no JSON type"),
    "a bytearray": (bytearray(b"x"), "`bytearray` is no JSON type"),
    "a set": ({1}, "`set` is no JSON type"),
    "an object": (object(), "`object` is no JSON type"),
    "a path": (Path("x"), "`PosixPath` is no JSON type"),
    "a complex number": (1j, "`complex` is no JSON type"),
    "a tuple with names": (Point(1, 2), "`Point` is no JSON type"),
    "a range": (range(3), "`range` is no JSON type"),
    "a generator": ((one for one in "x"), "`generator` is no JSON type"),
    "a large integer": (2**60, "an integer beyond ±(2^53-1), where JSON numbers are not exact"),
    "the first integer that is too large": (-(2**53), "an integer beyond ±(2^53-1), where JSON numbers are not exact"),
    "an integer too long to be written": (10**5000, "an integer beyond ±(2^53-1), where JSON numbers are not exact"),
    "a lone surrogate": ("\ud800", r"the text '\ud800' holds a lone surrogate"),
    "a lone surrogate in a key": ({"\udcff": 1}, r"the key '\udcff' holds a lone surrogate"),
    "a key that is a number": ({1: 2}, "the key 1 is no string"),
    "a key that is nothing": ({None: 2}, "the key None is no string"),
    "a key that is bytes": ({b"k": 2}, "the key b'k' is no string"),
}


class Apart(str):
    """A text that is unlike any other key, and reads like one."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@pytest.mark.parametrize(("value", "reason"), VALUES.values(), ids=VALUES.keys())
def test_a_value_that_json_cannot_hold_is_refused_with_its_path(value, reason, hand_made):
    hand_made["python"]["packages"]["numpy"]["tags"] = ["cp311", {"k": value}]
    with pytest.raises(InvalidValue) as caught:
        compute_environment_digest(hand_made)
    assert caught.value.path == ("python", "packages", "numpy", "tags", 1, "k")
    assert caught.value.message == f"python/packages/numpy/tags[1]/k: {reason}"
    document = {"environment_digest": "0" * 64, "environment": hand_made}
    with pytest.raises(InvalidValue) as caught:
        verify_environment_match(document)
    assert caught.value.message == f"environment/python/packages/numpy/tags[1]/k: {reason}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"python": {"": {}}}, "python/: an empty key"),
        ({"": 1}, ": an empty key"),
        ({"python": {"x" * 251: {}}}, f"python/{'x' * 251}: a key whose name in a tree has 251 bytes; 250 is the most"),
        ({Apart("python"): {}, Apart("python"): {}}, "the key `python` is there twice"),
        ({1: {}}, "the key 1 is no string"),
    ],
)
def test_a_key_that_has_no_place_in_a_tree_is_refused(given, message):
    with pytest.raises(InvalidValue) as caught:
        compute_environment_digest(given)
    assert caught.value.message == message


@pytest.mark.parametrize("given", [None, [], "python", b"python", 5, {"python"}, [("python", {})], object()])
def test_what_is_no_mapping_is_no_environment(given):
    with pytest.raises(InvalidValue, match=r"^an environment is a mapping of layers$"):
        compute_environment_digest(given)
    with pytest.raises(InvalidValue, match=r"^an environment is a mapping of layers$"):
        verify_environment_match(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "is no mapping of layers, as `capsule capture --json` prints it"),
        ({"schema": 1}, "schema: a layer is a mapping"),
        ({"python": {"rules": 1}, "packages": ["numpy"]}, "packages: a layer is a mapping"),
        ({"environment_digest": "x"}, "environment: is no mapping of layers, as `capsule capture --json` prints it"),
        ({"environment_digest": None, "environment": {}}, "environment_digest: is not the digest of the environment"),
    ],
)
def test_there_is_nothing_to_compare_with_an_environment_of_no_layers(given, message):
    with pytest.raises(InvalidValue) as caught:
        verify_environment_match(given)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("context", [[], "", 0, False, "system", {"system": 5}, {"system": []}, {"host": {1: 2}}])
def test_a_document_whose_context_is_none_is_refused(context, hand_made):
    digest = compute_environment_digest(hand_made)
    document = {"environment_digest": digest, "environment": hand_made, "context": context}
    with pytest.raises(InvalidValue) as caught:
        verify_environment_match(document)
    assert caught.value.path[0] == "context"


@pytest.mark.parametrize("digest", ["0" * 64, "", 5, None, ["x"]])
def test_a_document_is_refused_whose_digest_is_of_another_environment(digest, hand_made):
    document = {"environment_digest": digest, "environment": hand_made}
    for function in (compute_environment_digest, verify_environment_match):
        with pytest.raises(InvalidValue) as caught:
            function(document)
        assert caught.value.message == "environment_digest: is not the digest of the environment beside it"


def test_a_captured_document_that_was_changed_by_hand_is_refused(capsule, project):
    document = capsule("capture", "--python", ".venv", "--layer", "python")
    assert compute_environment_digest(document) == document["environment_digest"]
    document["environment"]["python"]["packages"]["six"]["version"] = "1.15.0"
    with pytest.raises(InvalidValue, match=r"^environment_digest: is not the digest of the environment beside it$"):
        compute_environment_digest(document)


def nested(levels: int, wrap) -> object:
    value = 1
    for _ in range(levels):
        value = wrap(value)
    return value


WRAPS = {"mappings": lambda value: {"a": value}, "lists": lambda value: [value], "tuples": lambda value: (value,)}
wrapped = pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS.keys())


@wrapped
def test_the_most_levels_of_an_entry_are_taken_and_one_more_is_not(wrap):
    compute_environment_digest({"python": {"packages": {"numpy": nested(128, wrap)}}})
    with pytest.raises(InvalidValue, match=r"more than 128 levels deep$"):
        compute_environment_digest({"python": {"packages": {"numpy": nested(129, wrap)}}})


@wrapped
def test_a_hundred_thousand_levels_are_refused_as_too_deep(wrap):
    with pytest.raises(InvalidValue, match=r"more than 128 levels deep$"):
        compute_environment_digest({"python": {"packages": {"numpy": nested(100_000, wrap)}}})


def test_a_hundred_thousand_levels_of_mappings_are_refused_where_names_are_expected():
    with pytest.raises(InvalidValue, match=r"more than 128 levels deep$"):
        compute_environment_digest({"python": nested(100_000, WRAPS["mappings"])})


def test_what_refers_to_itself_is_refused_as_too_deep():
    loop: dict = {}
    loop["python"] = loop
    ring: list = []
    ring += [ring, ring]
    for endless in (loop, {"python": {"packages": {"numpy": ring}}}):
        with pytest.raises(InvalidValue, match=r"more than 128 levels deep$"):
            compute_environment_digest(endless)


@pytest.mark.slow
def test_what_shares_its_parts_is_counted_as_often_as_they_stand():
    value: list = [1]
    for _ in range(100):
        value = [value, value]
    with pytest.raises(InvalidValue, match=rf"more than {MAX_VALUES} values are no environment$"):
        compute_environment_digest({"python": {"packages": {"numpy": value}}})


def test_more_text_than_an_environment_has_is_refused():
    text = "é" * 2**19
    within = {"python": {"packages": {"numpy": [text] * (MAX_TEXT_BYTES // 2**20 - 1)}}}
    assert len(compute_environment_digest(within)) == 64
    within["python"]["packages"]["numpy"].append(text)
    with pytest.raises(InvalidValue, match=r"more than 64 MiB of text are no environment$"):
        compute_environment_digest(within)


def test_a_document_from_json_is_held_to_the_same(hand_made):
    document = json.loads('{"environment_digest": "", "environment": {"python": {"packages": {"x": NaN}}}}')
    with pytest.raises(InvalidValue) as caught:
        compute_environment_digest(document)
    assert caught.value.message == "environment/python/packages/x: nan is no JSON number"
