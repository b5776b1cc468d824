"""`environment-verify`: the server's own environment, and one that was captured elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from capsule_servers import CapsuleServer, environment_of, serving
from uv import find_uv_bin

from capsulestore.artifact_registry import register_capsule, verify_capsule
from capsulestore.capture.environment import capture_environment
from capsulestore.client import Client
from capsulestore.runtime_capture import compute_environment_digest
from capsulestore.store import Store

OTHER = {"odd": {"rules": 1}}
CONTEXT = {"variables": {"rules": 1, "process": {"LANG": "C.UTF-8"}}}


def document(environment: dict, **states: object) -> dict:
    """What a capture of this environment, with `CONTEXT`, prints."""
    told = {"python": "captured", "variables": "captured", **states}
    digest = compute_environment_digest(environment)
    return {"environment_digest": digest, "environment": environment, "context": CONTEXT, "states": told}


@pytest.fixture(scope="module")
def capsule(post) -> str:
    """A capsule of an environment that nobody has, with an input."""
    given = document(environment_of(numpy="2.1.0", scipy="1.14"), conda="none", nix={"unknown": "no permission"})
    inputs = [{"path": "data.csv", "sha256": "a" * 64, "size": 4}]
    return post("first fit", given, inputs=inputs).json["capsule_id"]


@pytest.fixture
def verify(server, capsule):
    """Verify the capsule with a capture: `verify(document, query)` returns the answer."""

    def verify(given, query=""):
        return server.ask("POST", f"/api/capsules/{capsule}/environment-verify{query}", given)

    return verify


def test_its_own_environment_is_identical_to_a_capsules(server, capsule, verify):
    answer = verify(server.get(f"/api/capsules/{capsule}/environment").json).json
    assert (answer["match"], answer["verdict"], answer["changes"]) == (True, "identical", [])
    assert (answer["capsule_id"], answer["target"], answer["code"], answer["files"]) == (capsule, None, [], [])
    assert "inputs: not looked at, as the environment was captured elsewhere" in answer["reasons"]
    assert answer["current_digest"] == answer["captured_digest"]


def test_a_bare_mapping_of_layers_will_do(verify):
    answer = verify(environment_of(numpy="2.1.0", scipy="1.14")).json
    assert {layer["layer"]: layer["match"] for layer in answer["layers"]} == {"nix": None, "python": True}


def test_it_may_be_sent_wrapped_as_for_registering(server, capsule, verify):
    bare = environment_of(numpy="2.1.0", scipy="1.14")
    for given in (bare, document(bare, conda="none")):
        assert verify({"environment_capture": given}).json == verify(given).json
    answer = Client(server.url).verify(capsule, {"environment_capture": bare})
    assert answer["current_digest"] == verify(bare).json["current_digest"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "an environment has at least one layer"),
        ({"environment_capture": {}}, "environment_capture: an environment has at least one layer"),
        ({"environment": {}}, "environment: a layer says by which `rules` it was captured"),
        ({"environment": environment_of(numpy="1")}, "environment: a layer says by which `rules` it was captured"),
        ({"environment_capture": {"python": {}}}, "environment_capture/python: a layer says by which `rules`"),
        ({"python": 1}, "python: a layer is a mapping"),
        ({"environment_capture": environment_of(numpy="1"), "title": "x"}, "title: a layer is a mapping"),
        ({"environment_capture": []}, "environment_capture: an environment is a mapping of layers"),
    ],
    ids=str,
)
def test_what_is_no_environment_is_refused_with_its_path(verify, given, reason):
    found = verify(given)
    assert (found.status, found.error["code"]) == (422, "invalid_value")
    assert found.error["message"].startswith(reason)


def test_one_package_of_another_version_is_the_one_change(verify):
    answer = verify(document(environment_of(numpy="2.1.1", scipy="1.14"), conda="none")).json
    assert answer["verdict"] == "different"
    (change,) = answer["changes"]
    assert (change["entry"], change["a"], change["b"]) == ("numpy", {"version": "2.1.0"}, {"version": "2.1.1"})
    assert [failure["subject"] for failure in answer["failures"]] == ["python/packages/numpy"]


def test_context_counts_where_it_is_asked_for(verify):
    given = document(environment_of(numpy="2.1.0", scipy="1.14"), conda="none")
    given["context"] = {"variables": {"rules": 1, "process": {"LANG": "de_DE.UTF-8"}}}
    beside, counted = verify(given).json, verify(given, "?layer=variables&layer=python").json
    assert (beside["verdict"], len(beside["context_changes"])) == ("identical", 1)
    assert (counted["verdict"], len(counted["changes"])) == ("different", 1)


def test_files_outside_the_directory_of_the_store_are_not_looked_at(server, served_store, post):
    (served_store.parent / "here.csv").write_text("x")
    (served_store.parent.with_name("elsewhere.csv")).write_text("x")
    names = ["here.csv", "gone.csv", "../elsewhere.csv", "/etc/passwd", "/etc/nothing"]
    inputs = [{"path": name, "sha256": sha256(b"x").hexdigest(), "size": 1} for name in names]
    digest = post("of files", document(environment_of(numpy="2.1.0")), inputs=inputs).json["capsule_id"]
    answer = server.get(f"/api/capsules/{digest}/environment-verify?layer=variables").json
    states = {file["path"]: file["state"] for file in answer["files"]}
    assert states == dict.fromkeys(names, "unchecked") | {"here.csv": "same", "gone.csv": "missing"}
    assert "/etc/passwd: not looked at: it does not lie in the directory that holds the store" in answer["reasons"]
    assert not [failure for failure in answer["failures"] if failure["code"].startswith("file_")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "python: cannot be seen now (what was sent says nothing of it)"),
        (
            {"environment": {"python": {"rules": 2, "packages": {}}}},
            "python: cannot be seen now (it was captured by rules 2, and recorded by rules 1)",
        ),
        ({"states": {"python": {"unknown": "no permission"}}}, "python: cannot be seen now (no permission)"),
    ],
    ids=["nothing said", "other rules", "unknown there too"],
)
def test_what_cannot_be_compared_is_not_told_as_different(verify, change, reason):
    given = document(change.get("environment", OTHER)) | {"states": change.get("states", {"conda": "none"})}
    answer = verify(given).json
    assert (answer["verdict"], answer["changes"]) == ("not comparable", [])
    assert reason in answer["reasons"]


def test_a_layer_that_was_not_looked_at_then_is_passed_over(verify):
    given = document(environment_of(numpy="2.1.0", scipy="1.14") | OTHER, conda="none")
    assert verify(given).json["verdict"] == "identical"


@pytest.mark.parametrize("query", ["?layer=nothing", "?strict=perhaps", "?deep=1"])
def test_what_makes_no_sense_is_told(server, verify, capsule, query):
    assert verify(environment_of(numpy="1"), query).status == 422
    assert server.get(f"/api/capsules/{capsule}/environment-verify{query}").status == 422


def test_a_name_that_leads_nowhere_is_told(server):
    assert server.get("/api/capsules/nobody/environment-verify").status == 404
    assert server.ask("POST", "/api/capsules/nobody/environment-verify", environment_of(numpy="1")).status == 404


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of a real environment, of which the tests change a distribution."""
    directory = tmp_path_factory.mktemp("environment") / ".venv"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, directory], check=True)
    install = [uv, "pip", "install", "-q", "--no-deps", "--python", directory, "six==1.16.0", "idna==3.6"]
    subprocess.run(install, check=True)
    return directory / "bin" / "python"


