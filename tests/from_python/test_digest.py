"""A digest depends on what an environment says: however it was made, whatever holds it, in whatever order."""

from __future__ import annotations

import json
from collections import OrderedDict, UserDict
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from capsulestore.model.mapping import encode_mapping
from capsulestore.runtime_capture import compute_environment_digest

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))
EMPTY = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"

vectors = pytest.mark.parametrize("vector", DIGESTS, ids=[vector["name"] for vector in DIGESTS])


class Dictionary(dict):
    """Somebody's class of mappings."""


class List(list):
    """Somebody's class of lists."""


class Real(float):
    """A float as an array library's is one."""


class Version(StrEnum):
    NUMPY = "2.1.0"


class Rules(IntEnum):
    ONE = 1


class Field(StrEnum):
    """A text that says another thing of itself than what it is."""

    TAGS = "tags"

    def __str__(self) -> str:
        return "another"


def rebuilt(value: Any, mapping: Any, sequence: Any) -> Any:
    """Return a value with its mappings and lists in other classes, the last key first."""
    if isinstance(value, dict):
        return mapping({key: rebuilt(member, mapping, sequence) for key, member in reversed(value.items())})
    return sequence(rebuilt(member, mapping, sequence) for member in value) if isinstance(value, list) else value


@vectors
def test_an_environment_has_the_digest_of_its_vector(vector):
    assert compute_environment_digest(vector["environment"]) == vector["environment_digest"]


@vectors
def test_a_document_has_the_digest_that_it_names(vector):
    document = {name: vector[name] for name in ("environment_digest", "environment", "layers")}
    assert compute_environment_digest(document) == vector["environment_digest"]


@vectors
@pytest.mark.parametrize("mapping", [dict, Dictionary, OrderedDict, UserDict, MappingProxyType])
@pytest.mark.parametrize("sequence", [list, List, tuple])
def test_neither_the_class_nor_the_order_of_what_holds_it_matters(mapping, sequence, vector):
    environment = rebuilt(vector["environment"], mapping, sequence)
    assert compute_environment_digest(environment) == vector["environment_digest"]


def test_what_equals_a_text_or_a_number_is_one(hand_made):
    digest = compute_environment_digest(hand_made)
    python = hand_made["python"]
    numpy = {"version": Version.NUMPY, Field.TAGS: ["cp311", "abi3"], "share": Real(0.5)}
    made = {"python": {**python, "rules": Rules.ONE, "packages": {"numpy": numpy}}}
    assert compute_environment_digest(made) == digest


def test_a_number_without_a_fraction_is_the_integer_that_it_equals(hand_made):
    digest = compute_environment_digest(hand_made)
    hand_made["python"]["rules"] = 1.0
    assert compute_environment_digest(hand_made) == digest


def test_true_is_not_one(hand_made):
    digest = compute_environment_digest(hand_made)
    hand_made["python"]["rules"] = True
    assert compute_environment_digest(hand_made) != digest


def test_an_environment_without_layers_has_a_digest_as_that_of_a_container_of_no_known_image():
    assert compute_environment_digest({}) == EMPTY


def test_a_layer_may_have_the_name_of_a_documents_key():
    environment = {"environment_digest": {"rules": 1}, "environment": {"rules": 1}}
    assert compute_environment_digest(environment) == str(encode_mapping(environment).id)


def test_what_is_given_is_left_as_it_was(hand_made):
    before = json.dumps(hand_made)
    frozen = MappingProxyType(hand_made)
    compute_environment_digest(frozen)
    assert json.dumps(hand_made) == before


def test_a_mapping_that_is_no_dict_is_read_as_a_mapping_is():
    class OnlyAMapping(Mapping):
        def __init__(self, members: dict) -> None:
            self._members = members

        def __getitem__(self, key):
            return self._members[key]

        def __iter__(self):
            return iter(self._members)

        def __len__(self):
            return len(self._members)

    made = OnlyAMapping({"python": OnlyAMapping({"packages": OnlyAMapping({"numpy": OnlyAMapping({"version": "1"})})})})
    assert compute_environment_digest(made) == compute_environment_digest(
        {"python": {"packages": {"numpy": {"version": "1"}}}}
    )
