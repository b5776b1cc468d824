"""`register_capsule`: what is given is recorded, and the same facts are one capsule, whoever tells them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType

import pytest

from capsulestore.artifact_registry import get_capsule, list_capsules, register_capsule
from capsulestore.capture.environment import capture_environment
from capsulestore.errors import NameProblem
from capsulestore.runtime_capture import capture_python_environment, compute_environment_digest
from capsulestore.store import Store

REGISTER = """
import json, sys
from capsulestore.artifact_registry import register_capsule
sys.stdin.readline()
print(json.dumps(register_capsule("at once", environment_capture=json.loads(sys.argv[1]), outputs=["fit.csv"])))
"""


class Odd:
    def __repr__(self) -> str:
        return "an odd one"


def manifest() -> dict:
    return get_capsule("@")["manifest"]


def test_what_is_said_of_an_analysis_is_in_the_manifest(store, hand_made, project):
    first = register_capsule("before", environment_capture=hand_made)
    register_capsule(
        "first fit",
        environment_capture=hand_made,
        description="of all data",
        command=["python", project / "fit.py", b"--n", "1"],
        entry_point=Path("fit.py"),
        parameters={"alpha": 0.1, "grid": (1, 2)},
        labels={"team": "blue"},
        inputs=[Path("data.csv"), "d*.csv"],
        outputs=("fit.csv",),
        parents=[first["capsule_id"][:12]],
        status="completed",
    )
    told = manifest()
    assert [file["path"] for file in (*told.pop("inputs"), *told.pop("outputs"))] == ["data.csv", "fit.csv"]
    assert told == {
        "schema": 1,
        "title": "first fit",
        "environment_digest": compute_environment_digest(hand_made),
        "description": "of all data",
        "command": ["python", f"{project}/fit.py", "--n", "1"],
        "entry_point": "fit.py",
        "parameters": {"alpha": 0.1, "grid": [1, 2]},
        "labels": {"team": "blue"},
        "parents": [first["capsule_id"]],
        "status": "completed",
    }


def test_each_form_of_an_environment_is_the_same_capsule(store, project, capsule):
    captured = capture_python_environment(".venv")
    document = {"environment_digest": compute_environment_digest(captured), "environment": captured}
    forms = [
        captured,
        json.loads(json.dumps(captured)),
        MappingProxyType(captured),
        {"python": OrderedDict(reversed(captured["python"].items()))},
        document,
        document | {"context": None, "findings": [object()], "layers": {"python": b"passed over"}},
    ]
    answers = [register_capsule("one", environment_capture=form) for form in forms]
    assert [answer["registered"] for answer in answers] == [True, *[False] * 5]
    assert len({answer["capsule_id"] for answer in answers}) == 1
    assert capsule("show")["environment"] == captured


def test_a_captured_environment_has_its_context_and_the_states_of_its_layers(store, project):
    found = capture_environment(f"{project}/.venv/bin/python")
    given = register_capsule("one", environment_capture=found)
    assert given == register_capsule("one", environment_capture=found) | {"registered": True}
    told = get_capsule("@")
    assert told["environment"] == found.environment
    assert told["context"].keys() == found.context.keys()
    assert told["manifest"]["layers"]["python"] == "captured"
    assert told["manifest"]["target"] == {"python": ".venv/bin/python", "chosen_by": "caller"}


def test_without_one_the_environment_of_the_interpreter_is_captured(store, capsule):
    for python, named in ((".venv", ".venv"), (None, sys.executable)):
        answer = register_capsule("here", python=python)
        seen = capsule("capture", "--python", named)["environment_digest"]
        assert answer["environment_digest"] == manifest()["environment_digest"] == seen


def test_what_json_cannot_hold_becomes_a_text_is_logged_and_is_registered(store, hand_made, caplog):
    odd = {"a": Odd(), "n": [float("nan"), 2**60], "b": b"x", 1: {2, 1}, "s": "\ud800", "p": Path("x"), "t": (1,)}
    with caplog.at_level(logging.WARNING, "capsulestore"):
        register_capsule("odd", environment_capture=hand_made, parameters=MappingProxyType(odd), labels={"k": Odd()})
    told = manifest()
    assert told["parameters"] == {
        "1": [1, 2],
        "a": "an odd one",
        "b": "b'x'",
        "n": ["nan", str(2**60)],
        "p": "x",
        "s": "\\ud800",
        "t": [1],
    }
    assert told["labels"] == {"k": "an odd one"}
    assert [record.getMessage() for record in caplog.records] == [
        "parameter `a` became a text",
        "parameter `b` became a text",
        "parameter `n[0]` became a text",
        "and 1 more values of the parameters",
        "label `k` became a text",
    ]


def test_a_few_lines_tell_of_however_many_values_that_became_texts(store, hand_made, caplog):
    with caplog.at_level(logging.WARNING, "capsulestore"):
        register_capsule("odd", environment_capture=hand_made, parameters={str(n): Odd() for n in range(300)})
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4
    assert said[-1] == "and 297 more values of the parameters"


def test_bytes_that_are_no_utf_8_are_told_as_such_wherever_they_stand(store, hand_made):
    register_capsule("a\udcff", environment_capture=hand_made, description="\ud800", command=[b"\xff", "\ud800"])
    told = manifest()
    assert (told["title"], told["description"], told["command"]) == ("a\\xff", "\\ud800", ["\\xff", "\\ud800"])


def test_the_same_facts_of_several_processes_at_once_are_one_capsule(store, hand_made, project):
    command = [sys.executable, "-c", REGISTER, json.dumps(hand_made)]
    processes = [
        subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("now\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate()[0]) for process in processes]
    assert len({answer["capsule_id"] for answer in answers}) == 1
    assert sorted(answer["registered"] for answer in answers) == [False, False, True]
    assert [listed["capsule_id"] for listed in list_capsules()] == [answers[0]["capsule_id"]]
    assert len(get_capsule("@")["registrations"]) == 1


@pytest.mark.parametrize("form", ["store", "holder", "path object", "bytes", "relative", "open"])
def test_a_store_is_named_in_many_ways(form, store, hand_made, project, monkeypatch):
    monkeypatch.chdir(Path(project.anchor))
    places = {
        "store": store.path,
        "holder": str(project),
        "path object": project / ".capsules",
        "bytes": str(project).encode(),
        "relative": str(project).removeprefix(project.anchor),
        "open": store,
    }
    answer = register_capsule("somewhere else", environment_capture=hand_made, store=places[form])
    assert [listed["capsule_id"] for listed in list_capsules(store=places[form])] == [answer["capsule_id"]]
    assert str(store.resolve("@").digest) == answer["capsule_id"]


def held(project: Path) -> list[str]:
    """Return the files of the project's store that this process has open."""
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return [str(link) for link in links if str(link).startswith(f"{project}/.capsules")]