@pytest.fixture
def own(python: Path, tmp_path: Path, known_machine: None) -> Iterator[CapsuleServer]:
    """A server whose own environment that is, of a store with a capsule of it."""
    with Store.init(str(tmp_path)) as store:
        captured = capture_environment(str(python))
        register_capsule("here", environment_capture=captured, store=store)
    with serving(store.path, python=str(python), git=False) as server:
        yield server


@pytest.mark.slow
def test_the_servers_own_environment_is_looked_at_anew_each_time(own, python):
    path = "/api/capsules/@/environment-verify"
    before = own.get(path)
    assert before.headers["cache-control"] == "no-store"
    assert before.json == verify_capsule("@", python=python, store=own.store)
    assert before.json["verdict"] == "identical"
    command = [sys.executable, "-m", "capsulestore_cli", "verify", "@", "--json", "--python", python]
    said = subprocess.run([*command, "--store", own.store], capture_output=True, check=False)
    assert json.loads(said.stdout) == before.json | {"target": {"python": str(python), "chosen_by": "--python"}}

    captured = json.loads(json.dumps(capture_environment(str(python)).as_dict()))
    given = own.ask("POST", path, captured).json
    assert given == before.json | {"target": None}

    install = [find_uv_bin(), "pip", "install", "-q", "--no-deps", "--python", python, "six==1.17.0"]
    subprocess.run(install, check=True)
    after = own.get(path).json
    assert after["verdict"] == "different"
    (change,) = after["changes"]
    assert (change["entry"], change["a"]["version"], change["b"]["version"]) == ("six", "1.16.0", "1.17.0")
    assert own.ask("POST", path, captured).json == given


@pytest.mark.slow
def test_an_interpreter_that_is_gone_is_told_and_others_are_answered(own, python):
    kept = python.parent.with_name("kept")
    shutil.move(python.parent, kept)
    try:
        found = own.get("/api/capsules/@/environment-verify")
        assert (found.status, found.error["code"]) == (503, "interpreter")
        assert own.get("/api/capsules/@").status == 200
    finally:
        shutil.move(kept, python.parent)
    assert own.get("/api/capsules/@/environment-verify").status == 200
