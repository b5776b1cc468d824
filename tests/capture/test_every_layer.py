"""What holds for every layer, whatever it looks at."""

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conda_prefixes import build_package, install
from nix_stores import NixStore, make_store

from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.environment import CONTEXT_LAYERS, LAYERS, capture
from capsulestore.capture.layer import Layer, LayerCapture, Runtime
from capsulestore.capture.nix import NixLayer
from capsulestore.capture.target import Target
from capsulestore.capture.variables import PATHS, PROCESS
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import decode_mapping, encode_mapping

SECRET = "hunter2"

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=[layer.name for layer in LAYERS])


CAPTURE_APART = """
import json, sys
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.layer import Runtime
from capsulestore.capture.environment import LAYERS
given = json.loads(sys.argv[1])
(layer,) = [type(layer)(*given["arguments"]) for layer in LAYERS if layer.name == given["layer"]]
runtime = Runtime(Interpreter(**given["interpreter"]), given["environ"], NOTHING_KEPT)
print(json.dumps(layer.capture(runtime, 1).as_json()))
"""


class Place(NamedTuple):
    """What a layer looks at: a real part of its own, as few machines that run tests have all of them."""

    layer: Layer
    runtime: Runtime
    arguments: tuple[str, ...] = ()
    directory: Path | None = None

    def capture(self, **variables: str) -> LayerCapture:
        runtime = self.runtime._replace(environ={**self.runtime.environ, **variables})
        return self.layer.capture(runtime, max(self.layer.rules))


@pytest.fixture(scope="session")
def conda_prefix(tmp_path_factory) -> Path:
    """A prefix into which rattler installed two packages."""
    root = tmp_path_factory.mktemp("every-conda")
    build_package(root / "channel", "alpha", "1.0", {"share/alpha.txt": "1\n"}, noarch="generic")
    build_package(root / "channel", "beta", "2.0", {"lib/beta.so": b"\x7fELF"}, depends=["alpha"])
    return install(root / "prefix", root / "channel", "beta")


@pytest.fixture(scope="session")
def in_nix(tmp_path_factory, environ) -> tuple[NixStore, Runtime]:
    """A nix store, and an interpreter that runs from it."""
    store = make_store(tmp_path_factory.mktemp("every-nix"))
    return store, Runtime(ask(str(store.python()), environ=environ), environ, NOTHING_KEPT)


@pytest.fixture
def place(tmp_path, runtime, request) -> Callable[[Layer], Place]:
    """Return a layer at a place where it applies."""

    def place(layer: Layer) -> Place:
        if layer.name == "conda":
            prefix = request.getfixturevalue("conda_prefix")
            interpreter = runtime.interpreter._replace(base_prefix=str(prefix))
            return Place(layer, runtime._replace(interpreter=interpreter), directory=prefix)
        if layer.name == "nix":
            store, in_store = request.getfixturevalue("in_nix")
            directory = str(store.directory)
            return Place(NixLayer(directory), in_store, (directory,), store.directory.parent)
        if layer.name == "container":
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / ".containerenv").touch()
            image = {"CAPSULE_IMAGE_DIGEST": f"sha256:{'1' * 64}"}
            told = runtime._replace(environ={**runtime.environ, **image})
            return Place(ContainerLayer(str(tmp_path)), told, (str(tmp_path),), tmp_path)
        directory = Path(runtime.interpreter.prefix) if layer.name == "python" else None
        return Place(layer, runtime, directory=directory)

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
    assert [layer.name for layer in LAYERS] == [
        "python",
        "conda",
        "nix",
        "container",
        "system",
        "variables",
        "host",
    ]
    assert {"system", "variables", "host"} == CONTEXT_LAYERS


@every_layer
def test_a_layer_is_the_same_each_time_it_is_captured(layer, place):
    place = place(layer)
    assert place.capture() == place.capture()


@every_layer
def test_a_layer_is_the_same_from_a_cache(layer, place, tmp_path):
    layer, runtime, *_ = place(layer)
    kept = runtime._replace(cache=Cache(str(tmp_path / "cache")))
    assert layer.capture(kept, 1) == layer.capture(kept, 1) == layer.capture(runtime, 1)


@every_layer
def test_a_layer_says_by_which_rules_it_was_captured(layer, place):
    layer, runtime, *_ = place(layer)
    assert layer.rules
    for rules in layer.rules:
        captured = layer.capture(runtime, rules)
        assert captured.state.as_json() == "captured"
        assert [value["rules"] for value in values(captured).values()] == [rules] * len(values(captured))


@every_layer
def test_a_layer_is_of_the_environment_or_of_the_context_as_it_says(layer, place):
    captured = place(layer).capture()
    assert captured.context is not None
    assert (captured.environment is not None) is layer.in_environment


@every_layer
def test_i1_a_layer_is_its_own_canonical_form(layer, place):
    for value in values(place(layer).capture()).values():
        encoded = encode_mapping({layer.name: value})
        decoded = decode_mapping(encoded.id, encoded.objects.__getitem__)
        assert decoded == {layer.name: value}


