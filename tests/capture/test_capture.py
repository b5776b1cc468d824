"""Capturing answers with one value: an environment that has a canonical form, its context, states and findings."""

import json
import platform
import sys

import pytest

from capsulestore.capture.environment import capture, capture_environment
from capsulestore.capture.target import Target
from capsulestore.errors import UsageError
from capsulestore.model.mapping import decode_mapping, encode_mapping


def target(venv) -> Target:
    return Target(str(venv.python), "test")


def test_i1_what_is_captured_is_its_own_canonical_form(venv, make_project, uv, tmp_path):
    project = make_project(tmp_path / "delta", "delta")
    uv("pip", "install", "--quiet", "--offline", "--python", venv.python, "--editable", project)
    (venv.site / "ümläut.py").touch()
    captured = venv.capture(None)
    for value in (captured.environment, captured.context):
        encoded = encode_mapping(value)
        decoded = decode_mapping(encoded.id, encoded.objects.__getitem__)
        assert decoded == value
        assert encode_mapping(decoded).id == encoded.id


def test_neither_place_nor_installer_is_in_an_environment(venv, make_project, uv, tmp_path):
    project = make_project(tmp_path / "delta", "delta")
    uv("pip", "install", "--quiet", "--offline", "--python", venv.python, "--editable", project)
    (venv.site / "place.pth").write_text(f"{tmp_path}\n")
    (venv.site / "loose.py").touch()
    captured = venv.capture(None)
    assert str(tmp_path) in json.dumps(captured.context)
    text = json.dumps(captured.environment)
    assert [absent for absent in (str(tmp_path), sys.base_prefix, '"uv"', '"pip"') if absent in text] == []


def test_every_layer_says_by_which_rules_it_was_captured(venv):
    captured = venv.capture()
    assert captured.environment["python"]["rules"] == captured.context["python"]["rules"] == 1
    assert captured.layers["python"].as_json() == "captured"


def test_an_environment_without_distributions_has_empty_packages(make_venv, tmp_path):
    captured = make_venv(tmp_path / "venv").capture()
    assert set(captured.environment["python"]) == {"rules", "interpreter", "packages"}
    assert captured.environment["python"]["packages"] == {}


def test_a_layer_can_be_asked_for_alone(venv):
    assert set(capture(target(venv), layers=["python"], environ=venv.environ).environment) == {"python"}


def test_a_layer_that_there_is_none_of_is_told_with_those_that_there_are(venv):
    with pytest.raises(UsageError, match="no layer `pythn`") as caught:
        capture(target(venv), layers=["python", "pythn"], environ=venv.environ)
    assert "python" in caught.value.hint


def test_rules_that_this_release_does_not_know_leave_the_layer_unknown(venv):
    captured = capture(target(venv), rules={"python": 99}, environ=venv.environ)
    assert "python" not in captured.environment
    assert captured.layers["python"].as_json() == {"unknown": "this release does not know rules 99"}


def test_rules_that_are_asked_for_by_number_are_those_used(venv):
    captured = capture(target(venv), rules={"python": 1}, environ=venv.environ)
    assert captured.environment == venv.capture().environment


def test_the_running_interpreter_is_captured_when_none_is_named():
    captured = capture_environment()
    assert captured.target == Target(sys.executable, "running")
    assert captured.environment["python"]["interpreter"]["version"] == platform.python_version()
    assert "pytest" in captured.environment["python"]["packages"]


def test_a_finding_names_its_layer_its_kind_its_subject_and_what_it_means(venv):
    (venv.site / "loose.py").touch()
    (finding,) = venv.capture(None).findings
    assert finding.as_dict() == {
        "layer": "python",
        "code": "unowned",
        "subject": "loose.py",
        "message": "belongs to no distribution; hashed",
    }
