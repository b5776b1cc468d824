"""The answers are JSON, with the keys that programs and the commands' documents have."""

from __future__ import annotations

import json

import pytest

from capsulestore.artifact_registry import (
    ancestors,
    children,
    descendants,
    get_capsule,
    list_capsules,
    parents,
    register_capsule,
    verify_capsule,
)
from capsulestore.runtime_capture import (
    capture_container_environment,
    capture_python_environment,
    compute_environment_digest,
    verify_environment_match,
)

MATCH = {"match", "verdict", "captured_digest", "current_digest", "layers", "changes"}
"""What `verify_environment_match` answers with, by the design; keys are only ever added."""

VERIFICATION = MATCH | {"capsule_id", "context_changes", "code", "files", "reasons"}
LISTED = {"capsule_id", "environment_digest", "title", "author", "registered_at"}


@pytest.fixture
def recorded(store, project, install):
    """A capsule whose environment, file and context are not what they were, and one that derives from it."""
    found = capture_python_environment(".venv")
    first = register_capsule("first", environment_capture=found, outputs=["fit.csv"], parameters={"x": object()})
    register_capsule("second", environment_capture=found, parents=[first["capsule_id"]])
    install("six==1.17.0")
    (project / "fit.csv").write_text("another\n")
    return first


def test_every_answer_is_json(recorded):
    capsule_id = recorded["capsule_id"]
    answers = [
        recorded,
        capture_python_environment(),
        capture_container_environment(),
        verify_environment_match(get_capsule(capsule_id)["environment"], python=".venv", strict=True),
        verify_capsule(capsule_id, python=".venv", record=True),
        get_capsule(capsule_id),
        list_capsules(),
        *(relatives(capsule_id) for relatives in (parents, children, ancestors, descendants)),
        *(relatives("@") for relatives in (parents, children, ancestors, descendants)),
    ]
    for answer in answers:
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_a_registration_is_answered_with_digests_and_whether_it_is_new(recorded):
    assert recorded.keys() == {"capsule_id", "environment_digest", "registered"}
    assert recorded["environment_digest"] == compute_environment_digest(get_capsule(recorded["capsule_id"]))
    assert [len(recorded["capsule_id"]), recorded["registered"]] == [64, True]


def test_a_match_has_the_keys_of_the_design(recorded):
    answer = verify_environment_match(get_capsule("@")["environment"], python=".venv")
    assert answer.keys() >= MATCH
    assert [layer.keys() for layer in answer["layers"]] == [{"layer", "captured", "current", "match"}]
    (change,) = answer["changes"]
    assert change.keys() == {"layer", "collection", "entry", "change", "a", "b", "fields"}


def test_a_verification_has_the_keys_of_the_design_and_those_of_a_match(recorded):
    answer = verify_capsule(recorded["capsule_id"], python=".venv")
    assert answer.keys() >= VERIFICATION | {"failures"}
    assert answer.keys() >= verify_environment_match(get_capsule("@")["environment"], python=".venv").keys()
    assert {frozenset(failure) for failure in answer["failures"]} == {frozenset({"code", "subject", "reason"})}
    assert [file.keys() for file in answer["files"]] == [{"path", "state"}]
    assert "statement_id" not in answer


def test_what_is_found_is_what_the_commands_find(recorded, capsule):
    assert list_capsules() == capsule("log")
    assert list_capsules(limit=1) == capsule("log", "-n", "1")
    assert list_capsules(limit=0) == []
    assert get_capsule(recorded["capsule_id"]) == capsule("show", recorded["capsule_id"])
    assert all(listed.keys() >= LISTED for listed in list_capsules())


def test_relatives_are_listed_as_capsules_are(recorded):
    newest, oldest = list_capsules()
    assert parents("@") == ancestors("@") == [oldest]
    assert children(recorded["capsule_id"]) == descendants(recorded["capsule_id"]) == [newest]
