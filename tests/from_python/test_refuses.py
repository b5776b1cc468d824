"""What cannot be registered, found or verified is told in a typed error, and the store is as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

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
from capsulestore.capture.environment import capture_environment
from capsulestore.errors import (
    AmbiguousName,
    CapsuleError,
    FileProblem,
    InterpreterProblem,
    InvalidValue,
    MalformedName,
    UnknownName,
    UsageError,
)
from capsulestore.model.capsule import Capsule
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store

BY_NAME = (verify_capsule, get_capsule, parents, children, ancestors, descendants)
A_LIST = "`{}` is a list"

ARGUMENTS = [
    ({"title": ""}, UsageError, "a capsule needs a title"),
    ({"title": None}, UsageError, "a capsule needs a title"),
    ({"title": " \n\t"}, UsageError, "a capsule needs a title"),
    ({"title": b" "}, UsageError, "a capsule needs a title"),
    ({"title": 5}, UsageError, "`title` is a text, not `int`"),
    ({"description": 5}, UsageError, "`description` is a text, not `int`"),
    ({"command": "python fit.py"}, UsageError, A_LIST.format("command")),
    ({"command": ["fit", 5]}, UsageError, "`command[1]` is a text, not `int`"),
    ({"entry_point": 5}, UsageError, "`entry_point` is a text, not `int`"),
    ({"status": "done"}, InvalidValue, "capsule.json/status: expected `completed` or `failed`"),
    ({"status": 5}, InvalidValue, "capsule.json/status: expected `completed` or `failed`"),
    ({"parameters": [1]}, UsageError, "`parameters` is a mapping, not `list`"),
    ({"parameters": "alpha=1"}, UsageError, "`parameters` is a mapping, not `str`"),
    ({"parameters": dict.fromkeys(map(str, range(20_000)))}, UsageError, "`parameters` cannot be recorded member by"),
    ({"labels": {"a"}}, UsageError, "`labels` is a mapping, not `set`"),
    ({"inputs": "data.csv"}, UsageError, A_LIST.format("inputs")),
    ({"outputs": Path("fit.csv")}, UsageError, A_LIST.format("outputs")),
    ({"outputs": {"fit.csv": 1}}, UsageError, "`outputs` is a list, not `dict`"),
    ({"outputs": 5}, UsageError, "`outputs` is a list, not `int`"),
    ({"outputs": [5]}, UsageError, "`outputs[0]` is a text, not `int`"),
    ({"inputs": ["data.csv", "missing"]}, FileProblem, "cannot read `missing`: No such file or directory"),
    ({"inputs": ["missing*.csv"]}, FileProblem, "cannot read `missing*.csv`: No such file or directory"),
    ({"outputs": ["fit.csv/x"]}, FileProblem, "cannot read `fit.csv/x`: Not a directory"),
    ({"outputs": ["a\0b"]}, FileProblem, "cannot read `a\0b`: embedded null byte"),
    ({"outputs": ["/dev/null"]}, FileProblem, "cannot read `/dev/null`: Not a regular file"),
    ({"parents": "abcd"}, UsageError, A_LIST.format("parents")),
    ({"parents": [5]}, MalformedName, "`5` is no text, and so no name"),
    ({"parents": ["unknown"]}, UnknownName, "nothing is called `unknown`"),
    ({"parents": ["@:"]}, UnknownName, "`@:` is no capsule but an environment"),
    ({"python": ".venv"}, UsageError, "`environment_capture` says what to register; `python` and `layers` look for"),
    ({"layers": ["python"]}, UsageError, "`environment_capture` says what to register; `python` and `layers` look"),
    ({"environment_capture": {}}, InvalidValue, "is no mapping of layers"),
    ({"environment_capture": 5}, InvalidValue, "an environment is a mapping of layers"),
    ({"environment_capture": {"python": {"x": {"y": b"z"}}}}, InvalidValue, "python/x/y: `bytes` is no JSON type"),
    ({"environment_capture": None, "python": "missing/python"}, InterpreterProblem, "no interpreter at `missing/pyth"),
    ({"environment_capture": None, "python": 5}, UsageError, "an interpreter is named by its path, which `5` is not"),
    ({"environment_capture": None, "layers": "python"}, UsageError, A_LIST.format("layers")),
    ({"environment_capture": None, "layers": [5]}, UsageError, "`layers[0]` is a text, not `int`"),
    ({"environment_capture": None, "layers": ["no"]}, UsageError, "no layer `no`"),
    ({"environment_capture": None, "layers": []}, UsageError, "of the environment nothing would be recorded"),
    ({"environment_capture": None, "layers": ["host"]}, UsageError, "of the environment nothing would be recorded"),
    ({"store": 5}, UsageError, "a store is named by its path, which `5` is not"),
]
NAMES = [
    ("unknown", UnknownName, "nothing is called `unknown`"),
    ("0" * 64, UnknownName, f"no object {'0' * 64} in the store"),
    ("", MalformedName, "`` cannot be a name"),
    (" @", MalformedName, "` @` cannot be a name"),
    ("a\0b", MalformedName, "`a\0b` cannot be a name"),
    ("\ud800", UnknownName, "nothing is called `\ud800`"),
    ("abc", MalformedName, "`abc` is too short"),
    ("x" * 100_000, UnknownName, "nothing is called `xxx"),
    (5, MalformedName, "`5` is no text, and so no name"),
    (None, MalformedName, "`None` is no text, and so no name"),
    (b"@", MalformedName, "`b'@'` is no text, and so no name"),
    (["@"], MalformedName, "`['@']` is no text, and so no name"),
]


@pytest.fixture
def recorded(store, hand_made) -> dict:
    return register_capsule("a capsule", environment_capture=hand_made)


def typed(error: CapsuleError) -> str:
    """Return the message of an error that a program and a person can do something with."""
    assert error.code != CapsuleError.code
    assert error.hint is None or (error.hint and not error.hint.endswith("."))
    assert error.as_dict().keys() >= {"code", "message", "hint"}
    return error.message


@pytest.mark.parametrize(("given", "error", "message"), ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_an_argument_that_makes_no_sense_is_named_and_nothing_is_registered(
    given, error, message, store, recorded, hand_made, contents
):
    before = contents(store)
    with pytest.raises(error) as caught:
        register_capsule(**{"title": "another", "environment_capture": hand_made, **given})
    assert typed(caught.value).startswith(message)
    assert contents(store) == before


def test_an_environment_of_context_alone_is_refused(store, contents, project):
    before = contents(store)
    captured = capture_environment(f"{project}/.venv/bin/python", layers=["host"])
    for given in ({"environment_capture": captured}, {"environment_capture": captured.as_dict()}):
        with pytest.raises(CapsuleError) as caught:
            register_capsule("context", **given)
        typed(caught.value)
    assert contents(store) == before


@pytest.mark.parametrize("function", BY_NAME)
@pytest.mark.parametrize(("name", "error", "message"), NAMES, ids=range(len(NAMES)))
def test_a_name_that_leads_nowhere_is_told(function, name, error, message, store, recorded, contents):
    before = contents(store)
    with pytest.raises(error) as caught:
        function(name)
    assert typed(caught.value).startswith(message)
    assert caught.value.hint or error is UnknownName
    assert contents(store) == before


def test_a_prefix_of_two_is_ambiguous_and_both_are_named(store, hand_made):
    titles = alike(hand_made)
    digests = {register_capsule(title, environment_capture=hand_made)["capsule_id"] for title in titles}
    (prefix,) = {digest[:4] for digest in digests}
    for function in BY_NAME:
        with pytest.raises(AmbiguousName) as caught:
            function(prefix)
        assert set(caught.value.candidates) == set(caught.value.as_dict()["candidates"]) == digests


def alike(environment: dict) -> tuple[str, str]:
    """Return the titles of two capsules whose digests begin alike, and unlike the environment's."""
    encoded = encode_mapping(environment)
    seen = {encoded.id.hex[:4]: ""}
    for number in count():
        manifest = Manifest.parse({"schema": 1, "title": f"{number}", "environment_digest": str(encoded.id)})
        prefix = Capsule(manifest=manifest, environment=encoded.id).encode(encoded).id.hex[:4]
        if other := seen.get(prefix):
            return other, f"{number}"
        seen.setdefault(prefix, f"{number}")
    raise AssertionError


