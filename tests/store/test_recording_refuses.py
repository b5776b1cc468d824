"""What JSON cannot hold is refused with its path, and the store stays as it was."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from capsulestore.capture.artifacts import Artifact
from capsulestore.errors import InvalidValue
from capsulestore.recording.capsule import Description, Surroundings, record

ENVIRONMENT = {"python": {"rules": 1}}


@pytest.fixture
def refused(store, add, listing):
    """Record what should be refused; return the error."""
    add(store, "before")
    before = listing(store.path)

    def refused(environment=ENVIRONMENT, context=None, **description) -> InvalidValue:
        with pytest.raises(InvalidValue) as caught:
            record(
                store,
                Surroundings(environment=environment, context=context or {}),
                Description(**{"title": "a capsule"} | description),
            )
        assert listing(store.path) == before
        assert caught.value.exit_code == 2
        return caught.value

    return refused


UNHELD = [
    float("nan"),
    float("inf"),
    float("-inf"),
    2**53,
    -(2**53),
    "\ud800",
    b"bytes",
    (1, 2),
    {1, 2},
    1j,
    Decimal(1),
    Path("x"),
    object,
]


@pytest.mark.parametrize("value", UNHELD, ids=ascii)
def test_a_parameter_that_json_cannot_hold_is_named_by_its_path(refused, value):
    assert refused(parameters={"fit": {"steps": [0, value]}}).message.startswith("parameters/fit/steps[1]: ")


@pytest.mark.parametrize("value", [float("nan"), "\ud800", b"bytes"], ids=ascii)
def test_a_label_that_json_cannot_hold_is_named_by_its_path(refused, value):
    assert refused(labels={"project": value}).message.startswith("labels/project: ")


@pytest.mark.parametrize("value", UNHELD, ids=ascii)
def test_a_value_of_an_environment_that_json_cannot_hold_is_named_by_its_path(refused, value):
    error = refused(environment={"python": {"packages": {"numpy": {"version": value}}}})
    assert error.path == ("python", "packages", "numpy", "version")


@pytest.mark.parametrize("value", [float("nan"), "\ud800", b"bytes"], ids=ascii)
def test_a_value_of_a_context_that_json_cannot_hold_is_named_by_its_path(refused, value):
    error = refused(context={"variables": {"process": {"LANG": value}}})
    assert error.path == ("variables", "process", "LANG")


@pytest.mark.parametrize("key", [1, None, True, 1.5, b"a", ("a",)], ids=repr)
def test_a_key_that_is_no_string_is_named(refused, key):
    assert repr(key) in refused(parameters={"fit": {key: 1}}).message
    assert repr(key) in refused(parameters={key: 1}).message
    assert repr(key) in refused(environment={"python": {key: 1}}).message


@pytest.mark.parametrize("key", ["", "x" * 251, "\ud800"], ids=ascii)
def test_a_key_that_has_no_place_in_a_tree_is_refused(refused, key):
    assert refused(environment={"python": {"packages": {key: 1}}}).path == ("python", "packages", key)


def test_a_title_with_half_a_character_is_refused(refused):
    assert "title" in refused(title="\ud83d").message


@pytest.mark.parametrize("title", [None, 1, b"bytes", ["a"]])
def test_a_title_that_is_no_text_is_refused(refused, title):
    assert refused(title=title).path == ("capsule.json", "title")


@pytest.mark.parametrize(
    "artifact", [Artifact("a", "short", 1), Artifact("a", "A" * 64, 1), Artifact("a", "a" * 64, 1.5)], ids=repr
)
def test_a_file_that_is_described_wrongly_is_refused(refused, artifact):
    assert refused(inputs=[artifact]).path == ("capsule.json", "inputs")


def test_lists_within_lists_without_end_are_refused(refused):
    endless: list = []
    endless.append(endless)
    assert "levels deep" in refused(parameters={"endless": endless}).message


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, 0.1, 1e308, 5e-324, -0.0, "\U0001f600\0", [], {}, None])
def test_what_json_can_hold_is_recorded(store, value):
    recorded = record(store, Surroundings(environment=ENVIRONMENT), Description(title="x", parameters={"a": value}))
    assert store.capsule(recorded.capsule).manifest.value["parameters"] == {"a": value}