@every_layer
def test_a_layer_has_no_collection_without_anything_in_it(layer, place):
    context = place(layer).capture().context
    assert [name for name, collection in context.items() if collection in ({}, [], "", None)] == []


@every_layer
def test_a_layer_has_neither_host_name_nor_user_nor_process_in_it(layer, place):
    told = {json.dumps(leaf) for leaf in leaves(list(values(place(layer).capture()).values()))}
    machine = os.uname()
    processes = {os.getpid(), os.getppid()} - {1}  # what every orphan has as its parent tells nothing
    absent = {machine.nodename, machine.version, pwd.getpwuid(os.getuid()).pw_name, *processes}
    assert {json.dumps(name) for name in absent} & told == set()


@every_layer
def test_i7_a_layer_has_no_secret_of_a_variable_in_it(layer, place):
    planted = dict.fromkeys([*PATHS, *PROCESS], f"https://user:{SECRET}@example.org/x?token={SECRET}")
    others = {"PASSWORD": SECRET, "LC_TOKEN": SECRET, "OMP_TOKEN": SECRET, "PIP_INDEX_URL": f"https://{SECRET}@x/"}
    captured = place(layer).capture(**planted, **others)
    assert SECRET not in json.dumps([*values(captured).values(), *(one.as_dict() for one in captured.findings)])


@every_layer
def test_a_part_of_the_environment_has_no_path_of_this_machine_in_it(layer, place):
    place = place(layer)
    interpreter = place.runtime.interpreter
    paths = {interpreter.prefix, interpreter.base_prefix, interpreter.executable, str(place.directory), os.getcwd()}
    told = json.dumps(place.capture().environment)
    assert [path for path in paths if len(path) > 1 and path in told] == []


@pytest.mark.parametrize("name", ["conda", "nix", "container"])
def test_a_layer_that_does_not_apply_is_absent(name, runtime, tmp_path):
    (layer,) = [layer for layer in LAYERS if layer.name == name]
    if name == "container":
        mounts = tmp_path / "proc" / "self" / "mountinfo"
        mounts.parent.mkdir(parents=True)
        mounts.write_text("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n")
        layer = ContainerLayer(str(tmp_path))
    assert layer.capture(runtime, 1) == LayerCapture(LayerState("none"))


def test_conda_that_cannot_be_listed_is_unknown_with_the_reason(conda_prefix, tmp_path, place, as_nobody_special):
    shutil.copytree(conda_prefix, tmp_path / "prefix", symlinks=True)
    (tmp_path / "prefix" / "conda-meta").chmod(0)
    conda = place(next(layer for layer in LAYERS if layer.name == "conda"))
    interpreter = conda.runtime.interpreter._replace(base_prefix=str(tmp_path / "prefix"))
    assert state_apart("conda", (), interpreter, as_nobody_special) == {
        "unknown": "`conda-meta` cannot be listed (Permission denied)"
    }


def test_nix_whose_database_cannot_be_read_is_unknown_with_the_reason(in_nix, tmp_path, as_nobody_special):
    store, runtime = in_nix
    elsewhere = tmp_path / "store"
    elsewhere.symlink_to(store.directory)
    (tmp_path / "var/nix/db").mkdir(parents=True)
    (tmp_path / "var/nix/db/db.sqlite").touch(mode=0)
    told = state_apart("nix", (str(elsewhere),), runtime.interpreter, as_nobody_special)
    assert told["unknown"].endswith("db.sqlite` cannot be read (unable to open database file)")


def test_a_container_whose_image_nothing_tells_is_unknown_with_the_reason(place, runtime):
    container = place(ContainerLayer())
    captured = container.layer.capture(runtime, 1)
    assert captured.state.state == "unknown"
    assert "CAPSULE_IMAGE_DIGEST" in captured.state.reason
    assert captured.environment is None


def state_apart(layer, arguments, interpreter, command):
    """Return how looking at a layer ended in a process that is started by some command."""
    given = {"layer": layer, "arguments": arguments, "interpreter": interpreter._asdict(), "environ": {}}
    apart = [*command, sys.executable, "-c", CAPTURE_APART, json.dumps(given)]
    return json.loads(subprocess.run(apart, capture_output=True, text=True, check=True).stdout)[0]


@every_layer
def test_i9_looking_at_a_layer_changes_nothing_where_it_looks(layer, place):
    place = place(layer)
    before = tree(place.directory)
    place.capture()
    assert tree(place.directory) == before


def tree(directory: Path | None) -> dict[str, tuple[int, ...]]:
    """Return everything below a directory, with what writing would change of it."""
    found = {}
    for path in [directory, *directory.rglob("*")] if directory else []:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, status.st_nlink)
    return found


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
    assert "OMP_NUM_THREADS" not in small.capture({"variables"}).context["variables"]["process"]
    ours = capture(Target(str(small.python), "test"), layers=["variables"])
    assert ours.context["variables"]["process"]["OMP_NUM_THREADS"] == "7"