def test_an_environment_is_verified_and_is_no_capsule(store, recorded):
    environment = recorded["environment_digest"]
    answer = verify_capsule(environment, python=".venv")
    assert (answer["capsule_id"], answer["captured_digest"], answer["code"]) == (None, environment, [])
    for function in BY_NAME[1:]:
        with pytest.raises(UnknownName, match="is no capsule but an environment"):
            function(environment)
    with pytest.raises(UsageError, match="only the verification of a capsule can be recorded"):
        verify_capsule(environment, python=".venv", record=True)
    assert get_capsule("@")["statements"] == []


def test_a_statement_and_a_part_of_an_environment_are_no_capsules(store, recorded):
    statement = verify_capsule("@", python=".venv", record=True)["statement_id"]
    for name, kind in ((statement, "a statement"), ("@:python", "a layer"), ("@:python/packages/numpy", "an entry")):
        for function in BY_NAME[1:]:
            with pytest.raises(UnknownName, match=f"is no capsule but {kind}$"):
                function(name)
        with pytest.raises(UnknownName, match=r"is neither a capsule nor an environment$"):
            verify_capsule(name)


@pytest.mark.parametrize("limit", [-1, 1.5, "1", True, 2**70])
def test_a_limit_that_is_no_number_of_capsules_is_refused(limit, store):
    with pytest.raises(UsageError, match=r"^`limit` is a number of capsules, not "):
        list_capsules(limit=limit)


@pytest.mark.parametrize("part", [{"layers": ["python"]}, {"layers": []}, {"loaded": True}])
def test_a_verdict_on_a_part_is_not_recorded(part, store, recorded, contents):
    before = contents(store)
    with pytest.raises(UsageError, match="`record` keeps a verdict on the whole") as caught:
        verify_capsule("@", record=True, **part)
    typed(caught.value)
    assert contents(store) == before


def test_a_capsule_that_does_not_say_what_was_imported_cannot_be_judged_by_it(store, recorded):
    with pytest.raises(UsageError, match="does not say what was imported"):
        verify_capsule("@", loaded=True)


def test_an_input_that_may_not_be_read_is_told_by_its_name(store, hand_made, project, bound_by_permissions, contents):
    (project / "data.csv").chmod(0)
    before = contents(store)
    program = (
        "import json, sys; from capsulestore.artifact_registry import register_capsule\n"
        "try: register_capsule('x', environment_capture=json.loads(sys.argv[1]), inputs=['data.csv'])\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    command = [*bound_by_permissions, sys.executable, "-c", program, json.dumps(hand_made)]
    done = subprocess.run(command, cwd=project, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout == "FileProblem cannot read `data.csv`: Permission denied\n"
    assert contents(Store(store.path)) == before
