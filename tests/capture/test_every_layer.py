"""What holds for every layer, whatever it looks at."""

import json
import os
import pwd
from collections.abc import Iterator

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.environment import CONTEXT_LAYERS, LAYERS, capture
from capsulestore.capture.target import Target
from capsulestore.capture.variables import PATHS, PROCESS
from capsulestore.model.mapping import decode_mapping, encode_mapping

SECRET = "hunter2"

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=[layer.name for layer in LAYERS])


@pytest.fixture
def place(tmp_path, runtime):
    """Return a layer and a runtime that has what the layer looks at: few machines that run tests are containers."""

    def place(layer):
        if layer.name != "container":
            return layer, runtime
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / ".containerenv").touch()
        image = {"CAPSULE_IMAGE_DIGEST": f"sha256:{'1' * 64}"}
        return ContainerLayer(str(tmp_path)), runtime._replace(environ={**runtime.environ, **image})

    return place


def values(captured) -> dict:
    """Return what a layer would record, by part."""
    parts = {"environment": captured.environment, "context": captured.context}
    return {part: value for part, value in parts.items() if value is not None}


def leaves(value: object) -> Iterator[object]:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if members is None:
        yield value
    else:
        for member in members:
            yield from leaves(member)


def test_layers_have_names_of_their_own():
    assert [layer.name for layer in LAYERS] == ["python", "container", "system", "variables", "host"]
    assert {"system", "variables", "host"} == CONTEXT_LAYERS


@every_layer
def test_a_layer_is_the_same_each_time_it_is_captured(layer, place):
    layer, runtime = place(layer)
    assert layer.capture(runtime, 1) == layer.capture(runtime, 1)


@every_layer
def test_a_layer_is_the_same_from_a_cache(layer, place, tmp_path):
    layer, runtime = place(layer)
    kept = runtime._replace(cache=Cache(str(tmp_path / "cache")))
    assert layer.capture(kept, 1) == layer.capture(kept, 1) == layer.capture(runtime, 1)


@every_layer
def test_a_layer_says_by_which_rules_it_was_captured(layer, place):
    layer, runtime = place(layer)
    assert layer.rules
    for rules in layer.rules:
        captured = layer.capture(runtime, rules)
        assert captured.state.as_json() == "captured"
        assert [value["rules"] for value in values(captured).values()] == [rules] * len(values(captured))


@every_layer
def test_a_layer_is_of_the_environment_or_of_the_context_as_it_says(layer, place):
    layer, runtime = place(layer)
    captured = layer.capture(runtime, max(layer.rules))
    assert captured.context is not None
    assert (captured.environment is not None) is layer.in_environment


@every_layer
def test_i1_a_layer_is_its_own_canonical_form(layer, place):
    layer, runtime = place(layer)
    for value in values(layer.capture(runtime, 1)).values():
        encoded = encode_mapping({layer.name: value})
        decoded = decode_mapping(encoded.id, encoded.objects.__getitem__)
        assert decoded == {layer.name: value}


@every_layer
def test_a_layer_has_no_collection_without_anything_in_it(layer, place):
    layer, runtime = place(layer)
    context = layer.capture(runtime, 1).context
    assert [name for name, collection in context.items() if collection in ({}, [], "", None)] == []


@every_layer
def test_a_layer_has_neither_host_name_nor_user_nor_process_in_it(layer, place):
    layer, runtime = place(layer)
    told = {json.dumps(leaf) for leaf in leaves(list(values(layer.capture(runtime, 1)).values()))}
    machine = os.uname()
    absent = {machine.nodename, machine.version, pwd.getpwuid(os.getuid()).pw_name, os.getpid(), os.getppid()}
    assert {json.dumps(name) for name in absent} & told == set()


@every_layer
def test_i7_a_layer_has_no_secret_of_a_variable_in_it(layer, place):
    layer, runtime = place(layer)
    planted = dict.fromkeys([*PATHS, *PROCESS], f"https://user:{SECRET}@example.org/x?token={SECRET}")
    others = {"PASSWORD": SECRET, "LC_TOKEN": SECRET, "OMP_TOKEN": SECRET, "PIP_INDEX_URL": f"https://{SECRET}@x/"}
    captured = layer.capture(runtime._replace(environ={**runtime.environ, **planted, **others}), 1)
    assert SECRET not in json.dumps([*values(captured).values(), *(one.as_dict() for one in captured.findings)])


@every_layer
def test_a_layer_can_be_asked_for_alone(layer, small):
    captured = capture(Target(str(small.python), "test"), layers=[layer.name], environ=small.environ)
    assert list(captured.layers) == [layer.name]
    assert {*captured.environment, *captured.context} <= {layer.name}
    if captured.layers[layer.name].state == "captured":
        assert list(captured.context) == [layer.name]
        assert list(captured.environment) == ([layer.name] if layer.in_environment else [])


@every_layer
def test_rules_that_this_release_does_not_know_leave_a_layer_unknown(layer, small):
    captured = capture(Target(str(small.python), "test"), rules={layer.name: 99}, environ=small.environ)
    assert captured.layers[layer.name].as_json() == {"unknown": "this release does not know rules 99"}
    assert layer.name not in {*captured.environment, *captured.context}
    assert {*captured.layers} == {one.name for one in LAYERS}


def test_what_an_interpreter_is_started_with_is_what_is_captured(small, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert "OMP_NUM_THREADS" not in small.capture().context["variables"]["process"]
    ours = capture(Target(str(small.python), "test"), layers=["variables"])
    assert ours.context["variables"]["process"]["OMP_NUM_THREADS"] == "7"
