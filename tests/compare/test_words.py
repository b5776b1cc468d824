"""Entries and changes in a few words, for people."""

import pytest

from capsulestore.compare.words import NOTHING, in_short, sentence

ENTRIES = {
    "a distribution is its version": ({"version": "2.1.0", "content": "sha256:aa"}, "2.1.0"),
    "the local label belongs to a version": ({"version": "2.1.0+cu128"}, "2.1.0+cu128"),
    "an editable says so": ({"version": "0.1", "editable": True}, "0.1 (editable)"),
    "one that is not editable does not": ({"version": "0.1", "editable": False}, "0.1"),
    "without a version the first digits of the content": ({"content": "sha256:0123456789abcdef"}, "0123456789ab"),
    "a version that is no text is no version": ({"version": 3}, '{"version":3}'),
    "a text is itself": ("cpython", "cpython"),
    "a number is its JSON": (1, "1"),
    "null is its JSON": (None, "null"),
    "true is its JSON": (True, "true"),
    "a list is its JSON": (["a", 1.0], '["a",1]'),
    "a conda package is its version and its build": (
        {"version": "3.0.13", "build": "h7f8727e_0", "subdir": "linux-64", "content": "sha256:aa"},
        "3.0.13 h7f8727e_0",
    ),
    "the build of a wheel is not told beside its version": ({"version": "1.0", "build": "1"}, "1.0"),
    "an image's layers are the last of them": (
        ["sha256:0123456789abcdef", "sha256:fedcba9876543210"],
        "fedcba987654 (last of 2)",
    ),
    "a layer that is the only one": (["sha256:0123456789abcdef"], "0123456789ab"),
    "a list of digests and others": (["sha256:01", 1], '["sha256:01",1]'),
    "an empty list": ([], "[]"),
    "another mapping is its JSON": ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
}


@pytest.mark.parametrize(("entry", "words"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_in_short(entry, words):
    assert in_short(entry) == words


OLD, NEW = {"version": "1.26.4", "content": "sha256:aa"}, {"version": "2.1.0", "content": "sha256:bb"}
SENTENCES = {
    "a changed version": (
        {"python": {"packages": {"numpy": OLD}}},
        {"python": {"packages": {"numpy": NEW}}},
        "python/packages: numpy 1.26.4 → 2.1.0",
    ),
    "an added package": (
        {"python": {"packages": {"a": "1"}}},
        {"python": {"packages": {"a": "1", "numpy": NEW}}},
        "python/packages: numpy ∅ → 2.1.0",
    ),
    "a removed package": (
        {"python": {"packages": {"a": "1", "numpy": OLD}}},
        {"python": {"packages": {"a": "1"}}},
        "python/packages: numpy 1.26.4 → ∅",
    ),
    "where the versions are the same, the fields that differ": (
        {"python": {"packages": {"numpy": OLD}}},
        {"python": {"packages": {"numpy": OLD | {"content": "sha256:cc"}}}},
        "python/packages: numpy 1.26.4: content differs",
    ),
    "where two values look the same, that they differ": (
        {"l": {"c": {"e": "1"}}},
        {"l": {"c": {"e": 1}}},
        "l/c: e 1: value differs",
    ),
    "a value of a layer": ({"python": {"rules": 1}}, {"python": {"rules": 2}}, "python: rules 1 → 2"),
    "a value at the top": ({"schema": 1}, {"schema": 2}, "schema 1 → 2"),
    "an empty layer": ({"conda": {}}, {}, "conda: (empty) {} → ∅"),
    "an empty collection": ({"l": {}}, {"l": {"c": {}}}, "l/c: (empty) ∅ → {}"),
    "a null that was added": ({"l": {"c": {"d": 1}}}, {"l": {"c": {"d": 1, "e": None}}}, "l/c: e ∅ → null"),
}


@pytest.mark.parametrize(("a", "b", "words"), SENTENCES.values(), ids=SENTENCES)
def test_a_change_in_one_line(a, b, words, between):
    assert [sentence(change) for change in between(a, b)] == [words]


def test_nothing_is_the_empty_set():
    assert NOTHING == "∅"
