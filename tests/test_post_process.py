"""Results that a program summarises and registers, in its own process."""

import hashlib
import json
import logging
import subprocess
import sys

import pytest

from capsulestore.artifact_registry import get_capsule, register_capsule, verify_capsule
from capsulestore.errors import FileProblem, NoStore, UnknownName, UsageError
from capsulestore.post_process import post_process, summarise_results
from capsulestore.runtime_capture import capture_python_environment
from capsulestore.store import Store

FIT = {"path": "out/fit.csv", "sha256": hashlib.sha256(b"1,2,3").hexdigest(), "size": 5}


@pytest.fixture
def project(tmp_path, monkeypatch, same_user):
    """A directory with results and no store, which is the working directory."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "fit.csv").write_text("1,2,3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(project):
    with Store.init(project) as made:
        return made.path


@pytest.mark.parametrize("results", ["out", ["out"], ["out/fit.csv", "out"]])
def test_a_summary_takes_one_path_or_several(results, project):
    expected = {"files": [FIT], "bytes": 5, "metadata": None}
    assert summarise_results(results) == post_process(results) == expected


def test_a_summary_says_what_the_metadata_says(project):
    (project / "said.json").write_text('{"mood": "good"}')
    assert summarise_results(project / "out", metadata=project / "said.json")["metadata"] == {"mood": "good"}


@pytest.mark.parametrize("results", [None, 3, {"out": 1}, [3], []])
def test_what_names_no_path_is_a_mistake_of_the_callers(results):
    with pytest.raises(UsageError, match="results"):
        summarise_results(results)


def test_with_the_flag_the_capsule_holds_the_running_environment(store):
    answer = post_process("out", capture_capsule=True, title="first fit", parameters={"alpha": 0.5})
    assert set(answer) == {"files", "bytes", "metadata", "capsule_id", "environment_digest", "registered"}
    manifest = get_capsule(answer["capsule_id"])["manifest"]
    assert (manifest["title"], manifest["parameters"]) == ("first fit", {"alpha": 0.5})
    assert manifest["outputs"] == answer["files"] == [FIT]
    assert verify_capsule("@", layers=["python"])["match"]


def test_the_same_results_are_registered_once(store):
    first = post_process("out", capture_capsule=True)
    assert post_process("out", capture_capsule=True) == first | {"registered": False}


def test_what_is_given_wins_over_the_metadata(project, store):
    parent = register_capsule("a parent", environment_capture=capture_python_environment())["capsule_id"]
    said = {"title": "said", "parameters": {"alpha": 1, "beta": 2}, "parents": [parent[:8]], "status": "completed"}
    (project / "out" / "metadata.json").write_text(json.dumps(said))
    answer = post_process("out", capture_capsule=True, title="given", parameters={"alpha": 3}, labels={"a": "b"})
    manifest = get_capsule(answer["capsule_id"])["manifest"]
    assert (manifest["title"], manifest["parameters"]) == ("given", {"alpha": 3, "beta": 2})
    assert (manifest["labels"], manifest["parents"], manifest["status"]) == ({"a": "b"}, [parent], "completed")
    assert answer["metadata"] == said


def test_a_value_that_json_has_no_form_for_becomes_a_text_which_is_logged(store, caplog):
    with caplog.at_level(logging.WARNING, "capsulestore"):
        answer = post_process("out", capture_capsule=True, parameters={"scale": float("inf")})
    assert get_capsule(answer["capsule_id"])["manifest"]["parameters"] == {"scale": "inf"}
    assert "parameter `scale` became a text" in caplog.text


def test_credentials_are_not_recorded_which_is_logged(store, caplog):
    with caplog.at_level(logging.WARNING, "capsulestore"):
        answer = post_process("out", capture_capsule=True, parameters={"password": "hunter2"})
    assert "hunter2" not in json.dumps(get_capsule(answer["capsule_id"]))
    assert "parameters: held what looks like credentials, which are not recorded" in caplog.messages


def test_what_is_noticed_of_the_environment_is_logged(project, store, caplog):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], check=True)
    (site_packages,) = project.glob(".venv/lib/python*/site-packages")
    for number in range(5):
        (site_packages / f"odd{number}-1.0.dist-info").mkdir()
    with caplog.at_level(logging.WARNING, "capsulestore"):
        post_process("out", capture_capsule=True, python=".venv")
    odd = "odd0-1.0.dist-info, odd1-1.0.dist-info, odd2-1.0.dist-info and 2 more"
    assert f"python: {odd}: nothing lists its files; its modules count as unowned" in caplog.messages


def test_another_store_and_another_interpreter_may_be_named(project, tmp_path_factory):
    with Store.init(tmp_path_factory.mktemp("elsewhere")) as made:
        place = made.path
    answer = post_process(project / "out", capture_capsule=True, store=place, python=sys.executable)
    manifest = get_capsule(answer["capsule_id"], store=place)["manifest"]
    assert manifest["target"]["chosen_by"] == "caller"
    assert manifest["outputs"][0]["path"] == str(project / "out" / "fit.csv")


def test_what_is_wrong_registers_nothing(project, store):
    (project / "bad").mkdir()
    (project / "bad" / "metadata.json").write_text("[]")
    for wrong, error in (
        ({"results": "nowhere"}, FileProblem),
        ({"results": "bad"}, FileProblem),
        ({"parents": ["nobody"]}, UnknownName),
        ({"parents": "nobody"}, UsageError),
        ({"parameters": ["alpha"]}, UsageError),
        ({"title": 1}, UsageError),
        ({"title": " "}, UsageError),
        ({"metadata": 1}, UsageError),
        ({"store": "nowhere"}, NoStore),
    ):
        with pytest.raises(error):
            post_process(**{"results": "out", "capture_capsule": True} | wrong)
    with Store(store) as opened:
        assert opened.last() is None


def test_importing_it_imports_nothing_else_of_the_package():
    statement = (
        "import sys, capsulestore.post_process; print(*(n for n in sys.modules if n.startswith('capsulestore')))"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"capsulestore", "capsulestore.post_process"}
