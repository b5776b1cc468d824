"""`record` makes a capsule of an environment and of what people say of it, as design §2.3 says, and registers it."""

from __future__ import annotations

import json

import pytest

from capsulestore.capture.artifacts import Artifact, digest_artifacts
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import encode_mapping
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.store import Store

ENVIRONMENT = {
    "python": {
        "interpreter": {"implementation": "cpython", "version": "3.11.7"},
        "packages": {"numpy": {"version": "2.1.0"}, "scipy": {"version": "1.15"}},
        "rules": 1,
    }
}
CONTEXT = {"variables": {"process": {"LANG": "C.UTF-8"}}}


@pytest.fixture
def surroundings(store) -> Surroundings:
    return Surroundings(
        environment=ENVIRONMENT,
        context=CONTEXT,
        layers={
            "python": LayerState("captured"),
            "conda": LayerState("none"),
            "container": LayerState("unknown", "no engine socket"),
        },
        python=f"{store.root}/.venv/bin/python",
        chosen_by="./.venv",
    )


@pytest.fixture
def manifest(git):
    """The manifest of a recorded capsule, as git gives its bytes."""

    def manifest(store: Store, recorded: Recorded) -> dict:
        return json.loads(git(store.path, "cat-file", "blob", f"{recorded.capsule}:capsule.json"))

    return manifest


def test_the_least_that_a_manifest_holds(store, manifest):
    recorded = record(store, Surroundings(environment=ENVIRONMENT), Description(title="first fit"))
    assert manifest(store, recorded) == {
        "schema": 1,
        "title": "first fit",
        "environment_digest": str(recorded.environment),
    }


def test_all_that_was_said_is_in_the_manifest(store, surroundings, manifest):
    parent = record(store, surroundings, Description(title="parent")).capsule
    description = Description(
        title="second fit",
        inputs=[Artifact("data.csv", "a" * 64, 12)],
        outputs=[Artifact("out/fit.csv", "b" * 64, 0), Artifact("/elsewhere/plot.png", "c" * 64, 2**40)],
        parameters={"alpha": 0.5, "method": "nuts", "seeds": [1, 2], "nested": {"deep": [None, True]}},
        labels={"project": "köln"},
        parents=[parent],
    )
    recorded = record(store, surroundings, description)
    assert manifest(store, recorded) == {
        "schema": 1,
        "title": "second fit",
        "environment_digest": str(recorded.environment),
        "layers": {"python": "captured", "conda": "none", "container": {"unknown": "no engine socket"}},
        "target": {"python": ".venv/bin/python", "chosen_by": "./.venv"},
        "parameters": {"alpha": 0.5, "method": "nuts", "seeds": [1, 2], "nested": {"deep": [None, True]}},
        "labels": {"project": "köln"},
        "inputs": [{"path": "data.csv", "sha256": "a" * 64, "size": 12}],
        "outputs": [
            {"path": "out/fit.csv", "sha256": "b" * 64, "size": 0},
            {"path": "/elsewhere/plot.png", "sha256": "c" * 64, "size": 2**40},
        ],
        "parents": [str(parent)],
    }


def test_an_interpreter_outside_the_project_is_recorded_by_its_absolute_path(store, surroundings, manifest):
    recorded = record(store, surroundings._replace(python="/usr/bin/python3"), Description(title="a capsule"))
    assert manifest(store, recorded)["target"]["python"] == "/usr/bin/python3"


def test_files_are_recorded_by_their_hash_as_sha256sum_prints_it(store, project, surroundings, manifest):
    (project / "out").mkdir()
    (project / "out" / "fit.csv").write_bytes(b"abc")
    outputs = digest_artifacts([str(project / "out")], root=store.root)
    recorded = record(store, surroundings, Description(title="a capsule", outputs=outputs))
    assert manifest(store, recorded)["outputs"] == [
        {
            "path": "out/fit.csv",
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "size": 3,
        }
    ]