def test_an_open_store_stays_open_and_usable(store, hand_made, project):
    first = register_capsule("one", environment_capture=hand_made, store=store)
    assert list_capsules(store=store)
    assert held(project) != []
    second = register_capsule("two", environment_capture=hand_made, store=store, parents=["@"])
    assert get_capsule("@", store=store)["manifest"]["parents"] == [first["capsule_id"]]
    assert [str(found.digest) for found in store.index.capsules()] == [second["capsule_id"], first["capsule_id"]]


def test_a_store_that_was_named_by_its_path_is_let_go_of(store, hand_made, project):
    store.close()
    register_capsule("one", environment_capture=hand_made, store=project)
    assert list_capsules(store=project)
    with pytest.raises(NameProblem):
        get_capsule("unknown", store=project)
    assert held(project) == []


def test_the_commands_find_the_store_and_so_do_the_functions(store, hand_made, project, monkeypatch, tmp_path):
    below = project / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    answer = register_capsule("below", environment_capture=hand_made)
    assert str(store.resolve("@").digest) == answer["capsule_id"]
    with Store.init(str(tmp_path / "another")) as another:
        monkeypatch.setenv("CAPSULE_STORE", another.path)
        assert register_capsule("below", environment_capture=hand_made) == answer
        assert str(another.resolve("@").digest) == answer["capsule_id"]
