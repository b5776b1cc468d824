"""The parents in a manifest: which capsules another derives from, read with all the rest or alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.model.canonical import dumps
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest, parents_in

EMPTY = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
SMALLEST = {"schema": 1, "title": "t", "environment_digest": EMPTY}

DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
TEXTS = st.sampled_from(["t", '"parents":[', f'"parents":["{EMPTY}"]', '\\"parents\\":[', "parents"])


def test_without_the_key_there_are_none():
    assert Manifest.parse(SMALLEST).parents == ()
    assert parents_in(dumps(SMALLEST)) == ()


def test_they_stand_in_the_order_they_were_named_each_once():
    named = ["c" * 64, "a" * 64, "c" * 64, "b" * 64, "a" * 64]
    manifest = Manifest.parse(SMALLEST | {"parents": named})
    assert manifest.parents == tuple(map(Digest, ("c" * 64, "a" * 64, "b" * 64)))
    assert manifest.value["parents"] == named


@given(st.lists(DIGESTS), st.dictionaries(TEXTS, TEXTS), TEXTS)
def test_read_alone_they_are_those_of_the_whole_manifest(parents, labels, title):
    manifest = Manifest.parse(SMALLEST | {"parents": parents, "labels": labels, "title": title})
    assert parents_in(manifest.encode().data) == manifest.parents
    without = Manifest.parse(SMALLEST | {"labels": labels, "title": title})
    assert parents_in(without.encode().data) == without.parents == ()


def test_read_alone_they_are_those_of_a_newer_schema_too():
    newer = SMALLEST | {"schema": 2, "parents": [EMPTY], "title": ["of", "another", "shape"]}
    assert parents_in(dumps(newer)) == (Digest(EMPTY),)


@pytest.mark.parametrize(
    "parents",
    [[EMPTY, EMPTY.upper()], [EMPTY[:-1]], [1], [[EMPTY]], [None]],
    ids=["upper case", "too short", "a number", "a list", "null"],
)
def test_read_alone_a_list_of_something_else_is_none(parents):
    assert parents_in(dumps(SMALLEST | {"parents": parents})) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"dear sir",
        b'"parents":[',
        b'["parents":[]]',
        b'[{"parents":["' + EMPTY.encode() + b'"]}]',
        b'{"run":{"parents":["' + EMPTY.encode() + b'"]}}',
        b'{"parents":["' + EMPTY.encode() + b'"]',
        b'{"parents":["\xff"]}',
    ],
    ids=["nothing", "a letter", "a beginning", "no JSON", "a list", "further in", "no end", "no UTF-8"],
)
def test_read_alone_from_what_is_no_manifest_they_are_none(data):
    assert parents_in(data) == ()


def test_only_canonical_bytes_are_read():
    spaced = json.dumps(SMALLEST | {"parents": [EMPTY]}).encode()
    assert parents_in(spaced) == ()