def test_the_manifest_is_canonical_json(store, surroundings, git):
    description = Description(title="ä", parameters={"b": 1.0, "a": 1e21, "\U0001f600": -0.0, "\ufb33": "é"})
    recorded = record(store, surroundings._replace(layers=None, python=None), description)
    assert git(store.path, "cat-file", "blob", f"{recorded.capsule}:capsule.json") == (
        f'{{"environment_digest":"{recorded.environment}",'
        '"parameters":{"a":1e+21,"b":1,"\U0001f600":0,"\ufb33":"é"},"schema":1,"title":"ä"}'
    )


def test_a_capsule_is_a_tree_of_manifest_environment_and_context(store, surroundings, git):
    recorded = record(store, surroundings, Description(title="a capsule"))
    context = encode_mapping(CONTEXT).id
    lines = git(store.path, "ls-tree", str(recorded.capsule)).splitlines()
    manifest = git(store.path, "rev-parse", f"{recorded.capsule}:capsule.json")
    assert lines == [
        f"100644 blob {manifest}\tcapsule.json",
        f"040000 tree {context}\tcontext",
        f"040000 tree {recorded.environment}\tenvironment",
    ]


def test_without_a_context_there_is_no_tree_of_one(store, surroundings, git):
    recorded = record(store, surroundings._replace(context={}), Description(title="a capsule"))
    assert git(store.path, "ls-tree", "--name-only", str(recorded.capsule)) == "capsule.json\nenvironment"


def test_the_environments_digest_needs_no_store(store, surroundings):
    recorded = record(store, surroundings, Description(title="a capsule"))
    assert recorded.environment == encode_mapping(ENVIRONMENT).id


def test_the_same_facts_are_the_same_capsule(store, surroundings):
    description = Description(title="a capsule", parameters={"alpha": 0.5, "beta": [1]})
    first = record(store, surroundings, description)
    turned = Surroundings(
        environment={"python": dict(reversed(ENVIRONMENT["python"].items()))},
        context=CONTEXT,
        layers=dict(reversed(surroundings.layers.items())),
        python=surroundings.python,
        chosen_by=surroundings.chosen_by,
    )
    again = record(store, turned, description._replace(parameters={"beta": [1], "alpha": 0.5}))
    assert (again.capsule, again.environment) == (first.capsule, first.environment)
    assert (first.new, again.new) == (True, False)


def test_the_same_facts_in_another_directory_are_the_same_capsule(store, surroundings, tmp_path):
    first = record(store, surroundings, Description(title="a capsule"))
    with Store.init(str(tmp_path / "elsewhere")) as other:
        there = surroundings._replace(python=f"{other.root}/.venv/bin/python")
        assert record(other, there, Description(title="a capsule")) == first


@pytest.mark.parametrize(
    "change",
    [
        {"title": "another"},
        {"parameters": {"alpha": 1}},
        {"parameters": {"alpha": "1"}},
        {"labels": {"alpha": 1}},
        {"inputs": [Artifact("data.csv", "a" * 64, 12)]},
        {"outputs": [Artifact("data.csv", "a" * 64, 12)]},
    ],
    ids=repr,
)
def test_another_fact_is_another_capsule_of_the_same_environment(store, surroundings, change):
    description = Description(title="a capsule")
    first = record(store, surroundings, description)
    other = record(store, surroundings, description._replace(**change))
    assert other.environment == first.environment
    assert other.capsule != first.capsule


def test_the_answer_as_json_has_it(store, surroundings):
    recorded = record(store, surroundings, Description(title="a capsule"))
    assert recorded.as_dict() == {
        "capsule_id": str(recorded.capsule),
        "environment_digest": str(recorded.environment),
        "registered": True,
    }


def test_a_recorded_capsule_is_read_as_it_was_written(store, surroundings):
    recorded = record(store, surroundings, Description(title="a capsule"))
    capsule = store.capsule(recorded.capsule)
    assert capsule.manifest.layers == surroundings.layers
    assert (capsule.environment, capsule.context) == (recorded.environment, encode_mapping(CONTEXT).id)
