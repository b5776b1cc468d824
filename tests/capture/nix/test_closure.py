"""The closure of what an interpreter runs from, and what nix itself says of it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from nix_stores import VERSION, make_store

from capsulestore.capture.layer import LayerCapture
from capsulestore.capture.nix import NixLayer
from capsulestore.compare.difference import Side, changes
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import decode_mapping, encode_mapping


def names(paths) -> list[str]:
    return [re.sub(r"-\d.*?(-env)?$", r"\1", path.partition("-")[2]) for path in paths]


def by_nix(store, *paths: Path) -> dict[str, str]:
    """Return what nix says of the closure, its hashes spelled in hex by nix."""
    told = store.closure(*paths)
    in_hex = store.nix("nix-hash", "--type", "sha256", "--to-base16", *(each[7:] for each in told.values())).split()
    return {name: f"sha256:{digits}" for name, digits in zip(told, in_hex, strict=True)}


def test_the_interpreter_really_runs_from_the_store(store, nix_python):
    code = "import math, sys; print(sys.prefix, *{line.split()[-1] for line in open('/proc/self/maps')}, sep='\\n')"
    prefix, *mapped = subprocess.check_output([nix_python, "-c", code], text=True).splitlines()
    assert prefix == str(nix_python.parents[1])
    ours = [path for path in mapped if "python" in os.path.basename(path) or "cpython" in path]
    assert len(ours) > 1
    assert [path for path in ours if not path.startswith(str(store.directory))] == []


def test_an_interpreter_of_a_store_has_its_closure_as_nix_tells_it(store, nix_python, look):
    captured = look(nix_python)
    assert captured.state.as_json() == "captured"
    assert captured.findings == ()
    assert captured.environment == {"rules": 1, "paths": by_nix(store, nix_python.parents[1])}
    assert sorted(names(captured.environment["paths"])) == ["python3", "python3-libraries"]
    assert captured.context == {"rules": 1, "roots": [nix_python.parents[1].name]}


def test_a_venv_of_such_an_interpreter_has_the_same_closure(nix_python, look, make_venv, tmp_path):
    linked = make_venv(tmp_path / "linked", python=str(nix_python))
    copied = make_venv(tmp_path / "copied", "--copies", python=str(nix_python))
    assert linked.python.resolve() == nix_python
    assert not copied.python.is_symlink()
    assert look(linked.python) == look(nix_python)
    assert look(copied.python, LD_LIBRARY_PATH=str(nix_python.parents[1] / "lib")) == look(nix_python)


def test_a_link_to_such_an_interpreter_has_its_closure(nix_python, look, tmp_path):
    (tmp_path / "profile").symlink_to(nix_python.parents[1])
    assert look(tmp_path / "profile" / "bin" / "python3") == look(nix_python)


def test_an_environment_with_packages_has_them_too(store, nix_python, look, tmp_path):
    (tmp_path / "alpha-1.0").mkdir()
    (tmp_path / "alpha-1.0" / "alpha.py").write_text("x = 1\n")
    python = store.python_with(nix_python, store.add(tmp_path / "alpha-1.0"))
    captured = look(python)
    assert captured.environment["paths"] == by_nix(store, python.parents[1])
    assert sorted(names(captured.environment["paths"])) == ["alpha", "python3", "python3-env", "python3-libraries"]
    assert captured.context["roots"] == [python.parents[1].name], "which needs the interpreter"


def test_what_a_shell_of_nix_adds_to_the_path_belongs_to_it(store, nix_python, look, tmp_path):
    (tmp_path / "beta-1.0").mkdir()
    package = store.add(tmp_path / "beta-1.0")
    captured = look(nix_python, PYTHONPATH=f"{package}:{store.directory}/{'0' * 32}-deleted:{tmp_path}")
    assert captured.environment["paths"] == by_nix(store, nix_python.parents[1], package)
    assert captured.context["roots"] == sorted([nix_python.parents[1].name, package.name])


def test_an_interpreter_outside_of_the_store_has_none(small, look, store, nix_python):
    assert look(small.python) == LayerCapture(LayerState("none"))
    assert look(small.python, PYTHONPATH=str(nix_python.parents[1] / "lib" / VERSION)) == LayerCapture(
        LayerState("none")
    )


def test_where_there_is_no_store_there_is_none(runtime, tmp_path):
    assert NixLayer(str(tmp_path / "store")).capture(runtime, 1) == LayerCapture(LayerState("none"))


def test_an_interpreter_that_lies_loose_in_the_store_has_none(runtime, tmp_path):
    loose = tmp_path / "store" / ".links"
    loose.mkdir(parents=True)
    interpreter = runtime.interpreter._replace(executable=str(loose / "python3"))
    layer = NixLayer(str(tmp_path / "store"))
    assert layer.capture(runtime._replace(interpreter=interpreter), 1) == LayerCapture(LayerState("none"))


def test_no_program_of_nix_is_needed(nix_python, look, tmp_path):
    assert look(nix_python, PATH=str(tmp_path)) == look(nix_python)


def test_a_name_that_is_too_long_for_a_key_is_named_by_its_hash(store, nix_python, look, tmp_path):
    (tmp_path / ("=" * 211)).mkdir()
    package = store.add(tmp_path / ("=" * 211))
    captured = look(nix_python, PYTHONPATH=str(package))
    assert package.name in captured.context["roots"]
    assert [key for key in captured.environment["paths"] if key.startswith("sha256:")]
    assert encode_mapping({"nix": captured.environment})


def test_i1_the_layer_is_its_own_canonical_form_and_names_no_place(nix_python, look, store):
    captured = look(nix_python)
    encoded = encode_mapping({"nix": captured.environment})
    assert decode_mapping(encoded.id, encoded.objects.__getitem__) == {"nix": captured.environment}
    assert str(store.directory) not in json.dumps([captured.environment, captured.context])


@pytest.mark.slow
def test_a_store_that_was_copied_has_the_same_layer(nix_runtime, tmp_path):
    first = make_store(tmp_path / "nix")
    python = first.python()
    before = NixLayer(str(first.directory)).capture(nix_runtime(python), 1)
    paths = [first.directory / path for path in first.closure(python.parents[1])]
    archive = tmp_path / "archive"
    archive.write_bytes(subprocess.check_output(["nix-store", "--export", *paths], env=first.environ))
    (tmp_path / "nix").rename(tmp_path / "another-machine")
    again = make_store(tmp_path / "nix")
    with archive.open("rb") as file:
        subprocess.run(["nix-store", "--import"], stdin=file, env=again.environ, check=True, capture_output=True)
    assert NixLayer(str(again.directory)).capture(nix_runtime(python), 1) == before


@pytest.mark.slow
def test_another_content_of_one_path_is_one_change(store, changing, look):
    python = changing("x = 1\n")
    before = encode_mapping({"nix": look(python).environment})
    (package,) = [store.directory / path for path in store.closure(python.parents[1]) if path.endswith("package-1.0")]
    store.delete(package)
    assert changing("x = 2\n") == python, "the same paths"
    after = encode_mapping({"nix": look(python).environment})
    (change,) = changes(
        Side(before.objects.__getitem__, before.id),
        Side(after.objects.__getitem__, after.id),
    )
    assert (change.layer, change.collection, change.entry) == ("nix", "paths", package.name)
    assert change.change == "changed"
    assert str(change.b) == by_nix(store, package)[package.name] != change.a


@pytest.mark.parametrize("variable", ["NIX_STORE_DIR", "NIX_STATE_DIR", "NIX_REMOTE"])
def test_variables_lead_it_nowhere_else(nix_python, look, tmp_path, variable):
    assert look(nix_python, **{variable: str(tmp_path)}) == look(nix_python)
