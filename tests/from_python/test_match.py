"""`verify_environment_match`: captured again, an environment is the one that is given, or it is told what differs."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from capsulestore.capture.environment import capture_environment
from capsulestore.errors import InterpreterProblem, UsageError
from capsulestore.runtime_capture import (
    capture_container_environment,
    capture_python_environment,
    compute_environment_digest,
    verify_environment_match,
)

HERE = ".venv"


@pytest.fixture
def captured(project):
    return capture_python_environment(HERE)


def test_an_environment_that_was_captured_just_now_is_identical(captured):
    answer = verify_environment_match(captured, python=HERE)
    digest = compute_environment_digest(captured)
    assert (answer["match"], answer["verdict"], answer["changes"]) == (True, "identical", [])
    assert (answer["captured_digest"], answer["current_digest"]) == (digest, digest)
    assert [(layer["layer"], layer["match"]) for layer in answer["layers"]] == [("python", True)]


def test_each_form_of_the_same_environment_is_identical(captured, capsule):
    document = capsule("capture", "--python", HERE)
    for form in (
        json.loads(json.dumps(captured)),
        MappingProxyType(captured),
        document,
        MappingProxyType(document),
        capture_environment(f"{HERE}/bin/python").as_dict(),
    ):
        assert verify_environment_match(form, python=HERE)["verdict"] == "identical"


def test_a_package_that_was_changed_added_and_removed_is_told(captured, install):
    packages = captured["python"]["packages"]
    packages["numpy"] = {"version": "2.1.0"}
    del packages["idna"]
    install("six==1.17.0")
    answer = verify_environment_match(captured, python=HERE)
    assert (answer["match"], answer["verdict"]) == (False, "different")
    told = {change["entry"]: change for change in answer["changes"]}
    assert {name: change["change"] for name, change in told.items()} == {
        "idna": "added",
        "numpy": "removed",
        "six": "changed",
    }
    assert (told["six"]["a"]["version"], told["six"]["b"]["version"]) == ("1.16.0", "1.17.0")
    assert "python/packages: six 1.16.0 → 1.17.0" in answer["reasons"]
    assert answer["captured_digest"] == compute_environment_digest(captured)
    assert answer["current_digest"] == compute_environment_digest(capture_python_environment(HERE))


def test_an_answer_belongs_to_whoever_asked(captured):
    digest = compute_environment_digest(captured)
    captured["python"]["packages"].clear()
    captured["python"]["interpreter"]["version"] = "0"
    assert compute_environment_digest(capture_python_environment(HERE)) == digest


def test_layers_restrict_what_is_compared(captured):
    given = captured | {"r": {"rules": 1, "packages": {}}}
    whole = verify_environment_match(given, python=HERE)
    assert (whole["verdict"], whole["reasons"]) == (
        "not comparable",
        ["r: cannot be seen now (this release does not know the layer)"],
    )
    assert verify_environment_match(given, python=HERE, layers=["python"])["match"] is True
    assert verify_environment_match(given, python=HERE, layers={"python"})["match"] is True
    assert verify_environment_match(given, python=HERE, layers=iter(["python"]))["match"] is True
    assert verify_environment_match(given, python=HERE, layers=[])["verdict"] == "not comparable"


@pytest.mark.parametrize("rules", [2, 10**9, -1, 1.5, "1", None, True, [1]])
def test_rules_that_are_not_known_cannot_be_compared(rules, captured):
    captured["python"]["rules"] = rules
    answer = verify_environment_match(captured, python=HERE)
    assert (answer["match"], answer["verdict"], answer["changes"]) == (False, "not comparable", [])


@pytest.mark.parametrize("layer", [{}, {"packages": {}}, {"rules": {"rules": 1}}, {"rules": 1}])
def test_a_layer_that_says_little_is_compared_or_not_and_never_identical(layer, project):
    answer = verify_environment_match({"python": layer}, python=HERE)
    assert answer["match"] is False
    assert answer["verdict"] == ("different" if layer == {"rules": 1} else "not comparable")


def test_strict_counts_the_context_of_a_document(capsule, project):
    document = capsule("capture", "--python", HERE)
    document["context"]["variables"]["process"]["OMP_NUM_THREADS"] = "64"
    answer = verify_environment_match(document, python=HERE)
    assert answer["verdict"] == "identical"
    assert [change["entry"] for change in answer["context_changes"]] == ["OMP_NUM_THREADS"]
    strict = verify_environment_match(document, python=HERE, strict=True)
    assert (strict["verdict"], strict["context_changes"]) == ("different", [])
    assert [(change["layer"], change["entry"]) for change in strict["changes"]] == [("variables", "OMP_NUM_THREADS")]


def test_strict_cannot_compare_a_context_that_was_not_recorded(captured):
    answer = verify_environment_match(captured, python=HERE, strict=True)
    assert (answer["match"], answer["verdict"]) == (False, "not comparable")
    assert "system: not looked at when it was captured" in answer["reasons"]


def test_what_a_process_alone_can_see_of_its_libraries_makes_no_difference(capsule, project):
    document = capsule("capture", "--python", HERE)
    document["context"]["host"]["libraries"] = {"openblas": {"threads": 4}}
    answer = verify_environment_match(document, python=HERE, layers=["host"])
    assert (answer["match"], answer["verdict"], answer["changes"]) == (True, "identical", [])
    document["context"]["host"]["kernel"] = {"name": "Plan 9"}
    answer = verify_environment_match(document, python=HERE, layers=["host"])
    assert (answer["verdict"], {change["collection"] for change in answer["changes"]}) == ("different", {"kernel"})


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"layers": ["no"]}, UsageError, "no layer `no`"),
        ({"layers": "python"}, UsageError, "`layers` is a list"),
        ({"layers": 5}, UsageError, "`layers` is a list, not `int`"),
        ({"python": 5}, UsageError, "an interpreter is named by its path, which `5` is not"),
        ({"python": "no/such"}, InterpreterProblem, "no interpreter at `no/such`"),
        ({"python": "a\0b"}, InterpreterProblem, "no interpreter at `a\0b`"),
        ({"python": "\ud800"}, InterpreterProblem, "no interpreter at `\ud800`"),
        ({"python": "fit.csv"}, InterpreterProblem, "cannot start `{}/fit.csv`: Permission denied"),
        ({"python": "."}, InterpreterProblem, "`python` names `./.`, which has no `bin/python`"),
    ],
)
def test_what_cannot_be_asked_is_an_error(asked, error, message, captured, project):
    with pytest.raises(error) as caught:
        verify_environment_match(captured, **asked)
    assert caught.value.message == message.format(project)
    if asked.get("python") != 5 and asked.get("layers") != 5:
        assert caught.value.hint


def test_an_interpreter_is_named_by_its_path_its_environment_or_bytes(captured, project):
    for python in (HERE, project / HERE, project / HERE / "bin" / "python", HERE.encode(), f"{HERE}/bin/python"):
        assert capture_python_environment(python) == captured


def test_outside_of_a_container_there_is_none(capsule):
    # Where the tests run in one, the command says so too.
    seen = capsule("capture", "--layer", "container")
    expected = seen["environment"] if "container" in seen["context"] else None
    assert capture_container_environment() == expected
