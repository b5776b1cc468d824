"""`verify_capsule`: each thing that is not as recorded is a failure with a code, a subject and a reason."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capsulestore.artifact_registry import get_capsule, register_capsule, verify_capsule
from capsulestore.capture.environment import capture_environment
from capsulestore.runtime_capture import capture_python_environment, verify_environment_match

pytestmark = pytest.mark.slow

HERE = ".venv"


def failures(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(failure["code"], failure["subject"], failure["reason"]) for failure in answer["failures"]]


@pytest.fixture
def recorded(store, project) -> dict[str, Any]:
    """A capsule of the environment with its context, an input and an output."""
    found = capture_environment(f"{project}/{HERE}/bin/python")
    return register_capsule("a fit", environment_capture=found, inputs=["data.csv"], outputs=["fit.csv"])


@pytest.fixture
def run(store, project) -> Callable[..., None]:
    """Record a run of a program in a git work tree: `run("import six")`."""

    def run(program: str) -> None:
        (project / "fit.py").write_text(program)
        (project / ".gitignore").write_text(".venv\n.capsules\n")
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "one")):
            subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)
        command = [sys.executable, "-m", "capsulestore_cli", "run", "--trace-imports", "--output", "fit.csv"]
        subprocess.run([*command, f"{HERE}/bin/python", "fit.py"], cwd=project, check=True, capture_output=True)
        assert get_capsule("@")["manifest"]["status"] == "completed"

    return run


def test_where_all_is_as_it_was_nothing_fails(recorded):
    answer = verify_capsule(recorded["capsule_id"], python=HERE)
    assert (answer["match"], answer["verdict"], answer["failures"]) == (True, "identical", [])
    assert answer["captured_digest"] == answer["current_digest"] == recorded["environment_digest"]
    assert answer["files"] == [{"path": "data.csv", "state": "same"}, {"path": "fit.csv", "state": "same"}]
    assert verify_capsule(recorded["capsule_id"][:8], python=HERE) == verify_capsule("@", python=HERE) == answer


def test_a_changed_environment_fails_by_the_entry_that_changed(recorded, install):
    install("six==1.17.0")
    answer = verify_capsule("@", python=HERE)
    assert (answer["match"], answer["verdict"]) == (False, "different")
    assert failures(answer) == [
        ("environment_changed", "python/packages/six", "python/packages: six 1.16.0 → 1.17.0"),
    ]


def test_a_layer_that_cannot_be_compared_fails_by_its_name(store, project):
    captured = capture_python_environment(HERE)
    register_capsule("odd", environment_capture=captured | {"r": {"rules": 1}})
    answer = verify_capsule("@", python=HERE)
    assert (answer["match"], answer["verdict"]) == (False, "not comparable")
    reason = "r: cannot be seen now (this release does not know the layer)"
    assert failures(answer) == [("not_comparable", "r", reason)]


def test_nothing_to_compare_is_no_match(recorded):
    answer = verify_capsule("@", python=HERE, layers=[])
    assert (answer["match"], answer["verdict"]) == (False, "not comparable")
    assert failures(answer) == [("not_comparable", "", "there is no layer to compare")]


def test_a_changed_file_fails_and_a_missing_one_does_not(recorded, project):
    (project / "fit.csv").write_text("slope,0.72\n")
    (project / "data.csv").unlink()
    answer = verify_capsule("@", python=HERE)
    assert (answer["match"], answer["verdict"]) == (True, "identical")
    assert answer["files"] == [{"path": "data.csv", "state": "missing"}, {"path": "fit.csv", "state": "changed"}]
    assert failures(answer) == [("file_changed", "fit.csv", "fit.csv: is not what was recorded")]
    assert "data.csv: is not here" in answer["reasons"]


def test_a_file_that_cannot_be_read_fails_as_such(recorded, project):
    for name in ("fit.csv", "data.csv"):
        (project / name).unlink()
    (project / "fit.csv").symlink_to("fit.csv")
    (project / "data.csv").mkdir()
    assert failures(verify_capsule("@", python=HERE)) == [
        ("file_changed", "data.csv", "data.csv: is not what was recorded"),
        ("file_unreadable", "fit.csv", "fit.csv: cannot be read, and so not compared"),
    ]


def test_changed_code_fails_by_its_tree_and_file(run, project):
    run("import six")
    assert verify_capsule("@", python=HERE)["failures"] == []
    (project / "fit.py").write_text("import six, json")
    answer = verify_capsule("@", python=HERE)
    assert [(code["role"], code["name"], code["state"]) for code in answer["code"]] == [
        ("work tree", ".", "changed"),
        ("file", "fit.py", "changed"),
    ]
    assert answer["verdict"] == "identical"
    tree, file = failures(answer)
    assert tree[:2] == ("code_changed", "work tree .")
    assert tree[2].startswith("code: work tree `.`: ")
    assert file == ("code_changed", "file fit.py", "code: file `fit.py`: is not what was recorded")


def test_code_that_cannot_be_read_fails_and_code_that_is_not_here_does_not(run, project):
    run("import six")
    shutil.rmtree(project / ".git")
    (project / "fit.py").unlink()
    answer = verify_capsule("@", python=HERE)
    assert {code["state"] for code in answer["code"]} == {"missing"}
    assert answer["failures"] == []
    (project / "fit.py").mkdir()
    assert failures(verify_capsule("@", python=HERE)) == [
        ("code_unreadable", "file fit.py", "code: file `fit.py`: cannot be compared with what was recorded"),
    ]


def test_all_that_fails_is_told_at_once(run, install, project):
    run("import six")
    install("six==1.17.0")
    (project / "fit.py").write_text("import json")
    (project / "fit.csv").write_text("slope,0.72\n")
    answer = verify_capsule("@", python=HERE)
    codes = [failure["code"] for failure in answer["failures"]]
    assert codes == ["environment_changed", "code_changed", "code_changed", "file_changed"]
    assert {failure["reason"] for failure in answer["failures"]} <= set(answer["reasons"])


def test_with_loaded_only_what_was_imported_counts(run, install):
    run("import six")
    install("idna==3.7")
    assert verify_capsule("@", python=HERE)["verdict"] == "different"
    answer = verify_capsule("@", python=HERE, loaded=True)
    assert (answer["match"], answer["verdict"], answer["failures"], answer["changes"]) == (True, "identical", [], [])
    assert "not imported by the analysis, and so not counted: idna" in answer["reasons"]
    install("six==1.17.0")
    answer = verify_capsule("@", python=HERE, loaded=True)
    assert [failure["subject"] for failure in answer["failures"]] == ["python/packages/six"]


def test_strict_and_layers_count_the_context(recorded, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    answer = verify_capsule("@", python=HERE)
    assert (answer["verdict"], answer["failures"]) == ("identical", [])
    assert [change["entry"] for change in answer["context_changes"]] == ["OMP_NUM_THREADS"]
    for counted in ({"strict": True}, {"layers": ["variables"]}):
        answer = verify_capsule("@", python=HERE, **counted)
        assert answer["verdict"] == "different"
        assert [failure["subject"] for failure in answer["failures"]] == ["variables/process/OMP_NUM_THREADS"]
    assert verify_capsule("@", python=HERE, layers=["python"])["failures"] == []


def test_verifications_of_two_places_add_up(recorded, store, project, install, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(project / HERE, elsewhere / HERE, symlinks=True)
    install("six==1.17.0")
    here = verify_capsule("@", python=HERE, record=True)
    monkeypatch.chdir(elsewhere)
    there = verify_capsule("@", python=HERE, record=True, store=project)
    assert (here["verdict"], there["verdict"]) == ("different", "identical")
    told = {said["statement_id"]: said for said in get_capsule("@", store=store)["statements"]}
    assert told.keys() == {here["statement_id"], there["statement_id"]}
    different, identical = told[here["statement_id"]], told[there["statement_id"]]
    assert (different["result"], different["verdict"]) == ("FAILED", "different")
    assert (identical["result"], identical["verdict"]) in {("PASSED", "identical"), ("WARNED", "identical")}
    assert different["failedTests"] == ["layer/python"]
    assert get_capsule("@", store=store)["capsule_id"] == recorded["capsule_id"]


def test_an_open_store_stays_open(recorded, store):
    kept = verify_capsule("@", python=HERE, record=True, store=store)
    assert [str(found.digest) for found in store.index.statements(store.resolve("@").digest)] == [kept["statement_id"]]


@pytest.mark.parametrize("changed", [False, True], ids=["identical", "different"])
def test_matching_the_environment_that_a_capsule_has_gives_the_same_verdict(changed, recorded, install):
    if changed:
        install("six==1.17.0")
    answer, told = verify_capsule("@", python=HERE), get_capsule("@")
    for given in (told["environment"], told):
        matched = verify_environment_match(given, python=HERE)
        for key in ("match", "verdict", "captured_digest", "current_digest", "layers", "changes", "target"):
            assert matched[key] == answer[key], key
    assert matched["context_changes"] == answer["context_changes"]


@pytest.mark.parametrize("options", [[], ["--strict"], ["--loaded"], ["--layer", "python"]], ids=" ".join)
def test_the_command_answers_the_same(options, run, install, project, capsule):
    run("import six")
    install("six==1.17.0")
    (project / "fit.csv").write_text("slope,0.72\n")
    asked = {"strict": "--strict" in options, "loaded": "--loaded" in options}
    asked["layers"] = ["python"] if "--layer" in options else None
    answer, printed = verify_capsule("@", python=HERE, **asked), capsule("verify", *options, "--python", HERE)
    assert (answer["target"].pop("chosen_by"), printed["target"].pop("chosen_by")) == ("caller", "--python")
    assert Path(answer["target"].pop("python")).samefile(printed["target"].pop("python"))
    assert answer == printed
    assert list(answer) == list(printed)


def test_the_command_keeps_the_same_statement(recorded, capsule):
    answer, printed = verify_capsule("@", python=HERE, record=True), capsule("verify", "--record", "--python", HERE)
    assert answer.keys() == printed.keys()
    assert {said["verdict"] for said in get_capsule("@")["statements"]} == {"identical"}
